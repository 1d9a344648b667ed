"""Defaults in another dialect: what is written, and all that is not."""

import duckdb
import psycopg
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from landbridge.schema.defaults import RENDER, translated
from landbridge.schema.model import Type

TARGETS = ("postgres", "duckdb", "mysql", "snowflake")

NOW = ("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP", "(CURRENT_TIMESTAMP(6))")
NOW_6 = (*NOW, "CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_NTZ(6))")
INSTANT = (*NOW[:2], "(UTC_TIMESTAMP(6))", "CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_LTZ(6))")
UTC = "(CURRENT_TIMESTAMP AT TIME ZONE 'UTC')"
UTC_6 = (UTC, UTC, "(UTC_TIMESTAMP(6))", "CAST(SYSDATE() AS TIMESTAMP_NTZ(6))")
TODAY = ("CURRENT_DATE", "CURRENT_DATE", "(CURRENT_DATE)", "CURRENT_DATE()")
TIME = ("LOCALTIME", "CAST(CURRENT_TIME AS TIME)", "(CURRENT_TIME(6))", "CAST(CURRENT_TIME() AS TIME(6))")
CHANCE = ("gen_random_uuid()", "uuid()", None, "UUID_STRING()")
NIL = "00000000-0000-0000-0000-000000000000"


def same(text):
    """What stands as it is everywhere, in MySQL in parentheses."""
    return (text, text, f"({text})", text)


def cast(text, word):
    """The same, but Snowflake asks for the column's own type."""
    return (text, text, f"({text})", f"CAST({text} AS {word})")


