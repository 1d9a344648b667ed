"""`landbridge parcel collect --from PLACE`."""

from collections import Counter
from typing import Annotated

import typer

from landbridge.cli.main import report
from landbridge.cli.options import AsJson, ProjectFolder, open_world, place
from landbridge.cli.outcome import error_entry
from landbridge.cli.progress import Progress
from landbridge.cli.text import files, print_json
from landbridge.engine.carrying.collect import Collected, collect

NAMED = 10


def collect_command(
    *,
    source: Annotated[str, typer.Option("--from", metavar="PLACE", help="The medium, or a volume: a folder or URL.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="URL", help="Where to [default: the project's imports].")
    ] = None,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Copy parcels from a medium, and say which files and volumes are missing. Exit code 1 while any is."""
    seen: list[Collected] = []
    with open_world(project, Progress(), changing=False) as world:
        for one in collect(world, place(source) or source, place(to) or world.project.imports):
            for fault in one.faults:
                report(fault)
            seen.append(one)
            if not as_json:
                typer.echo(f"{one.folder}: {_state(one)}")
    if as_json:
        print_json([_entry(one) for one in seen])
    if not all(one.complete for one in seen):
        raise typer.Exit(1)


def _entry(one: Collected) -> dict[str, object]:
    return {
        "folder": one.folder,
        "complete": one.complete,
        "files": one.files,
        "copied": one.copied,
        "missing": one.missing,
        "errors": [error_entry(fault) for fault in one.faults],
    }


def _state(one: Collected) -> str:
    if one.missing:
        return f"{len(one.missing)} of {files(one.files)} are missing: {_where(one)}"
    if one.faults:
        return "refused" if not one.files else f"{len(one.faults)} of {files(one.files)} are refused"
    return f"complete, {files(one.copied)} copied"


def _where(one: Collected) -> str:
    on = Counter(number for number in one.missing.values() if number is not None)
    unknown = sorted(name for name, number in one.missing.items() if number is None)
    told = [f"{count} on volume {number}" for number, count in sorted(on.items())]
    more = [f"and {len(unknown) - NAMED} more"] if len(unknown) > NAMED else []
    return ", ".join([*told, *unknown[:NAMED], *more])
