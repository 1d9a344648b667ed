"""The DDL of a target table, whole: golden files, real databases, and what nobody may smuggle into it."""

from dataclasses import replace
from pathlib import Path

import duckdb
import psycopg
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from landbridge.errors import SchemaMismatch
from landbridge.schema import duckdb as duck
from landbridge.schema import postgres
from landbridge.schema.dialects import TARGETS
from landbridge.schema.fit import pair
from landbridge.schema.metadata import ColumnMetadata, ForeignKey, TableMetadata
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import fold
from landbridge.schema.table_ddl import table_ddl

GOLDEN = Path(__file__).parent / "golden"
PLACES = {"postgres": "public", "duckdb": "main", "mysql": "shop", "snowflake": "PUBLIC"}


def column(name, data_type, kind, default=None, **more):
    return ColumnMetadata(name=name, data_type=data_type, type=kind, default_value=default, **more)


EVERYTHING = TableMetadata(
    columns=(
        column("ID", "bigint", Type("int64"), identity="always", is_nullable=False),
        column("Kind of", "character(2)", Type("char", length=2), "'CA'::bpchar", is_nullable=False),
        column("yes", "boolean", Type("boolean"), "true"),
        column("small", "smallint", Type("int16"), "'-1'::integer"),
        column("middle", "integer", Type("int32"), "nextval('other_seq'::regclass)"),
        column("counter", "integer", Type("int32"), identity="by default", is_nullable=False),
        column("price", "numeric(18,4)", Type("decimal", 18, 4), "0.50"),
        column("vast", "numeric(50,10)", Type("decimal", 50, 10), "1.5"),
        column("endless", "numeric", Type("decimal"), "1.50"),
        column("rough", "real", Type("float32"), "'0.5'::real"),
        column("fine", "double precision", Type("float64"), "0.1"),
        column("title", "character varying(80)", Type("text", length=80), "'it''s'::character varying"),
        column('said `"so"`', "text", Type("text"), r"'\'::text", comment="two\nlines, a 'quote' and a \\"),
        column("tags", "text[]", Type("text"), "'{}'::text[]"),
        column("status", "status", Type("text"), "'new'::status"),
        column("scan", "bytea", Type("binary"), r"'\x00'::bytea"),
        column("day", "date", Type("date"), "CURRENT_DATE"),
        column("clock", "time without time zone", Type("time", 6), "LOCALTIME"),
        column("wall_coarse", "timestamp(3) without time zone", Type("timestamp", 3), "CURRENT_TIMESTAMP(3)"),
        column("wall_utc", "timestamp without time zone", Type("timestamp", 6), "(now() AT TIME ZONE 'utc'::text)"),
        column("instant", "timestamp with time zone", Type("timestamptz", 6), "now()", is_nullable=False),
        column(
            "until",
            "timestamp with time zone",
            Type("timestamptz", 6),
            "'9000-01-01 00:00:00+00'::timestamp with time zone",
        ),
        column("document", "jsonb", Type("json"), "'{}'::jsonb"),
        column("key", "uuid", Type("uuid"), "gen_random_uuid()", is_nullable=False),
        column("nothing", "text", Type("text"), "NULL::text", comment="; DROP TABLE x; --"),
    ),
    primary_key=("ID", "Kind of"),
    unique_keys=(("Kind of", "ID"), ("key",), ("title", "day")),
    foreign_keys=(ForeignKey(("title",), Relation("titles", "public", "shop"), ("name",)),),
    comment="all there is",
)
INDEXES = ("DAY", 'said `"so"`', "kind OF", "day", "id")
REMARKS = ("source: shop.public.everything", "extracted at 2026-11-21T18:30:00Z")


def ddl_of(dialect, table=EVERYTHING, *, relation=None, source="postgres", indexes=INDEXES, remarks=REMARKS):
    place = relation or Relation("everything", PLACES[dialect])
    return table_ddl(dialect, place, table, source_dialect=source, indexes=indexes, remarks=remarks)


