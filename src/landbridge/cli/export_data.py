"""`landbridge export-data`."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli.alerting import with_alerts
from landbridge.cli.options import (
    AcceptDelta,
    All,
    AsJson,
    DryRun,
    FullReload,
    ProjectFolder,
    Tables,
    To,
    chosen,
    open_world,
    place,
)
from landbridge.cli.outcome import print_plans, print_results
from landbridge.cli.progress import Progress
from landbridge.cli.text import print_json, print_table, size
from landbridge.engine.carrying.resend import Exported, find_exported, resend
from landbridge.engine.plan import Begin, plan_export
from landbridge.engine.sync import export_tables
from landbridge.errors import ParcelError, UsageError

RESEND = "of the other options it takes --part and --to"
PART = "landbridge export-data --resend PARCEL --part N --to MEDIUM"


def export_data_command(
    *,
    every: All = False,
    table: Tables = None,
    to: To = None,
    obfuscate: Annotated[
        bool | None,
        typer.Option("--obfuscate/--no-obfuscate", help="Hide names, times and sizes [default: as the tables say]."),
    ] = None,
    again: Annotated[
        str | None,
        typer.Option("--resend", metavar="PARCEL", help="A parcel exported before, copied as it is --to URL."),
    ] = None,
    part: Annotated[
        list[str] | None, typer.Option("--part", metavar="N|FILE", help="Of --resend: this part; may be repeated.")
    ] = None,
    separate_instants: Annotated[
        bool, typer.Option("--separate-instants", help="Read each table as of its own instant, not all as of one.")
    ] = False,
    full_reload: FullReload = False,
    from_confirmed: Annotated[
        bool,
        typer.Option("--from-confirmed", help="Go on from what is known to have arrived, not from the last export."),
    ] = False,
    accept_delta: AcceptDelta = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Read tables at their sources and write each as a sealed parcel, ready to be carried."""
    of_parcel = again is not None
    for_tables = every or table or obfuscate is not None or separate_instants or accept_delta
    _refuse_contradictions(
        (of_parcel and (for_tables or full_reload or from_confirmed), "--resend copies a parcel as it is", RESEND),
        (of_parcel and to == "", "--to names no place", "is the variable set? without --to, the parcel is only shown"),
        (part and not of_parcel, "--part is of a parcel, and none is named", PART),
        (full_reload and from_confirmed, "--full-reload begins anew, --from-confirmed does not", "give one of the two"),
    )
    if again is not None:
        _resend(again, part or (), None if dry_run else place(to), as_json=as_json, project=project)
        return
    begins_at: Begin = "nothing" if full_reload else "confirmed" if from_confirmed else "exported"
    with open_world(project, Progress(), changing=not dry_run) as world:
        tables = chosen(world.project, table, every=every)
        if dry_run:
            plan = partial(plan_export, world.project, location=place(to), obfuscate=obfuscate, begins_at=begins_at)
            print_plans(world, tables, plan, as_json=as_json)
        else:
            with_alerts(world)
            results = export_tables(
                world,
                tables,
                location=place(to),
                obfuscate=obfuscate,
                accept_delta=accept_delta,
                separate_instants=separate_instants,
                begins_at=begins_at,
            )
            print_results(results, as_json=as_json)


def _refuse_contradictions(*options: tuple[object, str, str]) -> None:
    """Each: whether it is so, the message, the hint."""
    for wrong, message, hint in options:
        if wrong:
            raise UsageError(message, hint=hint)


def _resend(name: str, parts: Sequence[str], to: str | None, *, as_json: bool, project: Path | None) -> None:
    with open_world(project, changing=to is not None) as world:
        exported = find_exported(world, name, parts)
        copied = resend(world, exported, to) if to else 0
    if as_json:
        print_json(_entry(exported, to))
    elif to:
        row, files = exported.row, len(exported.files) + 1
        typer.echo(f"{row.pipeline_name}: copied {files} files of {row.folder} to {to}, {size(copied)}")
    else:
        _print(exported)
    if not to and any(file.problem for file in exported.files):
        raise typer.Exit(ParcelError.exit_code)


def _print(exported: Exported) -> None:
    row = exported.row
    typer.echo(f"{row.pipeline_name}: parcel {row.parcel_id}, number {row.sequence}, at {row.location}/{row.folder}\n")
    lines = [(file.number, file.entry.name, size(file.entry.bytes), file.problem) for file in exported.files]
    print_table(("part", "file", "size", "problem"), lines)
    typer.echo("hint: --to MEDIUM copies these files and the index", err=True)


def _entry(exported: Exported, to: str | None) -> dict[str, object]:
    row = exported.row
    return {
        "table": row.pipeline_name,
        "parcel_id": row.parcel_id,
        "sequence": row.sequence,
        "location": row.location,
        "folder": row.folder,
        "copied_to": to,
        "files": [
            {"file": file.entry.name, "number": file.number, "bytes": file.entry.bytes, "problem": file.problem}
            for file in exported.files
        ],
    }
