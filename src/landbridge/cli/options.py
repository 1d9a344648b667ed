"""The options that several commands share, and what they mean."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from landbridge.config.project import Project, check_location, find_project, load_project
from landbridge.config.tables import Table
from landbridge.engine.events import Sink
from landbridge.engine.world import World
from landbridge.errors import UsageError
from landbridge.windows import parse_duration

ProjectFolder = Annotated[
    Path | None, typer.Option("--project", metavar="FOLDER", help="Project folder [default: the nearest one upwards].")
]
All = Annotated[bool, typer.Option("--all", help="Every table of config/tables.yaml.")]
Tables = Annotated[list[str] | None, typer.Option("--table", metavar="NAME", help="One table; may be repeated.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Check everything and print what would be done; change nothing.")
]
AcceptDelta = Annotated[
    bool, typer.Option("--accept-delta", help="However many rows there are now: max_delta does not stop this one.")
]
FullReload = Annotated[
    bool, typer.Option("--full-reload", help="All rows once more, also of tables whose changes alone are read.")
]
From = Annotated[
    str | None, typer.Option("--from", metavar="URL", help="Folder or URL of parcels [default: the project's imports].")
]
To = Annotated[
    str | None, typer.Option("--to", metavar="URL", help="Folder or URL for parcels [default: the project's exports].")
]


def ago(text: str | None, option: str) -> datetime | None:
    """When that was: a duration before now. UsageError for anything else."""
    try:
        return datetime.now(UTC) - parse_duration(text) if text is not None else None
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option} {text}: {error}", hint=f"{option} 24h, {option} 7d") from None


def open_project(folder: Path | None) -> Project:
    """The project in `folder`, or the nearest one upwards from here."""
    return load_project(folder.resolve() if folder else find_project(Path.cwd()))


@contextmanager
def open_world(folder: Path | None, sink: Sink = lambda _event: None, *, changing: bool = True) -> Iterator[World]:
    """The project's world for one command, closed at its end; `changing` False leaves no trace in it."""
    world = World(open_project(folder), sink, changing=changing)
    try:
        yield world
    finally:
        world.close()


def chosen(project: Project, names: Sequence[str] | None, *, every: bool) -> Sequence[Table]:
    """The tables that --all or --table ask for; UsageError for neither, both, or an unknown name."""
    if every and not project.tables:
        raise UsageError("config/tables.yaml declares no tables", hint="declare one; docs/configuration.md shows how")
    if every == bool(names):
        raise UsageError("say which tables: --all, or --table NAME", hint="landbridge status lists them")
    return project.tables if every else [project.table(name) for name in names or ()]


def place(location: str | None) -> str | None:
    """A location from the command line: URLs as they are, folders made absolute."""
    if location is None or "://" not in location:
        return location and str(Path(location).resolve())
    try:
        return check_location(location)
    except ValueError as error:
        raise UsageError(
            f"that place cannot be used: {error}", hint="folders, s3://bucket/prefix, gs://, az://"
        ) from None
