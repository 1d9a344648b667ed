"""Which channels an alert goes to, and what apprise needs to reach each of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from landbridge.config.alerts import Alerts, Channel, at_least
from landbridge.monitor.alert import Alert
from landbridge.monitor.wanted import Wanted, wants

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
    if wanted and alert.kind != "test" and not wants(wanted.monitoring, alert.kind):
        return
    named = wanted.slack_channel.removeprefix("#") if wanted and wanted.slack_channel else None
    for channel in alerts.channels:
        if channel.name == named or (not channel.named_only and _takes(channel, alert)):
            yield of_channel(channel)
    if wanted:
        yield from of_pipeline(alert.pipeline_name, wanted)


def _takes(channel: Channel, alert: Alert) -> bool:
    return at_least(alert.severity, channel.severity) and (not channel.kinds or alert.kind in channel.kinds)


def of_channel(channel: Channel) -> Destination:
    """A channel of landbridge.yaml."""
    url = channel.url.get_secret_value()
    return Destination(channel.name, url, secrets_of(url))


def of_pipeline(pipeline_name: str, wanted: Wanted) -> Iterator[Destination]:
    """A pipeline's own mails, none where it has no server that sends them.

    Each address is a destination of its own: one that is refused keeps no message from the others, nor doubles it.
    """
    if (smtp := wanted.smtp) is None:
        return
    password = smtp.password.get_secret_value() if smtp.password else None
    # in pieces, not as a URL: of these apprise decodes host, user and password alone
    service = {
        "schema": "mailtos" if smtp.use_tls else "mailto",
        "host": quote(smtp.host, safe=""),
        "smtp_host": smtp.host,
        "port": smtp.port,
        "user": smtp.user and quote(smtp.user, safe=""),
        "password": password and quote(password, safe=""),
        "from_addr": smtp.from_email,
        "secure_mode": ("ssl" if smtp.port == IMPLICIT_TLS else "starttls") if smtp.use_tls else "insecure",
        "format": "text",
    }
    for address in dict.fromkeys((wanted.owner_email, *wanted.notification_emails)):
        name = f"mail of {pipeline_name} to {address}"  # no channel of landbridge.yaml can be called so
        yield Destination(name, {**service, "targets": [address]}, (password,) if password else ())


def secrets_of(url: str) -> tuple[str, ...]:
    """Every piece of an apprise URL that may be a secret, as it stands and decoded, the longest first.

    What stands for the host is a token in many of them.
    """
    scheme, _, rest = url.partition("://")
    end = re.search(r"[/?#]|$", rest)
    server, tail = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    login, _, host = server.rpartition("@")
    values = [piece.rpartition("=")[2] for piece in re.split(r"[/?&#]", tail)]
    tokens = [] if scheme.lower() in SERVERS else [host, *host.split(":")]
    words = [word for word in (*re.split(r"[:@]", login), *values, *tokens) if len(word) >= LEAST_SECRET]
    found = {url, rest, login, tail, login.partition(":")[2], *words}
    return tuple(sorted({*found, *map(unquote, found)} - {"", "/"}, key=len, reverse=True))
