"""Runs: the rows of `pipeline_execution_drive`, one per attempt, and the only ways in which they change."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from sqlalchemy import Connection, func, select, update

from landbridge.errors import LeaseLost, RunError
from landbridge.ledger.attempt import JobKind, Run, checked_id, new_row, run_of
from landbridge.ledger.coverage import cover
from landbridge.ledger.database import Database
from landbridge.ledger.history import (
    attempted,
    first_begun,
    first_window,
    get_run,
    latest_of_window,
    latest_run,
    list_runs,
    rate,
)
from landbridge.ledger.phases import PHASES, PhaseRecord
from landbridge.ledger.tables import drive
from landbridge.windows import Window, format_duration

__all__ = [
    "PHASES",
    "JobKind",
    "PhaseRecord",
    "Run",
    "attempted",
    "first_begun",
    "first_window",
    "get_run",
    "latest_of_window",
    "latest_run",
    "list_runs",
    "rate",
]


def start_run(  # noqa: PLR0913  all by keyword: each is a column
    db: Database,
    *,
    pipeline_name: str,
    job_kind: JobKind,
    window: Window,
    plan_hash: str,
    fence: int,
    phases_enabled: Sequence[str] = PHASES,
    resumed_from: Run | None,
    retry_number: int = 0,
    host: str,
    version: str,
) -> Run:
    """Insert the row of a new attempt, RUNNING. ConfigError for a name too long for `pipeline_id`."""
    with db.begin() as connection:
        values = new_row(
            now=db.now(connection),
            pipeline_name=pipeline_name,
            status="RUNNING",
            job_kind=job_kind,
            window=window,
            plan_hash=plan_hash,
            fence=fence,
            skipped={name: "disabled in the configuration" for name in PHASES if name not in phases_enabled},
            resumed_from=resumed_from.pipeline_id if resumed_from else None,
            retry_number=retry_number,
            host=host,
            version=version,
        )
        return _insert(db, connection, values, window)


def _insert(db: Database, connection: Connection, values: dict[str, Any], window: Window) -> Run:
    """Insert under the next free number; another process may take one between the count and the insert."""
    same_day = (drive.c.pipeline_name == values["pipeline_name"]) & (drive.c.target_date == window.target_date)
    number = 0
    while True:
        number = max(number, connection.execute(select(func.count()).where(same_day)).scalar_one()) + 1
        pipeline_id = checked_id(values["pipeline_name"], f"{window.start:%Y%m%d}_{window.start:%H}h_run{number}")
        insert = db.insert(drive).values(pipeline_id=pipeline_id, **values)
        row = connection.execute(insert.on_conflict_do_nothing().returning(drive)).mappings().one_or_none()
        if row is not None:
            return run_of(row)


def phase_began(db: Database, run: Run, phase: str) -> Run:
    """Note that a pending phase begins now. RunError if the run was closed meanwhile."""
    with db.begin() as connection:
        current = _pending(connection, run, phase)
        record = replace(current.phases[phase], start_timestamp=db.now(connection))
        return _change(db, connection, run, {f"{phase}_phase": record.to_json()})


def phase_ended(
    db: Database, run: Run, record: PhaseRecord, *, parcel_id: str | None = None, load_id: str | None = None
) -> Run:
    """Move a pending phase to where its status belongs, and keep its record; `parcel_id`, `load_id` if given.

    `retry_number` of a phase that was executed is set to the run's. RunError if the run was closed meanwhile,
    or the phase is not pending.
    """
    name, status = record.phase_name, record.status
    with db.begin() as connection:
        current = _pending(connection, run, name)
        if status != "SKIPPED":
            record = replace(record, retry_number=current.pipeline_retry_number)
        values: dict[str, Any] = {
            f"{name}_phase": record.to_json(),
            "phases_pending": [each for each in current.phases_pending if each != name],
            "parcel_id": parcel_id or current.parcel_id,
            "load_id": load_id or current.load_id,
        }
        match status:
            case "COMPLETED":
                values["phases_completed"] = [*current.phases_completed, name]
            case "SKIPPED":
                values["phases_skipped"] = [*current.phases_skipped, name]
            case "FAILED":
                values["phase_failed"] = name
            case "PENDING":
                raise ValueError(f"{name} cannot end as PENDING")
        return _change(db, connection, run, values)


def finish_run(db: Database, run: Run, status: Literal["SUCCESS", "FAILED", "SKIPPED"], *, covers: bool = False) -> Run:
    """Close the row; with `covers`, a SUCCESS covers its window in the same transaction (see ledger.coverage).

    RunError if it is closed already, or its phases do not allow the status (section 2.4).
    """
    with db.begin() as connection:
        current = _running(connection, run)
        open_or_failed = current.phases_pending or current.phase_failed
        if status != "FAILED" and (open_or_failed or (status == "SKIPPED" and current.phases_completed)):
            raise RunError(f"run {run.pipeline_id} cannot end as {status}: its phases say otherwise")
        closed = _close(db, connection, current, status)
        if covers and status == "SUCCESS":
            cover(db, connection, closed.pipeline_name, closed.window)
        return closed


def close_crashed(db: Database, pipeline_name: str, job_kind: JobKind) -> list[Run]:
    """Close as FAILED what still says RUNNING. The caller holds the job's lease, so those processes are dead."""
    ours = (drive.c.pipeline_name == pipeline_name) & (drive.c.job_kind == job_kind)
    running = select(drive).where(ours, drive.c.pipeline_status == "RUNNING").order_by(drive.c.created_at)
    with db.begin() as connection:
        rows = connection.execute(running.with_for_update()).mappings().all()
        return [_close_crashed(db, connection, run_of(row)) for row in rows]


