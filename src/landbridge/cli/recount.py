"""`landbridge recount NAME`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from landbridge.cli.alerting import with_alerts
from landbridge.cli.options import AsJson, FromTime, Parallel, ProjectFolder, ToTime, open_world, span
from landbridge.cli.outcome import print_results
from landbridge.cli.progress import Progress
from landbridge.cli.text import print_json, print_table
from landbridge.cli.text import span as shown
from landbridge.engine.windowed.agenda import asked_for
from landbridge.engine.windowed.recount import Differs, recount
from landbridge.engine.windowed.running import at_once, run_windows
from landbridge.errors import AuditError


def recount_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The pipeline.")],
    *,
    start: FromTime,
    end: ToTime,
    fill: Annotated[bool, typer.Option("--fill", help="Load those that differ again.")] = False,
    parallel: Parallel = 1,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Count loaded windows again, at source and target; exit code 4 if one is not as its audit found it."""
    with open_world(project, Progress(several=parallel > 1), changing=fill) as world:
        pipeline = world.project.pipeline(name)
        wanted = span(pipeline, start, end)
        asked_for(pipeline, wanted, world.ledger, datetime.now(UTC))
        found = list(recount(world, pipeline, wanted))
        if fill and found:
            with_alerts(world)
            width = at_once(world, pipeline, parallel)
            windows = [one.window for one in found]
            print_results(run_windows(world, pipeline, windows, parallel=width, fresh=True), as_json=as_json)
            return
    _print(name, found, as_json=as_json)
    if found:
        raise typer.Exit(AuditError.exit_code)


def _print(name: str, found: list[Differs], *, as_json: bool) -> None:
    if as_json:
        print_json([_entry(one) for one in found])
    elif not found:
        typer.echo(f"{name}: every window is as its audit found it")
    else:
        lines = [(shown(one.window), *one.source, *one.target) for one in found]
        print_table(("window (UTC)", "source then", "now", "target then", "now"), lines)
        typer.echo("`--fill` loads them again")


def _entry(one: Differs) -> dict[str, object]:
    then, now = zip(one.source, one.target, strict=True)
    return {
        "start": one.window.start,
        "end": one.window.end,
        "source_count": {"then": then[0], "now": now[0]},
        "target_count": {"then": then[1], "now": now[1]},
    }
