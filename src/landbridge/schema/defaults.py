"""Defaults in another database's SQL (docs/types.md, "Defaults"): read, then written anew, never copied."""

from collections.abc import Callable
from datetime import UTC, datetime

from landbridge.schema import duckdb, mysql, postgres, snowflake
from landbridge.schema.constants import Constant, What
from landbridge.schema.ddl import backslash_literal, literal
from landbridge.schema.expressions import constant
from landbridge.schema.model import Type

RENDER = {
    "postgres": postgres.render_type,
    "duckdb": duckdb.render_type,
    "mysql": mysql.render_type,
    "snowflake": snowflake.render_type,
}
FUNCTIONS: dict[str, dict[What, str]] = {
    "postgres": {
        "now": "CURRENT_TIMESTAMP",
        "utc now": "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')",
        "today": "CURRENT_DATE",
        "time of day": "LOCALTIME",
        "random uuid": "gen_random_uuid()",
    },
    "duckdb": {
        "now": "CURRENT_TIMESTAMP",
        "utc now": "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')",
        "today": "CURRENT_DATE",
        "time of day": "CAST(CURRENT_TIME AS TIME)",
        "random uuid": "uuid()",
    },
    "mysql": {  # UUID() tells time and machine, and is none of chance
        "now": "CURRENT_TIMESTAMP({digits})",
        "utc now": "UTC_TIMESTAMP({digits})",
        "today": "CURRENT_DATE",
        "time of day": "CURRENT_TIME({digits})",
    },
    "snowflake": {
        "now": "CURRENT_TIMESTAMP()",
        "utc now": "SYSDATE()",
        "today": "CURRENT_DATE()",
        "time of day": "CURRENT_TIME()",
        "random uuid": "UUID_STRING()",
    },
}
MICROSECONDS = 6


def translated(expression: str, source: str, target: str, kind: Type) -> str | None:
    """The default `expression` of a column of type `kind`, in the SQL of `target`; None where it has none.

    `source` and `target`: postgres, duckdb, mysql, snowflake; from any other source nothing is known.
    """
    if source not in RENDER:
        return None
    found = constant(expression, source, kind)
    try:
        return _written(found, target, kind) if found else None
    except (ValueError, OverflowError):
        return None  # a text that SQL cannot hold, an instant that has no UTC


def _written(value: Constant, target: str, kind: Type) -> str | None:
    if value.what == "null":
        return "NULL"
    return {"mysql": _mysql, "snowflake": _snowflake}.get(target, _plain)(value, target, kind)


def _plain(value: Constant, target: str, _kind: Type) -> str | None:
    """PostgreSQL and DuckDB: a text becomes what its column is."""
    return FUNCTIONS[target][value.what] if value.what in FUNCTIONS[target] else _literal(value, literal)


def _mysql(value: Constant, target: str, kind: Type) -> str | None:
    """Always in parentheses: the only form that columns of every type take."""
    if value.what == "random uuid":
        return None
    if value.what in FUNCTIONS[target]:
        what = "utc now" if kind.kind == "timestamptz" else value.what
        digits = MICROSECONDS if kind.precision is None else min(kind.precision, MICROSECONDS)
        return f"({FUNCTIONS[target][what].format(digits=digits)})"
    if value.cast == "timestamptz":
        instant = datetime.fromisoformat(value.text).astimezone(UTC).replace(tzinfo=None)
        return f"({literal(instant.isoformat(' '))})"
    if kind.kind == "json":
        return f"(CAST({backslash_literal(value.text)} AS JSON))"
    if _as_text(kind, target):
        return f"({literal(value.text)})"
    return f"({_literal(value, backslash_literal)})"


def _snowflake(value: Constant, target: str, kind: Type) -> str | None:
    """A default must be of its column's type, to the letter; no VARIANT has one."""
    if kind.kind == "json":
        return None
    if value.what in FUNCTIONS[target]:
        function = FUNCTIONS[target][value.what]
        return function if value.what in ("today", "random uuid") else f"CAST({function} AS {RENDER[target](kind)})"
    if _as_text(kind, target):
        return literal(value.text)
    written = _literal(value, backslash_literal)
    plain = value.what == "boolean" or kind.kind in ("char", "text", "uuid", "int16", "int32", "int64", "decimal")
    return written if plain else f"CAST({written} AS {RENDER[target](kind)})"


def _literal(value: Constant, quoted: Callable[[str], str]) -> str:
    if value.what == "boolean":
        return value.text.upper()
    return value.text if value.what == "number" else quoted(value.text)


def _as_text(kind: Type, target: str) -> bool:
    """A decimal that the target keeps as the text of its digits."""
    return kind.kind == "decimal" and RENDER[target](kind) in ("VARCHAR", "LONGTEXT")
