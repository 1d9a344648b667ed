"""`alerts` of landbridge.yaml: what is read, and what is refused."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.config.alerts import SEVERITIES, Alerts, QuietHours
from landbridge.errors import ConfigError
from tests.config.conftest import Load

TIMES = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))


def test_nothing_declared(load: Load) -> None:
    """Nothing is sent anywhere."""
    assert load("alerts:").alerts == Alerts()


def test_declared(load: Load, tmp_path: Path) -> None:
    """URLs come from files, commands and variables, and are shown nowhere."""
    (tmp_path / "slack").write_text("slack://token/token/token\n")
    alerts = load(
        """
alerts:
  repeat_after: 2h
  quiet_hours: {from: "22:00", to: "06:30", timezone: Europe/Berlin, severity: error}
  channels:
    ops: {url: "file:slack", severity: critical}
    hook: {url: "json://user:${WORD}@host:80/path", kinds: [failure, gap], named_only: true}
    told: {url: "cmd:echo tgram://token/1"}
""",
        environ={"WORD": "sesame", "PATH": "/bin:/usr/bin"},
    ).alerts
    ops, hook, told = alerts.channels
    assert (ops.url.get_secret_value(), ops.severity, ops.kinds) == ("slack://token/token/token", "critical", ())
    assert hook.url.get_secret_value() == "json://user:sesame@host:80/path"
    assert (hook.kinds, hook.named_only, hook.severity) == (("failure", "gap"), True, "warning")
    assert told.url.get_secret_value() == "tgram://token/1"
    assert alerts.quiet_hours == QuietHours(time(22), time(6, 30), "Europe/Berlin", "error")
    assert alerts.repeat_after == timedelta(hours=2)
    assert "sesame" not in repr(alerts)
    assert "token" not in repr(alerts)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("channel: {}", "alerts.channel: unknown key; did you mean 'channels'?"),
        ("repeat_after: often", "alerts.repeat_after: must be like"),
        ("channels: {ops: json://h}", "alerts.channels.ops: must be a mapping of keys to values"),
        ("channels: {ops: {severity: error}}", "alerts.channels.ops.url: missing"),
        ("channels: {ops: {url: sesame}}", "alerts.channels.ops.url: must be an apprise URL"),
        ('channels: {ops: {url: "json://u:ses ame@h"}}', "alerts.channels.ops.url: must be an apprise URL"),
        ('channels: {ops: {url: "json:///sesame"}}', "alerts.channels.ops.url: must be an apprise URL"),
        ("channels: {ops: {url: json://h, kinds: [fail]}}", "alerts.channels.ops.kinds[0]: must be 'failure', "),
        ("channels: {ops: {url: json://h, kinds: []}}", "alerts.channels.ops.kinds: "),
        ("channels: {ops: {url: json://h, severity: bad}}", "alerts.channels.ops.severity: must be 'info', "),
        ("channels: {ops: {url: json://h, floor: info}}", "alerts.channels.ops.floor: unknown key"),
        ("channels: {mail of x: {url: json://h}}", "a channel's name is up to 100 letters"),
        ('quiet_hours: {from: "22:00"}', "alerts.quiet_hours.to: missing"),
        ("quiet_hours: {from: 22:00, to: 6:00}", "alerts.quiet_hours.from: must be text, but YAML reads"),
        ('quiet_hours: {from: "24:00", to: "06:00"}', "alerts.quiet_hours.from: must be a time of day"),
        ('quiet_hours: {from: "06:00", to: "06:00"}', "alerts.quiet_hours.to: must differ from 'from'"),
        ('quiet_hours: {from: "1:00", to: "06:00", timezone: Mars}', "alerts.quiet_hours.timezone: no time zone"),
    ],
)
def test_refused(load: Load, line: str, problem: str) -> None:
    """With the place, and never with the URL."""
    with pytest.raises(ConfigError) as caught:
        load(f"alerts:\n  {line}\n")
    assert problem in str(caught.value)
    assert "sesame" not in str(caught.value)


@given(start=TIMES, end=TIMES, since=st.timedeltas(timedelta(0), timedelta(days=4000)))
def test_quiet_hours(start: time, end: time, since: timedelta) -> None:
    """Held is what is below their severity, from one clock time to the next other one, in their zone."""
    if start == end:
        return
    now = datetime(2020, 1, 1, tzinfo=UTC) + since
    hours = QuietHours(start, end, "Europe/Berlin", "error")
    clock = now.astimezone(ZoneInfo("Europe/Berlin")).time()
    minutes = [one.hour * 60 + one.minute for one in (clock, start, end)]
    quiet = (minutes[0] - minutes[1]) % 1440 < (minutes[2] - minutes[1]) % 1440
    assert [hours.holds(severity, now) for severity in SEVERITIES] == [quiet, quiet, False, False]
