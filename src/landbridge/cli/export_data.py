"""`landbridge export-data`."""

from functools import partial
from typing import Annotated

import typer

from landbridge.cli.options import (
    AcceptDelta,
    All,
    AsJson,
    DryRun,
    ProjectFolder,
    Tables,
    To,
    chosen,
    open_world,
    place,
)
from landbridge.cli.outcome import print_plans, print_results
from landbridge.cli.progress import Progress
from landbridge.engine.plan import plan_export
from landbridge.engine.sync import export_tables


def export_data_command(
    *,
    every: All = False,
    table: Tables = None,
    to: To = None,
    obfuscate: Annotated[
        bool | None,
        typer.Option("--obfuscate/--no-obfuscate", help="Hide names, times and sizes [default: as the tables say]."),
    ] = None,
    separate_instants: Annotated[
        bool, typer.Option("--separate-instants", help="Read each table as of its own instant, not all as of one.")
    ] = False,
    accept_delta: AcceptDelta = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Read tables at their sources and write each as a sealed parcel, ready to be carried."""
    with open_world(project, Progress(), changing=not dry_run) as world:
        tables = chosen(world.project, table, every=every)
        if dry_run:
            plan = partial(plan_export, world.project, location=place(to), obfuscate=obfuscate)
            print_plans(world, tables, plan, as_json=as_json)
        else:
            results = export_tables(
                world,
                tables,
                location=place(to),
                obfuscate=obfuscate,
                accept_delta=accept_delta,
                separate_instants=separate_instants,
            )
            print_results(results, as_json=as_json)
