"""Where alerts go, and what is secret of it."""

from collections.abc import Sequence

import pytest
from apprise import Apprise
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from landbridge.config.alerts import Alerts, Channel, Severity
from landbridge.config.pipelines import Monitoring
from landbridge.monitor.alert import Alert, gaps, trial
from landbridge.monitor.channels import destinations, of_channel, of_pipeline, secrets_of
from tests.monitor.failing import HOUR
from tests.monitor.owners import Owner, mail_server

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x17F, categories=["L", "N", "P", "S"]), min_size=1)


def alert(severity: Severity = "warning") -> Alert:
    return Alert(kind="gap", severity=severity, pipeline_name="orders", subject="", text="", key="")


def channel(name: str, **rules: object) -> Channel:
    return Channel(name, SecretStr(f"json://{name}.test"), **rules)  # type: ignore[arg-type]


def names(alerts: Sequence[Channel], wanted: Owner | None, one: Alert) -> list[str]:
    return [to.name for to in destinations(Alerts(tuple(alerts)), wanted, one)]


@pytest.mark.parametrize(
    ("severity", "told"), [("info", []), ("warning", ["a"]), ("error", ["a", "b"]), ("critical", ["a", "b"])]
)
def test_floors(severity: Severity, told: list[str]) -> None:
    """A channel gets what is as severe as its floor, or more so."""
    assert names([channel("a"), channel("b", severity="error")], None, alert(severity)) == told


def test_kinds() -> None:
    """A channel with `kinds` gets those."""
    channels = [channel("a", kinds=("failure",)), channel("b", kinds=("gap", "duration"))]
    assert names(channels, None, alert()) == ["b"]


@pytest.mark.parametrize("named", ["b", "#b"])
def test_named(named: str) -> None:
    """The channel that a pipeline names gets its alerts whatever its rules; one for named ones gets no others."""
    channels = [channel("a"), channel("b", named_only=True, severity="critical", kinds=("failure",))]
    assert names(channels, Owner(owner_email="o@x.test", slack_channel=named), alert()) == ["a", "b"]
    assert names(channels, None, alert("critical")) == ["a"]


def test_kinds_that_a_pipeline_does_not_want() -> None:
    """They go nowhere."""
    wanted = Owner(owner_email="o@x.test", smtp=mail_server(), monitoring=Monitoring(alert_on_gap=False))
    assert names([channel("a")], wanted, gaps("orders", [HOUR])) == []
    assert names([channel("a", severity="info")], wanted, trial("a", "etl1")) == ["a", "mail of a to o@x.test"]


@example(user="a%40b", password="100%25 +&", local="o")
@settings(max_examples=30)
@given(user=WORDS, password=WORDS, local=st.from_regex(r"[a-z]+(\.[a-z]+)?(\+[a-z]+)?", fullmatch=True))
def test_mail_in_pieces(user: str, password: str, local: str) -> None:
    """Apprise takes over user, password and addresses as they are, whatever signs are in them."""
    smtp = mail_server(host="mail.x.test", port=2525, user=user, password=SecretStr(password), from_email="bot@x.test")
    (to,) = of_pipeline("orders", Owner(owner_email=f"{local}@x.test", smtp=smtp))
    made = Apprise.instantiate(dict(to.service), suppress_exceptions=False)  # type: ignore[arg-type]
    assert made is not None
    assert (made.user, made.password, made.smtp_host, made.port) == (user, password, "mail.x.test", 2525)
    assert [address for _, address in made.targets] == [f"{local}@x.test"]


@pytest.mark.parametrize(
    ("port", "use_tls", "mode"), [(587, True, "starttls"), (465, True, "ssl"), (25, False, "insecure")]
)
def test_how_mail_is_secured(port: int, *, use_tls: bool, mode: str) -> None:
    """By STARTTLS; on port 465 from the beginning; not at all only where the pipeline says so."""
    (to,) = of_pipeline("orders", Owner(owner_email="o@x.test", smtp=mail_server(port=port, use_tls=use_tls)))
    made = Apprise.instantiate(dict(to.service), suppress_exceptions=False)  # type: ignore[arg-type]
    assert made is not None
    assert (made.secure_mode, made.from_addr[1]) == (mode, "owner@x.test")


@pytest.mark.parametrize(
    ("url", "secret", "public"),
    [
        ("mailtos://bot:s%40same@mail.x.test?to=o@x.test", ["s%40same", "s@same"], ["mail.x.test"]),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops", ["T1JJ3T3L2", "TIiajkdnlazkcOXrIdevi7FQ"], []),
        ("jsons://hooks.x.test/services/abcdef123?key=ghijkl456", ["abcdef123", "ghijkl456"], ["hooks.x.test"]),
        ("tgram://123456789:abcdefg_hijklmnop/12315544", ["abcdefg_hijklmnop", "12315544"], []),
        ("json://u:pw@127.0.0.1:80", ["pw"], ["127.0.0.1:80"]),
    ],
)
def test_secrets_of_a_url(url: str, secret: list[str], public: list[str]) -> None:
    """All but the server's name, where it is one."""
    found = secrets_of(url)
    assert {*secret} <= {*found}
    assert not {*public} & {*found}
    assert url not in repr(of_channel(Channel("a", SecretStr(url))))
