"""What a default can mean in every database alike, and whether a column of some type holds it unaltered."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal
from uuid import UUID

from landbridge.schema.model import Kind, Type

What = Literal["null", "boolean", "number", "text", "now", "utc now", "today", "time of day", "random uuid"]

INTEGERS = {"int16": 15, "int32": 31, "int64": 63}  # bits beside the sign
FLOATS = ("float32", "float64")
CLOCKS = ("time", "timestamp", "timestamptz")
NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(?P<exponent>[eE][+-]?[0-9]{1,3})?", re.ASCII)
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.(?P<fraction>[0-9]{1,6}))?)?"
OFFSET = r"(Z|[+-][0-9]{2}(:?[0-9]{2})?)"  # without one, an instant would be that of somebody's session
BOOLEANS = {"t": "true", "true": "true", "f": "false", "false": "false"}
UUID_LENGTH = 36
MICROSECONDS = 6


@dataclass(frozen=True)
class Constant:
    """A value, or a function of the moment: `text` is a value's own, `cast` the kind that a cast has given it.

    Booleans are `true` and `false`; dates and clocks ISO 8601, those of instants with their offset.
    `digits` of a second are what a function of the clock was asked for, None for as many as there are.
    """

    what: What
    text: str = ""
    cast: Kind | None = None
    digits: int | None = None


def held(value: Constant, kind: Type) -> Constant | None:
    """`value` as a column of type `kind` holds it; None where that would alter it, or one cannot know.

    Raises ValueError for some texts that mean none of that type.
    """
    return HELD.get(value.what, _function)(value, kind)


def _text(value: Constant, kind: Type) -> Constant | None:
    parsed = PARSED.get(kind.kind)
    free = value.cast in (None, "char", "text")
    return parsed(value, kind) if parsed and (free or value.cast == kind.kind) else None


def _boolean(value: Constant, kind: Type) -> Constant | None:
    return value if kind.kind == "boolean" else None


def _number(value: Constant, kind: Type) -> Constant | None:
    match = NUMBER.fullmatch(value.text)
    if not match or (value.cast in FLOATS and kind.kind != value.cast):
        return None
    if kind.kind in FLOATS:
        return value
    if kind.kind == "boolean" and value.text in ("0", "1"):
        return Constant("boolean", "true" if value.text == "1" else "false")
    return _exact(value, kind) if not match["exponent"] else None


def _exact(value: Constant, kind: Type) -> Constant | None:
    number = Decimal(value.text)
    digits = format(number, "f")
    whole, _, fraction = digits.lstrip("-").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if bits := INTEGERS.get(kind.kind):
        return replace(value, text=str(int(number))) if not fraction and -(1 << bits) <= number < 1 << bits else None
    if kind.kind != "decimal":
        return None
    scale = kind.scale or 0
    fits = kind.precision is None or (len(fraction) <= max(scale, 0) and len(whole) <= kind.precision - scale)
    return replace(value, text=digits) if fits else None


def _function(value: Constant, kind: Type) -> Constant | None:
    if value.what == "random uuid":
        roomy = kind.kind == "text" and (kind.length is None or kind.length >= UUID_LENGTH)
        return value if kind.kind == "uuid" or roomy else None
    kinds = {"today": ("date",), "time of day": ("time",), "utc now": ("timestamp",)}
    precision = MICROSECONDS if kind.precision is None else min(kind.precision, MICROSECONDS)
    fine = value.digits is None or value.digits >= precision
    known = kind.kind in kinds.get(value.what, ("timestamp", "timestamptz"))
    return value if known and fine and value.cast in (None, kind.kind) else None


def _parsed_text(value: Constant, kind: Type) -> Constant | None:
    return value if kind.length is None or len(value.text) <= kind.length else None


def _parsed_boolean(value: Constant, _kind: Type) -> Constant | None:
    word = BOOLEANS.get(value.text.lower())
    return Constant("boolean", word) if word else None


def _parsed_number(value: Constant, kind: Type) -> Constant | None:
    return _number(Constant("number", value.text), kind)


def _parsed_date(value: Constant, kind: Type) -> Constant | None:
    match = re.fullmatch(DAY, value.text, re.ASCII)
    return Constant("text", date.fromisoformat(value.text).isoformat(), kind.kind) if match else None


def _parsed_clock(value: Constant, kind: Type) -> Constant | None:
    pattern = {"time": CLOCK, "timestamp": f"{DAY}([ T]{CLOCK})?", "timestamptz": f"{DAY}[ T]{CLOCK}{OFFSET}"}
    match = re.fullmatch(pattern[kind.kind], value.text, re.ASCII)
    fraction = (match["fraction"] or "").rstrip("0") if match else ""
    if not match or len(fraction) > (MICROSECONDS if kind.precision is None else kind.precision):
        return None
    is_time = kind.kind == "time"
    text = time.fromisoformat(value.text).isoformat() if is_time else datetime.fromisoformat(value.text).isoformat(" ")
    return Constant("text", re.sub(r"(\.[0-9]*?)0+(?![0-9])", r"\1", text), kind.kind)  # as databases write it back


def _parsed_json(value: Constant, kind: Type) -> Constant | None:
    """Without escapes: databases disagree on which of them they take."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    if "\\" in value.text:
        return None
    json.loads(value.text, parse_constant=refuse)
    return Constant("text", value.text, kind.kind)


def _parsed_uuid(value: Constant, kind: Type) -> Constant | None:
    return Constant("text", str(UUID(value.text)), kind.kind) if len(value.text) == UUID_LENGTH else None


Held = Callable[[Constant, Type], Constant | None]
HELD: dict[What, Held] = {
    "null": lambda value, _kind: value,
    "boolean": _boolean,
    "number": _number,
    "text": _text,
}
PARSED: dict[Kind, Held] = {
    "boolean": _parsed_boolean,
    "int16": _parsed_number,
    "int32": _parsed_number,
    "int64": _parsed_number,
    "decimal": _parsed_number,
    "float32": _parsed_number,
    "float64": _parsed_number,
    "char": _parsed_text,
    "text": _parsed_text,
    "date": _parsed_date,
    "time": _parsed_clock,
    "timestamp": _parsed_clock,
    "timestamptz": _parsed_clock,
    "json": _parsed_json,
    "uuid": _parsed_uuid,
}