TEXT, WALL, ZONED = Type("text"), Type("timestamp", 6), Type("timestamptz", 6)
KNOWN = [
    # PostgreSQL, as pg_get_expr() writes them
    ("postgres", "'x'::character varying", Type("text", length=3), same("'x'")),
    ("postgres", "''::text", TEXT, same("''")),
    ("postgres", "'now'::text", TEXT, same("'now'")),
    ("postgres", "'it''s'::text", TEXT, same("'it''s'")),
    ("postgres", "'CA'::bpchar", Type("char", length=2), same("'CA'")),
    ("postgres", "NULL::character varying", TEXT, ("NULL",) * 4),
    ("postgres", "0", Type("int32"), same("0")),
    ("postgres", "'-5'::integer", Type("int32"), same("-5")),
    ("postgres", "(-5)", Type("int16"), same("-5")),
    ("postgres", "'9223372036854775807'::bigint", Type("int64"), same("9223372036854775807")),
    ("postgres", "1.50", Type("decimal", 10, 2), same("1.50")),
    ("postgres", "1.50", Type("decimal"), ("1.50", "1.50", "('1.50')", "'1.50'")),
    ("postgres", "'0.1'::double precision", Type("float64"), cast("0.1", "FLOAT")),
    ("postgres", "0.5::real", Type("float32"), cast("0.5", "FLOAT")),
    ("postgres", "true", Type("boolean"), same("TRUE")),
    ("postgres", "now()", WALL, NOW_6),
    ("postgres", "CURRENT_TIMESTAMP", ZONED, INSTANT),
    ("postgres", "LOCALTIMESTAMP", WALL, NOW_6),
    (
        "postgres",
        "CURRENT_TIMESTAMP(3)",
        Type("timestamp", 3),
        (*NOW[:2], "(CURRENT_TIMESTAMP(3))", "CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_NTZ(3))"),
    ),
    ("postgres", "(now() AT TIME ZONE 'utc'::text)", WALL, UTC_6),
    ("postgres", "timezone('utc'::text, now())", WALL, UTC_6),
    ("postgres", "CURRENT_DATE", Type("date"), TODAY),
    ("postgres", "LOCALTIME", Type("time", 6), TIME),
    ("postgres", "gen_random_uuid()", Type("uuid"), CHANCE),
    ("postgres", "(gen_random_uuid())::text", TEXT, CHANCE),
    ("postgres", f"'{NIL}'::uuid", Type("uuid"), same(f"'{NIL}'")),
    ("postgres", "'2024-01-31'::date", Type("date"), cast("'2024-01-31'", "DATE")),
    (
        "postgres",
        "'2024-01-31 10:00:00'::timestamp without time zone",
        WALL,
        cast("'2024-01-31 10:00:00'", "TIMESTAMP_NTZ(6)"),
    ),
    (
        "postgres",
        "'2024-01-31 00:30:00+05:30'::timestamp with time zone",
        ZONED,
        ("'2024-01-31 00:30:00+05:30'",) * 2
        + ("('2024-01-30 19:00:00')", "CAST('2024-01-31 00:30:00+05:30' AS TIMESTAMP_LTZ(6))"),
    ),
    ("postgres", "'10:00:00.5'::time without time zone", Type("time", 6), cast("'10:00:00.5'", "TIME(6)")),
    (
        "postgres",
        "'{\"a\": 1.50}'::jsonb",
        Type("json"),
        ("'{\"a\": 1.50}'",) * 2 + ("(CAST('{\"a\": 1.50}' AS JSON))", None),
    ),
    # DuckDB, as duckdb_columns() writes them
    ("duckdb", "'x'", TEXT, same("'x'")),
    ("duckdb", r"'a\b'", TEXT, (r"'a\b'", r"'a\b'", r"('a\\b')", r"'a\\b'")),
    ("duckdb", "CAST('t' AS BOOLEAN)", Type("boolean"), same("TRUE")),
    ("duckdb", "1e5", Type("float64"), cast("1e5", "FLOAT")),
    ("duckdb", "now()", ZONED, INSTANT),
    ("duckdb", "get_current_timestamp()", ZONED, INSTANT),
    ("duckdb", "timezone('UTC', current_timestamp)", WALL, UTC_6),
    ("duckdb", "today()", Type("date"), TODAY),
    ("duckdb", "current_time", Type("time", 6), TIME),
    ("duckdb", "uuid()", Type("uuid"), CHANCE),
    ("duckdb", "CAST('2024-01-31 10:00:00' AS TIMESTAMP)", WALL, cast("'2024-01-31 10:00:00'", "TIMESTAMP_NTZ(6)")),
    # MySQL
    ("mysql", "_utf8mb4'x'", TEXT, same("'x'")),
    ("mysql", "0", Type("boolean"), same("FALSE")),
    ("mysql", "now(6)", WALL, NOW_6),
    (
        "mysql",
        "CURRENT_TIMESTAMP",
        Type("timestamptz", 0),
        (*NOW[:2], "(UTC_TIMESTAMP(0))", "CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_LTZ(0))"),
    ),
    ("mysql", "utc_timestamp(6)", WALL, UTC_6),
    ("mysql", "curdate()", Type("date"), TODAY),
    # Snowflake
    ("snowflake", "'x'", Type("text", length=10), same("'x'")),
    ("snowflake", "CURRENT_TIMESTAMP()", ZONED, INSTANT),
    (
        "snowflake",
        "CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_NTZ(9))",
        Type("timestamp", 9),
        (*NOW, "CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_NTZ(9))"),
    ),
    ("snowflake", "SYSDATE()", WALL, UTC_6),
    ("snowflake", "CURRENT_DATE()", Type("date"), TODAY),
    ("snowflake", "CURRENT_TIME()", Type("time", 6), TIME),
    ("snowflake", "UUID_STRING()", Type("text", length=36), CHANCE),
    ("snowflake", "0.50", Type("decimal", 10, 2), same("0.50")),
]
UNKNOWN = [
    ("postgres", "nextval('s'::regclass)", Type("int64")),
    ("postgres", "my_function()", TEXT),
    ("postgres", "public.now()", ZONED),
    ("postgres", "now() - '1 day'::interval", ZONED),
    ("postgres", "('a'::text || 'b'::text)", TEXT),
    ("postgres", "'a' 'b'", TEXT),
    ("postgres", "CURRENT_USER", TEXT),
    ("postgres", "other_column", TEXT),
    ("postgres", "1; DROP TABLE t", Type("int32")),
    ("postgres", "1) ; DROP TABLE t; --", Type("int32")),
    ("postgres", "", TEXT),
    ("postgres", "'open", TEXT),
    ("postgres", "'a\0b'", TEXT),
    ("postgres", "('now'::text)::date", Type("date")),
    ("postgres", "'now'::timestamp", WALL),
    ("postgres", "'infinity'::timestamp without time zone", WALL),
    ("postgres", "'2024-02-30'::date", Type("date")),
    ("postgres", "'2024-01-31 00:00:00'", ZONED),  # in whose zone?
    ("postgres", "'2024-01-31 00:00:00+02'", WALL),  # PostgreSQL would drop the zone
    ("postgres", "'2024-01-31 00:00:00.1234567'", WALL),
    ("postgres", "'2024-01-31 00:00:00.1234'", Type("timestamp", 3)),
    ("postgres", "'2024-01-31 00:00:00'::timestamp without time zone", ZONED),
    ("postgres", "CURRENT_TIMESTAMP(0)", WALL),
    ("postgres", "now()", Type("date")),
    ("postgres", "now() AT TIME ZONE 'Europe/Paris'", WALL),
    ("postgres", "clock_timestamp()", ZONED),
    ("postgres", "(now())::text", TEXT),
    ("postgres", "1.505", Type("decimal", 10, 2)),
    ("postgres", "1.5", Type("int32")),
    ("postgres", "1.567::numeric(10,2)", Type("decimal", 10, 3)),
    ("postgres", "0.1::real", Type("float64")),
    ("postgres", "32768", Type("int16")),
    ("postgres", "1e5", Type("decimal", 10, 2)),
    ("postgres", "'NaN'::double precision", Type("float64")),
    ("postgres", "- -5", Type("int32")),
    ("postgres", "'abcd'::character varying", Type("text", length=3)),
    ("postgres", "'ab'::char", Type("text")),
    ("postgres", "'x'::my_enum", TEXT),
    ("postgres", "'{}'::integer[]", TEXT),
    ("postgres", "'1 day'::interval", TEXT),
    ("postgres", r"'\x00'::bytea", Type("binary")),
    ("postgres", r"E'a\\b'::text", TEXT),
    ("postgres", "B'101'", TEXT),
    ("postgres", "'{'::jsonb", Type("json")),
    ("postgres", "'NaN'::jsonb", Type("json")),
    ("postgres", r"""'"\u0000"'::jsonb""", Type("json")),
    ("postgres", "gen_random_uuid()", Type("text", length=35)),
    ("postgres", "uuid_generate_v1()", Type("uuid")),
    ("mysql", "CAST('1.5' AS DECIMAL)", Type("decimal", 18, 3)),  # of how many digits is not written
    ("duckdb", "TRY_CAST('1' AS INTEGER)", Type("int32")),
    ("duckdb", "[1, 2]", Type("json")),
    ("mysql", "uuid()", Type("text")),
    ("mysql", r"'a\'b'", TEXT),
    ("mysql", "b'1'", Type("boolean")),
    ("mysql", "CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP", WALL),
    ("snowflake", "S.NEXTVAL", Type("int64")),
    ("snowflake", r"'a\'b'", TEXT),
    ("snowflake", "PARSE_JSON('{}')", Type("json")),
    ("oracle", "1", Type("int32")),
]


