"""Kinds of values that only pipelines have; each says what it wants."""

import re
from datetime import UTC, datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator

from landbridge.config.fields import TEXT, TEXTS
from landbridge.windows.grid import parse_step

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEK = ("sun", *DAYS)  # cron's 0 and 7 are both Sunday
_CRON = (
    (range(60), ()),
    (range(24), ()),
    (range(1, 32), ()),
    (range(1, 13), _MONTHS),
    (range(8), _WEEK),
)


def _granularity(text: str) -> str:
    try:
        parse_step(text)
    except ValueError:
        raise ValueError("must be like 15m, 1h, 1d, 1w, or months like 1mo") from None
    return text


def _email(text: str) -> str:
    if not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        raise ValueError("must be an e-mail address, like team@company.com")
    return text


def _cron(text: str) -> str:
    fields = text.split()
    if len(fields) != len(_CRON) or not all(_is_cron(field, *rule) for field, rule in zip(fields, _CRON, strict=True)):
        raise ValueError("must be five fields as cron reads them, like '0 * * * *'")
    return text


def _is_cron(field: str, numbers: range, words: tuple[str, ...]) -> bool:
    """Whether each item is `*`, a number or a range of them, with `/STEP` or without; words stand for numbers."""
    for item in field.lower().split(","):
        found = re.fullmatch(r"(\*|(\w+)(?:-(\w+))?)(?:/0*([1-9]\d?))?", item, re.ASCII)
        if found is None or not all(name in words or _among(name, numbers) for name in found.groups()[1:3] if name):
            return False
    return True


def _among(name: str, numbers: range) -> bool:
    return name.isdecimal() and len(name) < 3 and int(name) in numbers


def _clock(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", value, re.ASCII):
        return time() if value == "24:00" else time.fromisoformat(value)
    raise ValueError('must be a time of day in quotes, like "22:00"')


def _moment(text: str) -> str:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("must be ISO 8601, like 2026-01-01 or 2026-01-01T00:00:00Z") from None
    return text


def instant(text: str, zone: str) -> datetime:
    """What a valid moment says, in UTC; one without a zone is meant in `zone`.

    Raises ValueError outside of the years 1 to 9999.
    """
    moment = datetime.fromisoformat(text)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)
    except OverflowError:
        raise ValueError("outside of the years 1 to 9999") from None


def _statements(value: object) -> object:
    items = [value] if isinstance(value, str) else value
    if isinstance(items, list) and items and all(isinstance(item, str) and item.strip() for item in items):
        return tuple(items)
    raise ValueError("must be a statement, or a list of them")


def _transform(text: str) -> str:
    if "{stage}" not in text:
        raise ValueError("must hold {stage} where the name of the stage's table belongs")
    return text


def _script(text: str) -> str:
    if not text.endswith(".py") or text.startswith(("/", "~")) or ".." in re.split(r"[/\\]", text) or "\0" in text:
        raise ValueError("must be a file below the project, like user_scripts/audit.py")
    return text


Granularity = Annotated[str, AfterValidator(_granularity)]
Email = Annotated[str, AfterValidator(_email)]
Cron = Annotated[str, AfterValidator(_cron)]
Clock = Annotated[time, BeforeValidator(_clock), TEXT]
Moment = Annotated[str, AfterValidator(_moment)]
Statements = Annotated[tuple[str, ...], BeforeValidator(_statements), TEXTS]
Transform = Annotated[str, AfterValidator(_transform)]
Script = Annotated[str, AfterValidator(_script)]
