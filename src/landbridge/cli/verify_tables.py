"""`landbridge verify-tables`."""

from typing import Annotated

import typer

from landbridge.cli.main import report
from landbridge.cli.options import All, AsJson, From, ProjectFolder, Tables, chosen, open_world, place
from landbridge.cli.outcome import error_entry
from landbridge.cli.progress import Progress
from landbridge.cli.text import print_json
from landbridge.engine.sync import worst
from landbridge.engine.tables.verification import Verified, verify_tables


def verify_tables_command(
    *,
    every: All = False,
    table: Tables = None,
    source: From = None,
    data: Annotated[
        bool, typer.Option("--data", help="Compare the rows, too, with those that were loaded last.")
    ] = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Compare targets with what is wanted of them, and with what was loaded; exit code 4 where they differ."""
    seen: list[Verified] = []
    with open_world(project, Progress(), changing=False) as world:
        tables = chosen(world.project, table, every=every)
        for one in verify_tables(world, tables, location=place(source), data=data):
            seen.append(one)
            if one.error:
                report(one.error, prefix=f"error: {one.table}")
            elif not as_json:
                typer.echo(f"{one.table}: {one.relation} is as it should be")
    if as_json:
        print_json(
            [
                {
                    "table": one.table,
                    "target": str(one.relation),
                    "differences": list(one.differences),
                    "error": error_entry(one.error),
                }
                for one in seen
            ]
        )
    if code := worst(one.error for one in seen):
        raise typer.Exit(code)