@pytest.mark.parametrize(("source", "expression", "kind", "expected"), KNOWN)
def test_known_defaults(source, expression, kind, expected):
    """Each form of each source, in every target."""
    assert tuple(translated(expression, source, target, kind) for target in TARGETS) == expected


@pytest.mark.parametrize(("source", "expression", "kind"), UNKNOWN)
def test_all_others_are_not_written(source, expression, kind):
    """What might mean something else, or break out, has no translation into any dialect."""
    assert {translated(expression, source, target, kind) for target in TARGETS} == {None}


def test_an_instant_that_has_no_utc():
    """MySQL's column is UTC, whose calendar ends in the year 9999."""
    last = ("'9999-12-31 23:30:00-05:00'", "postgres")
    assert translated(*last, "postgres", ZONED) == "'9999-12-31 23:30:00-05:00'"
    assert translated(*last, "mysql", ZONED) is None


def test_absurdly_deep_or_long_texts_are_not_read():
    """Neither the parser's stack nor anybody's time runs out."""
    for text in ("(" * 4000, "- " * 2000 + "1", "[" * 4000, "'" + "x" * 5000 + "'", "not " * 1000 + "true"):
        assert translated(text, "postgres", "duckdb", TEXT) is None
    assert translated("'" + "[" * 4000 + "'", "postgres", "duckdb", Type("json")) is None


@pytest.mark.parametrize(("source", "expression", "kind"), [known[:3] for known in KNOWN])
def test_duckdb_takes_them(source, expression, kind):
    """A real DuckDB makes the column, and a row of it by that default alone."""
    default = translated(expression, source, "duckdb", kind)
    with duckdb.connect() as db:
        db.execute(f"CREATE TABLE t (c {RENDER['duckdb'](kind)} DEFAULT {default})")
        db.execute("INSERT INTO t DEFAULT VALUES")
        assert db.execute("SELECT count(c) FROM t").fetchone() == (default != "NULL",)


