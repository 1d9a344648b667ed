"""`landbridge run`."""

from functools import partial
from itertools import chain
from typing import Annotated

import typer

from landbridge.cli.alerting import with_alerts
from landbridge.cli.options import (
    AcceptDelta,
    AsJson,
    DryRun,
    Fresh,
    FullReload,
    Parallel,
    Pipelines,
    ProjectFolder,
    Tables,
    chosen_jobs,
    open_world,
)
from landbridge.cli.outcome import print_plans, print_results
from landbridge.cli.previews import print_agenda
from landbridge.cli.progress import Progress
from landbridge.engine.plan import plan_run
from landbridge.engine.sync import run_tables
from landbridge.engine.windowed.running import run_pipelines


def run_command(
    *,
    every: Annotated[bool, typer.Option("--all", help="Every table, and every pipeline.")] = False,
    table: Tables = None,
    pipeline: Pipelines = None,
    parallel: Parallel = 1,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many windows of each pipeline.")
    ] = None,
    fresh: Fresh = False,
    full_reload: FullReload = False,
    accept_delta: AcceptDelta = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Move tables, and the windows of pipelines that are due, from source to target in one hop.

    A failed run goes on where it stopped.
    """
    with open_world(project, Progress(several=parallel > 1), changing=not dry_run) as world:
        tables, pipelines = chosen_jobs(world.project, table, pipeline, every=every)
        if not dry_run:
            with_alerts(world)
            moved = run_tables(world, tables, fresh=fresh, accept_delta=accept_delta, full_reload=full_reload)
            windows = run_pipelines(world, pipelines, limit=limit, parallel=parallel, fresh=fresh)
            print_results(chain(moved, windows), as_json=as_json)
            return
        for one in pipelines:
            print_agenda(world, one, limit=limit, parallel=parallel, as_json=as_json)
        if tables:
            print_plans(world, tables, partial(plan_run, world.project, full_reload=full_reload), as_json=as_json)
