"""Tables that keep versions: their month ends as a view, and what held at an instant as a function
(docs/sync-modes.md, "Temporal tables").

In the statements `t` is a version, `e` an end of a month: 00:00 UTC of the day after its last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

from landbridge.errors import SchemaMismatch
from landbridge.schema.ddl import Dialect
from landbridge.schema.dialects import TARGETS
from landbridge.schema.model import Column, Kind, Relation, TableSchema
from landbridge.schema.names import did_you_mean, qualify, quote

MONTH_END = "MONTHENDDATE"
HINT = "see temporal, validity_columns and merge_keys of the table in config/tables.yaml"


@dataclass(frozen=True)
class Temporal:
    """What is wanted of a table; columns as they arrive: `keys` tell whose version it is, `validity` when it held."""

    keys: tuple[str, ...]
    validity: tuple[str, str]
    month_ends: bool = False
    as_of: bool = False


@dataclass(frozen=True, kw_only=True)
class Words:
    """How one database says it, to be formatted.

    `utc` is the UTC wall clock of a column, `instant` the parameter as a column is compared with it, by the column's
    kind. `months` has one row for each end of a month after `first`, up to `last`; `day` is the date before it.
    """

    utc: Mapping[Kind, str]
    instant: Mapping[Kind, str]
    now: str
    months: str
    day: str
    among: str
    newest: str = (
        "SELECT {columns}\nFROM {rows}{where}\nQUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY {newest}) = 1"
    )


WORDS = {
    "postgres": Words(
        utc={"timestamptz": "{} AT TIME ZONE 'UTC'", "timestamp": "{}", "date": "CAST({} AS TIMESTAMP)"},
        instant={
            "timestamptz": "{}",
            "timestamp": "({} AT TIME ZONE 'UTC')",
            "date": "({} AT TIME ZONE 'UTC')",
        },
        now="now() AT TIME ZONE 'UTC'",
        months="generate_series(\n"
        "    CASE WHEN isfinite({first}) THEN date_trunc('month', {first}) + INTERVAL '1 month' END,\n"
        "    least(coalesce({last}, {now}), {now}), INTERVAL '1 month') AS e(month_end)",
        day="CAST(e.month_end - INTERVAL '1 day' AS DATE)",
        among="{key} = ANY ({ids})",
        newest="SELECT DISTINCT ON ({keys}) {columns}\nFROM {rows}{where}\nORDER BY {keys}, {newest}",
    ),
    "duckdb": Words(
        utc={
            "timestamptz": "CAST({} AT TIME ZONE 'UTC' AS TIMESTAMP)",
            "timestamp": "CAST({} AS TIMESTAMP)",
            "date": "CAST({} AS TIMESTAMP)",
        },
        instant={
            "timestamptz": "CAST({} AS TIMESTAMPTZ)",
            "timestamp": "(CAST({} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')",
            "date": "(CAST({} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')",
        },
        now="now() AT TIME ZONE 'UTC'",
        months="unnest(CASE WHEN isfinite({first}) AND ({last} IS NULL OR {first} < {last}) THEN generate_series(\n"
        "    date_trunc('month', {first}) + INTERVAL 1 MONTH,\n"
        "    least(coalesce({last}, {now}), {now}), INTERVAL 1 MONTH) END) AS e(month_end)",
        day="CAST(e.month_end - INTERVAL 1 DAY AS DATE)",
        among="list_contains({ids}, {key})",
    ),
    "snowflake": Words(
        utc={
            "timestamptz": "CAST(CONVERT_TIMEZONE('UTC', {}) AS TIMESTAMP_NTZ)",
            "timestamp": "CAST({} AS TIMESTAMP_NTZ)",
            "date": "CAST({} AS TIMESTAMP_NTZ)",
        },
        instant={
            "timestamptz": "{}",
            "timestamp": "CAST(CONVERT_TIMEZONE('UTC', {}) AS TIMESTAMP_NTZ)",
            "date": "CAST(CONVERT_TIMEZONE('UTC', {}) AS TIMESTAMP_NTZ)",
        },
        now="SYSDATE()",
        months="LATERAL FLATTEN(INPUT => ARRAY_GENERATE_RANGE(\n"
        "    1, 1 + DATEDIFF(MONTH, {first}, LEAST(COALESCE({last}, {now}), {now})))) AS e",
        day="LAST_DAY(DATEADD(MONTH, CAST(e.VALUE AS INTEGER) - 1, {first}))",
        among="ARRAY_CONTAINS(TO_VARIANT({key}), {ids})",
    ),
}


def temporal_statements(dialect: str, relation: Relation, standing: TableSchema, wanted: Temporal) -> tuple[str, ...]:
    """What makes the view and the function anew, in their order; columns have the database's own types in `native`.

    Raises SchemaMismatch for columns that are not there or cannot say it, and for names that cannot be.
    """
    made = _Versions(dialect, relation, standing, wanted)
    return (*(made.month_ends() if wanted.month_ends else ()), *(made.as_of() if wanted.as_of else ()))


@dataclass(frozen=True)
class _Versions:
    name: str
    relation: Relation
    standing: TableSchema
    wanted: Temporal

    def month_ends(self) -> Iterator[str]:
        name, label = self._beside("_month_ends"), self._dialect.fold(MONTH_END)
        grid = self._grid(label)
        if label.casefold() in {column.casefold() for column in self.standing.names}:
            raise SchemaMismatch(
                f"{self.relation} has a column {label} of its own, as its month ends would", hint="rename it: `as`"
            )
        if self.name == "postgres":
            yield f"DROP VIEW IF EXISTS {name}"
            yield from self._function(name, [], [*self._typed, f"{quote(label)} DATE"], grid)
            yield f"CREATE VIEW {name} AS SELECT * FROM {name}()"  # noqa: S608 - a quoted name
        else:
            yield f"CREATE OR REPLACE VIEW {name} AS\n{grid}"

    def as_of(self) -> Iterator[str]:
        name = self._beside("_as_of")
        ids = ["ids"] if len(self._keys) == 1 else [f"{key.name}_ids" for key in self._keys]
        given = [quote(self._unused(one)) for one in (*ids, "instant")]
        if self.name == "duckdb":
            yield f"CREATE OR REPLACE MACRO {name}({', '.join(given)}) AS TABLE\n{self._held(given)}"
        elif self.name == "snowflake":
            kinds = [*("ARRAY" for _ in ids), "TIMESTAMP_LTZ"]
            yield from self._function(name, _pairs(given, kinds), self._typed, self._held(given))
        else:
            kinds = [*(f"{key.native}[]" for key in self._keys), "TIMESTAMP WITH TIME ZONE"]
            numbers = [f"${number}" for number, _ in zip(count(1), given, strict=False)]
            yield from self._function(name, _pairs(given, kinds), self._typed, self._held(numbers))

    def _function(self, name: str, given: Sequence[str], columns: Sequence[str], body: str) -> Iterator[str]:
        """Its body is text: nothing in the database then depends on the table, and it can be swapped or changed."""
        head = f"{name}({', '.join(given)}) RETURNS TABLE ({', '.join(columns)})"
        text = self._dialect.literal(f"\n{body}\n")
        if self.name == "postgres":  # which replaces none of other columns, and keeps one of other parameters beside it
            yield f"DROP FUNCTION IF EXISTS {name}"
            yield f"CREATE FUNCTION {head} LANGUAGE sql STABLE AS {text}"
        else:
            yield f"CREATE OR REPLACE FUNCTION {head} AS {text}"

    def _grid(self, label: str) -> str:
        """A row for each key and end of a month at which a version of it held: from < end <= to."""
        utc = {"first": self._said(self._words.utc, self._first), "last": self._said(self._words.utc, self._last)}
        months = self._words.months.format(now=self._words.now, **utc)
        day = self._words.day.format(**utc)
        columns = [*self._columns, f"{day} AS {quote(label)}"]
        return self._newest(columns, f"{self._table},\n    {months}", "", [*map(_of_t, self._keys), day])

    def _held(self, given: Sequence[str]) -> str:
        """The version of each key that held at the instant: from <= instant < to."""
        *ids, instant = given
        began, ended = (self._words.instant[column.type.kind].format(instant) for column in (self._first, self._last))
        first, last = _of_t(self._first), _of_t(self._last)
        among = [
            f"({one} IS NULL OR {self._words.among.format(key=_of_t(key), ids=one)})"
            for one, key in zip(ids, self._keys, strict=True)
        ]
        where = "\n    AND ".join([*among, f"{first} <= {began}", f"({last} IS NULL OR {ended} < {last})"])
        return self._newest(self._columns, self._table, f"\nWHERE {where}", list(map(_of_t, self._keys)))

    def _newest(self, columns: Sequence[str], rows: str, where: str, keys: Sequence[str]) -> str:
        """Of several rows the one whose version began last, and of those the one that ends last."""
        order = f"{_of_t(self._first)} DESC, {_of_t(self._last)} DESC NULLS FIRST"
        return self._words.newest.format(
            columns=", ".join(columns), rows=rows, where=where, keys=", ".join(keys), newest=order
        )

    @property
    def _words(self) -> Words:
        return WORDS[self.name]

    @property
    def _dialect(self) -> Dialect:
        return TARGETS[self.name]

    @property
    def _place(self) -> Relation:
        return replace(self.relation, database=None) if self.name == "postgres" else self.relation

    @property
    def _table(self) -> str:
        return f"{qualify(self._place)} AS t"

    @property
    def _columns(self) -> list[str]:
        return list(map(_of_t, self.standing.columns))

    @property
    def _typed(self) -> list[str]:
        return [f"{quote(column.name)} {column.native}" for column in self.standing.columns]

    def _beside(self, suffix: str) -> str:
        table = self._place.table
        place = replace(self._place, table=table + (suffix.upper() if table.isupper() else suffix))
        self._dialect.check(place, TableSchema(()), ())
        return qualify(place)

    def _unused(self, name: str) -> str:
        """A parameter's name that no column has."""
        names = {column.casefold() for column in self.standing.names}
        while name.casefold() in names:
            name += "_"
        return name.upper() if self.name == "snowflake" else name

    @staticmethod
    def _said(by_kind: Mapping[Kind, str], column: Column) -> str:
        return by_kind[column.type.kind].format(_of_t(column))

    @cached_property
    def _keys(self) -> list[Column]:
        return [self._column(name) for name in self.wanted.keys]

    @cached_property
    def _first(self) -> Column:
        return self._clock(self.wanted.validity[0])

    @cached_property
    def _last(self) -> Column:
        return self._clock(self.wanted.validity[1])

    def _clock(self, name: str) -> Column:
        column = self._column(name)
        if column.type.kind not in self._words.utc:
            raise SchemaMismatch(
                f"{self.relation}: column {column.name} is {column.type}, and says no time of validity", hint=HINT
            )
        return column

    def _column(self, name: str) -> Column:
        found = self.standing.column(self._dialect.fold(name)) or self.standing.column(name)
        if found is None:
            raise SchemaMismatch(
                f"{self.relation} has no column {name!r}{did_you_mean(name, self.standing.names)}", hint=HINT
            )
        return found


def _of_t(column: Column) -> str:
    return f"t.{quote(column.name)}"


def _pairs(names: Sequence[str], kinds: Sequence[str]) -> list[str]:
    return [f"{name} {kind}" for name, kind in zip(names, kinds, strict=True)]
