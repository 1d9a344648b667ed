"""Type maps: catalogue words to kinds and back, and the DDL that they make."""

from pathlib import Path

import duckdb
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import SchemaMismatch
from landbridge.schema import duckdb as duck
from landbridge.schema import postgres, snowflake
from landbridge.schema.fit import pair
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import folded

GOLDEN = Path(__file__).parent / "golden"

EVERY_KIND = TableSchema(
    (
        Column("yes", Type("boolean"), nullable=False),
        Column("small", Type("int16")),
        Column("middle", Type("int32")),
        Column("large", Type("int64"), nullable=False),
        Column("code", Type("decimal", 9, 0)),
        Column("price", Type("decimal", 18, 4)),
        Column("vast", Type("decimal", 50, 10)),
        Column("endless", Type("decimal")),
        Column("rough", Type("float32")),
        Column("fine", Type("float64")),
        Column("country", Type("char", length=2)),
        Column("title", Type("text", length=80)),
        Column('said "so"', Type("text")),
        Column("scan", Type("binary")),
        Column("day", Type("date")),
        Column("clock", Type("time", 6)),
        Column("clock_fine", Type("time", 9)),
        Column("wall_coarse", Type("timestamp", 3)),
        Column("wall", Type("timestamp", 6)),
        Column("wall_fine", Type("timestamp", 9)),
        Column("instant", Type("timestamptz", 6)),
        Column("instant_fine", Type("timestamptz", 9)),
        Column("document", Type("json")),
        Column("key", Type("uuid"), nullable=False),
    ),
    ("key", "large"),
)
SNOWFLAKE_COLUMNS = {
    "SECID": "VARCHAR(20)",
    "NAME": "VARCHAR(16777216)",
    "RANK": "NUMBER(4,0)",
    "SHARES": "NUMBER(18,0)",
    "ISSUED": "NUMBER(38,0)",
    "PRICE": "NUMBER(18,4)",
    "RATIO": "FLOAT",
    "ACTIVE": "BOOLEAN",
    "ListedOn": "DATE",
    "_TIMESTAMPFROM": "TIMESTAMP_NTZ(9)",
    "_LOADED": "TIMESTAMP_TZ(9)",
    "OPENS": "TIME(9)",
    "ATTRIBUTES": "VARIANT",
    "LOGO": "BINARY(8388608)",
    "PLACE": "GEOGRAPHY",
}
SECURITIES = folded(
    TableSchema(
        tuple(
            Column(name, snowflake.parse_type(native), nullable=name != "SECID", native=native)
            for name, native in SNOWFLAKE_COLUMNS.items()
        ),
        ("SECID",),
    )
)

POSTGRES_WORDS = {
    "boolean": Type("boolean"),
    "smallint": Type("int16"),
    "integer": Type("int32"),
    "bigint": Type("int64"),
    "numeric": Type("decimal"),
    "numeric(18,4)": Type("decimal", 18, 4),
    "numeric(5,-2)": Type("decimal", 5, -2),
    "real": Type("float32"),
    "double precision": Type("float64"),
    "character(3)": Type("char", length=3),
    "character varying(20)": Type("text", length=20),
    "character varying": Type("text"),
    "text": Type("text"),
    "bytea": Type("binary"),
    "date": Type("date"),
    "time without time zone": Type("time", 6),
    "time(3) without time zone": Type("time", 3),
    "timestamp without time zone": Type("timestamp", 6),
    "timestamp(0) without time zone": Type("timestamp", 0),
    "timestamp with time zone": Type("timestamptz", 6),
    "timestamp(3) with time zone": Type("timestamptz", 3),
    "json": Type("json"),
    "jsonb": Type("json"),
    "uuid": Type("uuid"),
}
POSTGRES_WITHOUT_KIND = [
    "integer[]",
    "numeric(18,4)[]",
    "timestamp(3) with time zone[]",
    '"char"',
    "name",
    "money",
    "interval",
    "bpchar",
    "bit(3)",
    "time with time zone",
]


