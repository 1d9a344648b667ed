"""`landbridge backfill NAME --from --to`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from landbridge.cli.alerting import with_alerts
from landbridge.cli.options import AsJson, DryRun, FromTime, Parallel, ProjectFolder, ToTime, open_world, span
from landbridge.cli.outcome import print_results
from landbridge.cli.previews import print_preview
from landbridge.cli.progress import Progress
from landbridge.engine.windowed.agenda import asked_for
from landbridge.engine.windowed.preview import preview
from landbridge.engine.windowed.running import at_once, run_windows


def backfill_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The pipeline.")],
    *,
    start: FromTime,
    end: ToTime,
    parallel: Parallel = 1,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Run all windows of a span, also those that are loaded: each replaces just the rows that it brought before."""
    with open_world(project, Progress(several=parallel > 1), changing=not dry_run) as world:
        pipeline = world.project.pipeline(name)
        windows = asked_for(pipeline, span(pipeline, start, end), world.ledger, datetime.now(UTC))
        if dry_run:
            print_preview(preview(world, pipeline, windows, parallel=parallel), as_json=as_json)
        else:
            with_alerts(world)
            width = at_once(world, pipeline, parallel)
            print_results(run_windows(world, pipeline, windows, parallel=width, fresh=True), as_json=as_json)
