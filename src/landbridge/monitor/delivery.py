"""One message to one channel, by apprise; no more than so many seconds, and no word of a secret."""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING

from landbridge.config.alerts import Severity
from landbridge.errors import NotInstalled
from landbridge.monitor.channels import Destination

if TYPE_CHECKING:
    from apprise import Apprise

LOOKS = {"info": "info", "warning": "warning", "error": "failure", "critical": "failure"}  # apprise's words for them
UNUSABLE = "this is no URL that apprise knows"
MOST_WORDS = 300  # characters of a reason
FEWER = "Dropped invalid"  # how it begins that an address is left out
CAUSE = "Socket Exception: "  # how apprise begins what a driver said


def deliver(to: Destination, subject: str, text: str, severity: Severity, *, seconds: float) -> str | None:
    """Why it could not be delivered within `seconds`; None if it was. What takes longer may arrive all the same.

    Raises NotInstalled where apprise is missing.
    """
    ask_for_apprise()
    outcome: list[str | None] = []
    # a daemon: the command does not wait for it at its end
    attempt = Thread(target=lambda: outcome.append(_send(to, subject, text, severity)), daemon=True)
    attempt.start()
    attempt.join(max(seconds, 0))
    return outcome[0] if outcome else f"no answer within {max(seconds, 0):.0f} s"


def unusable(to: Destination) -> str | None:
    """Why apprise cannot make a service of this; None if it can. Nothing is sent. Raises NotInstalled."""
    ask_for_apprise()
    with _said() as said:
        return None if _services(to, said) is not None else _reason(said, to)


def ask_for_apprise() -> None:
    """Raises NotInstalled where it is missing."""
    try:
        import apprise  # noqa: F401
    except ImportError as error:
        raise NotInstalled("alerts need apprise", hint="pip install 'landbridge[alerts]'") from error


def _send(to: Destination, subject: str, text: str, severity: Severity) -> str | None:
    with _said() as said:
        try:
            services = _services(to, said)
            if services is None:
                return _reason(said, to)
            done = services.notify(title=subject, body=text, body_format="text", notify_type=LOOKS[severity])
        except Exception as fault:  # noqa: BLE001  a plugin's fault is a failed delivery, and may quote what is secret
            return f"{type(fault).__name__}: a fault of apprise"
    return None if done else _reason(said or ["not accepted"], to)


def _services(to: Destination, said: Sequence[str]) -> "Apprise | None":
    """None where apprise cannot use it, or would send to fewer than are named in it."""
    from apprise import Apprise, AppriseAsset

    asset = AppriseAsset(
        app_id="Landbridge", app_desc="Landbridge", app_url="", image_url_mask="", image_url_logo="", async_mode=False
    )
    services = Apprise(asset=asset)
    service = to.service if isinstance(to.service, str) else dict(to.service)
    usable = services.add(service) and len(services) and not any(text.startswith(FEWER) for text in said)
    return services if usable else None


@contextmanager
def _said() -> Iterator[list[str]]:
    """What apprise says of a failure meanwhile, which goes nowhere else; to its log, for it raises nothing."""
    said: list[str] = []
    log = logging.getLogger("apprise")
    handler = _Keep(said)
    level, propagates = log.level, log.propagate
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)  # the cause of a failure is told there only
    log.propagate = False
    try:
        yield said
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
        log.propagate = propagates


class _Keep(logging.Handler):
    def __init__(self, said: list[str]) -> None:
        super().__init__()
        self.said = said

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.levelno >= logging.WARNING or text.startswith(CAUSE):
            self.said.append(text.removeprefix(CAUSE))


def _reason(said: Sequence[str], to: Destination) -> str:
    """All that was said in one line, without the URL's secrets."""
    words = "; ".join(dict.fromkeys(said)) or UNUSABLE
    for secret in to.secrets:
        words = words.replace(secret, "***")
    words = re.sub(r"\s+", " ", "".join(char if char.isprintable() else " " for char in words)).strip()
    return words if len(words) <= MOST_WORDS else f"{words[:MOST_WORDS]}…"