@pytest.mark.parametrize(
    ("native", "rendered"),
    [
        ("NUMBER(4,0)", "SMALLINT"),
        ("DECIMAL(1,0)", "SMALLINT"),
        ("NUMBER(5,0)", "INTEGER"),
        ("NUMERIC(9,0)", "INTEGER"),
        ("NUMBER(10,0)", "BIGINT"),
        ("NUMBER(18)", "BIGINT"),
        ("NUMBER(19,0)", "NUMERIC(19,0)"),
        ("NUMBER(38,0)", "NUMERIC(38,0)"),
        ("NUMBER", "NUMERIC(38,0)"),
        ("NUMBER(None,0)", "NUMERIC(38,0)"),
        ("NUMBER(18,4)", "NUMERIC(18,4)"),
        ("number( 18 , 4 )", "NUMERIC(18,4)"),
        ("DECIMAL(4,4)", "NUMERIC(4,4)"),
        ("INT", "INTEGER"),
        ("INTEGER", "INTEGER"),
        ("BIGINT", "BIGINT"),
        ("SMALLINT", "SMALLINT"),
        ("TINYINT", "SMALLINT"),
        ("BYTEINT", "SMALLINT"),
        ("FLOAT", "DOUBLE PRECISION"),
        ("FLOAT8", "DOUBLE PRECISION"),
        ("DOUBLE", "DOUBLE PRECISION"),
        ("DOUBLE PRECISION", "DOUBLE PRECISION"),
        ("FLOAT4", "REAL"),
        ("REAL", "REAL"),
        ("VARCHAR(20)", "VARCHAR(20)"),
        ("VARCHAR(20) COLLATE 'en-ci'", "VARCHAR(20)"),
        ("VARCHAR(10485760)", "VARCHAR(10485760)"),
        ("VARCHAR(10485761)", "TEXT"),
        ("VARCHAR(16777216)", "TEXT"),
        ("VARCHAR", "TEXT"),
        ("CHAR(3)", "CHAR(3)"),
        ("CHARACTER(3)", "CHAR(3)"),
        ("CHAR", "CHAR(1)"),
        ("STRING", "TEXT"),
        ("TEXT", "TEXT"),
        ("BINARY", "BYTEA"),
        ("BINARY(8388608)", "BYTEA"),
        ("VARBINARY", "BYTEA"),
        ("BOOLEAN", "BOOLEAN"),
        ("DATE", "DATE"),
        ("TIME", "TIME"),
        ("TIME(9)", "TIME"),
        ("DATETIME", "TIMESTAMP"),
        ("TIMESTAMP", "TIMESTAMP"),
        ("TIMESTAMP_NTZ", "TIMESTAMP"),
        ("TIMESTAMP_NTZ(9)", "TIMESTAMP"),
        ("TIMESTAMP_NTZ(3)", "TIMESTAMP(3)"),
        ("TIMESTAMP_LTZ", "TIMESTAMP WITH TIME ZONE"),
        ("TIMESTAMP_TZ(9)", "TIMESTAMP WITH TIME ZONE"),
        ("VARIANT", "JSONB"),
        ("OBJECT", "JSONB"),
        ("ARRAY", "JSONB"),
        ("GEOGRAPHY", "TEXT"),
        ("VECTOR(FLOAT, 256)", "TEXT"),
        ("", "TEXT"),
    ],
)
def test_snowflake_type_becomes_postgres_type(native, rendered):
    """Every row of the type map of seed 000, section 0.5."""
    assert postgres.render_type(snowflake.parse_type(native)) == rendered


def test_a_decimal_without_a_bound_is_numeric():
    """No precision beside scale 0 is no crash: an unknown bound is no bound."""
    assert postgres.render_type(Type("decimal", None, 0)) == "NUMERIC"


@pytest.mark.parametrize(
    ("native", "precision"), [("TIMESTAMP_NTZ", 9), ("TIMESTAMP_TZ(7)", 9), ("TIME(6)", 6), ("TIMESTAMP_LTZ(0)", 0)]
)
def test_snowflake_clocks_have_nine_digits_unless_they_say_fewer(native, precision):
    """Above microseconds a clock is kept to the nanosecond."""
    assert snowflake.parse_type(native).precision == precision


@pytest.mark.parametrize(("native", "expected"), POSTGRES_WORDS.items())
def test_postgres_catalogue_words(native, expected):
    """What format_type() writes is the kind that it means."""
    assert postgres.parse_type(native) == expected


