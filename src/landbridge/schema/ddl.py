"""What dialects write alike, and what a dialect is: pure text; the types are each dialect's own."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from landbridge.errors import SchemaMismatch
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import fold, qualify, quote

RENAME = "give it a shorter name (`as` in columns of the table), or name another target table"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one database writes the DDL of a target table.

    `types` gives the DDL type of each column, also for columns that stand in a key or an index. `check` raises
    SchemaMismatch for names and keys that the database does not take, `index_part` for a column that it cannot
    index. `identity` is the clause for a column of that DDL type, None where there is none. `within`: comments and
    indexes are part of CREATE TABLE, not statements of their own. `fold` is how columns are named.
    """

    quote: Callable[[str], str] = quote
    fold: Callable[[str], str] = fold
    literal: Callable[[str], str]
    types: Callable[[TableSchema, Collection[str]], Mapping[str, str]]
    check: Callable[[Relation, TableSchema, Sequence[Sequence[str]]], None]
    short: Callable[[str], str] = str
    identity: Callable[[str, bool], str | None]
    index_part: Callable[[Column], str]
    has_indexes: bool = True
    within: bool = False
    suffix: str = ""


def create_table(relation: Relation, schema: TableSchema, render_type: Callable[[Type], str]) -> str:
    """CREATE TABLE IF NOT EXISTS: quoted names, NOT NULL, PRIMARY KEY; no defaults, they are the source's own SQL."""

    def define(column: Column) -> str:
        return f"{quote(column.name)} {render_type(column.type)}" + ("" if column.nullable else " NOT NULL")

    lines = [define(column) for column in schema.columns]
    if schema.primary_key:
        lines.append(f"PRIMARY KEY ({', '.join(quote(name) for name in schema.primary_key)})")
    body = ",\n".join(f"    {line}" for line in lines)
    return f"CREATE TABLE IF NOT EXISTS {qualify(relation)} (\n{body}\n)"


def literal(text: str) -> str:
    """`text` as standard SQL has it, a backslash being a letter. Raises ValueError for what no SQL holds."""
    if "\0" in text:
        raise ValueError("a text with NUL")
    text.encode()  # a lone surrogate has no bytes
    return "'" + text.replace("'", "''") + "'"


def backslash_literal(text: str) -> str:
    """The same where a backslash escapes, as in MySQL and Snowflake; nothing gets out of it where it does not."""
    return literal(text).replace("\\", "\\\\")


def rendered(render_type: Callable[[Type], str]) -> Callable[[TableSchema, Collection[str]], Mapping[str, str]]:
    """`Dialect.types` of a database in which a column's type is its own affair."""
    return lambda schema, _keyed: {column.name: render_type(column.type) for column in schema.columns}


def refuse_twins(names: Iterable[str], dialect: str) -> None:
    """Raises SchemaMismatch for names that differ only in case, where that makes no difference."""
    first: dict[str, str] = {}
    clashes = [(first[name.lower()], name) for name in names if first.setdefault(name.lower(), name) != name]
    if clashes:
        raise SchemaMismatch(
            "\n".join(f"columns {one} and {other} have one name in {dialect}" for one, other in clashes),
            hint="rename one of them: `as` in columns of the table",
        )


def shortened(name: str, limit: int) -> str:
    """`name`, or what fits into `limit` bytes of it and a digest of all of it."""
    if len(name.encode()) <= limit:
        return name
    return f"{name.encode()[: limit - 9].decode(errors='ignore')}_{sha256(name.encode()).hexdigest()[:8]}"
