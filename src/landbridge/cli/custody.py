"""`landbridge custody`."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from landbridge.cli.options import AsJson, ProjectFolder, open_world
from landbridge.cli.text import print_json, print_table
from landbridge.engine.carrying.custody import as_far_as_whole, export_log, of_parcel
from landbridge.errors import CustodyBroken, UsageError
from landbridge.ledger.chain import NOTHING, Entry

WHAT = {
    "exported": "{row_count:,} rows to {location}",
    "refused": "{error}: {message}",
    "imported": "{row_count:,} rows into {target}",
    "resent": "{files} files to {location}",
    "confirmed": "{row_count:,} rows arrived, by {by}",
    "purged": "{files} files at {location}",
}


def custody_command(
    parcel: Annotated[
        str | None, typer.Argument(metavar="[PARCEL]", help="Only this one: its id, or the beginning of it.")
    ] = None,
    *,
    verify: Annotated[bool, typer.Option("--verify", help="Only say whether the log is whole.")] = False,
    head: Annotated[
        str | None, typer.Option("--head", metavar="HASH", help="Noted down earlier: the log must still hold it.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write the log to a file, or go on with one.")
    ] = None,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """What happened to parcels on this side, in a chain that is checked each time. Exit code 4 if it is broken."""
    with open_world(project, changing=False) as world:
        if export:
            export_log(world, export)
        entries, problem = as_far_as_whole(world)
    if problem is None and head and head not in {entry.hash for entry in entries}:
        problem = CustodyBroken(f"custody log: no entry has the hash {head}", hint="was it cut off, or made anew?")
    try:
        shown = of_parcel(entries, parcel) if parcel else entries
    except UsageError as error:
        raise problem or error from None
    if as_json:
        print_json(_document(entries, [] if verify else shown, problem))
    else:
        _print(entries, [] if verify else shown)
    if problem:
        raise problem


def _document(entries: Sequence[Entry], shown: Sequence[Entry], problem: CustodyBroken | None) -> dict[str, Any]:
    return {
        "count": len(entries),
        "signed": sum(entry.signature is not None for entry in entries),
        "head": _head(entries),
        "problem": problem.message if problem else None,
        "entries": [asdict(entry) for entry in shown],
    }


def _print(entries: Sequence[Entry], shown: Sequence[Entry]) -> None:
    if shown:
        headings = ("no", "time", "event", "table", "parcel", "index", "by", "")
        print_table(headings, [_line(entry) for entry in shown])
        typer.echo("")
    signers = sorted({entry.signed_by for entry in entries if entry.signed_by})
    signed = sum(entry.signature is not None for entry in entries)
    by = f" by {', '.join(signers)}" if signers else ""
    typer.echo(f"{len(entries)} entries, {signed} signed{by}, head {_head(entries)}")


def _head(entries: Sequence[Entry]) -> str:
    return entries[-1].hash if entries else NOTHING


def _line(entry: Entry) -> tuple[object, ...]:
    index = entry.details.get("index_sha256")
    return (
        entry.number,
        f"{entry.time:%Y-%m-%d %H:%M:%S}",
        entry.event,
        entry.pipeline_name,
        entry.parcel_id,
        index and index[:12],
        entry.actor,
        _what(entry),
    )


def _what(entry: Entry) -> str:
    told = entry.details
    if entry.event != "checked":
        return WHAT.get(entry.event, "{location}").format(**told)
    if told["faults"]:
        return f"{told['fault_count']} wrong: {told['faults'][0]}"
    return "sound, rows read" if told["rows_read"] else "sound, rows sealed"
