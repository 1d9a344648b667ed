"""`alerts` of landbridge.yaml: where alerts go, how severe they must be, when nobody is woken (docs/alerts.md)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from landbridge.config.document import Document
from landbridge.config.fields import Duration, Level, Zone
from landbridge.config.problems import Problems
from landbridge.config.tables import Strict
from landbridge.config.validation import validate

Kind = Literal["failure", "duration", "gap", "schema_change"]
Severity = Literal["info", "warning", "error", "critical"]
SEVERITIES: Sequence[Severity] = get_args(Severity)


def at_least(severity: Severity, floor: Severity) -> bool:
    """Whether `severity` is `floor` or more."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(floor)


@dataclass(frozen=True)
class Channel:
    """Where alerts go: an apprise URL, and which of them are meant for it; `kinds` empty: all."""

    name: str
    url: SecretStr
    severity: Severity = "warning"
    kinds: tuple[Kind, ...] = ()
    named_only: bool = False


@dataclass(frozen=True)
class QuietHours:
    """From `start` to before `end` by the clock of `zone`, each day; across midnight where `end` is the earlier one."""

    start: time
    end: time
    zone: str = "UTC"
    severity: Severity = "critical"

    def holds(self, severity: Severity, now: datetime) -> bool:
        """Whether an alert of this severity has to wait; `now` is zone-aware."""
        clock = now.astimezone(ZoneInfo(self.zone)).time()
        after, before = self.start <= clock, clock < self.end
        quiet = (after and before) if self.start < self.end else (after or before)
        return quiet and not at_least(severity, self.severity)


@dataclass(frozen=True)
class Alerts:
    """All of `alerts`; without channels and pipelines that mail nothing is ever sent."""

    channels: tuple[Channel, ...] = ()
    quiet_hours: QuietHours | None = None
    repeat_after: timedelta = timedelta(hours=6)


def _url(url: SecretStr) -> SecretStr:
    # apprise knows more, and takes its time: `landbridge doctor` asks it
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\x00-\x1f/][^\s\x00-\x1f]*", url.get_secret_value()):
        raise ValueError("must be an apprise URL, like jsons://host/path: no blanks, special characters as %40")
    return url


def _clock(text: str) -> str:
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError('must be a time of day in quotes, like "22:00"')
    return text


Clock = Annotated[str, AfterValidator(_clock)]


class _Alerts(Strict):
    channels: Level | None = None
    quiet_hours: Level | None = None
    repeat_after: Duration = timedelta(hours=6)


class _Channel(Strict):
    url: Annotated[SecretStr, AfterValidator(_url)]
    severity: Severity = "warning"
    kinds: Annotated[list[Kind], Field(min_length=1)] | None = None
    named_only: bool = False


class _QuietHours(Strict):
    start: Clock = Field(alias="from")
    end: Clock = Field(alias="to")
    timezone: Zone = "UTC"
    severity: Severity = "critical"

    @model_validator(mode="after")
    def _some_hours(self) -> Self:
        if self.start == self.end:
            raise PydanticCustomError("to", "must differ from 'from'", {"at": "to"})
        return self


def read_alerts(document: Document, problems: Problems) -> Alerts:
    """What is declared, with the problems of all its parts added; no alerts where nothing is declared."""
    at = ("alerts",)
    if document.get(at) is None or (entry := validate(_Alerts, document, at, problems)) is None:
        return Alerts()
    channels = [_channel(document, name, problems) for name in entry.channels or ()]
    quiet = validate(_QuietHours, document, (*at, "quiet_hours"), problems) if entry.quiet_hours is not None else None
    return Alerts(
        channels=tuple(channel for channel in channels if channel),
        quiet_hours=_quiet(quiet) if quiet else None,
        repeat_after=entry.repeat_after,
    )


def _channel(document: Document, name: str, problems: Problems) -> Channel | None:
    at = ("alerts", "channels", name)
    if not re.fullmatch(r"[\w.-]{1,100}", name):
        problems.add(document.place(at), "a channel's name is up to 100 letters, digits, '_', '-' and '.'")
    one = validate(_Channel, document, at, problems)
    return Channel(name, one.url, one.severity, tuple(one.kinds or ()), one.named_only) if one else None


def _quiet(hours: _QuietHours) -> QuietHours:
    return QuietHours(time.fromisoformat(hours.start), time.fromisoformat(hours.end), hours.timezone, hours.severity)
