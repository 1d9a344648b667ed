"""What channels were told, and what waits for them."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from landbridge.ledger import alerts
from landbridge.ledger.alerts import AlertRow, Told
from landbridge.ledger.database import Database

HOUR, AT_ONCE = timedelta(hours=1), timedelta(0)
TOLD = Told(
    alert_key="failure/orders/audit/SourceError",
    channel="ops",
    kind="failure",
    severity="error",
    pipeline_name="orders",
    subject="[ALERT] Pipeline Failure: orders",
    text="message  broken off \0",
)
ALL = ("info", "warning", "error", "critical")


def note(db: Database, told: Told = TOLD, *, repeat_after: timedelta = HOUR, held: bool = False) -> AlertRow | None:
    return alerts.note(db, told, repeat_after=repeat_after, held=held)


def due(db: Database, told: Told = TOLD, *, repeat_after: timedelta = HOUR) -> AlertRow:
    row = note(db, told, repeat_after=repeat_after)
    assert row is not None
    return row


def waiting(db: Database, *channels: str, severities: tuple[str, ...] = ALL) -> list[AlertRow]:
    """What a command finds, once all claims before have run out, and gives back."""
    _give_back(db)
    rows = alerts.claim(db, channels or ("ops",), severities)
    _give_back(db)
    return rows


def _give_back(db: Database) -> None:
    with db.begin() as connection:
        connection.exec_driver_sql("UPDATE landbridge_alerts SET claimed_until = NULL")


def test_told_once(db: Database) -> None:
    """What was sent is counted for so long, then due again with its count, which begins anew after that."""
    row = due(db)
    assert (row.subject, row.text, row.state) == (TOLD.subject, r"message  broken off \x00", "undelivered")
    alerts.sent(db, [row])
    assert [note(db), note(db)] == [None, None]
    again = due(db, repeat_after=AT_ONCE)
    assert (again.suppressed, again.first_at) == (2, row.first_at)
    alerts.sent(db, [again])
    assert due(db, repeat_after=AT_ONCE).suppressed == 0


def test_channels_and_keys_are_apart(db: Database) -> None:
    """Another channel has not been told, and another alert is another."""
    alerts.sent(db, [due(db)])
    due(db, replace(TOLD, channel="mail"))
    due(db, replace(TOLD, alert_key="failure/orders/audit/AuditError"))


def test_held(db: Database) -> None:
    """What is held waits, with the newest words and the number of times; held or not, nothing sent is held anew."""
    assert note(db, held=True) is None
    assert note(db, replace(TOLD, text="newest"), held=True) is None
    (row,) = waiting(db)
    assert (row.state, row.text, row.suppressed) == ("held", "newest", 1)
    alerts.sent(db, [row])
    assert note(db, held=True) is None
    assert waiting(db) == []
    assert not alerts.anything_waits(db)


def test_held_and_due_by_day(db: Database) -> None:
    """The same alert by day takes with it what was held of it."""
    note(db, held=True)
    assert due(db).suppressed == 1


def test_undelivered(db: Database) -> None:
    """It waits, and says why; the same alert meanwhile tries again, by night it only counts."""
    alerts.failed(db, [due(db)], "no answer")
    assert alerts.anything_waits(db)
    assert due(db).failure == "no answer"
    assert [row.suppressed for row in waiting(db)] == [1]
    assert note(db, held=True) is None
    assert [(row.state, row.suppressed) for row in waiting(db)] == [("undelivered", 2)]


def test_what_is_claimed(db: Database) -> None:
    """Only of the channels and severities that are asked for, oldest first."""
    for number, channel in enumerate(("ops", "ops", "mail")):
        note(db, replace(TOLD, alert_key=str(number), channel=channel, severity=ALL[number]), held=True)
    assert [row.alert_key for row in waiting(db)] == ["0", "1"]
    assert [row.alert_key for row in waiting(db, "mail", "ops", severities=("warning", "error"))] == ["1", "2"]
    assert waiting(db, "gone") == []


def test_one_delivers(db: Database) -> None:
    """Of many that raise or find the same alert at once, one is to deliver it; the others do not try."""
    with ThreadPoolExecutor(8) as threads:
        raised = list(threads.map(lambda _n: note(db), range(8)))
        assert len([row for row in raised if row]) == 1
        alerts.failed(db, [row for row in raised if row], "no answer")
        found = list(threads.map(lambda _n: alerts.claim(db, ["ops"], ALL), range(8)))
    assert sorted(map(len, found)) == [0] * 7 + [1]
    assert note(db) is None
