"""`landbridge import-data`."""

from typing import Annotated

import typer

from landbridge.cli.alerting import with_alerts
from landbridge.cli.options import All, AsJson, DryRun, From, ProjectFolder, Tables, chosen, open_world, place
from landbridge.cli.outcome import print_plans, print_results
from landbridge.cli.progress import Progress
from landbridge.engine.sync import import_tables, plan_arrival


def import_data_command(
    *,
    every: All = False,
    table: Tables = None,
    source: From = None,
    parcel: Annotated[str | None, typer.Option("--parcel", metavar="ID", help="This parcel, not the newest.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Check carried parcels, load each into its target table, publish, audit."""
    with open_world(project, Progress(), changing=not dry_run) as world:
        tables = chosen(world.project, table, every=every)
        if dry_run:
            print_plans(world, tables, lambda t: plan_arrival(world, t, place(source), parcel), as_json=as_json)
        else:
            with_alerts(world)
            results = import_tables(world, tables, location=place(source), parcel_id=parcel)
            print_results(results, as_json=as_json)
