"""The options that several commands share, and what they mean."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from landbridge.config.fields import check_location
from landbridge.config.pipelines import Pipeline
from landbridge.config.project import Project, find_project, load_project
from landbridge.config.tables import Table
from landbridge.engine.events import Sink
from landbridge.engine.world import World
from landbridge.errors import UsageError
from landbridge.windows import Window, parse_duration

ProjectFolder = Annotated[
    Path | None, typer.Option("--project", metavar="FOLDER", help="Project folder [default: the nearest one upwards].")
]
All = Annotated[bool, typer.Option("--all", help="Every table of config/tables.yaml.")]
Tables = Annotated[list[str] | None, typer.Option("--table", metavar="NAME", help="One table; may be repeated.")]
Pipelines = Annotated[
    list[str] | None, typer.Option("--pipeline", metavar="NAME", help="One pipeline; may be repeated.")
]
Parallel = Annotated[int, typer.Option("--parallel", metavar="N", min=1, max=64, help="Windows at once.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Read the source again, even if a failed run can go on.")]
FromTime = Annotated[
    str, typer.Option("--from", metavar="TIME", help="First instant, like 2026-01-31 or 2026-01-31T05:00Z.")
]
ToTime = Annotated[str, typer.Option("--to", metavar="TIME", help="First instant that is not wanted any more.")]
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


YEARS = (2, 9998)  # the first and the last one of a grid, and no windows of ours


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


def chosen_jobs(
    project: Project, tables: Sequence[str] | None, pipelines: Sequence[str] | None, *, every: bool
) -> tuple[Sequence[Table], Sequence[Pipeline]]:
    """Tables and pipelines that --all, --table or --pipeline ask for; UsageError as `chosen`."""
    if every and (tables or pipelines):
        raise UsageError("--all stands by itself", hint="--all, or --table NAME and --pipeline NAME")
    if every and project.pipelines:
        return project.tables, project.pipelines
    named = [project.pipeline(name) for name in pipelines or ()]
    return (() if named and not tables else chosen(project, tables, every=every)), named


def span(pipeline: Pipeline, start: str, end: str) -> Window:
    """From and to as people write them; without a zone in that of the pipeline. UsageError for what is no span."""
    try:
        return Window(_time(start, pipeline.zone), _time(end, pipeline.zone))
    except (ValueError, OverflowError) as error:
        said = str(error)
        raise UsageError(
            f"--from and --to: {said[:1].lower()}{said[1:]}", hint="--from 2026-01-31T05:00Z --to 2026-02-01"
        ) from None


def _time(text: str, zone: str) -> datetime:
    """In the years that grids have cells of, so that what lies about it is a time as well."""
    found = datetime.fromisoformat(text)
    if not YEARS[0] < found.year < YEARS[1]:
        raise ValueError(f"{text} is in none of the years that windows have")
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))


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
