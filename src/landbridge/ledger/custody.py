"""The custody log: what happened to parcels on this side, in a chain that only grows (docs/custody.md)."""

import os
import pwd
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, select

from landbridge.errors import ConfigError
from landbridge.ledger.chain import NOTHING, Entry, Line, hash_of, is_signed, read, write
from landbridge.ledger.database import Database
from landbridge.ledger.phases import storable
from landbridge.ledger.tables import custody

PAGE = 1000


@dataclass(frozen=True, kw_only=True)
class CustodyEvent:
    """What happened to a parcel, to be written down; `signer` is the secret that signs it, None for nobody."""

    event: Literal["exported", "checked", "refused", "imported", "resent", "confirmed", "purged"]
    parcel_id: str
    pipeline_name: str | None
    details: Mapping[str, Any]
    signer: str | None = field(repr=False)


def append(db: Database, connection: Connection, event: CustodyEvent) -> Entry:
    """Write an entry in the caller's transaction, as its last act: others wait for the log until it ends.

    Raises ConfigError where the log is signed, and `event` has no signer.
    """
    db.lock(connection, custody)
    last = _last(connection)
    _refuse_unsigned(last, event.signer)
    number = last.number + 1 if last else 1
    fields = {
        "number": number,
        "time": _instant(db.now(connection)),
        "event": event.event,
        "parcel_id": event.parcel_id,
        "pipeline_name": event.pipeline_name,
        "actor": actor(),
        "details": storable(event.details),
        "previous": last.hash if last else NOTHING,
    }
    line = write(fields, event.signer)
    row = Line(number, event.event, event.parcel_id, event.pipeline_name, line, hash_of(line))
    connection.execute(custody.insert().values(vars(row)))
    return read(row)


def require_signer(db: Database, signer: str | None) -> None:
    """Ask before something is done whether it could be told of. Raises ConfigError as `append` does."""
    with db.read() as connection:
        _refuse_unsigned(_last(connection), signer)


def record(db: Database, event: CustodyEvent) -> Entry:
    """Write an entry in a transaction of its own; raises as `append` does."""
    with db.begin() as connection:
        return append(db, connection, event)


def lines(db: Database) -> Iterator[Line]:
    """The whole log as it is stored, unverified. No transaction is open while the caller works on a line."""
    last = 0
    while True:
        query = select(custody).where(custody.c.number > last).order_by(custody.c.number).limit(PAGE)
        with db.read() as connection:
            page = [Line(**row) for row in connection.execute(query).mappings()]
        yield from page
        if len(page) < PAGE:
            return
        last = page[-1].number


def told(db: Database, event: str) -> list[Entry]:
    """All entries of one kind, oldest first, unverified."""
    query = select(custody).where(custody.c.event == event).order_by(custody.c.number)
    with db.read() as connection:
        return [read(Line(**row)) for row in connection.execute(query).mappings()]


def latest(db: Database, **where: str) -> Entry | None:
    """The newest entry whose columns are as in `where`, unverified: `parcel_id`, `pipeline_name`, `event`."""
    query = select(custody).where(*(custody.c[name] == value for name, value in where.items()))
    with db.read() as connection:
        row = connection.execute(query.order_by(custody.c.number.desc()).limit(1)).mappings().one_or_none()
    return read(Line(**row)) if row is not None else None


def actor() -> str:
    """`user@host`, by the operating system: variables such as USER can say anything."""
    uid = os.geteuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:  # a container's user without a name
        user = str(uid)
    return f"{user}@{socket.gethostname()}"


def _last(connection: Connection) -> Line | None:
    newest = select(custody).order_by(custody.c.number.desc()).limit(1)
    row = connection.execute(newest).mappings().one_or_none()
    return Line(**row) if row is not None else None


def _refuse_unsigned(last: Line | None, signer: str | None) -> None:
    if last and signer is None and is_signed(last.line):
        raise ConfigError(
            "the custody log is signed, and this side's signing key is not there",
            hint="put signing.key back into the folder of keys; docs/custody.md says why",
        )


def _instant(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
