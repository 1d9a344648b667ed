"""Default expressions read: the few forms that mean the same in every database; all others are not known."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from landbridge.schema.constants import CLOCKS, Constant, What, held
from landbridge.schema.model import Kind, Type

Node = Any  # an expression of sqlglot, which is loaded only when one is read

LONGEST = 4_096  # characters that are looked at
ESCAPING = ("mysql", "snowflake")  # where a backslash begins an escape
FUNCTIONS: dict[str, What] = {
    "CurrentTimestamp": "now",
    "Localtimestamp": "now",
    "UtcTimestamp": "utc now",
    "CurrentDate": "today",
    "CurrentTime": "time of day",
    "Localtime": "time of day",
}
# functions that sqlglot has no name for, by source
NAMES: dict[tuple[str, str], What] = {
    ("postgres", "transaction_timestamp"): "now",
    ("duckdb", "now"): "now",
    ("duckdb", "get_current_timestamp"): "now",
    ("duckdb", "transaction_timestamp"): "now",
    ("mysql", "now"): "now",
}
TYPES: dict[str, Kind] = {
    "BOOLEAN": "boolean",
    "TINYINT": "int16",
    "SMALLINT": "int16",
    "INT": "int32",
    "BIGINT": "int64",
    "DECIMAL": "decimal",
    "FLOAT": "float32",
    "DOUBLE": "float64",
    "CHAR": "char",
    "BPCHAR": "text",
    "VARCHAR": "text",
    "TEXT": "text",
    "DATE": "date",
    "TIME": "time",
    "DATETIME": "timestamp",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPNTZ": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "TIMESTAMPLTZ": "timestamptz",
    "JSON": "json",
    "JSONB": "json",
    "UUID": "uuid",
}


def constant(expression: str, source: str, kind: Type) -> Constant | None:
    """What `expression`, in the SQL of `source`, gives a column of type `kind`; None for all that is not surely known.

    Known are literals, NULL, and the current time, day and UUID, also in parentheses and in casts that alter nothing.
    """
    from sqlglot import exp
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import SqlglotError

    if len(expression) > LONGEST or "\0" in expression or (source in ESCAPING and "\\" in expression):
        return None
    try:
        nodes = Dialect.get_or_raise(source).parse_into(exp.Condition, expression)
        found = _read(nodes[0], source) if len(nodes) == 1 else None
        return held(found, kind) if found else None
    except (SqlglotError, RecursionError, ValueError):
        return None


def _read(node: Node, source: str) -> Constant | None:
    name = type(node).__name__
    if what := FUNCTIONS.get(name):
        return _function(node, what)
    return FORMS[name](node, source) if name in FORMS else None


def _given(node: Node) -> set[str]:
    return {name for name, value in node.args.items() if value}


def _function(node: Node, what: What) -> Constant | None:
    if _given(node) == {"sysdate"}:
        return Constant("utc now")  # SYSDATE() of Snowflake
    return _asked(what, node.args.get("this")) if _given(node) <= {"this"} else None


def _asked(what: What, digits: Node) -> Constant | None:
    if digits is None:
        return Constant(what)
    return Constant(what, digits=int(digits.name)) if type(digits).__name__ == "Literal" else None


def _literal(node: Node, _source: str) -> Constant:
    return Constant("text" if node.is_string else "number", node.this)


def _introduced(node: Node, source: str) -> Constant | None:
    return _read(node.expression, source) if node.this == "_utf8mb4" else None


def _negative(node: Node, source: str) -> Constant | None:
    number = _read(node.this, source)
    known = number and number.what == "number" and number.text[:1] not in "+-"
    return replace(number, text=f"-{number.text}") if number and known else None


def _cast(node: Node, source: str) -> Constant | None:
    if not _given(node) <= {"this", "to"}:
        return None
    value, kind = _read(node.this, source), _type(node.args["to"], source)
    made = held(value, kind) if value and kind else None
    return replace(made, cast=kind.kind) if made and kind else None


def _type(to: Node, source: str) -> Type | None:
    """The type of a cast; None for one that is not known, or is rounded to digits that are not written."""
    word = TYPES.get(getattr(to.this, "name", ""))
    numbers = [int(number.name) for number in to.expressions]
    first = numbers[0] if numbers else None
    if word == "decimal":
        return Type(word, *(*numbers, 0)[:2]) if numbers else Type(word) if source == "postgres" else None
    if word == "char" and first is None:
        return Type("text") if source == "mysql" else Type(word, length=1)
    if word in ("char", "text"):
        return Type(word, length=first)
    if word in CLOCKS:
        return Type(word, 0 if first is None and source == "mysql" else first)
    return Type(word) if word and not numbers else None


def _random_uuid(node: Node, source: str) -> Constant | None:
    """Not that of MySQL, which tells time and machine."""
    return Constant("random uuid") if _given(node) <= {"is_string"} and source != "mysql" else None


def _named(node: Node, source: str) -> Constant | None:
    name, values = str(node.this).lower(), node.expressions
    if name == "timezone" and len(values) == 2 and source in ("postgres", "duckdb"):
        return _utc(values[0], values[1], source)
    what = NAMES.get((source, name))
    return _asked(what, values[0] if values else None) if what and len(values) < 2 else None


def _utc(zone: Node, instant: Node, source: str) -> Constant | None:
    where, now = _read(zone, source), _read(instant, source)
    utc = where and where.what == "text" and where.text.upper() == "UTC"
    return Constant("utc now") if utc and now == Constant("now") else None


FORMS: dict[str, Callable[[Node, str], Constant | None]] = {
    "Paren": lambda node, source: _read(node.this, source),
    "Null": lambda _node, _source: Constant("null"),
    "Boolean": lambda node, _source: Constant("boolean", str(node.this).lower()),
    "Literal": _literal,
    "Introducer": _introduced,
    "Neg": _negative,
    "Cast": _cast,
    "Uuid": _random_uuid,
    "Anonymous": _named,
    "AtTimeZone": lambda node, source: _utc(node.args["zone"], node.this, source),
}
