"""Migrations, run for real on DuckDB and PostgreSQL: exactly the wanted table stands, with all its rows."""

import datetime as dt
import re
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import duckdb
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.connectors.duckdb import catalog as duckdb_catalog
from landbridge.connectors.postgres import catalog as postgres_catalog
from landbridge.errors import SchemaMismatch
from landbridge.schema import duckdb as duckdb_words
from landbridge.schema import postgres as postgres_words
from landbridge.schema.metadata import ColumnMetadata, TableMetadata
from landbridge.schema.migration import as_far_as_safe, migration
from landbridge.schema.model import Relation, Type
from landbridge.schema.names import quote

EXAMPLES = 200  # random pairs of tables on each database
T = Relation("Prices % $$")
WORDS = {"duckdb": duckdb_words, "postgres": postgres_words}
DIALECTS = list(WORDS)

UNIQUE = {
    "duckdb": "SELECT constraint_column_names FROM duckdb_constraints() WHERE constraint_type = 'UNIQUE'",
    "postgres": "SELECT ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k(n, place) JOIN pg_attribute "
    "ON attrelid = conrelid AND attnum = n ORDER BY place) FROM pg_constraint WHERE contype = 'u' "
    "AND conrelid >= 16384",
}
DEFAULTS = {
    "duckdb": "SELECT column_name, column_default FROM duckdb_columns() WHERE NOT internal",
    "postgres": "SELECT attname::text, pg_get_expr(adbin, adrelid) FROM pg_attrdef "
    "JOIN pg_attribute a ON attrelid = adrelid AND attnum = adnum",
}


class Database:
    """One table in one database."""

    def __init__(self, dialect, connection):
        self.dialect, self.connection = dialect, connection
        self.execute, self.words = connection.execute, WORDS[dialect]

    def make(self, table, rows=()):
        """The table with these rows, each a mapping of name to SQL value."""
        lines = [
            f"{quote(c.name)} {c.data_type}"
            + (f" DEFAULT {c.default_value}" if c.default_value else "")
            + ("" if c.is_nullable else " NOT NULL")
            for c in table.columns
        ]
        if table.primary_key:
            lines.append(f"PRIMARY KEY ({', '.join(map(quote, table.primary_key))})")
        lines += [f"UNIQUE ({', '.join(map(quote, key))})" for key in table.unique_keys]
        self.execute(f"CREATE TABLE {quote(T.table)} ({', '.join(lines)})")
        for row in rows:
            self.execute(f"INSERT INTO {quote(T.table)} VALUES ({', '.join(row[c.name] for c in table.columns)})")

    def migrate(self, standing, wanted, **renames):
        found = migration(standing, wanted, self.dialect, T, renames=renames)
        self.execute("BEGIN")
        try:
            for step in found.steps:
                self.execute(step.sql)
        except BaseException:
            self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")
        return found

    def stands(self):
        """Columns by name with type and nullability, the keys, the defaults."""
        catalog = duckdb_catalog if self.dialect == "duckdb" else postgres_catalog
        schema = catalog.describe(self.connection, [T])[T]
        defaults = dict(self.execute(DEFAULTS[self.dialect]).fetchall())
        return (
            [(c.name, c.type, c.nullable, bare(defaults.get(c.name))) for c in schema.columns],
            schema.primary_key,
            sorted(tuple(key) for (key,) in self.execute(UNIQUE[self.dialect]).fetchall()),
        )

    def rows(self):
        columns = [(name, kind) for name, kind, *_ in self.stands()[0]]
        # DuckDB's Python client wants another library for instants
        read = [f"CAST({quote(n)} AS TEXT)" if kind.kind == "timestamptz" else quote(n) for n, kind in columns]
        found = self.execute(f"SELECT {', '.join(read)} FROM {quote(T.table)}").fetchall()
        return [dict(zip([name for name, _ in columns], row, strict=True)) for row in found]


def bare(default):
    """PostgreSQL writes a literal with its cast."""
    return default and default.split("::")[0]


