"""Marks: how far each exported parcel reads its table, and whether its rows are known to have arrived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, select, update

from landbridge.errors import UsageError
from landbridge.ledger.custody import CustodyEvent, append
from landbridge.ledger.database import Database
from landbridge.ledger.runs import JobKind
from landbridge.ledger.tables import drive, marks, parcels


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One row as it was when it was read; the fields are the columns."""

    parcel_id: str
    pipeline_name: str
    follows: str | None = None
    basis: str
    watermark_column: str | None = None
    after_value: str | None = None
    until_value: str | None = None
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None
    receipt_sha256: str | None = None
    watermark_type: str | None = None
    read_columns: list[str] | None = None


def note(connection: Connection, mark: Mark) -> None:
    """Write a mark in the caller's transaction; it counts once its parcel is sealed."""
    connection.execute(marks.insert().values(vars(mark)))


def exported(db: Database, pipeline_name: str, job_kind: JobKind) -> Mark | None:
    """That of the last parcel that was sealed here by this kind of job: exports and one-hop runs are chains apart."""
    return _last(db, pipeline_name, job_kind)


def confirmed(db: Database, pipeline_name: str, job_kind: JobKind) -> Mark | None:
    """That of the last such parcel whose rows are known to be in the target."""
    return _last(db, pipeline_name, job_kind, marks.c.confirmed_at.is_not(None))


def of_parcel(db: Database, parcel_id: str) -> Mark | None:
    return _one(db, select(marks).where(marks.c.parcel_id == parcel_id))


def of_receipt(db: Database, sha256: str) -> Mark | None:
    """That of the parcel whose receipt has a code with this hash."""
    return _one(db, select(marks).where(marks.c.receipt_sha256 == sha256))


def every(db: Database, *, but: Sequence[str] = ()) -> dict[str, Mark]:
    """By parcel; not those of the pipelines `but`."""
    ours = select(marks).where(marks.c.pipeline_name.not_in(but))
    with db.read() as connection:
        return {row["parcel_id"]: _mark(row) for row in connection.execute(ours).mappings()}


def confirm(db: Database, parcel_id: str, by: str, event: CustodyEvent | None = None) -> Mark:
    """Note that the parcel's rows have arrived, and `event` in the custody log; the first word stands, once.

    Raises UsageError for a parcel that was not written here.
    """
    ours = marks.c.parcel_id == parcel_id
    with db.begin() as connection:
        _make_up(db, connection, parcel_id)
        news = update(marks).where(ours, marks.c.confirmed_at.is_(None))
        changed = connection.execute(news.values(confirmed_at=db.now(connection), confirmed_by=by)).rowcount
        row = connection.execute(select(marks).where(ours)).mappings().one_or_none()
        if row is None:
            raise UsageError(f"no parcel {parcel_id} was exported here", hint="landbridge parcels")
        if changed and event is not None:
            append(db, connection, event)
    return _mark(row)


def _make_up(db: Database, connection: Connection, parcel_id: str) -> None:
    """A parcel that was sealed before there were marks gets one now; no read goes on from it: it has no watermark."""
    written = select(parcels.c.pipeline_name).where(parcels.c.parcel_id == parcel_id, parcels.c.direction == "out")
    name = connection.execute(written).scalar_one_or_none()
    if name is not None:
        values = vars(Mark(parcel_id=parcel_id, pipeline_name=name, basis=""))
        connection.execute(db.insert(marks).values(values).on_conflict_do_nothing())


def _last(db: Database, pipeline_name: str, job_kind: str, *which: ColumnElement[bool]) -> Mark | None:
    sealed = parcels.c.state.in_(("sealed", "purged")) & (parcels.c.direction == "out")
    query = (
        select(marks)
        .join(parcels, (parcels.c.parcel_id == marks.c.parcel_id) & sealed)
        .join(drive, (drive.c.pipeline_id == parcels.c.pipeline_id) & (drive.c.job_kind == job_kind))
        .where(marks.c.pipeline_name == pipeline_name, *which)
        .order_by(parcels.c.sequence.desc())
        .limit(1)
    )
    return _one(db, query)


def _one(db: Database, query: Select[Any]) -> Mark | None:
    with db.read() as connection:
        row = connection.execute(query).mappings().one_or_none()
    return _mark(row) if row is not None else None


def _mark(row: RowMapping) -> Mark:
    return Mark(**row)