@pytest.mark.parametrize("dialect", TARGETS)
def test_it_is_as_agreed(dialect):
    """To the letter the golden file."""
    assert ddl_of(dialect) == (GOLDEN / f"everything.{dialect}.sql").read_text()


@pytest.mark.parametrize("dialect", TARGETS)
def test_it_is_sql_of_its_dialect(dialect):
    """For MySQL and Snowflake this is all that is checked: sqlglot reads it as theirs; neither server runs here."""
    first, *others = [one for one in sqlglot.parse(ddl_of(dialect), read=dialect) if not isinstance(one, exp.Semicolon)]
    assert isinstance(first, exp.Create)
    assert len(list(first.this.find_all(exp.ColumnDef))) == len(EVERYTHING.columns)
    assert {type(one) for one in others} <= {exp.Create, exp.Comment}


def test_postgres_makes_it(pg_url):
    """Run twice, described back: columns, NOT NULL, identity, keys, indexes, comments, and a row of defaults."""
    with psycopg.connect(pg_url, autocommit=True) as db:
        for _ in range(2):
            db.execute(ddl_of("postgres"))
        made = db.execute(
            "SELECT attname, attnotnull, attidentity, col_description(attrelid, attnum),"
            " format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'everything'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        assert [one[:4] for one in made] == [
            (c.name.replace("ID", "id"), not c.is_nullable, "d" if c.identity else "", c.comment)
            for c in EVERYTHING.columns
        ]
        types = tuple(Column(name, postgres.parse_type(word), native=word) for name, *_, word in made)
        assert len(pair(EVERYTHING.schema, TableSchema(types))) == len(types)
        indexes = db.execute("SELECT indexname, indexdef FROM pg_indexes ORDER BY 1").fetchall()
        assert [name for name, _ in indexes if not name.startswith("pg_")] == [
            "everything_pkey",
            "idx_everything_Kind of",
            "idx_everything_day",
            "idx_everything_id",
            'idx_everything_said `"so"`',
            "uq_everything_key",
            "uq_everything_title_day",
        ]
        assert db.execute("SELECT obj_description('everything'::regclass)").fetchone() == ("all there is",)
        db.execute("INSERT INTO everything DEFAULT VALUES")
        db.execute("INSERT INTO everything (id, counter, title) VALUES (77, 78, 'x')")  # as a load does
        row = 'SELECT "Kind of", yes, small, price::text, title, "said `""so""`", document::text FROM everything'
        assert db.execute(row).fetchone() == ("CA", True, -1, "0.5000", "it's", "\\", "{}")


def test_duckdb_makes_it():
    """The same for a real DuckDB, which has no identity: the numbers are the load's."""
    with duckdb.connect() as db:
        for _ in range(2):
            db.execute(ddl_of("duckdb"))
        about = "SELECT column_name, is_nullable, comment, data_type FROM duckdb_columns() WHERE NOT internal"
        made = db.execute(f"{about} ORDER BY column_index").fetchall()
        types = tuple(Column(name, duck.parse_type(word), native=word) for name, *_, word in made)
        assert len(pair(EVERYTHING.schema, TableSchema(types))) == len(types)
        assert [one[:3] for one in made] == [
            (c.name.replace("ID", "id"), c.is_nullable, c.comment) for c in EVERYTHING.columns
        ]
        keys = "SELECT constraint_text FROM duckdb_constraints() WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE')"
        assert {text for (text,) in db.execute(keys).fetchall()} == {
            'PRIMARY KEY(id, "Kind of")',
            'UNIQUE("key")',
            'UNIQUE(title, "day")',
        }
        indexes = db.execute("SELECT index_name FROM duckdb_indexes() ORDER BY 1").fetchall()
        assert [name for (name,) in indexes] == [
            "idx_everything_Kind of",
            "idx_everything_day",
            "idx_everything_id",
            'idx_everything_said `"so"`',
        ]
        assert db.execute("SELECT comment FROM duckdb_tables()").fetchone() == ("all there is",)
        db.execute("INSERT INTO everything (id, counter) VALUES (77, 78)")
        row = 'SELECT "Kind of", yes, small, price, title, "said `""so""`", CAST(document AS VARCHAR) FROM everything'
        assert [str(value) for value in db.execute(row).fetchone()] == [
            "CA",
            "True",
            "-1",
            "0.5000",
            "it's",
            "\\",
            "{}",
        ]


