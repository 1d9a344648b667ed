"""`landbridge receipts import [PATH…] [--code CODE]…`."""  # noqa: N999  called like its command, as all are

from typing import Annotated, Any

import typer

from landbridge.cli.main import report
from landbridge.cli.options import AsJson, ProjectFolder, open_world, place
from landbridge.cli.outcome import error_entry
from landbridge.cli.text import print_json
from landbridge.engine.carrying.receipts import Heard, hear
from landbridge.engine.sync import worst
from landbridge.errors import UsageError


def import_command(
    path: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Receipts, or folders or URLs that hold some.")
    ] = None,
    *,
    code: Annotated[
        list[str] | None, typer.Option("--code", metavar="CODE", help="As it was read out; may be repeated.")
    ] = None,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Confirm that parcels have arrived: by signed files, or by codes. Each is checked; one refused stops no other."""
    if not path and not code:
        raise UsageError("say which receipts: PATH …, or --code CODE", hint="landbridge receipts import --help")
    heard: list[Heard] = []
    with open_world(project) as world:
        for one in hear(world, [place(each) or each for each in path or ()], code or ()):
            heard.append(one)
            if one.error:
                report(one.error)
            elif not as_json:
                typer.echo(_line(one))
    if as_json:
        print_json([_entry(one) for one in heard])
    if failed := worst(one.error for one in heard):
        raise typer.Exit(failed)


def _line(one: Heard) -> str:
    if one.row is None:
        return f"{one.receipt}: refused"
    said = "was confirmed before" if one.again else "is confirmed"
    return f"{one.row.pipeline_name}: number {one.row.sequence}, parcel {one.row.parcel_id}, {said}"


def _entry(one: Heard) -> dict[str, Any]:
    row = one.row
    return {
        "receipt": one.receipt,
        "table": row.pipeline_name if row else None,
        "sequence": row.sequence if row else None,
        "parcel_id": row.parcel_id if row else None,
        "again": one.again,
        "error": error_entry(one.error),
    }
