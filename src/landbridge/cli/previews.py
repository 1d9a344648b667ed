"""What windows would be run, as it is printed; nothing is changed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice

import typer

from landbridge.cli.text import age, print_json, print_table, rows
from landbridge.config.pipelines import Pipeline
from landbridge.engine.windowed.agenda import agenda
from landbridge.engine.windowed.preview import Preview, preview
from landbridge.engine.world import World
from landbridge.windows import Window, format_duration

SHOWN = 20
MOST = 10_000  # windows that are counted


def print_agenda(world: World, pipeline: Pipeline, *, limit: int | None, parallel: int, as_json: bool) -> None:
    """What `run` would do now."""
    found = agenda(pipeline, world.ledger, datetime.now(UTC))
    due = list(islice(found.due(), limit or MOST))
    passed = sum(1 for _ in islice(found.gaps(), MOST))
    print_preview(preview(world, pipeline, due, parallel=parallel), as_json=as_json, gaps=passed)


def print_preview(found: Preview, *, as_json: bool, gaps: int | None = None) -> None:
    """Windows, rows and time."""
    if as_json:
        print_json(_entry(found, gaps))
        return
    typer.echo(f"{found.pipeline}: {_count(found.windows)}")
    for name, text in found.facts.items():
        typer.echo(f"  {name:<9}{text}")
    if found.windows:
        typer.echo(f"  rows     {'nobody here can count them' if found.rows is None else rows(found.rows)}")
        typer.echo(f"  time     {f'about {age(found.time)}' if found.time else 'unknown: never run'}")
        if found.again:
            typer.echo(f"  again    {len(found.again):,} of them are loaded already")
    if gaps:
        typer.echo(f"  gaps     {gaps:,} windows that nobody will run by itself: landbridge gaps {found.pipeline}")
    print_windows(found.windows, found.again)
    typer.echo("")


def print_windows(windows: Sequence[Window], again: frozenset[Window] = frozenset()) -> None:
    """The first of them, as a table."""
    if not windows:
        return
    lines = [
        (
            f"  {w.start:%Y-%m-%d %H:%M:%S}",
            f"{w.end:%Y-%m-%d %H:%M:%S}",
            format_duration(w.duration),
            "loaded" if w in again else "missing",
        )
        for w in windows[:SHOWN]
    ]
    print_table(("  from (UTC)", "to", "length", "state"), lines)
    if len(windows) > SHOWN:
        typer.echo(f"  … and {len(windows) - SHOWN:,} more, to {windows[-1].end:%Y-%m-%d %H:%M:%S}")


def _count(windows: Sequence[Window]) -> str:
    if not windows:
        return "no window is due"
    return f"{len(windows):,}{' or more' if len(windows) == MOST else ''} window{'' if len(windows) == 1 else 's'}"


def _entry(found: Preview, gaps: int | None) -> dict[str, object]:
    return {
        "pipeline": found.pipeline,
        "windows": [{"start": w.start, "end": w.end, "loaded": w in found.again} for w in found.windows],
        "facts": found.facts,
        "row_count": found.rows,
        "seconds": found.time.total_seconds() if found.time else None,
        "gaps": gaps,
    }