@pytest.mark.parametrize(
    "native", [*POSTGRES_WITHOUT_KIND, "mood", 'other."odd(3)"', "numeric(1,2,3,4)x", "", "((", ")"]
)
def test_postgres_types_without_a_kind_are_text(native):
    """Arrays, enums, domains and the rest never crash and never pass for a kind."""
    assert postgres.parse_type(native) == Type("text")


@pytest.mark.parametrize(
    ("native", "expected"),
    [
        ("TINYINT", Type("int16")),
        ("UTINYINT", Type("int16")),
        ("USMALLINT", Type("int32")),
        ("UINTEGER", Type("int64")),
        ("UBIGINT", Type("decimal", 20, 0)),
        ("HUGEINT", Type("decimal", 39, 0)),
        ("UHUGEINT", Type("decimal", 39, 0)),
        ("DECIMAL(18,4)", Type("decimal", 18, 4)),
        ("VARCHAR", Type("text")),
        ("TIMESTAMP_S", Type("timestamp", 0)),
        ("TIMESTAMP_MS", Type("timestamp", 3)),
        ("TIMESTAMP", Type("timestamp", 6)),
        ("TIMESTAMP_NS", Type("timestamp", 9)),
        ("TIMESTAMP WITH TIME ZONE", Type("timestamptz", 6)),
        ("TIME", Type("time", 6)),
        ("TIME_NS", Type("time", 9)),
        ("TIME WITH TIME ZONE", Type("text")),
        ("INTERVAL", Type("text")),
        ("BIT", Type("text")),
        ("ENUM('a', 'b)')", Type("text")),
        ("INTEGER[]", Type("json")),
        ("INTEGER[3]", Type("json")),
        ("STRUCT(a DECIMAL(3,2), b INTEGER)", Type("json")),
        ("MAP(INTEGER, VARCHAR)", Type("json")),
        ("UNION(a INTEGER, b VARCHAR)", Type("json")),
        ("JSON", Type("json")),
    ],
)
def test_duckdb_catalogue_words(native, expected):
    """The words come from a real catalogue, and mean the kind that docs/types.md says."""
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t (c {native})")
        words = db.execute("SELECT data_type FROM duckdb_columns() WHERE table_name = 't'").fetchone()[0]
    assert words == native
    assert duck.parse_type(words) == expected


def types(*, max_decimal, clocks, precision_of_scale_0):
    """Types that a dialect renders without widening them."""
    kinds = ("boolean", "int16", "int32", "int64", "float32", "float64", "binary", "date", "json", "uuid", "text")
    decimals = st.integers(0, max_decimal).flatmap(
        lambda scale: st.builds(
            Type,
            st.just("decimal"),
            precision=st.integers(max(1, scale) if scale else precision_of_scale_0, max_decimal),
            scale=st.just(scale),
        )
    )
    return st.one_of(st.sampled_from(kinds).map(Type), decimals, st.sampled_from(clocks))


POSTGRES_TYPES = types(
    max_decimal=1000,
    clocks=[Type(kind, p) for kind in ("time", "timestamp", "timestamptz") for p in range(7)],
    precision_of_scale_0=19,
) | st.sampled_from([Type("decimal"), Type("char", length=3), Type("text", length=1), Type("text", length=10485760)])
DUCKDB_TYPES = types(
    max_decimal=38,
    clocks=[Type("time", 6), Type("time", 9), Type("timestamp", 6), Type("timestamp", 9), Type("timestamptz", 6)],
    precision_of_scale_0=1,
)


@given(POSTGRES_TYPES)
def test_postgres_reads_back_what_it_writes(kind):
    """Exceptions: an integer decimal up to 18 digits becomes an integer, nine clock digits six, long text TEXT."""
    assert postgres.parse_type(postgres.render_type(kind)) == kind


@given(DUCKDB_TYPES)
def test_duckdb_reads_back_what_it_writes(kind):
    """Exceptions: lengths, char, decimals above 38 digits become VARCHAR; clocks below 9 digits, and zoned ones, 6."""
    assert duck.parse_type(duck.render_type(kind)) == kind


