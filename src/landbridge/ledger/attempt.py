"""A run as a value: one row of `pipeline_execution_drive`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import RowMapping

from landbridge.errors import ConfigError
from landbridge.ledger.phases import PHASES, PhaseRecord
from landbridge.ledger.tables import NAME
from landbridge.windows import Window, format_duration

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


def run_of(row: RowMapping) -> Run:
    values = dict(row)
    documents = {name: values.pop(f"{name}_phase") or {"phase_name": name} for name in PHASES}
    for names in ("phases_completed", "phases_skipped", "phases_pending"):
        values[names] = tuple(values[names])
    return Run(phases={name: PhaseRecord.from_json(each) for name, each in documents.items()}, **values)


def new_row(  # noqa: PLR0913  all by keyword: each is a column
    *,
    now: datetime,
    pipeline_name: str,
    status: str,
    job_kind: JobKind,
    window: Window,
    plan_hash: str,
    fence: int,
    skipped: Mapping[str, str],
    resumed_from: str | None = None,
    retry_number: int = 0,
    host: str,
    version: str,
) -> dict[str, Any]:
    """The columns of a row that begins now, without its id; phases are pending, or `skipped` for a reason."""
    records = {
        name: PhaseRecord(phase_name=name, status="SKIPPED", retry_number=retry_number, skip_reason=skipped[name])
        if name in skipped
        else PhaseRecord(phase_name=name, retry_number=retry_number)
        for name in PHASES
    }
    return {
        "pipeline_name": pipeline_name,
        "pipeline_status": status,
        "pipeline_retry_number": retry_number,
        "pipeline_start_timestamp": now,
        "query_window_start_timestamp": window.start,
        "query_window_end_timestamp": window.end,
        "target_date": window.target_date,
        "query_window_duration": format_duration(window.duration),
        **{f"{name}_phase": record.to_json() for name, record in records.items()},
        "phases_completed": [],
        "phases_skipped": [name for name in PHASES if name in skipped],
        "phases_pending": [name for name in PHASES if name not in skipped],
        "created_at": now,
        "updated_at": now,
        "job_kind": job_kind,
        "plan_hash": plan_hash,
        "fence": fence,
        "resumed_from": resumed_from,
        "host": host,
        "landbridge_version": version,
    }


def checked_id(pipeline_name: str, rest: str) -> str:
    """`{pipeline_name}_{rest}`; ConfigError for a name too long for `pipeline_id`."""
    pipeline_id = f"{pipeline_name}_{rest}"
    if len(pipeline_id) > (NAME.length or 0):
        raise ConfigError(f"the name {pipeline_name!r} is too long for the drive table's pipeline_id")
    return pipeline_id
