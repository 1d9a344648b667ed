"""Apprise: imported when something is sent, asked by doctor, and missed in words."""

import subprocess
import sys

import pytest
from pydantic import SecretStr

from landbridge.config.alerts import Alerts, Channel
from landbridge.engine.events import Event, Notice, RunGivenUp
from landbridge.errors import SourceError
from landbridge.ledger.database import Database
from landbridge.monitor.channels import of_channel
from landbridge.monitor.delivery import deliver
from landbridge.monitor.diagnosis import asked
from landbridge.monitor.sink import Alerting
from tests.servers.webhook import Webhook

DOORS = ("landbridge.cli.run", "landbridge.cli.export_data", "landbridge.cli.import_data", "landbridge.cli.doctor")


@pytest.mark.parametrize(
    ("modules", "absent"), [(DOORS, "landbridge.monitor"), (("landbridge.monitor.sink",), "apprise")]
)
def test_nothing_is_imported_before_it_is_needed(modules: tuple[str, ...], absent: str) -> None:
    """Not the room of alerts by commands whose project declares none, and not apprise by that room."""
    code = f"import sys, {', '.join(modules)}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_apprise(db: Database, hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run goes on, the alert waits, and doctor says what to install."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    alerts = Alerts((Channel("hook", SecretStr(hook.url)),))
    seen: list[Event] = []
    Alerting(alerts, {}, lambda: db, seen.append)(RunGivenUp("orders", None, SourceError("broken off")))
    assert seen[1:] == [
        Notice(
            "alert not delivered to hook, the next command tries again:"
            " alerts need apprise; pip install 'landbridge[alerts]'"
        )
    ]
    ((_, check),) = asked(alerts)
    assert (check.ok, check.hint) == (False, "pip install 'landbridge[alerts]'")
    monkeypatch.undo()
    Alerting(alerts, {}, lambda: db, seen.append).catch_up()
    assert hook.titles == ["[ALERT] Pipeline Failure: orders"]


@pytest.mark.parametrize(
    ("url", "ok"),
    [
        ("json://user:sesame@host/path", True),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops", True),
        ("slack://sesame", False),
        ("nonsense://user:sesame@host/sesame-path", False),
        ("mailto://bot:sesame@host?to=@", False),
    ],
)
def test_doctor(url: str, *, ok: bool, hook: Webhook) -> None:
    """Says whether apprise can use a URL, sends nothing, and tells no secret of it."""
    ((name, check),) = asked(Alerts((Channel("ops", SecretStr(url)),)))
    assert (name, check.ok) == ("alerts ops", ok)
    assert "sesame" not in f"{check}"
    assert hook.got == []


def test_what_a_server_answers(hook: Webhook, capfd: pytest.CaptureFixture[str]) -> None:
    """A refusal is a reason in one line, and nothing is written past the caller."""
    hook.answer = 403
    why = deliver(of_channel(Channel("hook", SecretStr(hook.url))), "subject", "text", "error", seconds=5)
    assert why is not None
    assert "error=403" in why
    assert capfd.readouterr() == ("", "")
