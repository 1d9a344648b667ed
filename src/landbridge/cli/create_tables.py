"""`landbridge create-tables`."""

import typer

from landbridge.cli.options import All, AsJson, DryRun, From, ProjectFolder, Tables, chosen, open_world, place
from landbridge.cli.text import print_json
from landbridge.engine.creation import create_tables


def create_tables_command(
    *,
    every: All = False,
    table: Tables = None,
    source: From = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Create target tables that are missing, from the newest carried parcel, else from the source itself."""
    with open_world(project) as world:
        tables = chosen(world.project, table, every=every)
        made = list(create_tables(world, tables, location=place(source), dry_run=dry_run))
    if as_json:
        print_json([{"table": m.table, "target": str(m.relation), "state": m.state, "ddl": m.ddl} for m in made])
        return
    for one in made:
        typer.echo(f"{one.table}: {one.relation} {one.state}")
        if dry_run:
            typer.echo(one.ddl)