def test_the_same_every_time():
    """A file is written only when its table has changed, so the same table must give the same bytes."""
    assert ddl_of("mysql") == ddl_of("mysql")


def test_no_index_on_the_whole_primary_key():
    """It has one already, whatever the case of the name."""
    table = TableMetadata(columns=(column("ID", "bigint", Type("int64")),), primary_key=("ID",))
    assert "INDEX" not in ddl_of("postgres", table, indexes=["id", "Id"])


def test_an_index_on_an_unknown_column():
    """All of them at once, with what was meant."""
    with pytest.raises(SchemaMismatch) as caught:
        ddl_of("snowflake", indexes=["titel", "nowhere"])
    assert caught.value.message.splitlines()[0] == "no column 'titel' to index; did you mean 'TITLE'?"
    assert len(caught.value.message.splitlines()) == 2
    assert "indexes" in caught.value.hint


def test_the_very_name_comes_first():
    """Of two columns that differ in case only, an index is on the one that is spelt so."""
    table = TableMetadata(columns=tuple(column(name, "date", Type("date")) for name in ("Day", "DAY")))
    assert '("day")' in ddl_of("postgres", table, indexes=["day"])
    assert '("Day")' in ddl_of("postgres", table, indexes=["Day"])
    assert '("Day")' in ddl_of("postgres", table, indexes=["dAY"])
    for dialect in ("duckdb", "mysql"):
        with pytest.raises(SchemaMismatch, match="columns Day and day have one name"):
            ddl_of(dialect, table, indexes=[])


@pytest.mark.parametrize(("dialect", "size"), [("postgres", lambda x: len(x.encode())), ("mysql", len)])
def test_long_names_stay_different(dialect, size):
    """Names of indexes and constraints are cut to what the database keeps, each in its own way."""
    names = [f"{'ä' * 25}_{number}" for number in range(3)]
    table = TableMetadata(
        columns=tuple(column(name, "date", Type("date")) for name in names), unique_keys=((names[0], names[1]),)
    )
    text = ddl_of(dialect, table, relation=Relation("t" * 40), indexes=names)
    (made, *others) = sqlglot.parse(text, read=dialect)
    found = {
        x.name for one in (made, *others) if one for x in one.find_all(exp.Identifier) if x.name[:3] in ("idx", "uq_")
    }
    assert len(found) == 4
    assert all(size(name) <= {"postgres": 63, "mysql": 64}[dialect] for name in found)


def test_identity_where_there_is_none():
    """Decimals count nowhere but in Snowflake; MySQL counts one column, that leads a key."""
    table = TableMetadata(
        columns=(
            column("n", "NUMBER(38,0)", Type("decimal", 38, 0), identity="by default"),
            column("i", "bigint", Type("int64"), identity="always"),
        ),
        primary_key=("i",),
    )
    texts = {dialect: ddl_of(dialect, table, indexes=[]) for dialect in TARGETS}
    left_out = {dialect: [line for line in text.splitlines() if "identity" in line] for dialect, text in texts.items()}
    n, i = "-- left out: identity (by default) of n", "-- left out: identity (always) of i"
    assert left_out == {"postgres": [n], "duckdb": [n, i], "mysql": [n, i], "snowflake": []}


def test_a_default_of_a_type_that_is_only_read_as_text():
    """An interval of 24 hours arrives as `24:00:00`; its default would stay `24 hours`."""
    table = TableMetadata(
        columns=(
            column("i", "INTERVAL", Type("text"), "'24 hours'"),
            column("l", "VARCHAR[]", Type("json"), "'[1, 2]'"),
            column("e", "ENUM('a', 'b')", Type("text"), "'a'"),
        )
    )
    text = ddl_of("postgres", table, source="duckdb", indexes=[])
    assert "-- left out: default of i, in duckdb '24 hours'\n-- left out: default of l" in text
    assert "\"e\" TEXT DEFAULT 'a'" in text


