"""`landbridge retry RUN_ID`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from landbridge.cli.alerting import with_alerts
from landbridge.cli.options import AsJson, Fresh, ProjectFolder, open_world
from landbridge.cli.outcome import print_results
from landbridge.cli.progress import Progress
from landbridge.engine.windowed.agenda import asked_for
from landbridge.engine.windowed.running import run_windows
from landbridge.errors import UsageError
from landbridge.ledger.runs import get_run


def retry_command(
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="pipeline_id of a run that failed, or of a gap.")],
    *,
    fresh: Fresh = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Run the window of a failed run again. It goes on where it stopped."""
    with open_world(project, Progress()) as world:
        run = get_run(world.ledger, run_id)
        if run.pipeline_name in {table.name for table in world.project.tables}:
            command = {"run": "run", "export": "export-data", "import": "import-data"}[run.job_kind]
            raise UsageError(
                f"{run_id} is of a table, whose last run alone can go on",
                hint=f"landbridge {command} --table {run.pipeline_name}",
            )
        pipeline = world.project.pipeline(run.pipeline_name)
        if run.pipeline_status == "SUCCESS":
            bounds = f"--from {run.window.start.isoformat()} --to {run.window.end.isoformat()}"
            raise UsageError(
                f"{run_id} succeeded", hint=f"to load it again: landbridge backfill {pipeline.name} {bounds}"
            )
        if run.window not in asked_for(pipeline, run.window, world.ledger, datetime.now(UTC)):
            raise UsageError(
                f"{run_id}: its window {run.window} was cut in another way since",
                hint=f"landbridge gaps {pipeline.name}",
            )
        with_alerts(world)
        print_results(run_windows(world, pipeline, [run.window], fresh=fresh), as_json=as_json)
