"""What the rows of `pipeline_execution_drive` tell: queries that each find an index, however many rows there are.

A gap row is no attempt: the queries about attempts and windows pass over it.
"""

import difflib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, union_all

from landbridge.errors import UsageError
from landbridge.ledger.attempt import JobKind, Run, run_of
from landbridge.ledger.database import Database
from landbridge.ledger.tables import drive, is_attempt
from landbridge.windows import Window, format_duration

_newest_first = (drive.c.created_at.desc(), drive.c.fence.desc())
_starts, _ends = drive.c.query_window_start_timestamp, drive.c.query_window_end_timestamp
_length = drive.c.query_window_duration


def latest_run(db: Database, pipeline_name: str, job_kind: JobKind) -> Run | None:
    """The newest attempt, whatever its status."""
    return _newest(db, select(drive).where(_attempts(pipeline_name), drive.c.job_kind == job_kind))


def latest_of_window(db: Database, pipeline_name: str, window: Window) -> Run | None:
    """The newest attempt at exactly this window, whatever its status."""
    ours = (_length == format_duration(window.duration)) & (_starts == window.start) & (_ends == window.end)
    return _newest(db, select(drive).where(_attempts(pipeline_name), ours))


def attempted(db: Database, pipeline_name: str, span: Window) -> list[Window]:
    """The distinct windows of all attempts that overlap the span, ascending."""
    found: set[Window] = set()
    with db.read() as connection:
        for length in _lengths(connection, pipeline_name):
            overlaps = (_starts > span.start - _at_most(length)) & (_starts < span.end) & (_ends > span.start)
            windows = select(_starts, _ends).distinct().where(_attempts(pipeline_name), _length == length, overlaps)
            found.update(Window(*row) for row in connection.execute(windows))
    return sorted(found)


def first_window(db: Database, pipeline_name: str) -> datetime | None:
    """The earliest start of a window that was ever attempted."""
    with db.read() as connection:
        ours = _attempts(pipeline_name)
        firsts = [
            connection.execute(select(_starts).where(ours, _length == length).order_by(_starts).limit(1)).scalar_one()
            for length in _lengths(connection, pipeline_name)
        ]
    return min(firsts, default=None)


def first_begun(db: Database, pipeline_name: str) -> datetime | None:
    """Where the window of the very first attempt starts: the first by time of the attempt, not of the window."""
    first = select(_starts).where(_attempts(pipeline_name)).order_by(drive.c.created_at).limit(1)
    with db.read() as connection:
        return connection.execute(first).scalar_one_or_none()


def rate(db: Database, pipeline_name: str, since: datetime, most: int = 1000) -> tuple[int, int]:
    """How many of the newest attempts since then, `most` of them at most, were SUCCESS, and how many SUCCESS or FAILED.

    An attempt counts by when it began; SKIPPED ones, in which nothing was done, do not count.
    """
    ours = (drive.c.pipeline_name == pipeline_name) & (drive.c.created_at >= since)
    newest = [
        select(drive.c.pipeline_status, drive.c.created_at)
        .where(ours, drive.c.pipeline_status == status)
        .order_by(drive.c.created_at.desc())
        .limit(most)
        .subquery()
        for status in ("SUCCESS", "FAILED")
    ]
    both = union_all(*map(select, newest)).subquery()
    counted = select(both.c.pipeline_status).order_by(both.c.created_at.desc()).limit(most)
    with db.read() as connection:
        ended = connection.execute(counted).scalars().all()
    return ended.count("SUCCESS"), len(ended)


def get_run(db: Database, pipeline_id: str) -> Run:
    """The row of this id; UsageError for an unknown one, with the nearest known ids as hint."""
    with db.read() as connection:
        row = connection.execute(select(drive).where(drive.c.pipeline_id == pipeline_id)).mappings().one_or_none()
        if row is not None:
            return run_of(row)
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
    query = select(drive).order_by(*_newest_first).limit(limit)
    if pipeline_name is not None:
        query = query.where(drive.c.pipeline_name == pipeline_name)
    if status is not None:
        query = query.where(drive.c.pipeline_status == status)
    if since is not None:
        query = query.where(drive.c.created_at >= since)
    with db.read() as connection:
        return [run_of(row) for row in connection.execute(query).mappings()]


def _attempts(pipeline_name: str) -> ColumnElement[bool]:
    return (drive.c.pipeline_name == pipeline_name) & is_attempt


def _newest(db: Database, query: Select[Any]) -> Run | None:
    with db.read() as connection:
        row = connection.execute(query.order_by(*_newest_first).limit(1)).mappings().one_or_none()
    return run_of(row) if row is not None else None


def _lengths(connection: Connection, pipeline_name: str) -> Iterator[str]:
    """The lengths that windows of this pipeline have: few, each found by one look into the index.

    By them overlaps are found: no window of a length reaches further than that, so those of other times are not read.
    """
    last: str | None = ""
    ours = _attempts(pipeline_name)
    while last is not None:
        following = select(_length).where(ours, _length > last).order_by(_length).limit(1)
        last = connection.execute(following).scalar_one_or_none()
        if last is not None:
            yield last


def _at_most(length: str) -> timedelta:
    """Longer than any window of this `query_window_duration`, which is cut to whole seconds."""
    parts = {unit: int(number) for number, unit in re.findall(r"([0-9]+)([hms])", length)}
    return timedelta(hours=parts.get("h", 0), minutes=parts.get("m", 0), seconds=parts.get("s", 0) + 1)
