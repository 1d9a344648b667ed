"""`landbridge status`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import typer

from landbridge.cli.options import AsJson, ProjectFolder, open_world
from landbridge.cli.text import age, never_seen, print_json, print_table
from landbridge.engine.standing import Standing, standings
from landbridge.engine.windowed.standing import ALARM, GOAL, PipelineStanding, pipeline_standings


def status_command(*, as_json: AsJson = False, project: ProjectFolder = None) -> None:
    """Each pipeline's windows, and each table's last run of each kind, how old its data is, and what is overdue."""
    with open_world(project, changing=False) as world:
        now = datetime.now(UTC)
        found = standings(world, now)
        pipelines = pipeline_standings(world, now)
    if as_json:
        print_json([_entry(one) for one in found] + [_pipeline_entry(one) for one in pipelines])
        return
    if pipelines:
        _print_pipelines(pipelines)
    if pipelines and not found:
        return
    print_table(
        ("table", "kind", "status", "rows", "as of", "age", "run"),
        [
            (
                one.table,
                one.run.job_kind if one.run else None,
                "; ".join(filter(None, (one.status, never_seen(one.never_seen), _carried(one, now)))),
                one.rows,
                f"{one.as_of:%Y-%m-%d %H:%M:%S}" if one.as_of else None,
                age(one.age) if one.age else None,
                one.run.pipeline_id if one.run else None,
            )
            for one in found
        ],
    )


def _print_pipelines(found: Sequence[PipelineStanding]) -> None:
    print_table(
        ("pipeline", "status", "loaded to (UTC)", "due", "gaps", "success, 7 d", "run"),
        [
            (
                one.pipeline,
                one.status,
                f"{one.covered_until:%Y-%m-%d %H:%M:%S}" if one.covered_until else None,
                one.due,
                one.gaps,
                _rate(one),
                one.run.pipeline_id if one.run else None,
            )
            for one in found
        ],
    )
    typer.echo("")


def _rate(one: PipelineStanding) -> str | None:
    if one.percent is None:
        return None
    short = f", below {ALARM} %" if one.percent < ALARM else f", below {GOAL} %" if one.percent < GOAL else ""
    return f"{one.percent:.1f} %{short}"


def _pipeline_entry(one: PipelineStanding) -> dict[str, Any]:
    return {
        "pipeline": one.pipeline,
        "status": one.status,
        "covered_until": one.covered_until,
        "due": one.due,
        "gaps": one.gaps,
        "successes": one.rate[0],
        "ended": one.rate[1],
        "overdue": one.overdue,
        "pipeline_id": one.run.pipeline_id if one.run else None,
    }


def _carried(one: Standing, now: datetime) -> str:
    """`2 on the way, oldest 3 d, number 5 confirmed`; empty for neither."""
    told = []
    if one.on_the_way:
        told.append(f"{len(one.on_the_way)} on the way, oldest {age(now - _since(one))}")
    if one.confirmed:
        told.append(f"number {one.confirmed.sequence} confirmed")
    return ", ".join(told)


def _since(one: Standing) -> datetime:
    return min(parcel.since for parcel in one.on_the_way if parcel.since)


def _entry(one: Standing) -> dict[str, Any]:
    return {
        "table": one.table,
        "job_kind": one.run.job_kind if one.run else None,
        "status": one.status,
        "row_count": one.rows,
        "as_of": one.as_of,
        "overdue": one.overdue,
        "never_seen": one.never_seen,
        "on_the_way": len(one.on_the_way),
        "oldest_sent_at": _since(one) if one.on_the_way else None,
        "confirmed_sequence": one.confirmed.sequence if one.confirmed else None,
        "confirmed_parcel_id": one.confirmed.parcel_id if one.confirmed else None,
        "confirmed_at": one.confirmed.since if one.confirmed else None,
        "pipeline_id": one.run.pipeline_id if one.run else None,
    }
