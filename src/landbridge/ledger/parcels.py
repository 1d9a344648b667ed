"""Parcels: what was written here and what arrived here, each direction a chain of its own.

Where a change takes a custody event, both are written in one transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, Select, func, or_, select, update

from landbridge.errors import LeaseLost
from landbridge.ledger.custody import CustodyEvent, append
from landbridge.ledger.database import Database
from landbridge.ledger.marks import Mark, note
from landbridge.ledger.tables import parcels

Direction = Literal["out", "in"]
State = Literal["writing", "sealed", "purged", "abandoned", "loaded", "refused"]


@dataclass(frozen=True, kw_only=True)
class ParcelRow:
    """One row as it was when it was read; the fields are the columns."""

    parcel_id: str
    direction: Direction
    pipeline_name: str
    sequence: int | None
    state: State
    location: str
    folder: str
    as_of: datetime | None
    row_count: int | None
    byte_count: int | None
    pipeline_id: str
    created_at: datetime
    updated_at: datetime


def reserve(  # noqa: PLR0913  all by keyword: each is a column
    db: Database,
    *,
    pipeline_name: str,
    parcel_id: str,
    location: str,
    folder: str,
    as_of: datetime | None,
    pipeline_id: str,
) -> ParcelRow:
    """A new `out` parcel, writing, with the next sequence number of its pipeline. RunError if the id is taken."""
    written = (parcels.c.pipeline_name == pipeline_name) & (parcels.c.direction == "out")
    with db.begin() as connection:
        db.lock(connection, parcels)  # the first act: who reserves at this moment takes the number after ours
        now = db.now(connection)
        last = connection.execute(select(func.max(parcels.c.sequence)).where(written)).scalar_one()
        values = {
            "parcel_id": parcel_id,
            "direction": "out",
            "pipeline_name": pipeline_name,
            "sequence": (last or 0) + 1,  # abandoned ones have none
            "state": "writing",
            "location": location,
            "folder": folder,
            "as_of": as_of,
            "pipeline_id": pipeline_id,
            "created_at": now,
            "updated_at": now,
        }
        return _parcel(connection.execute(parcels.insert().values(values).returning(parcels)).mappings().one())


def counted(db: Database, mark: Mark, *, row_count: int, byte_count: int) -> ParcelRow:
    """Note what a parcel being written holds, and its mark, before its index is: whoever finds it sealed knows."""
    counts = {"row_count": row_count, "byte_count": byte_count}
    with db.begin() as connection:
        row = _change(db, connection, mark.parcel_id, ("writing",), counts)
        note(connection, mark)
    return row


def seal(db: Database, parcel_id: str, event: CustodyEvent | None = None) -> ParcelRow:
    """Its index is written: the parcel is whole. LeaseLost unless it was being written."""
    with db.begin() as connection:
        return _noted(db, connection, event, _change(db, connection, parcel_id, ("writing",), {"state": "sealed"}))


def purge(db: Database, parcel_id: str, location: str, event: CustodyEvent) -> None:
    """Its index at `location` is deleted. If it was written there, its row says so; its sequence number stays taken."""
    written = (parcels.c.parcel_id == parcel_id) & (parcels.c.direction == "out") & (parcels.c.state == "sealed")
    with db.begin() as connection:
        here = update(parcels).where(written, parcels.c.location == location)
        connection.execute(here.values(state="purged", updated_at=db.now(connection)))
        append(db, connection, event)


def emptied(db: Database, parcel_id: str) -> None:
    """The stage of a one-hop run whose rows are in the target: its files are gone, its number and mark stay."""
    with db.begin() as connection:
        _change(db, connection, parcel_id, ("sealed", "purged"), {"state": "purged"})


def abandon(db: Database, parcel_id: str) -> ParcelRow:
    """Its files are gone; the sequence number is free again. Abandoning twice is the same as once."""
    with db.begin() as connection:
        values = {"state": "abandoned", "sequence": None}
        return _change(db, connection, parcel_id, ("writing", "sealed", "abandoned"), values)


def record_in(  # noqa: PLR0913  all by keyword: each is a column
    db: Database,
    *,
    pipeline_name: str,
    parcel_id: str,
    sequence: int | None,
    location: str,
    folder: str,
    as_of: datetime | None,
    row_count: int | None,
    byte_count: int | None,
    state: Literal["loaded", "refused"],
    pipeline_id: str,
    event: CustodyEvent | None = None,
) -> ParcelRow:
    """Note an `in` parcel, or its new state; what was loaded once stays loaded."""
    with db.begin() as connection:
        now = db.now(connection)
        news = {
            "pipeline_name": pipeline_name,
            "sequence": sequence,
            "state": state,
            "location": location,
            "folder": folder,
            "as_of": as_of,
            "row_count": row_count,
            "byte_count": byte_count,
            "pipeline_id": pipeline_id,
            "updated_at": now,
        }
        insert = db.insert(parcels).values(parcel_id=parcel_id, direction="in", created_at=now, **news)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[parcels.c.parcel_id, parcels.c.direction],
                set_=news,
                where=or_(parcels.c.state != "loaded", insert.excluded.state == "loaded"),
            )
        )
        ours = select(parcels).where(parcels.c.parcel_id == parcel_id, parcels.c.direction == "in")
        return _noted(db, connection, event, _parcel(connection.execute(ours).mappings().one()))


def writing(db: Database, pipeline_name: str) -> list[ParcelRow]:
    """Parcels that somebody began and did not finish, oldest first."""
    ours = (parcels.c.pipeline_name == pipeline_name) & (parcels.c.direction == "out")
    query = select(parcels).where(ours, parcels.c.state == "writing")
    return _all(db, query.order_by(parcels.c.created_at, parcels.c.parcel_id))


def newest_id(db: Database, pipeline_name: str) -> str:
    """The highest id of the parcels written in folders of that name: ids grow with time; empty where there is none."""
    ours = (parcels.c.pipeline_name == pipeline_name) & (parcels.c.direction == "out")
    named = parcels.c.folder.like("%" + parcels.c.parcel_id)
    with db.read() as connection:
        return connection.execute(select(func.max(parcels.c.parcel_id)).where(ours, named)).scalar_one() or ""


def standing(db: Database, *, but: Sequence[str]) -> list[ParcelRow]:
    """What was written here, oldest first, but for what was given up, and the stages of the pipelines `but`."""
    ours = parcels.c.pipeline_name.not_in(but) & (parcels.c.direction == "out")
    query = select(parcels).where(ours, parcels.c.state != "abandoned")
    return _all(db, query.order_by(parcels.c.created_at, parcels.c.parcel_id))


def last_loaded(db: Database, pipeline_name: str, *, below: int | None = None) -> ParcelRow | None:
    """The loaded parcel with the highest sequence number, or the highest one `below` a number."""
    loaded = (parcels.c.pipeline_name == pipeline_name) & (parcels.c.direction == "in") & (parcels.c.state == "loaded")
    query = select(parcels).where(loaded, parcels.c.sequence.is_not(None))
    if below is not None:
        query = query.where(parcels.c.sequence < below)
    newest = query.order_by(parcels.c.sequence.desc(), parcels.c.updated_at.desc()).limit(1)
    with db.read() as connection:
        row = connection.execute(newest).mappings().one_or_none()
    return _parcel(row) if row is not None else None


def written(db: Database, parcel_id: str) -> ParcelRow | None:
    """The parcel of that id that was made here."""
    ours = select(parcels).where(parcels.c.parcel_id == parcel_id, parcels.c.direction == "out")
    with db.read() as connection:
        row = connection.execute(ours).mappings().one_or_none()
    return _parcel(row) if row is not None else None


def list_parcels(db: Database, pipeline_name: str | None = None, direction: Direction | None = None) -> list[ParcelRow]:
    """Oldest first."""
    query = select(parcels).order_by(parcels.c.created_at, parcels.c.parcel_id)
    if pipeline_name is not None:
        query = query.where(parcels.c.pipeline_name == pipeline_name)
    if direction is not None:
        query = query.where(parcels.c.direction == direction)
    return _all(db, query)


def _all(db: Database, query: Select[Any]) -> list[ParcelRow]:
    with db.read() as connection:
        return [_parcel(row) for row in connection.execute(query).mappings()]


def _noted(db: Database, connection: Connection, event: CustodyEvent | None, row: ParcelRow) -> ParcelRow:
    """Write the event into the custody log with the change that it tells of, or neither."""
    if event is not None:
        append(db, connection, event)
    return row


def _parcel(row: RowMapping) -> ParcelRow:
    return ParcelRow(**row)


def _change(
    db: Database, connection: Connection, parcel_id: str, states: tuple[State, ...], values: Mapping[str, Any]
) -> ParcelRow:
    ours = (parcels.c.parcel_id == parcel_id) & (parcels.c.direction == "out") & parcels.c.state.in_(states)
    change = update(parcels).where(ours).values(updated_at=db.now(connection), **values).returning(parcels)
    row = connection.execute(change).mappings().one_or_none()
    if row is None:
        raise LeaseLost(
            f"no parcel {parcel_id} written here is {' or '.join(states)}: a later attempt has settled it",
            hint="landbridge status",
        )
    return _parcel(row)
