"""`landbridge create-tables`."""

from typing import Annotated, Any

import typer

from landbridge.cli.main import report
from landbridge.cli.options import All, AsJson, DryRun, From, ProjectFolder, Tables, chosen, open_world, place
from landbridge.cli.outcome import error_entry
from landbridge.cli.text import print_json
from landbridge.engine.sync import worst
from landbridge.engine.tables.creation import Created, create_tables


def create_tables_command(
    *,
    every: All = False,
    table: Tables = None,
    source: From = None,
    temporal: Annotated[
        bool, typer.Option("--temporal", help="Also the views and functions that `temporal` of the tables asks for.")
    ] = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Create target tables that are missing, from the newest carried parcel, else from the source itself."""
    with open_world(project, changing=not dry_run) as world:
        tables = chosen(world.project, table, every=every)
        made = list(create_tables(world, tables, location=place(source), dry_run=dry_run, temporal=temporal))
    if as_json:
        print_json([_entry(one) for one in made])
    for one in made:
        if one.error:
            report(one.error, prefix=f"error: {one.table}")
        elif not as_json:
            typer.echo(f"{one.table}: {one.relation} {_told(one, dry_run=dry_run)}")
            for sql in _statements(one) if dry_run else ():
                typer.echo(sql)
    if code := worst(one.error for one in made):
        raise typer.Exit(code)


def _told(one: Created, *, dry_run: bool) -> str:
    if not one.temporal:
        return one.state
    return f"{one.state}; temporal {'would be ' if dry_run else ''}made"


def _statements(one: Created) -> list[str]:
    return [*([one.ddl] if one.ddl else []), *(f"{sql};" for sql in one.temporal)]


def _entry(one: Created) -> dict[str, Any]:
    return {
        "table": one.table,
        "target": str(one.relation),
        "state": one.state,
        "ddl": one.ddl,
        "temporal": list(one.temporal),
        "error": error_entry(one.error),
    }