def test_postgres_takes_them(pg_url):
    """So does a real PostgreSQL."""
    with psycopg.connect(pg_url) as connection:
        for number, (source, expression, kind, _) in enumerate(KNOWN):
            default = translated(expression, source, "postgres", kind)
            connection.execute(f"CREATE TABLE t{number} (c {RENDER['postgres'](kind)} DEFAULT {default})")
            connection.execute(f"INSERT INTO t{number} DEFAULT VALUES")
            assert connection.execute(f"SELECT count(c) FROM t{number}").fetchone() == (default != "NULL",)


@pytest.mark.parametrize("text", ["9999-12-31 23:59:59.999", "9999-12-31 00:00:00", "2024-01-31 00:00:00.123456"])
def test_postgres_writes_clocks_back_as_they_were_given(text, pg_url):
    """So a table that stands is not migrated over and over."""
    default = translated(f"'{text}'", "snowflake", "postgres", WALL)
    with psycopg.connect(pg_url) as connection:
        connection.execute(f"CREATE TABLE t (c TIMESTAMP DEFAULT {default})")
        written = connection.execute("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef").fetchone()[0]
    assert written == f"{default}::timestamp without time zone"


@pytest.mark.parametrize(
    ("word", "default", "stored"),
    [
        ("timestamptz", "'2024-01-31 00:30:00+05:30'", "2024-01-30 19:00:00Z"),
        ("numeric(38,10)", "1234567890123456789012345678.0123456789", "1234567890123456789012345678.0123456789"),
        ("text", r"'a\b''c'", r"a\b'c"),
        ("boolean", "false", "false"),
    ],
)
def test_a_default_of_postgres_is_the_same_in_duckdb(word, default, stored, pg_url):
    """Read as PostgreSQL's own catalogue writes it, through to the value in DuckDB."""
    kinds = {"timestamptz": ZONED, "numeric(38,10)": Type("decimal", 38, 10), "boolean": Type("boolean")}
    kind = kinds.get(word, TEXT)
    with psycopg.connect(pg_url) as connection:
        connection.execute(f"CREATE TABLE t (c {word} DEFAULT {default})")
        written = connection.execute("SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef").fetchone()[0]
    with duckdb.connect() as db:
        db.execute("SET TimeZone = 'UTC'")
        found = translated(written, "postgres", "duckdb", kind)
        db.execute(f"CREATE TABLE t (c {RENDER['duckdb'](kind)} DEFAULT {found})")
        db.execute("INSERT INTO t DEFAULT VALUES")
        value = db.execute("SELECT CAST(c AS VARCHAR) FROM t").fetchone()[0]
    assert value.replace("+00", "Z") == stored


PIECES = r"""
' '' " \ ; -- /* */ ( ) :: CAST( text date numeric(3,1) 1 - .5 e9 now() CURRENT_TIMESTAMP $$ E' ` , NULL true x uuid()
2024-01-31 10:00:00+02 [ { } ::jsonb drop _utf8mb4 é
"""
FRAGMENTS = st.sampled_from([*PIECES.split(), "\n", " ", " AS ", " AT TIME ZONE ", "\ud800"])
KINDS = st.sampled_from([*(known[2] for known in KNOWN), Type("binary")])


@given(
    st.text()
    | st.lists(FRAGMENTS, max_size=8).map("".join)
    | st.text().map(lambda x: "'" + x.replace("'", "''") + "'"),
    st.sampled_from(TARGETS),
    st.sampled_from(TARGETS),
    KINDS,
)
def test_nothing_else_ever_comes_out(expression, source, target, kind):
    """Any text at all gives nothing, or one expression of the target's dialect: never a second statement."""
    if (found := translated(expression, source, target, kind)) is None:
        return
    (table,) = sqlglot.parse(f"CREATE TABLE t (c INT DEFAULT {found})", read=target)
    assert isinstance(table, exp.Create)
    (column,) = table.this.expressions
    assert [type(constraint.kind) for constraint in column.constraints] == [exp.DefaultColumnConstraint]


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=100), st.sampled_from(TARGETS[:2]))
def test_a_text_stays_the_same_text(text, source):
    """Through DuckDB's own parser: nothing is lost, escaped or believed."""
    found = translated("'" + text.replace("'", "''") + "'", source, "duckdb", TEXT)
    with duckdb.connect() as db:
        assert db.execute(f"SELECT {found}").fetchone() == (text,)
