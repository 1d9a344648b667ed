"""Alerts: what each channel was told, and when; what waits to be told. One row per alert and channel."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, select, update

from landbridge.ledger.database import Database
from landbridge.ledger.phases import storable
from landbridge.ledger.tables import alerts

CLAIM = timedelta(minutes=1)  # so long nobody else tries to deliver it; should its process die, others do after that

State = Literal["held", "undelivered", "sent"]


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a channel is to be told; alerts of one key are the same thing happening again."""

    alert_key: str
    channel: str
    kind: str
    severity: str
    pipeline_name: str
    subject: str
    text: str


@dataclass(frozen=True, kw_only=True)
class AlertRow(Told):
    """One row as it was when it was read; the fields are the columns."""

    state: State
    first_at: datetime
    last_sent_at: datetime | None
    suppressed: int
    claimed_until: datetime | None
    failure: str | None


def note(db: Database, told: Told, *, repeat_after: timedelta, held: bool) -> AlertRow | None:
    """Write down that this happened; its row, claimed, if the caller is to deliver it now.

    None: it is held, or was sent less than `repeat_after` ago and is counted, or another process delivers it.
    """
    facts = {name: storable(value) for name, value in vars(told).items()}
    with db.begin() as connection:
        now = db.now(connection)
        fresh = {**facts, "state": "held" if held else "undelivered", "first_at": now, "suppressed": 0}
        insert = db.insert(alerts).values(fresh).on_conflict_do_nothing().returning(alerts.c.alert_key)
        is_new = connection.execute(insert).first() is not None
        row = _row(connection.execute(select(alerts).where(_is(told)).with_for_update()).mappings().one())
        if not is_new:
            row = _change(connection, row, facts | _again(row, now, repeat_after, held=held))
        if held or row.state != "undelivered" or (row.claimed_until and row.claimed_until > now):
            return None
        return _change(connection, row, {"claimed_until": now + CLAIM})


def _again(row: AlertRow, now: datetime, repeat_after: timedelta, *, held: bool) -> dict[str, object]:
    """What becomes of a row whose alert is raised once more."""
    recent = row.last_sent_at is not None and now - row.last_sent_at < repeat_after
    if row.state == "sent" and recent:
        return {"suppressed": row.suppressed + 1}
    counted = row.suppressed + (row.state != "sent")
    return {"state": "held" if held and row.state != "undelivered" else "undelivered", "suppressed": counted}


def anything_waits(db: Database) -> bool:
    """Whether `claim` may find something: asked without a lock."""
    with db.read() as connection:
        waiting = select(alerts.c.channel).where(alerts.c.state != "sent").limit(1)
        return connection.execute(waiting).first() is not None


def claim(db: Database, channels: Sequence[str], severities: Sequence[str]) -> list[AlertRow]:
    """All of these severities that waits for these channels, claimed for the caller, oldest first."""
    with db.begin() as connection:
        now = db.now(connection)
        waiting = update(alerts).where(
            alerts.c.state != "sent",
            alerts.c.channel.in_(channels),
            alerts.c.severity.in_(severities),
            alerts.c.claimed_until.is_(None) | (alerts.c.claimed_until <= now),
        )
        found = connection.execute(waiting.values(claimed_until=now + CLAIM).returning(alerts)).mappings()
        return sorted(map(_row, found), key=lambda row: (row.first_at, row.alert_key))


def sent(db: Database, rows: Sequence[AlertRow]) -> None:
    """They were delivered just now."""
    with db.begin() as connection:
        now = db.now(connection)
        for row in rows:
            values = {"state": "sent", "last_sent_at": now, "suppressed": 0, "claimed_until": None, "failure": None}
            _change(connection, row, values)


def failed(db: Database, rows: Sequence[AlertRow], failure: str) -> None:
    """They could not be delivered, and wait; `failure` says why, and holds no secret."""
    with db.begin() as connection:
        for row in rows:
            _change(connection, row, {"state": "undelivered", "claimed_until": None, "failure": storable(failure)})


def _is(told: Told) -> ColumnElement[bool]:
    return (alerts.c.alert_key == told.alert_key) & (alerts.c.channel == told.channel)


def _change(connection: Connection, row: AlertRow, values: dict[str, object]) -> AlertRow:
    change = update(alerts).where(_is(row)).values(values).returning(alerts)
    return _row(connection.execute(change).mappings().one())


def _row(row: RowMapping) -> AlertRow:
    return AlertRow(**row)