def described(table):
    """What `stands` must find of a table."""
    return (
        [(c.name, c.type, c.is_nullable, bare(c.default_value)) for c in table.columns],
        table.primary_key,
        sorted(table.unique_keys),
    )


@contextmanager
def database(dialect, url):
    if dialect == "duckdb":
        with duckdb.connect(config={"threads": 1}) as connection:
            yield Database(dialect, connection)
    else:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            connection.execute("SET client_min_messages = warning")
            yield Database(dialect, connection)


@pytest.fixture(params=DIALECTS)
def db(request):
    """An empty database of each dialect."""
    url = request.getfixturevalue("pg_url") if request.param == "postgres" else None
    with database(request.param, url) as one:
        yield one


def column(dialect, name, kind, **rest):
    native = WORDS[dialect].render_type(kind)
    return ColumnMetadata(name=name, type=WORDS[dialect].parse_type(native), data_type=native, **rest)


def decimal(precision, scale):
    return Type("decimal", precision, scale)


INT, BIG, TEXT, DOUBLE = Type("int32"), Type("int64"), Type("text"), Type("float64")
PRICE, DAY, STAMP = decimal(10, 2), Type("date"), Type("timestamp", 6)


def tables(db, before, after, rows=()):
    """Both tables, given as name → type, or (type, more of the column); the first is made, with its rows."""

    def build(columns):
        parts = {n: told if isinstance(told, tuple) else (told, {}) for n, told in columns.items()}
        return TableMetadata(columns=tuple(column(db.dialect, n, kind, **rest) for n, (kind, rest) in parts.items()))

    standing, wanted = build(before), build(after)
    db.make(standing, [dict(zip(before, row, strict=True)) for row in rows])
    return standing, wanted


MUST = {"is_nullable": False}
STEPS = [
    ("added", {"a": INT}, {"b": TEXT, "a": INT}, "1 column added", True),
    ("added with default", {"a": INT}, {"a": INT, "b": (INT, {**MUST, "default_value": "7"})}, "1 column added", True),
    ("dropped", {"a": INT, "b": TEXT}, {"b": TEXT}, "1 column removed", False),
    ("all others", {"a": INT}, {"b": TEXT}, "1 column added, 1 column removed", False),
    ("widened", {"a": PRICE}, {"a": decimal(12, 2)}, "1 type changed", True),
    ("narrowed", {"a": PRICE}, {"a": decimal(8, 1)}, "1 type changed", False),
    ("nullable", {"a": (INT, MUST)}, {"a": INT}, "1 nullability changed", True),
    ("not null", {"a": INT}, {"a": (INT, MUST)}, "1 nullability changed", False),
    ("default", {"a": INT}, {"a": (INT, {"default_value": "7"})}, "1 default changed", True),
    ("no default", {"a": (INT, {"default_value": "7"})}, {"a": INT}, "1 default changed", True),
    (
        "type and default",
        {"a": (TEXT, {"default_value": "'x'"})},
        {"a": (INT, {"default_value": "7"})},
        "1 type changed, 1 default changed",
        False,
    ),
    ("type under a default", {"a": (INT, {"default_value": "7"})}, {"a": (BIG, {"default_value": "7"})}, None, True),
    ("order alone", {"a": INT, "b": INT}, {"b": INT, "a": INT}, "no changes", True),
    ("what the target has for it", {"a": INT, "b": STAMP}, {"a": INT, "b": Type("timestamp", 6)}, "no changes", True),
]


@pytest.mark.parametrize(("before", "after", "told", "safe"), [s[1:] for s in STEPS], ids=[s[0] for s in STEPS])
def test_each_kind_of_step_by_itself(db, before, after, told, safe):
    """Its class and summary; then it runs over a row, and what stands is what was announced."""
    standing, wanted = tables(db, before, after, [["1"] * len(before)] if STAMP not in before.values() else [])
    found = db.migrate(standing, wanted)
    assert found.safe is safe
    assert all(step.safe for step in found.steps) is safe
    assert told is None or found.summary == told
    assert db.stands() == described(found.after)
    assert {c[0]: c[1:] for c in db.stands()[0]} == {c[0]: c[1:] for c in described(wanted)[0]}
    assert migration(found.after, wanted, db.dialect, T).steps == ()