def _running(connection: Connection, run: Run) -> Run:
    """The row as it is now, locked; RunError if it is closed."""
    found = select(drive).where(drive.c.pipeline_id == run.pipeline_id).with_for_update()
    current = run_of(connection.execute(found).mappings().one())
    if current.pipeline_status != "RUNNING":
        raise _closed(run)
    return current


def _pending(connection: Connection, run: Run, phase: str) -> Run:
    current = _running(connection, run)
    if phase not in current.phases_pending:
        raise RunError(f"phase {phase} of run {run.pipeline_id} is not pending")
    return current


def _change(db: Database, connection: Connection, run: Run, values: Mapping[str, Any]) -> Run:
    """The one UPDATE of this table: it finds a row only while that is RUNNING."""
    still_open = (drive.c.pipeline_id == run.pipeline_id) & (drive.c.pipeline_status == "RUNNING")
    change = update(drive).where(still_open).values(updated_at=db.now(connection), **values).returning(drive)
    row = connection.execute(change).mappings().one_or_none()
    if row is None:
        raise _closed(run)
    return run_of(row)


def _closed(run: Run) -> LeaseLost:
    return LeaseLost(
        f"run {run.pipeline_id} is closed: it ended, or a later attempt took it for dead",
        hint=f"landbridge show {run.pipeline_id}",
    )


def _close(db: Database, connection: Connection, run: Run, status: str) -> Run:
    now = db.now(connection)
    duration = format_duration(now - run.pipeline_start_timestamp)
    values = {"pipeline_status": status, "pipeline_end_timestamp": now, "pipeline_run_duration": duration}
    return _change(db, connection, run, values)


def stopped_at(run: Run) -> str | None:
    """The phase in which it failed, or in which it is, should its process be dead."""
    begun = [name for name in run.phases_pending if run.phases[name].start_timestamp]
    return run.phase_failed or next(iter((*begun, *run.phases_pending)), None)


def _close_crashed(db: Database, connection: Connection, run: Run) -> Run:
    """How long it ran is unknown, and stays so."""
    values: dict[str, Any] = {"pipeline_status": "FAILED", "pipeline_end_timestamp": db.now(connection)}
    name = stopped_at(run)
    if run.phase_failed is None and name:
        record = replace(
            run.phases[name],
            status="FAILED",
            error_message="the process ended without a word",
            error_class="crash",
            details={"last_sign_of_life": run.updated_at.isoformat()},
        )
        values |= {
            f"{name}_phase": record.to_json(),
            "phase_failed": name,
            "phases_pending": [each for each in run.phases_pending if each != name],
        }
    return _change(db, connection, run, values)
