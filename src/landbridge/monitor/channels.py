"""Which channels an alert goes to, and what apprise needs to reach each of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

from landbridge.config.alerts import Alerts, Channel, at_least
from landbridge.monitor.alert import Alert
from landbridge.monitor.wanted import Wanted

# schemes whose URL has a server's name where those of many services have a token
SERVERS = ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos")
IMPLICIT_TLS = 465
LEAST_SECRET = 6  # characters: shorter pieces of a URL are words


@dataclass(frozen=True)
class Destination:
    """`name` as it stands in the drive table; `service` is what apprise makes a service of: a URL, or its pieces."""

    name: str
    service: str | Mapping[str, object] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def destinations(alerts: Alerts, wanted: Wanted | None, alert: Alert) -> Iterator[Destination]:
    """Where this alert goes; `wanted` is what its pipeline says, None for a table of tables.yaml."""
    if wanted and alert.kind != "test" and not wanted.monitoring.wants(alert.kind):
        return
    named = wanted.slack_channel.removeprefix("#") if wanted and wanted.slack_channel else None
    for channel in alerts.channels:
        if channel.name == named or (not channel.named_only and _takes(channel, alert)):
            yield of_channel(channel)
    if wanted and (mail := of_pipeline(alert.pipeline_name, wanted)):
        yield mail


def _takes(channel: Channel, alert: Alert) -> bool:
    return at_least(alert.severity, channel.severity) and (not channel.kinds or alert.kind in channel.kinds)


def of_channel(channel: Channel) -> Destination:
    """A channel of landbridge.yaml."""
    url = channel.url.get_secret_value()
    return Destination(channel.name, url, secrets_of(url))


def mail_of(pipeline_name: str) -> str:
    """The name of a pipeline's mails among the channels; no channel of landbridge.yaml is called so."""
    return f"mail of {pipeline_name}"


def of_pipeline(pipeline_name: str, wanted: Wanted) -> Destination | None:
    """A pipeline's own mails; None where it has no server that sends them."""
    if (smtp := wanted.smtp) is None:
        return None
    password = smtp.password.get_secret_value() if smtp.password else None
    # in pieces, not as a URL: nothing in a password or an address has to be escaped
    service = {
        "schema": "mailtos" if smtp.use_tls else "mailto",
        "host": smtp.host,
        "smtp_host": smtp.host,
        "port": smtp.port,
        "user": smtp.user,
        "password": password,
        "from_addr": smtp.from_email or smtp.user or wanted.owner_email,
        "targets": [*dict.fromkeys((wanted.owner_email, *wanted.notification_emails))],
        "secure_mode": ("ssl" if smtp.port == IMPLICIT_TLS else "starttls") if smtp.use_tls else "insecure",
        "format": "text",
    }
    return Destination(mail_of(pipeline_name), service, (password,) if password else ())


def secrets_of(url: str) -> tuple[str, ...]:
    """Every piece of an apprise URL that may be a secret, as it stands and decoded, the longest first.

    What stands for the host is a token in many of them.
    """
    scheme, _, rest = url.partition("://")
    end = re.search(r"[/?#]|$", rest)
    server, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    login, _, host = server.rpartition("@")
    values = [piece.rpartition("=")[2] for piece in re.split(r"[/?&#]", tail)]
    words = [word for word in (*re.split(r"[:@]", login), *values) if len(word) >= LEAST_SECRET]
    whole = [url, rest, login, tail, login.partition(":")[2]]
    found = {*whole, *words, *(() if scheme.lower() in SERVERS else (host,))}
    return tuple(sorted({*found, *map(unquote, found)} - {"", "/"}, key=len, reverse=True))