KEYS = [((), ("a",)), (("a",), ()), (("a",), ("b",)), (("a", "b"), ("b", "a"))]


@pytest.mark.parametrize(("before", "after"), KEYS, ids=str)
@pytest.mark.parametrize("kind", ["primary_key", "unique_keys"])
def test_keys_come_and_go(db, kind, before, after):
    """Primary key changes are seen and done (fault 3); unique keys as well; both are breaking."""
    as_field = (lambda key: key) if kind == "primary_key" else (lambda key: (key,) if key else ())
    columns = tuple(column(db.dialect, n, INT, is_nullable=kind == "unique_keys") for n in "ab")
    standing = TableMetadata(columns=columns, **{kind: as_field(before)})
    wanted = replace(standing, **{kind: as_field(after)})
    db.make(standing, [{"a": "1", "b": "2"}, {"a": "2", "b": "3"}])
    found = db.migrate(standing, wanted)
    assert (found.safe, [c.kind for c in found.changes]) == (False, [f"{kind}_changed"])
    assert db.stands() == described(wanted)
    assert len(db.rows()) == 2


LOSSES = [
    (PRICE, decimal(10, 1), "1.20", "1.25"),
    (PRICE, decimal(4, 2), "12.34", "1234.00"),
    (PRICE, INT, "1.00", "1.50"),
    (BIG, INT, "2147483647", "2147483648"),
    (BIG, DOUBLE, "9007199254740992", "9007199254740993"),
    (DOUBLE, Type("float32"), "0.5", "0.1"),
    (DOUBLE, PRICE, "1.25", "1.255"),
    (TEXT, INT, "'12'", "'012'"),
    (TEXT, INT, "'12'", "'12.5'"),
    (TEXT, Type("boolean"), "'true'", "'t'"),
    (TEXT, DAY, "'2024-01-31'", "'2024-1-31'"),
    (TEXT, Type("json"), "'{\"a\":  1}'", "'{'"),
    (STAMP, DAY, "'2024-01-31 00:00:00'", "'2024-01-31 00:00:01'"),
]
POSTGRES_LOSSES = [
    (Type("text", length=50), Type("text", length=3), "'abc'", "'abcd'"),
    (Type("text", length=50), Type("text", length=3), "'abc'", "'abc '"),
    (TEXT, Type("char", length=3), "'ab'", "'ab '"),
    (Type("char", length=5), Type("char", length=3), "'abc'", "'abcd'"),
    (Type("boolean"), Type("text", length=4), "'true'", "'false'"),
    (INT, Type("text", length=2), "12", "123"),
    (Type("json"), Type("text", length=5), "'12345'", "'123456'"),
    (STAMP, Type("timestamp", 3), "'2024-01-31 00:00:00.123'", "'2024-01-31 00:00:00.1234'"),
    (Type("time", 6), Type("time", 0), "'01:02:03'", "'01:02:03.5'"),
]
DUCKDB_LOSSES = [(Type("timestamp", 9), STAMP, "'2024-01-31 00:00:00.123456'", "'2024-01-31 00:00:00.123456789'")]
ALL_LOSSES = [
    *((dialect, loss) for dialect in DIALECTS for loss in LOSSES),
    *(("postgres", loss) for loss in POSTGRES_LOSSES),
    *(("duckdb", loss) for loss in DUCKDB_LOSSES),
]


