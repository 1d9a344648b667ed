"""How landed rows meet those of their target: statements that PostgreSQL, DuckDB and Snowflake all take.

What they do is docs/sync-modes.md, "What a load does". In them `t` is a row of the target, `l` one that landed,
`k` a key that the source has.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

from landbridge.errors import SchemaMismatch
from landbridge.schema.ddl import literal
from landbridge.schema.fit import Pairing
from landbridge.schema.metadata import TableMetadata, of_schema
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import did_you_mean, fold, qualify, quote

OPEN = datetime(9999, 12, 31, tzinfo=UTC)  # until then holds what holds now
HINT = "see merge_keys, qualify_order_by and soft_delete_column in config/tables.yaml"
GONE = {"boolean": "{0}", "int16": "{0} <> 0", "int32": "{0} <> 0", "int64": "{0} <> 0", "decimal": "{0} <> 0"}
GONE |= dict.fromkeys(("timestamp", "timestamptz", "date"), "{0} IS NOT NULL")


@dataclass(frozen=True)
class Step:
    """A statement, and what became of the rows that it counts: `inserted`, `updated`, `closed`, `deleted`."""

    counts: str
    sql: str


@dataclass(frozen=True)
class Merging:
    """One load's statements. `value` is how a landed column is written, `comparable` what two values are compared by.

    `newest_by` and `deleted_by` are incoming names, as all of `keys`; None where there are none. `validity` are the
    target's own columns. `only_new`: rows whose key is there are left as they are. `complete`: what landed is all
    that the source has.
    """

    target: Relation
    landing: Relation
    pairings: Sequence[Pairing]
    keys: tuple[str, ...] = ()
    newest_by: str | None = None
    deleted_by: str | None = None
    validity: tuple[Column, Column] | None = None
    as_of: datetime | None = None
    only_new: bool = False
    complete: bool = False
    all_keys: Relation | None = None
    value: Callable[[Pairing, str], str] = lambda pairing, alias: f"{alias}.{quote(pairing.target.name)}"
    comparable: Callable[[str, Column], str] = lambda expression, _column: expression
    inserting: str = ""  # words between the columns and the SELECT

    @cached_property
    def by_name(self) -> dict[str, Pairing]:
        return {pairing.incoming.name: pairing for pairing in self.pairings}

    def pairing(self, name: str) -> Pairing:
        """Of an incoming column."""
        return self.by_name[name]

    @cached_property
    def key_names(self) -> list[str]:
        """Of the target, quoted."""
        return [quote(self.pairing(name).target.name) for name in self.keys]

    @cached_property
    def landed_keys(self) -> list[str]:
        return [self.value(self.pairing(name), "l") for name in self.keys]

    def nulls(self) -> str:
        """How many landed rows have a NULL in their key."""
        missing = " OR ".join(f"{key} IS NULL" for key in self.landed_keys)
        return f"SELECT count(*) FROM {qualify(self.landing)} AS l WHERE {missing}"

    def doubled(self) -> str:
        """How many keys landed more than once."""
        keys = f"SELECT 1 AS one FROM {qualify(self.landing)} AS l GROUP BY {', '.join(self.landed_keys)}"
        return f"SELECT count(*) FROM ({keys} HAVING count(*) > 1) AS d"

    def drop_older(self) -> str:
        """Of each key only the rows with its highest `newest_by` stay."""
        order = self.value(self.pairing(self.newest_by or ""), "l")
        named = ", ".join(f"{key} AS key_{number}" for number, key in enumerate(self.landed_keys))
        same = " AND ".join(f"{key} = n.key_{number}" for number, key in enumerate(self.landed_keys))
        newest = (
            f"SELECT {named}, max({order}) AS newest FROM {qualify(self.landing)} AS l "
            f"GROUP BY {', '.join(self.landed_keys)} HAVING count(*) > 1"
        )
        return (
            f"DELETE FROM {qualify(self.landing)} AS l USING ({newest}) AS n "
            f"WHERE {same} AND ({order} < n.newest OR ({order} IS NULL AND n.newest IS NOT NULL))"
        )

    def doubled_there(self) -> str:
        """How many keys that landed the target has more than once."""
        listed = ", ".join(f"t.{key}" for key in self.key_names)
        return (
            f"SELECT count(*) FROM (SELECT 1 AS one FROM {qualify(self.target)} AS t, {qualify(self.landing)} AS l "
            f"WHERE {self.same}{self._standing} GROUP BY {listed} HAVING count(*) > 1) AS d"
        )

    def undone(self) -> Iterator[str]:
        """How many rows are not as the steps should have left them; each is 0 where nothing stood in their way."""
        target, landing = f"{qualify(self.target)} AS t", f"{qualify(self.landing)} AS l"
        if self.keys:
            there = f"EXISTS (SELECT 1 FROM {target} WHERE {self.same}{self._standing})"
            yield f"SELECT count(*) FROM {landing} WHERE NOT {there}"
            if not self.only_new:
                yield f"SELECT count(*) FROM {target}, {landing} WHERE {self._older} AND {self._differs}"
        if absent := self._absent():
            yield f"SELECT count(*) FROM {target} WHERE {absent}{self._standing}"

    @property
    def deletes(self) -> bool:
        return self.validity is None and (self.deleted_by is not None or self.all_keys is not None)

    def later(self) -> str:
        """How many versions of a history began at the instant of these rows, or after it."""
        assert self.validity is not None, "asked of a history only"  # noqa: S101
        first = self.validity[0]
        since = f"t.{quote(first.name)} >= {self._instant(self.as_of, first)}"
        return f"SELECT count(*) FROM {qualify(self.target)} AS t WHERE {since}"

    def without_gone(self) -> str | None:
        """Deletes the landed rows that say of themselves that they are gone; None where none can."""
        return f"DELETE FROM {qualify(self.landing)} AS l WHERE {gone}" if (gone := self._gone) else None

    def steps(self) -> Iterator[Step]:
        """In their order; `drop_older` comes before them."""
        if self.validity:
            yield from self._history(*self.validity)
        else:
            yield from self._rows()

    def _rows(self) -> Iterator[Step]:
        target, landing = f"{qualify(self.target)} AS t", f"{qualify(self.landing)} AS l"
        if gone := self._gone:
            yield Step("deleted", f"DELETE FROM {target} USING {landing} WHERE {self._older} AND {gone}")
            yield Step("gone", self.without_gone() or "")
        if self.keys and self._others and not self.only_new:
            values = ", ".join(f"{quote(p.target.name)} = {self.value(p, 'l')}" for p in self._others)
            where = f"{self._older} AND {self._differs}"
            yield Step("updated", f"UPDATE {target} SET {values} FROM {landing} WHERE {where}")
        yield Step("inserted", self._insert())
        if absent := self._absent():
            yield Step("deleted", f"DELETE FROM {target} WHERE {absent}")

    def _history(self, _first: Column, last: Column) -> Iterator[Step]:
        end = f"UPDATE {qualify(self.target)} AS t SET {quote(last.name)} = {self._instant(self.as_of, last)}"
        of_landed = f"FROM {qualify(self.landing)} AS l WHERE {self._older}"
        if gone := self._gone:
            yield Step("closed", f"{end} {of_landed} AND {gone}")
            yield Step("gone", self.without_gone() or "")
        yield Step("closed", f"{end} {of_landed} AND {self._differs}")
        yield Step("inserted", self._insert())
        if absent := self._absent():
            yield Step("closed", f"{end} WHERE {absent}{self._standing}")

    def _insert(self) -> str:
        columns = [quote(pairing.target.name) for pairing in self.pairings]
        values = [self.value(pairing, "l") for pairing in self.pairings]
        if self.validity:
            first, last = self.validity
            columns += [quote(first.name), quote(last.name)]
            values += [self._instant(self.as_of, first), self._instant(OPEN, last)]
        there = f"EXISTS (SELECT 1 FROM {qualify(self.target)} AS t WHERE {self.same}{self._standing})"
        new = f" WHERE NOT {there}" if self.keys else ""
        return (
            f"INSERT INTO {qualify(self.target)} ({', '.join(columns)}){self.inserting} "
            f"SELECT {', '.join(values)} FROM {qualify(self.landing)} AS l{new}"
        )

    def _absent(self) -> str | None:
        """Of a row of the target: the source does not have its key any more."""
        keys = self.all_keys or (self.landing if self.complete else None)
        if keys is None:
            return None
        pairings = [self.pairing(name) for name in self.keys]
        same = " AND ".join(f"{self.value(p, 'k')} = t.{quote(p.target.name)}" for p in pairings)
        return f"NOT EXISTS (SELECT 1 FROM {qualify(keys)} AS k WHERE {same})"

    @cached_property
    def same(self) -> str:
        """A row of the target has the key of the landed one."""
        keys = (self.pairing(name) for name in self.keys)
        return " AND ".join(f"t.{quote(p.target.name)} = {self.value(p, 'l')}" for p in keys)

    @cached_property
    def _others(self) -> list[Pairing]:
        return [p for p in self.pairings if p.incoming.name not in self.keys]

    @cached_property
    def _differs(self) -> str:
        pairs = [
            (self.comparable(f"t.{quote(p.target.name)}", p.target), self.comparable(self.value(p, "l"), p.target))
            for p in self._others
        ]
        return "(" + (" OR ".join(f"{old} IS DISTINCT FROM {new}" for old, new in pairs) or "FALSE") + ")"

    @cached_property
    def _standing(self) -> str:
        """Of a history only the versions that hold now."""
        if self.validity is None:
            return ""
        return f" AND t.{quote(self.validity[1].name)} = {self._instant(OPEN, self.validity[1])}"

    @cached_property
    def _older(self) -> str:
        """The target's row of the landed row's key, if it is not newer than that."""
        if self.newest_by is None:
            return f"{self.same}{self._standing}"
        order = self.pairing(self.newest_by)
        column = f"t.{quote(order.target.name)}"
        return f"{self.same}{self._standing} AND ({column} IS NULL OR {column} <= {self.value(order, 'l')})"

    @cached_property
    def _gone(self) -> str | None:
        """Of a landed row. Raises SchemaMismatch for a column that cannot say it."""
        if self.deleted_by is None:
            return None
        flag = self.pairing(self.deleted_by)
        pattern = GONE.get(flag.target.type.kind)
        if pattern is None:
            raise SchemaMismatch(
                f"{self.target}: column {flag.target.name} is {flag.target.type}, and cannot say that a row is gone",
                hint="soft_delete_column is a boolean, a number or a time",
            )
        return f"({pattern.format(self.value(flag, 'l'))})"

    @staticmethod
    def _instant(instant: datetime | None, column: Column) -> str:
        zone = "+00" if column.type.kind == "timestamptz" else ""
        text = f"{(instant or OPEN).astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}{zone}"
        return f"CAST({literal(text)} AS {column.native or column.type})"


def refuse_unknown(arriving: TableSchema, names: Iterable[str | None], hint: str = HINT) -> None:
    """Raise SchemaMismatch for names of columns that do not arrive."""
    if missing := [name for name in names if name and name not in arriving.names]:
        raise SchemaMismatch(
            "\n".join(f"no column {name!r} arrives{did_you_mean(name, arriving.names)}" for name in missing),
            hint=hint,
        )


def with_history(schema: TableSchema, keys: Sequence[str], validity: tuple[str, str] | None) -> TableSchema:
    """A target that is created for these keys: they are its primary key, with the beginning of a version."""
    columns = tuple(replace(c, nullable=c.nullable and c.name not in keys) for c in schema.columns)
    if validity is None:
        return TableSchema(columns, tuple(keys) or schema.primary_key)
    first, last = (Column(name, Type("timestamptz"), nullable=False) for name in validity)
    return TableSchema((*columns, first, last), (*keys, first.name))


def table_with_history(table: TableMetadata, keys: Sequence[str], validity: tuple[str, str] | None) -> TableMetadata:
    """The same of a table with all that its database says. It has no other unique key: a value can go from one row to
    another, and until a load ends both have it.
    """
    shape = of_schema(with_history(table.schema, keys, validity))
    told = {column.name: column for column in table.columns}
    columns = (
        replace(told[column.name], is_nullable=column.is_nullable) if column.name in told else column
        for column in shape.columns
    )
    return replace(table, columns=tuple(columns), primary_key=shape.primary_key, unique_keys=())


def validity_of(standing: TableSchema, names: tuple[str, str] | None) -> tuple[Column, Column] | None:
    """The target's columns of a history. Raises SchemaMismatch where it has none, or none that hold an instant."""
    if names is None:
        return None
    found = [standing.column(fold(name)) or standing.column(name) or standing.column(name.upper()) for name in names]
    wrong = [
        name
        for name, column in zip(names, found, strict=True)
        if not column or column.type.kind not in ("timestamp", "timestamptz")
    ]
    if wrong:
        raise SchemaMismatch(
            f"the target has no timestamp {' and no '.join(wrong)}: it keeps no history",
            hint="add the columns, or name others in validity_columns",
        )
    first, last = (column for column in found if column)
    return first, last


def without_history(standing: TableSchema, validity: tuple[Column, Column] | None) -> TableSchema:
    """The columns for which values arrive."""
    own = {column.name for column in validity or ()}
    return TableSchema(tuple(c for c in standing.columns if c.name not in own), standing.primary_key)
