"""`landbridge change-history`."""

from datetime import datetime
from typing import Annotated

import typer

from landbridge.cli.options import AsJson, ProjectFolder, Tables, open_world
from landbridge.cli.text import print_json
from landbridge.engine.tables.metadata_folder import Entry, MetadataFolder
from landbridge.errors import UsageError


def change_history_command(
    *,
    table: Tables = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, metavar="N", help="The newest N entries.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="From this day on, UTC.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Up to this day, included.")
    ] = None,
    summary: Annotated[bool, typer.Option("--summary", help="One line for each entry.")] = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """What changed in the source tables and when, newest first, as extract-metadata has seen it."""
    if since and until and since > until:
        raise UsageError(
            f"--from {since:%Y-%m-%d} is after --to {until:%Y-%m-%d}", hint="landbridge change-history --help"
        )
    with open_world(project, changing=False) as world:
        known = world.project.tables
        names = [world.project.table(name).name for name in table] if table else [one.name for one in known]
        folder = MetadataFolder(world.project.folder)
        # within one second the later entry of a table is the newer one
        newest = [entry for name in names for entry in reversed(list(folder.history([name])))]
        found = sorted(newest, key=lambda entry: entry.time, reverse=True)
    told = [entry for entry in found if _within(entry, since, until)][:limit]
    if as_json:
        print_json([{"table": e.table, "time": e.time, "summary": e.summary, "lines": list(e.lines)} for e in told])
        return
    for entry in told:
        typer.echo(f"{entry.time:%Y-%m-%d %H:%M:%S}  {entry.table}: {entry.summary}")
        for line in () if summary else entry.lines:
            typer.echo(f"  {line}")
    if not told:
        typer.echo("no entry; landbridge extract-metadata writes them", err=True)


def _within(entry: Entry, since: datetime | None, until: datetime | None) -> bool:
    day = entry.time.date()
    return (since is None or day >= since.date()) and (until is None or day <= until.date())