@pytest.mark.parametrize("key", [False, True], ids=["alter", "under a key"])
@pytest.mark.parametrize(("dialect", "loss"), ALL_LOSSES, ids=str)
def test_a_narrowing_keeps_values_or_fails(request, dialect, loss, key):
    """Never rounded, never cut: a value that would not come back stops it, and all stands as before.

    Under a key DuckDB makes the table anew; the same must hold there.
    """
    before, after, fits, misfit = loss
    url = request.getfixturevalue("pg_url") if dialect == "postgres" else None
    with database(dialect, url) as db:
        standing, wanted = tables(db, {"id": (INT, MUST), "a": before}, {"id": (INT, MUST), "a": after})
        if key:
            db.execute(f"DROP TABLE {quote(T.table)}")
            standing, wanted = (replace(table, primary_key=("id",)) for table in (standing, wanted))
            db.make(standing)
        insert = f"INSERT INTO {quote(T.table)} VALUES "
        db.execute(insert + f"(1, {fits}), (2, NULL)")
        db.execute(insert + f"(3, {misfit})")
        old = db.stands(), db.rows()
        assert not migration(standing, wanted, dialect, T).safe
        with pytest.raises((duckdb.Error, psycopg.Error)):
            db.migrate(standing, wanted)
        assert (db.stands(), db.rows()) == old
        db.execute(f"DELETE FROM {quote(T.table)} WHERE id = 3")
        text = db.execute(f"SELECT CAST(a AS {standing.columns[1].data_type}) FROM {quote(T.table)}").fetchall()
        found = db.migrate(standing, wanted)
        assert db.stands() == described(found.after)
        back = db.execute(f"SELECT CAST(a AS {standing.columns[1].data_type}) FROM {quote(T.table)}").fetchall()
        assert (back == text) or after.kind == "json"


def test_a_type_that_would_be_guessed_is_refused():
    """Every such column is named, and nothing is planned."""
    standing = TableMetadata(
        columns=(column("postgres", "a", STAMP), column("postgres", "b", INT), column("postgres", "c", TEXT))
    )
    wanted = TableMetadata(
        columns=(column("postgres", "a", Type("timestamptz", 6)), column("postgres", "b", DAY), *standing.columns[2:])
    )
    with pytest.raises(SchemaMismatch) as caught:
        migration(standing, wanted, "postgres", T)
    assert caught.value.message.splitlines() == [
        "column a is TIMESTAMP, and no cast makes TIMESTAMP WITH TIME ZONE of it without guessing",
        "column b is INTEGER, and no cast makes DATE of it without guessing",
    ]
    assert "--drop-existing" in caught.value.hint


def test_a_name_that_postgres_would_cut_is_refused():
    """As where the table is created."""
    wanted = TableMetadata(columns=(column("postgres", "x" * 64, INT),))
    with pytest.raises(SchemaMismatch, match="63 bytes"):
        migration(TableMetadata(columns=()), wanted, "postgres", T)


def test_a_column_that_must_have_a_value_fails_where_there_are_rows(db):
    """It is told as breaking, the database refuses it, and the table stands as before; without rows it comes."""
    standing, wanted = tables(db, {"a": INT}, {"a": INT, "b": (INT, MUST)}, [["1"]])
    assert not migration(standing, wanted, db.dialect, T).safe
    with pytest.raises((duckdb.ConstraintException, psycopg.errors.NotNullViolation)):
        db.migrate(standing, wanted)
    assert db.stands() == described(standing)
    db.execute(f"DELETE FROM {quote(T.table)}")
    db.migrate(standing, wanted)
    assert db.stands() == described(wanted)


def test_a_rename_is_done_only_where_it_is_said(db):
    """By itself it is a new column, and the old one goes with its values."""
    standing, wanted = tables(db, {"a": INT, "b": INT}, {"a": INT, "c": BIG}, [["1", "2"]])
    assert migration(standing, wanted, db.dialect, T).summary == "1 column added, 1 column removed"
    found = db.migrate(standing, wanted, b="c")
    assert (found.summary, found.safe) == ("1 column renamed, 1 type changed", False)
    assert db.rows() == [{"a": 1, "c": 2}]
    assert db.stands() == described(wanted)


