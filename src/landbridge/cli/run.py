"""`landbridge run`."""

from functools import partial
from typing import Annotated

import typer

from landbridge.cli.alerting import with_alerts
from landbridge.cli.options import (
    AcceptDelta,
    All,
    AsJson,
    DryRun,
    FullReload,
    ProjectFolder,
    Tables,
    chosen,
    open_world,
)
from landbridge.cli.outcome import print_plans, print_results
from landbridge.cli.progress import Progress
from landbridge.engine.plan import plan_run
from landbridge.engine.sync import run_tables


def run_command(
    *,
    every: All = False,
    table: Tables = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Read the source again, even if a failed run can go on.")
    ] = False,
    full_reload: FullReload = False,
    accept_delta: AcceptDelta = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Move tables from source to target in one hop. A failed run goes on where it stopped."""
    with open_world(project, Progress(), changing=not dry_run) as world:
        tables = chosen(world.project, table, every=every)
        if dry_run:
            print_plans(world, tables, partial(plan_run, world.project, full_reload=full_reload), as_json=as_json)
        else:
            with_alerts(world)
            results = run_tables(world, tables, fresh=fresh, accept_delta=accept_delta, full_reload=full_reload)
            print_results(results, as_json=as_json)
