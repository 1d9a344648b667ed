"""Runs to alert of, as the engine leaves them in the drive table."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from landbridge.errors import LandbridgeError
from landbridge.ledger import runs
from landbridge.ledger.database import Database
from landbridge.ledger.phases import PhaseRecord
from landbridge.ledger.runs import Run
from landbridge.windows import Window

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
HOUR = Window(NOON, NOON + timedelta(hours=1))


def failed_run(db: Database, name: str, error: LandbridgeError, *, phase: str = "audit", window: Window = HOUR) -> Run:
    """A third attempt that failed in `phase`."""
    run = runs.start_run(
        db,
        pipeline_name=name,
        job_kind="run",
        window=window,
        plan_hash="",
        fence=1,
        resumed_from=None,
        retry_number=2,
        host="etl1",
        version="",
    )
    runs.phase_began(db, run, phase)
    record = PhaseRecord(
        phase_name=phase,
        status="FAILED",
        error_message=error.message,
        error_type=type(error).__name__,
        details={"hint": error.hint},
    )
    runs.phase_ended(db, run, record)
    return runs.finish_run(db, run, "FAILED")


def took(seconds: float, expected: str | None) -> PhaseRecord:
    """A phase that was to take `expected`, and took so many seconds."""
    record = PhaseRecord(phase_name="audit", status="COMPLETED", expected_run_duration=expected)
    return replace(record, start_timestamp=NOON, end_timestamp=NOON + timedelta(seconds=seconds))