@given(st.text())
def test_no_catalogue_word_crashes(native):
    """Whatever a catalogue writes has a kind."""
    for dialect in (postgres, duck, snowflake):
        assert isinstance(dialect.parse_type(native), Type)


@pytest.mark.parametrize(
    ("golden", "dialect", "schema"),
    [
        ("every_kind.postgres.sql", postgres, EVERY_KIND),
        ("every_kind.duckdb.sql", duck, EVERY_KIND),
        ("securities.postgres.sql", postgres, SECURITIES),
        ("securities.duckdb.sql", duck, SECURITIES),
    ],
)
def test_ddl_is_as_agreed(golden, dialect, schema):
    """CREATE TABLE is the golden file, to the letter."""
    relation = Relation(golden.split(".")[0], "main" if dialect is duck else "public")
    assert dialect.create_table(relation, schema) + ";\n" == (GOLDEN / golden).read_text()


@pytest.mark.parametrize("schema", [EVERY_KIND, SECURITIES])
def test_duckdb_table_takes_the_schema_it_was_made_for(schema):
    """A table that we create in DuckDB refuses none of the columns that it was created for."""
    with duckdb.connect() as db:
        db.execute(duck.create_table(Relation("t"), schema))
        db.execute(duck.create_table(Relation("t"), schema))
        rows = db.execute("SELECT column_name, data_type, is_nullable FROM duckdb_columns() ORDER BY column_index")
        made = TableSchema(tuple(Column(n, duck.parse_type(t), nullable, t) for n, t, nullable in rows.fetchall()))
    assert [pairing.target.name for pairing in pair(schema, made)] == list(schema.names)


def postgres_columns(connection, table):
    """The catalogue's columns of `table`, types as format_type() writes them."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum",
        [table],
    )
    return tuple(Column(n, postgres.parse_type(t), nullable, t) for n, t, nullable in rows.fetchall())


@pytest.mark.parametrize("schema", [EVERY_KIND, SECURITIES])
def test_postgres_table_takes_the_schema_it_was_made_for(schema, pg_url):
    """The same for a real PostgreSQL."""
    with psycopg.connect(pg_url) as connection:
        connection.execute(postgres.create_table(Relation("t"), schema))
        connection.execute(postgres.create_table(Relation("t"), schema))
        made = TableSchema(postgres_columns(connection, "t"))
    assert [pairing.target.name for pairing in pair(schema, made)] == list(schema.names)


def test_postgres_words_are_those_of_a_real_catalogue(pg_url):
    """The words that the tests above parse are the ones that format_type() writes."""
    words = [*POSTGRES_WORDS, *POSTGRES_WITHOUT_KIND]
    with psycopg.connect(pg_url) as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'c{i} {word}' for i, word in enumerate(words))})")
        assert [column.native for column in postgres_columns(connection, "t")] == words


@pytest.mark.parametrize(
    ("column", "value", "stored"),
    [
        ("numeric(10,2)", "1.239", "1.24"),
        ("timestamp(3)", "2024-01-01 00:00:00.0009", "2024-01-01 00:00:00.001"),
        ("timestamp", "2024-01-01 00:00:00.0000009", "2024-01-01 00:00:00.000001"),
        ("character(3)", "a", "a  "),
        ("varchar(2)", "ab   ", "ab"),
    ],
)
def test_postgres_alters_silently_what_docs_types_guards(column, value, stored, pg_url):
    """Why these fits are refused, or checked before the server sees the value: it raises nothing."""
    with psycopg.connect(pg_url) as connection:
        connection.execute(f"CREATE TABLE t (c {column})")
        connection.execute(f"INSERT INTO t VALUES ('{value}')")
        assert connection.execute("SELECT format('%s', c) FROM t").fetchone()[0] == stored


def test_postgres_refuses_names_that_it_would_cut():
    """Two long names must not meet in their first 63 bytes; 63 bytes are fine."""
    column = Column("ä" * 32, Type("text"))
    with pytest.raises(SchemaMismatch, match="63 bytes"):
        postgres.create_table(Relation("t"), TableSchema((column,)))
    with pytest.raises(SchemaMismatch, match="63 bytes"):
        postgres.create_table(Relation("t" * 64), TableSchema(()))
    assert "t" * 63 in postgres.create_table(Relation("t" * 63), TableSchema(()))
