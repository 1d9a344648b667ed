"""JSON documents in one way, whatever database they come from (docs/parcel.md, "Checksums")."""

import json
import re
from typing import NoReturn

MOST_DEPTH = 200  # of a document; what is nested deeper is compared by its characters, in no order
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')


class Number(str):
    """The characters of a number, told from a text."""

    __slots__ = ()


def canonical_document(text: str) -> str:
    """PostgreSQL's jsonb sorts keys, drops doubled ones and blanks, and writes 1e2 as 100; what is no JSON stays."""
    if text.count("[") + text.count("{") > MOST_DEPTH and _depth(text) > MOST_DEPTH:
        return "".join(sorted("".join(text.split())))
    try:
        return _written(json.loads(text, parse_float=Number, parse_int=Number, parse_constant=_refused))
    except ValueError:  # no JSON, or a number with an exponent of thousands of digits
        return text


def _refused(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in TOKENS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _written(value: object) -> str:
    if isinstance(value, Number):
        return _number(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{json.dumps(key)}:{_written(value[key])}" for key in sorted(value)]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)


def _number(text: str) -> str:
    """Digits without zeros at their ends, `e`, exponent; `0` for zero."""
    mantissa, _, exponent = text.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole.lstrip("-") + fraction
    kept = digits.rstrip("0")
    power = int(exponent or 0) - len(fraction) + len(digits) - len(kept)
    kept = kept.lstrip("0")
    return f"{'-' * whole.startswith('-')}{kept}e{power}" if kept else "0"