@pytest.mark.parametrize("goal", [{"a": INT, "b": INT}, {"a": BIG, "b": (INT, MUST)}], ids=["type", "nullability"])
def test_rows_that_were_deleted_do_not_count(db, goal):
    """DuckDB's own ALTER would still trip over values that no reader sees any more."""
    rows = [["1", "1"], [str(2**40), "2"], ["3", "NULL"]]
    standing, wanted = tables(db, {"a": BIG, "b": INT}, goal, rows)
    db.execute(f"DELETE FROM {quote(T.table)} WHERE a > 1")
    db.migrate(standing, wanted)
    assert db.stands() == described(wanted)
    assert db.rows() == [{"a": 1, "b": 1}]


@pytest.mark.parametrize(
    ("renames", "problem"),
    [
        ({"x": "c"}, "column x cannot be renamed to c: it does not stand"),
        ({"a": "x"}, "column a cannot be renamed to x: that is not wanted"),
        ({"a": "b"}, "column a cannot be renamed to b: that stands already"),
        ({"b": "c"}, "column b cannot be renamed to c: it is wanted as it is"),
    ],
)
def test_a_rename_that_cannot_be_is_refused(renames, problem):
    """In words that say which end is wrong."""
    standing = TableMetadata(columns=tuple(column("duckdb", n, INT) for n in "ab"))
    wanted = TableMetadata(columns=tuple(column("duckdb", n, INT) for n in "bc"))
    with pytest.raises(SchemaMismatch, match=problem):
        migration(standing, wanted, "duckdb", T, renames=renames)


def test_fault_6_names_that_are_one_to_the_database_keep_their_values(db):
    """An upper-case name that stands is the folded one that is wanted: renamed, never dropped and added."""
    standing, wanted = tables(db, {"SECID": INT}, {"secid": INT}, [["1"]])
    found = db.migrate(standing, wanted)
    assert (found.summary, found.safe) == ("1 column renamed", db.dialect == "duckdb")
    assert db.rows() == [{"secid": 1}]


def test_what_the_database_would_lose_stops_a_rebuild():
    """DuckDB: an index, a check, a reference that are not in the metadata are not dropped on the way."""
    standing = TableMetadata(columns=tuple(column("duckdb", n, INT, is_nullable=n != "a") for n in "ab"))
    standing = replace(standing, primary_key=("a",))
    wanted = replace(standing, columns=standing.columns[:1])
    name = quote(T.table)
    for more in (
        f"CREATE TABLE {name} (a INTEGER PRIMARY KEY, b INTEGER CHECK (b > 0))",
        f"CREATE TABLE {name} (a INTEGER PRIMARY KEY, b INTEGER REFERENCES {name} (a))",
        f"CREATE TABLE {name} (a INTEGER PRIMARY KEY, b INTEGER); CREATE INDEX i ON {name} (b)",
    ):
        with database("duckdb", None) as db:
            db.execute(more)
            with pytest.raises(duckdb.Error):
                db.migrate(standing, wanted)
            assert [c[0] for c in db.stands()[0]] == ["a", "b"]


def test_comments_and_words_of_its_own_survive_a_rebuild():
    """DuckDB: what stands and is not asked to change, stays."""
    name = quote(T.table)
    with database("duckdb", None) as db:
        db.execute(f"CREATE TABLE {name} (a TINYINT PRIMARY KEY, b INTEGER)")
        standing = TableMetadata(
            columns=(
                ColumnMetadata(name="a", data_type="TINYINT", type=Type("int16"), is_nullable=False, comment="it's"),
                column("duckdb", "b", INT),
            ),
            primary_key=("a",),
            comment="daily",
        )
        wanted = replace(standing, columns=(replace(standing.columns[0], data_type="SMALLINT", comment=None),))
        db.migrate(standing, wanted)
        assert db.execute("SELECT comment FROM duckdb_tables()").fetchall() == [("daily",)]
        assert db.execute("SELECT data_type, comment FROM duckdb_columns() WHERE NOT internal").fetchall() == [
            ("TINYINT", "it's")
        ]


