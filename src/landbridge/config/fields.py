"""Kinds of values that keys of several files take: names, durations, zones, places; each says what it wants."""

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from landbridge.contracts.values import Filter
from landbridge.schema.filters import compose
from landbridge.windows import parse_duration

SCHEDULES = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
}


def check_file_name(text: str) -> str:
    """Names become file names, on any file system that parcels are carried on. Raises ValueError."""
    if text in ("", ".", "..") or re.search(r"[/\\]", text) or not text.isprintable():
        raise ValueError("must name a file: no '/' or '\\', nothing unprintable, not empty, '.' or '..'")
    if len(text) > 128 or len(text.encode()) > 200:
        raise ValueError("too long for a file's name: at most 128 characters, and 200 bytes in UTF-8")
    return text


def check_location(text: str) -> str:
    """A folder or a URL without credentials: locations are shown and written into plans. Raises ValueError."""
    if not text or "\0" in text:
        raise ValueError("must be a folder or an object store's URL")
    if "://" in text and ("@" in urlsplit(text).netloc or "?" in text):
        raise ValueError("no credentials here; object stores take them from their own variables")
    return text


def _duration(value: object) -> timedelta:
    return parse_duration(value if isinstance(value, str) else "")


def _schedule(value: object) -> timedelta:
    if isinstance(value, str) and value in SCHEDULES:
        return SCHEDULES[value]
    try:
        return _duration(value)
    except ValueError:
        raise ValueError(f"must be {', '.join(SCHEDULES)}, or like 90m, 6h, 1d, 2w") from None


def _delay(value: object) -> timedelta:
    text = value if isinstance(value, str) else ""
    try:
        return timedelta() if text in ("0m", "0h", "0d") else parse_duration(text)
    except ValueError:
        raise ValueError("must be like 15m, 6h, 1d; 0m where values are committed in their order") from None


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):  # unknown ones are KeyErrors
        raise ValueError("no time zone is called that; like UTC, Europe/Berlin") from None
    return text


def _filter(value: object) -> Filter:
    if not isinstance(value, str | list | None):
        raise ValueError("must be text or a list of texts")  # noqa: TRY004 - pydantic takes no TypeError
    try:
        return compose(value)
    except ValueError as error:
        raise ValueError(str(error).partition(": ")[0]) from error  # without the item itself


def _query(text: str) -> str:
    if "{table}" not in text:
        raise ValueError("must hold {table} where the table's name belongs")
    return text


# for the JSON Schema, which tells people what to write
TEXT = WithJsonSchema({"type": "string"})
TEXTS = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
FileName = Annotated[str, AfterValidator(check_file_name)]
Location = Annotated[str, AfterValidator(check_location)]
Duration = Annotated[timedelta, BeforeValidator(_duration), TEXT]
Schedule = Annotated[timedelta, BeforeValidator(_schedule), TEXT]
Delay = Annotated[timedelta, BeforeValidator(_delay), TEXT]
Zone = Annotated[str, AfterValidator(_zone)]
RowFilter = Annotated[Filter, BeforeValidator(_filter), TEXTS]
SourceQuery = Annotated[str, AfterValidator(_query)]
Level = dict[str, object]  # validated by itself, see validate
