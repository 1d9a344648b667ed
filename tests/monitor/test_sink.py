"""Alerting: real servers are told, once; a run never notices."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from threading import Event as Flag

import pytest
from pydantic import SecretStr

from landbridge.config.alerts import Alerts, Channel, QuietHours
from landbridge.engine.events import Event, GapsFound, Notice, PhaseEnded, RunEnded, RunGivenUp, SchemaChanged
from landbridge.errors import AuditError, LandbridgeError, SourceError, Unreachable
from landbridge.ledger.database import Database
from landbridge.monitor.sink import Alerting
from tests.monitor.failing import HOUR, failed_run, took
from tests.monitor.owners import Owner, mail_server
from tests.servers.smtp import PASSWORD, USER, MailServer
from tests.servers.webhook import Webhook

SUBJECT = "[ALERT] Pipeline Failure: orders"
NIGHTS = QuietHours(time(22), time(6), "Europe/Berlin")
BERLIN_NIGHT, BERLIN_DAY = datetime(2026, 1, 31, 21, 30, tzinfo=UTC), datetime(2026, 2, 1, 5, tzinfo=UTC)


@dataclass
class Command:
    """One command after the other on one drive database; `seen` is what the sink behind was told."""

    db: Database
    alerts: Alerts
    wanted: dict[str, Owner] = field(default_factory=dict)
    at: datetime = BERLIN_DAY
    seen: list[Event] = field(default_factory=list)

    def __call__(self, *events: Event, seconds: float = 10) -> list[str]:
        """A command that tells these events; the notices that a person saw."""
        seen = len(self.seen)
        sink = Alerting(self.alerts, self.wanted, lambda: self.db, self.seen.append, seconds, lambda: self.at)
        sink.catch_up()
        for event in events:
            sink(event)
        return [event.text for event in self.seen[seen:] if isinstance(event, Notice)]

    def fails(self, error: LandbridgeError | None = None, **how: float) -> list[str]:
        error = error or SourceError("broken off")
        return self(RunGivenUp("orders", failed_run(self.db, "orders", error), error), **how)

    def rows(self, *columns: str) -> list[tuple[object, ...]]:
        with self.db.read() as connection:
            return [
                tuple(row) for row in connection.exec_driver_sql(f"SELECT {', '.join(columns)} FROM landbridge_alerts")
            ]


def to(url: str, **rules: object) -> Alerts:
    return Alerts((Channel("hook", SecretStr(url)),), **rules)  # type: ignore[arg-type]


@pytest.fixture
def command(db: Database, hook: Webhook) -> Command:
    return Command(db, to(hook.url))


def test_by_mail(db: Database, mail: MailServer) -> None:
    """Owner and others get mails of their own, by STARTTLS and a login, with the seed's subject."""
    smtp = mail_server(host="127.0.0.1", port=mail.port, user=USER, password=SecretStr(PASSWORD))
    wanted = Owner(owner_email="owner@x.test", notification_emails=("team@x.test", "owner@x.test"), smtp=smtp)
    command = Command(db, Alerts(), {"orders": wanted})
    assert command.fails(SourceError("straße <gesperrt>\nund zu")) == []
    assert [addresses for addresses, _ in mail.got] == [["owner@x.test"], ["team@x.test"]]
    message = mail.got[0][1]
    assert (message["Subject"], message["To"]) == (SUBJECT, "owner@x.test")
    assert USER in message["From"]
    lines = message.get_content().splitlines()
    assert lines[6:8] == ["message  straße <gesperrt>", "         und zu"]
    assert lines[-1] == "landbridge retry orders_20260131_12h_run1"


def test_a_wrong_password(db: Database, mail: MailServer, tmp_path: Path) -> None:
    """The server's refusal is told; the password is in no output, and nowhere in the drive database."""
    smtp = mail_server(host="127.0.0.1", port=mail.port, user=USER, password=SecretStr("sesame, open"))
    command = Command(db, Alerts(), {"orders": Owner(owner_email="owner@x.test", smtp=smtp)})
    (notice,) = command.fails()
    assert notice.startswith("alert not delivered to mail of orders to owner@x.test, the next command tries again: ")
    assert "535" in notice
    assert b"sesame" not in f"{notice}{command.wanted}".encode() + (tmp_path / "drive.db").read_bytes()
    assert mail.got == []


def test_an_address_that_is_none(db: Database, mail: MailServer) -> None:
    """It is told; the others get their mail, once."""
    smtp = mail_server(host="127.0.0.1", port=mail.port, user=USER, password=SecretStr(PASSWORD))
    wanted = Owner(owner_email="owner@x.test", notification_emails=("@",), smtp=smtp)
    command = Command(db, Alerts(), {"orders": wanted})
    for notice in (*command.fails(), *command()):
        assert notice.endswith("again: Dropped invalid To email (@) specified.")
    assert [addresses for addresses, _ in mail.got] == [["owner@x.test"]]


def test_a_dead_server(command: Command, hook: Webhook, db: Database) -> None:
    """The run goes on, a person is told, the next command delivers; other channels have been told meanwhile."""
    (live,) = command.alerts.channels
    dead = Channel("dead", SecretStr("json://u:sesame@127.0.0.1:1/open/wide/"))
    command.alerts = Alerts((dead, live))
    (notice,) = command.fails()
    assert notice.startswith("alert not delivered to dead, the next command tries again: ")
    assert "Connection refused" in notice
    assert "sesame" not in notice
    assert "open/wide" not in notice
    assert [type(event) for event in command.seen] == [RunGivenUp, Notice]
    assert hook.titles == [SUBJECT]
    command.alerts = Alerts((replace(live, name="dead"), live))
    assert command() == []
    assert hook.titles == [SUBJECT, SUBJECT]
    assert command() == []
    assert len(hook.got) == 2


