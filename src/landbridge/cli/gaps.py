"""`landbridge gaps NAME`."""

from datetime import UTC, datetime
from itertools import chain, islice
from typing import Annotated, Any

import typer

from landbridge.cli.alerting import with_alerts
from landbridge.cli.options import AsJson, Parallel, ProjectFolder, open_world
from landbridge.cli.outcome import print_results
from landbridge.cli.previews import MOST
from landbridge.cli.progress import Progress
from landbridge.cli.text import print_json, print_table
from landbridge.engine.windowed.agenda import agenda
from landbridge.engine.windowed.running import at_once, run_windows
from landbridge.ledger import gaps
from landbridge.windows import Window, format_duration


def gaps_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The pipeline.")],
    *,
    fill: Annotated[bool, typer.Option("--fill", help="Run them, oldest first.")] = False,
    parallel: Parallel = 1,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Windows that no successful run covers: those that are due, and those that nobody will run by itself."""
    with open_world(project, Progress(several=parallel > 1), changing=fill) as world:
        pipeline = world.project.pipeline(name)
        found = agenda(pipeline, world.ledger, datetime.now(UTC))
        if fill:
            windows = chain(list(found.gaps()), list(found.due()))
            with_alerts(world)
            width = at_once(world, pipeline, parallel)
            print_results(run_windows(world, pipeline, windows, parallel=width), as_json=as_json)
            return
        recorded = {run.window: run.created_at for run in gaps.recorded(world.ledger, name)}
        holes = [_entry(window, "gap", recorded) for window in islice(found.gaps(), MOST)]
        holes += [_entry(window, "due", recorded) for window in islice(found.due(), MOST)]
    if as_json:
        print_json(holes)
    elif not holes:
        typer.echo(f"{name}: no gap")
    else:
        _print(name, holes)


def _entry(window: Window, state: str, recorded: dict[Window, datetime]) -> dict[str, Any]:
    return {"start": window.start, "end": window.end, "state": state, "detected_at": recorded.get(window)}


def _print(name: str, holes: list[dict[str, Any]]) -> None:
    lines = [
        (
            f"{hole['start']:%Y-%m-%d %H:%M:%S}",
            f"{hole['end']:%Y-%m-%d %H:%M:%S}",
            format_duration(hole["end"] - hole["start"]),
            hole["state"],
            f"{hole['detected_at']:%Y-%m-%d %H:%M:%S}" if hole["detected_at"] else None,
        )
        for hole in holes
    ]
    print_table(("from (UTC)", "to", "length", "state", "detected"), lines)
    typer.echo(
        f"due windows run with `landbridge run --pipeline {name}`; all of them with `landbridge gaps {name} --fill`"
    )
