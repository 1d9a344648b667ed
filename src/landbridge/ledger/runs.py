"""Runs: the rows of `pipeline_execution_drive`, one per attempt, and the only ways in which they change."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, func, select, update

from landbridge.errors import ConfigError, LeaseLost, RunError, UsageError
from landbridge.ledger.database import Database
from landbridge.ledger.phases import PHASES, PhaseRecord
from landbridge.ledger.tables import NAME, drive
from landbridge.windows import Window, format_duration

__all__ = ["PHASES", "PhaseRecord", "Run"]

JobKind = Literal["run", "export", "import"]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One row as it was when it was read; the fields are the columns, the seven phase columns are `phases`."""

    pipeline_id: str
    pipeline_name: str
    pipeline_status: Literal["RUNNING", "SUCCESS", "FAILED", "SKIPPED", "GAP_DETECTED"]
    pipeline_retry_number: int
    pipeline_start_timestamp: datetime
    pipeline_end_timestamp: datetime | None
    pipeline_run_duration: str | None
    query_window_start_timestamp: datetime
    query_window_end_timestamp: datetime
    target_date: date
    query_window_duration: str
    phases: Mapping[str, PhaseRecord]
    phases_completed: tuple[str, ...]
    phases_skipped: tuple[str, ...]
    phases_pending: tuple[str, ...]
    phase_failed: str | None
    created_at: datetime
    updated_at: datetime
    job_kind: JobKind
    plan_hash: str
    parcel_id: str | None
    load_id: str | None
    fence: int
    resumed_from: str | None
    host: str
    landbridge_version: str

    @property
    def window(self) -> Window:
        return Window(self.query_window_start_timestamp, self.query_window_end_timestamp)


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
        now = db.now(connection)
        values: dict[str, Any] = {
            "pipeline_name": pipeline_name,
            "pipeline_status": "RUNNING",
            "pipeline_retry_number": retry_number,
            "pipeline_start_timestamp": now,
            "query_window_start_timestamp": window.start,
            "query_window_end_timestamp": window.end,
            "target_date": window.target_date,
            "query_window_duration": format_duration(window.duration),
            "phases_completed": [],
            "phases_skipped": [name for name in PHASES if name not in phases_enabled],
            "phases_pending": [name for name in PHASES if name in phases_enabled],
            "created_at": now,
            "updated_at": now,
            "job_kind": job_kind,
            "plan_hash": plan_hash,
            "fence": fence,
            "resumed_from": resumed_from.pipeline_id if resumed_from else None,
            "host": host,
            "landbridge_version": version,
        }
        for name in PHASES:
            record = PhaseRecord(phase_name=name, retry_number=retry_number)
            if name not in phases_enabled:
                record = replace(record, status="SKIPPED", skip_reason="disabled in the configuration")
            values[f"{name}_phase"] = record.to_json()
        return _insert(db, connection, values, window)


def _insert(db: Database, connection: Connection, values: dict[str, Any], window: Window) -> Run:
    """Insert under the next free number; another process may take one between the count and the insert."""
    same_day = (drive.c.pipeline_name == values["pipeline_name"]) & (drive.c.target_date == window.target_date)
    number = 0
    while True:
        number = max(number, connection.execute(select(func.count()).where(same_day)).scalar_one()) + 1
        pipeline_id = f"{values['pipeline_name']}_{window.start:%Y%m%d}_{window.start:%H}h_run{number}"
        if len(pipeline_id) > (NAME.length or 0):
            raise ConfigError(f"the name {values['pipeline_name']!r} is too long for the drive table's pipeline_id")
        insert = db.insert(drive).values(pipeline_id=pipeline_id, **values)
        row = connection.execute(insert.on_conflict_do_nothing().returning(drive)).mappings().one_or_none()
        if row is not None:
            return _run(row)


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


def finish_run(db: Database, run: Run, status: Literal["SUCCESS", "FAILED", "SKIPPED"]) -> Run:
    """Close the row. RunError if it is closed already, or its phases do not allow the status (section 2.4)."""
    with db.begin() as connection:
        current = _running(connection, run)
        open_or_failed = current.phases_pending or current.phase_failed
        if status != "FAILED" and (open_or_failed or (status == "SKIPPED" and current.phases_completed)):
            raise RunError(f"run {run.pipeline_id} cannot end as {status}: its phases say otherwise")
        return _close(db, connection, current, status)


def close_crashed(db: Database, pipeline_name: str, job_kind: JobKind) -> list[Run]:
    """Close as FAILED what still says RUNNING. The caller holds the job's lease, so those processes are dead."""
    ours = (drive.c.pipeline_name == pipeline_name) & (drive.c.job_kind == job_kind)
    running = select(drive).where(ours, drive.c.pipeline_status == "RUNNING").order_by(drive.c.created_at)
    with db.begin() as connection:
        rows = connection.execute(running.with_for_update()).mappings().all()
        return [_close_crashed(db, connection, _run(row)) for row in rows]


def latest_run(db: Database, pipeline_name: str, job_kind: JobKind) -> Run | None:
    """The newest attempt, whatever its status."""
    ours = (drive.c.pipeline_name == pipeline_name) & (drive.c.job_kind == job_kind)
    newest = select(drive).where(ours).order_by(drive.c.created_at.desc(), drive.c.fence.desc()).limit(1)
    with db.read() as connection:
        row = connection.execute(newest).mappings().one_or_none()
    return _run(row) if row is not None else None


def get_run(db: Database, pipeline_id: str) -> Run:
    """The row of this id; UsageError for an unknown one, with the nearest known ids as hint."""
    with db.read() as connection:
        row = connection.execute(select(drive).where(drive.c.pipeline_id == pipeline_id)).mappings().one_or_none()
        if row is not None:
            return _run(row)
        recent = select(drive.c.pipeline_id).order_by(drive.c.created_at.desc()).limit(1000)
        known = connection.execute(recent).scalars().all()
    near = difflib.get_close_matches(pipeline_id, known)
    hint = f"did you mean {' or '.join(near)}?" if near else "landbridge status"
    raise UsageError(f"there is no run {pipeline_id}", hint=hint)


def list_runs(
    db: Database,
    *,
    pipeline_name: str | None = None,
    status: str | None = None,
    since: datetime | None = None,
    limit: int = 50,
) -> list[Run]:
    """Newest first; `since` is about `created_at`."""
    query = select(drive).order_by(drive.c.created_at.desc(), drive.c.fence.desc()).limit(limit)
    if pipeline_name is not None:
        query = query.where(drive.c.pipeline_name == pipeline_name)
    if status is not None:
        query = query.where(drive.c.pipeline_status == status)
    if since is not None:
        query = query.where(drive.c.created_at >= since)
    with db.read() as connection:
        return [_run(row) for row in connection.execute(query).mappings()]


def _run(row: RowMapping) -> Run:
    values = dict(row)
    documents = {name: values.pop(f"{name}_phase") or {"phase_name": name} for name in PHASES}
    for names in ("phases_completed", "phases_skipped", "phases_pending"):
        values[names] = tuple(values[names])
    return Run(phases={name: PhaseRecord.from_json(each) for name, each in documents.items()}, **values)


def _running(connection: Connection, run: Run) -> Run:
    """The row as it is now, locked; RunError if it is closed."""
    found = select(drive).where(drive.c.pipeline_id == run.pipeline_id).with_for_update()
    current = _run(connection.execute(found).mappings().one())
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
    return _run(row)


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
