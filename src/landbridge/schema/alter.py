"""ALTER: the statements that change a standing table in its place, as PostgreSQL and DuckDB both read them."""

# ruff: noqa: S608 - SQL is text here: identifiers are quoted, literals escaped

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from landbridge.schema.conversion import TEXTS, lossy
from landbridge.schema.ddl import literal
from landbridge.schema.drift import Change, Kind
from landbridge.schema.metadata import ColumnMetadata, TableMetadata
from landbridge.schema.model import Relation
from landbridge.schema.names import plain, qualify, quote

Dialect = Literal["postgres", "duckdb", "snowflake"]


@dataclass(frozen=True)
class Step:
    """One statement; `why` is the line of the change that needs it."""

    sql: str
    safe: bool
    why: str


@dataclass(frozen=True)
class Way:
    """From `standing` to `after`; `pairs` has the new name of each column that stays."""

    relation: Relation
    standing: TableMetadata
    after: TableMetadata
    pairs: Mapping[str, str]
    dialect: Dialect

    @property
    def alter(self) -> str:
        return f"ALTER TABLE {qualify(self.relation)}"

    def stayed(self) -> Iterator[tuple[ColumnMetadata, ColumnMetadata]]:
        for old in self.standing.columns:
            if old.name in self.pairs:
                yield old, self.new(self.pairs[old.name])

    def old(self, name: str) -> ColumnMetadata:
        return next(old for old, new in self.stayed() if new.name == name)

    def new(self, name: str) -> ColumnMetadata:
        return next(column for column in self.after.columns if column.name == name)


def steps(way: Way, changes: Sequence[Change]) -> Iterator[Step]:
    for kind, statements in STATEMENTS:
        for change in changes:
            if change.kind == kind:
                yield from (Step(sql, change.safe, change.line) for sql in statements(way, change.column or ""))


def _drop_primary_key(way: Way, _column: str) -> Iterator[str]:
    if way.standing.primary_key:
        yield _drop_key(way.relation, "p", way.standing.primary_key)


def _drop_unique_keys(way: Way, _column: str) -> Iterator[str]:
    for key in way.standing.unique_keys:
        if tuple(way.pairs.get(name) for name in key) not in way.after.unique_keys:
            yield _drop_key(way.relation, "u", key)


def _rename(way: Way, column: str) -> Iterator[str]:
    yield f"{way.alter} RENAME COLUMN {quote(way.old(column).name)} TO {quote(column)}"


def _convert(way: Way, column: str) -> Iterator[str]:
    old, new = replace(way.old(column), name=column), way.new(column)  # renamed by now
    yield from guard(way, old, new)
    change, name = f"{way.alter} ALTER COLUMN {quote(column)}", quote(column)
    if old.default_value is not None:
        yield f"{change} DROP DEFAULT"  # PostgreSQL would cast it as well, or refuse to
    yield f"{change} SET DATA TYPE {_type(new)} USING CAST({name} AS {new.data_type})"
    yield from _set_default(way, column) if new.default_value is not None else ()


def _add(way: Way, column: str) -> Iterator[str]:
    yield f"{way.alter} ADD COLUMN {define(way.new(column))}"


def _drop(way: Way, column: str) -> Iterator[str]:
    yield f"{way.alter} DROP COLUMN {quote(column)}"


def _set_default(way: Way, column: str) -> Iterator[str]:
    default = way.new(column).default_value
    goal = "DROP DEFAULT" if default is None else f"SET DEFAULT ({default})"
    yield f"{way.alter} ALTER COLUMN {quote(column)} {goal}"


def _set_nullability(way: Way, column: str) -> Iterator[str]:
    goal = "DROP" if way.new(column).is_nullable else "SET"
    yield f"{way.alter} ALTER COLUMN {quote(column)} {goal} NOT NULL"


def _add_primary_key(way: Way, _column: str) -> Iterator[str]:
    if way.after.primary_key:
        yield f"{way.alter} ADD PRIMARY KEY ({listed(way.after.primary_key)})"


def _add_unique_keys(way: Way, _column: str) -> Iterator[str]:
    stand = [tuple(way.pairs.get(name) for name in key) for key in way.standing.unique_keys]
    for key in way.after.unique_keys:
        if key not in stand:
            yield f"{way.alter} ADD UNIQUE ({listed(key)})"


STATEMENTS: tuple[tuple[Kind, Callable[[Way, str], Iterator[str]]], ...] = (
    ("primary_key_changed", _drop_primary_key),
    ("unique_keys_changed", _drop_unique_keys),
    ("column_renamed", _rename),
    ("column_type_changed", _convert),
    ("column_added", _add),  # before the drops: DuckDB keeps no table without a column
    ("column_removed", _drop),
    ("column_default_changed", _set_default),
    ("column_nullability_changed", _set_nullability),
    ("primary_key_changed", _add_primary_key),
    ("unique_keys_changed", _add_unique_keys),
)
KINDS = {kind for kind, _ in STATEMENTS}


def define(column: ColumnMetadata) -> str:
    default = "" if column.default_value is None else f" DEFAULT ({column.default_value})"
    return f"{quote(column.name)} {_type(column)}{default}" + ("" if column.is_nullable else " NOT NULL")


def _type(column: ColumnMetadata) -> str:
    collated = column.collation is not None and column.type.kind in TEXTS
    return f"{column.data_type} COLLATE {quote(column.collation or '')}" if collated else column.data_type


def guard(way: Way, old: ColumnMetadata, new: ColumnMetadata) -> Iterator[str]:
    """A statement that fails where a value would be rounded, cut or otherwise altered."""
    if condition := lossy(old, new):
        said = literal(f"column {plain(old.name)} of {way.relation} holds a value that {new.data_type} cannot")
        table = qualify(way.relation)
        if way.dialect == "duckdb":
            yield f"SELECT error({said}) FROM {table} WHERE {condition}"
        else:
            yield _do(
                f"BEGIN LOCK TABLE {table}; IF EXISTS (SELECT FROM {table} WHERE {condition}) THEN "
                f"RAISE EXCEPTION '%', {said}; END IF; END"
            )


def _drop_key(relation: Relation, kind: Literal["p", "u"], key: Sequence[str]) -> str:
    """PostgreSQL drops a key by its name, which only its catalogue knows."""
    table = literal(qualify(relation))
    columns = ", ".join(literal(name) for name in key)
    return _do(
        f"BEGIN EXECUTE (SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) "
        f"FROM pg_constraint WHERE conrelid = {table}::regclass AND contype = '{kind}' AND ARRAY("
        "SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(number, place) "
        f"JOIN pg_attribute ON attrelid = conrelid AND attnum = number ORDER BY place) = ARRAY[{columns}]); END"
    )


def _do(block: str) -> str:
    return f"DO {literal(block)}"


def listed(names: Sequence[str]) -> str:
    return ", ".join(quote(name) for name in names)