def test_long_comments_of_mysql():
    """What it would refuse becomes a comment line."""
    table = TableMetadata(columns=(column("c", "date", Type("date"), comment="x" * 1025),), comment="y" * 2049)
    text = ddl_of("mysql", table, indexes=[])
    assert "COMMENT" not in text
    assert f"-- comment of c: {'x' * 1025}\n-- comment: {'y' * 2049}\n" in text
    table = replace(table, columns=(column("c", "date", Type("date"), comment="x" * 1024),), comment="y" * 2048)
    assert ddl_of("mysql", table, indexes=[]).count("COMMENT") == 2


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800"])
@pytest.mark.parametrize("dialect", TARGETS)
def test_names_that_no_sql_holds(dialect, name):
    """Also of the table itself."""
    with pytest.raises(SchemaMismatch, match="not a name"):
        ddl_of(dialect, TableMetadata(columns=(column(name, "date", Type("date")),)), indexes=[])
    with pytest.raises(SchemaMismatch, match="not a name"):
        ddl_of(dialect, relation=Relation(name))


def test_a_key_of_a_column_that_is_not_there():
    """Who leaves a column out leaves its keys out too."""
    with pytest.raises(SchemaMismatch, match="a key names column 'gone'"):
        ddl_of("duckdb", replace(EVERYTHING, unique_keys=(("gone",),)))


NASTY = st.text("'\"`\\;-/*\n\r\u2028 .,()xX", min_size=1, max_size=8) | st.text(
    st.characters(codec="utf-8"), min_size=1, max_size=8
)
WRONG = NASTY | st.sampled_from(["\0", "x\ud800"])


@settings(max_examples=300)
@given(NASTY, WRONG, WRONG, st.sampled_from(sorted(TARGETS)))
def test_nothing_gets_out_of_its_quotes(name, text, default, dialect):
    """Names, comments, defaults, remarks: one table comes out, with one column, and nothing beside its comments.

    MySQL and Snowflake are judged by sqlglot, whose reading of quotes and escapes is its own.
    """
    table = TableMetadata(
        columns=(column(name, "text", Type("text", length=100), default, comment=text),),
        comment=text,
        foreign_keys=(ForeignKey((name,), Relation(text, name), (text,)),),
    )
    try:
        script = ddl_of(dialect, table, relation=Relation(f"t{name}"), indexes=[name], remarks=[text])
    except SchemaMismatch:
        return
    statements = [one for one in sqlglot.parse(script, read=dialect) if one and not isinstance(one, exp.Semicolon)]
    kinds = [(type(one), one.args["kind"]) for one in statements]
    assert kinds[0] == (exp.Create, "TABLE")
    assert set(kinds[1:]) <= {(exp.Create, "INDEX"), (exp.Comment, "TABLE"), (exp.Comment, "COLUMN")}
    assert len(list(statements[0].find_all(exp.ColumnDef))) == 1


@given(NASTY, WRONG, WRONG)
def test_duckdb_reads_back_what_was_said(name, text, default):
    """The same by a real parser: the name and the comment arrive to the letter, and the default as the text it is."""
    quoted = "'" + default.replace("'", "''") + "'"
    table = TableMetadata(columns=(column(name, "text", Type("text"), quoted, comment=text),), comment=text)
    try:
        script = ddl_of("duckdb", table, relation=Relation("t"), indexes=[name], remarks=[text])
    except SchemaMismatch:
        return
    clean = "\0" not in text and "\ud800" not in text
    known = "\0" not in default and "\ud800" not in default
    with duckdb.connect() as db:
        db.execute(script)
        found = db.execute("SELECT column_name, comment FROM duckdb_columns() WHERE NOT internal").fetchall()
        assert found == [(fold(name), text if clean else None)]
        db.execute("INSERT INTO t DEFAULT VALUES")
        assert db.execute("FROM t").fetchall() == [(default if known else None,)]
