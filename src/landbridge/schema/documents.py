"""JSON documents in one way, whatever database they come from (docs/parcel.md, "Checksums")."""

import json
import re
from decimal import Decimal

MOST_DEPTH = 200  # of a document; what is nested deeper is compared by its characters, in no order
TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|[][{}]')


def canonical_document(text: str) -> str:
    """PostgreSQL's jsonb sorts keys, drops doubled ones and blanks, and writes 1e2 as 100; what is no JSON stays."""
    if text.count("[") + text.count("{") > MOST_DEPTH and _depth(text) > MOST_DEPTH:
        return "".join(sorted("".join(text.split())))
    try:
        return _written(json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=Decimal))
    except (ValueError, ArithmeticError):  # no JSON, or a number that is none to anybody
        return text


def _depth(text: str) -> int:
    depth = deepest = 0
    for token in TOKENS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        deepest = max(deepest, depth)
    return deepest


def _written(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_written(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    if not isinstance(value, Decimal):
        return json.dumps(value)
    sign, digits, exponent = value.as_tuple()
    found = "".join(map(str, digits))
    whole = found.rstrip("0")
    if not whole or not isinstance(exponent, int):
        return found if whole else "0"
    return f"{'-' * sign}{whole}e{exponent + len(found) - len(whole)}"
