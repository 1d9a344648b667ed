"""`landbridge show RUN_ID`."""

from dataclasses import asdict
from typing import Annotated

import typer

from landbridge.cli.options import AsJson, ProjectFolder, open_world
from landbridge.cli.text import lost, never_seen, print_json, print_table
from landbridge.ledger.runs import PHASES, PhaseRecord, Run, get_run

COUNTS = ("source_count", "stage_count", "target_count")


def show_command(
    run_id: Annotated[str, typer.Argument(metavar="RUN_ID", help="pipeline_id of the drive table.")],
    *,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Everything the drive table knows of one run."""
    with open_world(project, changing=False) as world:
        run = get_run(world.ledger, run_id)
    if as_json:
        print_json(asdict(run))
    else:
        _print_run(run)


def _print_run(run: Run) -> None:
    facts = {
        "run": run.pipeline_id,
        "table": run.pipeline_name,
        "kind": run.job_kind,
        "status": run.pipeline_status,
        "window": str(run.window),
        "started": f"{run.pipeline_start_timestamp:%Y-%m-%d %H:%M:%S} UTC on {run.host}",
        "took": run.pipeline_run_duration,
        "resumed": run.resumed_from,
        "parcel": run.parcel_id,
        "load id": run.load_id,
    }
    for name, value in facts.items():
        if value is not None:
            typer.echo(f"{name:<9}{value}")
    typer.echo("")
    lines = [_line(run.phases[name]) for name in PHASES]
    print_table(("phase", "status", "took", "source", "stage", "target", "note"), lines)


def _line(record: PhaseRecord) -> tuple[object, ...]:
    counts = tuple(record.details.get(name) for name in COUNTS)
    told = never_seen(record.details.get("never_seen", [])) or lost(record.details.get("accepted_losses", {}))
    note = record.error_message or record.skip_reason or told
    hint = record.details.get("hint")
    return (
        record.phase_name,
        record.status,
        record.actual_run_duration,
        *counts,
        f"{note}; hint: {hint}" if hint else note,
    )
