"""`landbridge runs`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from landbridge.cli.options import AsJson, ProjectFolder, ago, open_world
from landbridge.cli.text import print_json, print_table
from landbridge.engine.windowed.standing import ALARM, GOAL
from landbridge.errors import UsageError
from landbridge.ledger.runs import Run, list_runs, rate
from landbridge.windows import INSTANT

STATUSES = ("RUNNING", "SUCCESS", "FAILED", "SKIPPED", "GAP_DETECTED")
EVER = datetime(1970, 1, 1, tzinfo=UTC)
WIDEST = 80


def runs_command(
    *,
    pipeline: Annotated[str | None, typer.Option(metavar="NAME", help="Of one table or pipeline.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="The same as --status FAILED.")] = False,
    status: Annotated[str | None, typer.Option(metavar="STATUS", help=", ".join(STATUSES))] = None,
    since: Annotated[str | None, typer.Option(metavar="AGE", help="That began since: 90m, 24h, 7d.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """The newest attempts first, and how many of each table's or pipeline's attempts succeed."""
    wanted = _wanted(status, failed=failed)
    began = ago(since, "--since")
    with open_world(project, changing=False) as world:
        found = list_runs(world.ledger, pipeline_name=pipeline, status=wanted, since=began, limit=limit)
        names = sorted({run.pipeline_name for run in found})
        rates = {name: rate(world.ledger, name, began or EVER) for name in names}
    if as_json:
        print_json({"runs": [_entry(run) for run in found], "rates": [_rate(*each) for each in rates.items()]})
        return
    if not found:
        typer.echo("no such run")
        return
    headings = ("run", "status", "window", "attempt", "took", "phase failed", "error")
    print_table(headings, [_line(run) for run in found])
    _print_rates(rates)


def _wanted(status: str | None, *, failed: bool) -> str | None:
    if failed and status is not None:
        raise UsageError("--failed is a --status of its own", hint="give one of them")
    if status is not None and status.upper() not in STATUSES:
        raise UsageError(f"no run has the status {status}", hint=f"one of {', '.join(STATUSES)}")
    return "FAILED" if failed else status and status.upper()


def _line(run: Run) -> tuple[object, ...]:
    said = (_message(run) or "").partition("\n")[0]
    return (
        run.pipeline_id,
        run.pipeline_status,
        _window(run),
        run.pipeline_retry_number + 1,
        run.pipeline_run_duration,
        run.phase_failed,
        (said if len(said) <= WIDEST else f"{said[: WIDEST - 1]}…") or None,
    )


def _window(run: Run) -> str:
    """`2026-01-31 05:00 1h`; of a table's sync its instant, `2026-01-31 05:00:07`."""
    start = run.window.start
    if run.window.duration == INSTANT:
        return f"{start:%Y-%m-%d %H:%M:%S}"
    return f"{start:%Y-%m-%d %H:%M}{f':{start:%S}' if start.second else ''} {run.query_window_duration}"


def _message(run: Run) -> str | None:
    return run.phases[run.phase_failed].error_message if run.phase_failed else None


def _print_rates(rates: dict[str, tuple[int, int]]) -> None:
    typer.echo("")
    for name, (good, ended) in rates.items():
        if ended:
            share = 100 * good / ended
            verdict = f", below {ALARM} %" if share < ALARM else f", below the goal of {GOAL} %" if share < GOAL else ""
            typer.echo(f"{name}: {good:,} of {ended:,} attempts succeeded, {share:.1f} %{verdict}")


def _rate(name: str, counts: Sequence[int]) -> dict[str, Any]:
    good, ended = counts
    percent = round(100 * good / ended, 1) if ended else None
    return {"table": name, "succeeded": good, "ended": ended, "percent": percent}


def _entry(run: Run) -> dict[str, Any]:
    record = run.phases[run.phase_failed] if run.phase_failed else None
    return {
        "pipeline_id": run.pipeline_id,
        "table": run.pipeline_name,
        "job_kind": run.job_kind,
        "status": run.pipeline_status,
        "window_start": run.window.start,
        "window_end": run.window.end,
        "attempt": run.pipeline_retry_number + 1,
        "started_at": run.pipeline_start_timestamp,
        "took": run.pipeline_run_duration,
        "phase_failed": run.phase_failed,
        "error": {"class": record.error_class, "message": record.error_message} if record else None,
    }