def test_postgres_keeps_a_collation_through_a_change_of_type(pg_url):
    """ALTER … TYPE would set it back to the database's silently."""
    with database("postgres", pg_url) as db:
        db.execute(f'CREATE TABLE {quote(T.table)} (a varchar(5) COLLATE "C")')
        standing = TableMetadata(columns=(column("postgres", "a", Type("text", length=5), collation="C"),))
        db.migrate(standing, TableMetadata(columns=(column("postgres", "a", TEXT),)))
        assert db.execute(
            "SELECT collname FROM pg_attribute JOIN pg_collation c ON c.oid = attcollation WHERE attname = 'a'"
        ).fetchone() == ("C",)


# Random pairs. A value is a small number n, written in the type of its column, so that every kind that may become
# another has values that can; a key needs them to differ, so a row's number is part of n.
def written(kind, n):
    """The number as SQL of that kind."""
    return {
        "decimal": f"{n}",
        "float32": f"{n}",
        "float64": f"{n}",
        "boolean": "true" if n % 2 else "false",
        "binary": f"CAST('{n}' AS {{native}})",
        "date": f"'2024-01-{n + 1:02}'",
        "timestamp": f"'2024-01-{n + 1:02} 00:00:00'",
        "timestamptz": f"'2024-01-{n + 1:02} 00:00:00+00'",
        "time": f"'00:00:{n:02}'",
        "json": f"'{n}'",
        "text": f"'{n}'",
        "char": f"'{n}'",
        "uuid": f"'{UUID(int=n)}'",
    }.get(kind, str(n))


NUMBERS = [INT, BIG, Type("int16"), decimal(6, 0), PRICE, decimal(12, 4), Type("float32"), DOUBLE]
NUMBERS += [decimal(38, 9)]
UNBOUND = decimal(None, None)  # in DuckDB a text
TEXTS = [TEXT, Type("text", length=12), Type("text", length=3), Type("char", length=4)]
CLOCKS = [STAMP, Type("timestamp", 9), Type("timestamp", 3)]
OTHERS = [Type("boolean"), Type("binary"), Type("uuid"), Type("time", 6), Type("timestamptz", 6), Type("json"), DAY]
WHOLE = [INT, BIG, Type("int16")]  # their text is the one that comes back
BECOMES = [
    *((a, b) for a in NUMBERS for b in [*NUMBERS, UNBOUND]),
    *((UNBOUND, b) for b in [*WHOLE, UNBOUND]),
    *((a, b) for a in TEXTS for b in [*TEXTS, *WHOLE, Type("json")]),
    *((a, b) for a in WHOLE for b in TEXTS),
    *((a, b) for a in [*CLOCKS, DAY] for b in [*CLOCKS, DAY]),
    *((a, a) for a in OTHERS),
    (Type("uuid"), TEXT),
    (Type("boolean"), TEXT),
    (Type("json"), TEXT),
]


@st.composite
def pairs(draw, dialect):
    """A standing table, a wanted one, the renames between them and how many rows there are."""
    rows = draw(st.integers(0, 4))
    old, new, renames = [], [], {}
    for name in draw(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True)):
        before, after = draw(st.sampled_from(BECOMES))
        fate = draw(st.sampled_from(["stays", "stays", "stays", "goes", "comes", "renamed"]))
        to = name + " new" if fate == "renamed" else name
        if fate != "comes":
            old.append(draw(columns(dialect, name, before)))
        if fate != "goes":
            goal = draw(columns(dialect, to, after))
            impossible = fate == "comes" and rows and goal.default_value is None
            new.append(replace(goal, is_nullable=goal.is_nullable or bool(impossible)))
        if fate == "renamed":
            renames[name] = to
    old = old or [column(dialect, "z", INT)]
    new = draw(st.permutations(new or [column(dialect, "z", INT)]))
    came = {c.name for c in new} - {c.name for c in old} - set(renames.values())
    standing = draw(keyed(old, [c for c in old if c.type.kind not in ("boolean", "json")]))
    # a key of the wanted table must be one of the rows as well: none of a column that is filled with one value
    wanted = draw(
        keyed(new, [c for c in new if c.type.kind not in ("boolean", "json") and not (rows and c.name in came)])
    )
    kept = {renames.get(c.name, c.name): c for c in old}
    mixed = {c.name for c in new if c.name in kept and kept[c.name].type.kind in ("boolean", "json")}
    if rows and mixed & {*wanted.primary_key, *(n for key in wanted.unique_keys for n in key)}:
        wanted = replace(wanted, primary_key=(), unique_keys=())
    return standing, wanted, renames, rows


