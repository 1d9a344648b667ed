"""Coverage: for each pipeline, the time that successful runs have covered, as intervals that never touch each other."""

from sqlalchemy import Connection, delete, func, literal, select

from landbridge.ledger.database import Database
from landbridge.ledger.tables import Instant, coverage
from landbridge.windows import Window

_start, _end = coverage.c.window_start, coverage.c.window_end


def covered(db: Database, pipeline_name: str, within: Window | None = None) -> list[Window]:
    """The covered intervals, ascending; with `within` what of them lies in it, cut at its ends."""
    with db.read() as connection:
        if within is None:
            ours = select(_start, _end).where(coverage.c.pipeline_name == pipeline_name).order_by(_start)
            return [Window(*row) for row in connection.execute(ours)]
        near = _near(connection, pipeline_name, within)
    return [
        Window(max(each.start, within.start), min(each.end, within.end))
        for each in near
        if each.end > within.start and each.start < within.end
    ]


def cover(db: Database, connection: Connection, pipeline_name: str, window: Window) -> None:
    """Add a window in the caller's transaction, merged with what it touches; others wait until that ends."""
    db.lock(connection, coverage)
    touched = [each for each in _near(connection, pipeline_name, window) if each.end >= window.start]
    if touched:
        merged = _start.between(touched[0].start, touched[-1].start)
        connection.execute(delete(coverage).where(coverage.c.pipeline_name == pipeline_name, merged))
    connection.execute(
        coverage.insert().values(
            pipeline_name=pipeline_name,
            window_start=min([window.start, *(each.start for each in touched)]),
            window_end=max([window.end, *(each.end for each in touched)]),
        )
    )


def _near(connection: Connection, pipeline_name: str, window: Window) -> list[Window]:
    """The intervals that begin in the window or at its end, and the last that begins before: no other can touch it.

    One statement, so that nobody merges between two looks.
    """
    ours = coverage.c.pipeline_name == pipeline_name
    before = select(func.max(_start)).where(ours, _start < window.start).scalar_subquery()
    first = func.coalesce(before, literal(window.start, Instant))
    near = select(_start, _end).where(ours, _start >= first, _start <= window.end)
    return [Window(*row) for row in connection.execute(near.order_by(_start))]
