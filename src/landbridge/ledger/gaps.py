"""Gaps: rows GAP_DETECTED of `pipeline_execution_drive`, each a hole between windows that was told once."""

from datetime import datetime

from sqlalchemy import select

from landbridge.ledger.attempt import Run, checked_id, new_row, run_of
from landbridge.ledger.database import Database
from landbridge.ledger.phases import PHASES
from landbridge.ledger.tables import drive
from landbridge.windows import Window, format_duration

STATUS = "GAP_DETECTED"


def record_gap(db: Database, pipeline_name: str, window: Window, *, host: str, version: str) -> Run | None:
    """A row for the hole, closed from the start; None where it is recorded already, perhaps at this very moment.

    ConfigError for a name too long for `pipeline_id`.
    """
    with db.begin() as connection:
        now = db.now(connection)
        values = new_row(
            now=now,
            pipeline_name=pipeline_name,
            status=STATUS,
            job_kind="run",
            window=window,
            plan_hash="",
            fence=0,
            skipped=dict.fromkeys(PHASES, "marks a gap: nothing was run"),
            host=host,
            version=version,
        )
        ended = {"pipeline_end_timestamp": now, "pipeline_run_duration": format_duration(now - now)}
        pipeline_id = checked_id(pipeline_name, f"gap_{_span(window)}")
        insert = db.insert(drive).values(pipeline_id=pipeline_id, **values, **ended)
        row = connection.execute(insert.on_conflict_do_nothing().returning(drive)).mappings().one_or_none()
    return run_of(row) if row is not None else None


def recorded(db: Database, pipeline_name: str) -> list[Run]:
    """Every gap that was recorded, whether it was filled since or not, by window."""
    ours = (drive.c.pipeline_name == pipeline_name) & (drive.c.pipeline_status == STATUS)
    with db.read() as connection:
        rows = connection.execute(select(drive).where(ours)).mappings().all()
    return sorted(map(run_of, rows), key=lambda run: run.window)


def told(db: Database, pipeline_name: str) -> list[Window]:
    """The holes of all rows that `recorded` gives, in no order."""
    ours = (drive.c.pipeline_name == pipeline_name) & (drive.c.pipeline_status == STATUS)
    query = select(drive.c.query_window_start_timestamp, drive.c.query_window_end_timestamp).where(ours)
    with db.read() as connection:
        return [Window(*row) for row in connection.execute(query)]


def _span(window: Window) -> str:
    """`20260131_050000_to_060000`; the end has its date where that is another; microseconds where there are any."""
    end = f"{window.end:%H%M%S}" if window.end.date() == window.start.date() else f"{window.end:%Y%m%d_%H%M%S}"
    return f"{window.start:%Y%m%d_%H%M%S}{_parts(window.start)}_to_{end}{_parts(window.end)}"


def _parts(time: datetime) -> str:
    return f".{time:%f}" if time.microsecond else ""