@st.composite
def columns(draw, dialect, name, kind):
    one = column(dialect, name, kind, is_nullable=draw(st.booleans()))
    literal = written(one.type.kind, draw(st.integers(0, 9)))
    default = draw(st.booleans()) and literal.isdigit() and one.type.kind in ("int16", "int32", "int64")
    return replace(one, default_value=literal if default else None)


@st.composite
def keyed(draw, columns, able):
    names = [c.name for c in able]
    some = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple) if names else st.just(())
    key = draw(st.one_of(st.just(()), some))
    unique = {k for k in draw(st.lists(some, max_size=2)) if k and k != key}
    columns = tuple(replace(c, is_nullable=c.is_nullable and c.name not in key) for c in columns)
    return TableMetadata(columns=columns, primary_key=key, unique_keys=tuple(sorted(unique)))


def values(standing, wanted, renames, rows):
    """NULL in every third row where both tables allow it."""
    goal = {c.name: c for c in wanted.columns}

    def one(column, row):
        to = goal.get(renames.get(column.name, column.name))
        if row % 3 == 2 and column.is_nullable and (to is None or to.is_nullable):
            return "NULL"
        text = written(column.type.kind, row * 2 + 1)
        return text.replace("{native}", column.data_type)

    return [{c.name: one(c, row) for c in standing.columns} for row in range(rows)]


def plain(value):
    """A value as it compares across types: numbers as numbers, clocks as timestamps, texts without padding."""
    if isinstance(value, str):
        value = value.rstrip()
        return Decimal(value) if re.fullmatch(r"\d+(\.\d+)?", value) else value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return Decimal(value)
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time())
    return str(value) if isinstance(value, UUID) else value


def leaves_the_wanted_table_and_all_rows(db, case):
    """The claim of this page, for one pair of tables."""
    standing, wanted, renames, count = case
    db.make(standing, values(standing, wanted, renames, count))
    before, was = db.rows(), db.stands()
    assert was == described(standing)
    found = db.migrate(standing, wanted, **renames)
    now, rows = db.stands(), db.rows()
    assert now == described(found.after)
    assert (sorted(now[0]), *now[1:]) == (sorted(described(wanted)[0]), *described(wanted)[1:])
    stayed = [renames.get(n, n) for n in standing.schema.names if wanted.column(renames.get(n, n))]
    assert [c[0] for c in now[0]] == stayed + [n for n in wanted.schema.names if n not in stayed]
    old = [{n: plain(row[o]) for o in row if (n := renames.get(o, o)) in stayed} for row in before]
    new = [{n: plain(row[n]) for n in stayed} for row in rows]
    assert sorted(old, key=str) == sorted(new, key=str)
    assert len(rows) == count


def test_random_pairs_of_tables(db):
    """Exactly the wanted schema, described back, and every value of every column that stayed."""

    @settings(max_examples=EXAMPLES)
    @given(pairs(db.dialect))
    def run(case):
        db.execute(f"DROP TABLE IF EXISTS {quote(T.table)}")
        leaves_the_wanted_table_and_all_rows(db, case)

    run()


def test_the_safe_part_of_a_migration_is_safe(db):
    """Without what breaks something, the way of random pairs is safe throughout, and comes as far as it says."""

    @settings(max_examples=EXAMPLES)
    @given(pairs(db.dialect))
    def run(case):
        standing, wanted, renames, count = case
        db.execute(f"DROP TABLE IF EXISTS {quote(T.table)}")
        db.make(standing, values(standing, wanted, renames, count))
        goal = as_far_as_safe(standing, migration(standing, wanted, db.dialect, T, renames=renames))
        found = db.migrate(standing, goal)
        assert found.safe, found.changes
        assert db.stands() == described(found.after)
        assert len(db.rows()) == count

    run()