def test_a_dead_channel_is_tried_once(command: Command, hook: Webhook) -> None:
    """However many alerts a command raises: told once; and what waits comes in one message, oldest first."""
    hook.answer = 503
    lost = [RunGivenUp(f"t{n}", None, SourceError("broken off")) for n in range(3)]
    (notice,) = command(*lost)
    assert "503" in notice
    hook.answer = 200
    command()
    assert hook.titles == ["[ALERT] 3 alerts that waited: t0, t1, t2"]
    assert hook.got[0]["message"].count("message  broken off") == 3


def test_a_slow_server(command: Command, hook: Webhook) -> None:
    """The command waits no longer than it may, whatever the number of alerts and channels."""
    hook.pause = Flag()
    began = datetime.now(UTC)
    notices = command(*(RunGivenUp(f"t{n}", None, SourceError("")) for n in range(3)), seconds=0.3)
    assert timedelta(seconds=0.2) < datetime.now(UTC) - began < timedelta(seconds=3)
    assert notices == ["alert not delivered to hook, the next command tries again: no answer within 0 s"]
    hook.pause.set()


def test_the_same_again(command: Command, hook: Webhook, db: Database) -> None:
    """Once within `repeat_after`; after it once more, with the number of times between."""
    for _ in range(4):
        command.fails()
    command.fails(AuditError("3 rows are missing"))
    assert hook.titles == [SUBJECT, SUBJECT]
    command.alerts = replace(command.alerts, repeat_after=timedelta(microseconds=1))
    command.fails()
    assert "The same happened 3 more times since 20" in hook.got[2]["message"]
    command.fails()
    assert "The same happened" not in hook.got[3]["message"]


def test_quiet_hours(command: Command, hook: Webhook) -> None:
    """What is not critical waits for the morning, as one message; what is critical is sent at night."""
    command.alerts = replace(command.alerts, quiet_hours=NIGHTS)
    command.at = BERLIN_NIGHT
    assert command(GapsFound("orders", (HOUR,)), SchemaChanged("orders", ("column x is new",))) == []
    command.fails(AuditError("3 rows are missing"))
    assert hook.titles == [SUBJECT]
    command()
    assert hook.titles == [SUBJECT]
    command.at = BERLIN_DAY
    command()
    assert hook.titles == [SUBJECT, "[ALERT] 2 alerts that waited: orders"]
    assert "column x is new" in hook.got[1]["message"]
    command()
    assert len(hook.got) == 2


def test_a_dead_server_at_night(command: Command, hook: Webhook) -> None:
    """What could not be delivered by day is not tried again at night."""
    hook.answer = 503
    command.alerts = replace(command.alerts, quiet_hours=NIGHTS)
    command(GapsFound("orders", (HOUR,)))
    hook.answer, command.at = 200, BERLIN_NIGHT
    command()
    assert hook.got == []
    command.at = BERLIN_DAY
    command()
    assert hook.titles == ["[ALERT] Pipeline Gap: orders"]


def test_a_gap_is_told_once(command: Command, hook: Webhook) -> None:
    """One alert for all windows of one finding."""
    command(GapsFound("orders", (HOUR,)), GapsFound("orders", (HOUR,)))
    command(GapsFound("orders", (HOUR,)))
    assert hook.titles == ["[ALERT] Pipeline Gap: orders"]


def test_what_is_told_of_a_run(command: Command, hook: Webhook, db: Database) -> None:
    """A failed attempt that another may follow tells nothing; a phase that took too long does."""
    run = failed_run(db, "orders", SourceError("broken off"))
    late = PhaseEnded(run, took(121, "1m"))
    command(late, PhaseEnded(run, took(120, "1m")), RunEnded(run))
    assert hook.titles == ["[ALERT] Pipeline Duration: orders"]
    assert "took     2m 1s\nexpected 1m; told above 2 times that" in hook.got[0]["message"]


def test_a_drive_database_that_is_gone(command: Command, hook: Webhook) -> None:
    """No alert and no error comes of it: a person is told."""

    def gone() -> Database:
        raise Unreachable("drive table: no such host")

    seen: list[Event] = []
    sink = Alerting(command.alerts, {}, gone, seen.append)
    sink.catch_up()
    sink(RunGivenUp("orders", None, SourceError("broken off")))
    assert [event.text for event in seen if isinstance(event, Notice)] == [
        "alert not sent: drive table: no such host"
    ] * 2
    assert hook.got == []


def test_a_fault_of_ours(command: Command) -> None:
    """Even that is told, and not raised; its words, which may quote anything, are not repeated."""

    def broken() -> Database:
        raise ZeroDivisionError("secret")

    seen: list[Event] = []
    Alerting(command.alerts, {}, broken, seen.append)(RunGivenUp("orders", None, SourceError("")))
    assert seen[1:] == [Notice("alert not sent: ZeroDivisionError: a fault of landbridge")]


def test_the_sink_behind(command: Command, hook: Webhook) -> None:
    """What the command's own sink raises goes through: that one was asked to end the run."""

    def ends(_event: Event) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Alerting(command.alerts, {}, lambda: command.db, ends)(RunGivenUp("orders", None, SourceError("")))
    assert hook.got == []
