"""MySQL's and Snowflake's types as targets; no server of either runs here, the words are those of their manuals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import SchemaMismatch
from landbridge.schema import mysql, snowflake
from landbridge.schema.model import Column, Relation, TableSchema, Type

MYSQL_WORDS = {
    "tinyint(1)": Type("boolean"),
    "tinyint": Type("int16"),
    "tinyint(4)": Type("int16"),
    "tinyint(3) unsigned": Type("int16"),
    "smallint": Type("int16"),
    "smallint unsigned": Type("int32"),
    "mediumint unsigned zerofill": Type("int32"),
    "int(11)": Type("int32"),
    "int unsigned": Type("int64"),
    "bigint": Type("int64"),
    "bigint unsigned": Type("decimal", 20, 0),
    "decimal(10,2) unsigned": Type("decimal", 10, 2),
    "decimal(5)": Type("decimal", 5, 0),
    "float": Type("float32"),
    "double": Type("float64"),
    "char(3)": Type("char", length=3),
    "varchar(20)": Type("text", length=20),
    "varchar(20) CHARACTER SET latin1": Type("text", length=20),
    "longtext": Type("text"),
    "enum('a','b')": Type("text"),
    "bit(1)": Type("text"),
    "varbinary(16)": Type("binary"),
    "mediumblob": Type("binary"),
    "date": Type("date"),
    "time": Type("time", 0),
    "time(6)": Type("time", 6),
    "datetime": Type("timestamp", 0),
    "datetime(3)": Type("timestamp", 3),
    "timestamp(6)": Type("timestamptz", 6),
    "year": Type("int16"),
    "json": Type("json"),
    "point": Type("text"),
}
RENDERED = {
    Type("boolean"): ("BOOLEAN", "BOOLEAN"),
    Type("int16"): ("SMALLINT", "NUMBER(5,0)"),
    Type("int32"): ("INT", "NUMBER(10,0)"),
    Type("int64"): ("BIGINT", "NUMBER(19,0)"),
    Type("decimal", 18, 4): ("DECIMAL(18,4)", "NUMBER(18,4)"),
    Type("decimal", 65, 30): ("DECIMAL(65,30)", "VARCHAR"),
    Type("decimal", 66, 0): ("LONGTEXT", "VARCHAR"),
    Type("decimal", 65, 31): ("LONGTEXT", "VARCHAR"),
    Type("decimal", 38, 37): ("LONGTEXT", "NUMBER(38,37)"),
    Type("decimal", 38, 38): ("LONGTEXT", "VARCHAR"),
    Type("decimal", 3, 5): ("LONGTEXT", "VARCHAR"),
    Type("decimal", 3, -2): ("LONGTEXT", "VARCHAR"),
    Type("decimal"): ("LONGTEXT", "VARCHAR"),
    Type("float32"): ("FLOAT", "FLOAT"),
    Type("float64"): ("DOUBLE", "FLOAT"),
    Type("char"): ("CHAR(1)", "VARCHAR(1)"),
    Type("char", length=255): ("CHAR(255)", "VARCHAR(255)"),
    Type("char", length=256): ("VARCHAR(256)", "VARCHAR(256)"),
    Type("text", length=16_383): ("VARCHAR(16383)", "VARCHAR(16383)"),
    Type("text", length=16_384): ("LONGTEXT", "VARCHAR(16384)"),
    Type("text", length=134_217_728): ("LONGTEXT", "VARCHAR(134217728)"),
    Type("text", length=134_217_729): ("LONGTEXT", "VARCHAR"),
    Type("text"): ("LONGTEXT", "VARCHAR"),
    Type("binary"): ("LONGBLOB", "BINARY"),
    Type("date"): ("DATE", "DATE"),
    Type("time", 9): ("TIME(6)", "TIME(9)"),
    Type("timestamp", 0): ("DATETIME(0)", "TIMESTAMP_NTZ(0)"),
    Type("timestamp"): ("DATETIME(6)", "TIMESTAMP_NTZ(6)"),
    Type("timestamptz", 3): ("DATETIME(3)", "TIMESTAMP_LTZ(3)"),
    Type("timestamptz", 9): ("DATETIME(6)", "TIMESTAMP_LTZ(9)"),
    Type("json"): ("JSON", "VARIANT"),
    Type("uuid"): ("CHAR(36)", "VARCHAR(36)"),
}


@pytest.mark.parametrize(("native", "kind"), MYSQL_WORDS.items())
def test_mysql_reads(native, kind):
    """Words of COLUMN_TYPE."""
    assert mysql.parse_type(native) == kind


@pytest.mark.parametrize(("kind", "words"), RENDERED.items(), ids=str)
def test_written(kind, words):
    """Each kind at the limits of its word."""
    assert (mysql.render_type(kind), snowflake.render_type(kind)) == words


@given(st.text())
def test_no_catalogue_word_crashes(native):
    """Whatever MySQL's catalogue writes has a kind."""
    assert isinstance(mysql.parse_type(native), Type)


@pytest.mark.parametrize(
    "kind", [kind for kind in RENDERED if kind.kind not in ("decimal", "timestamptz", "uuid")], ids=str
)
def test_mysql_reads_back_what_it_writes(kind):
    """Exceptions: an instant is a DATETIME, a uuid its text, lengths and digits end at MySQL's."""
    back = mysql.parse_type(mysql.render_type(kind).replace("BOOLEAN", "tinyint(1)"))
    assert back.kind == ("text" if kind.kind == "char" and (kind.length or 1) > 255 else kind.kind)


def test_a_row_of_mysql_has_its_limit():
    """The widest texts become LONGTEXT until the row fits, but none that stands in a key or an index."""
    schema = TableSchema(tuple(Column(f"c{n}", Type("text", length=n)) for n in (700, 4000, 5000, 8000, 9000)))
    types = mysql.DIALECT.types(schema, {"c9000"})
    assert types == {
        "c700": "VARCHAR(700)",
        "c4000": "VARCHAR(4000)",
        "c5000": "LONGTEXT",
        "c8000": "LONGTEXT",
        "c9000": "VARCHAR(9000)",
    }


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Type("text"), "column c is LONGTEXT, which can be in no key"),
        (Type("binary"), "column c is LONGBLOB, which can be in no key"),
        (Type("json"), "column c is JSON, which can be in no key"),
        (Type("decimal"), "column c is LONGTEXT, which can be in no key"),
        (Type("text", length=768), "the key of c is longer than the 3072 bytes that mysql takes"),
    ],
)
def test_keys_that_mysql_does_not_take(kind, message):
    """A key on a text's beginning would be another key; the hint says what to do."""
    schema = TableSchema((Column("c", kind),), ("c",))
    with pytest.raises(SchemaMismatch, match=message) as caught:
        mysql.DIALECT.check(Relation("t"), schema, [("c",)])
    assert "CAST" in caught.value.hint


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (Type("text", length=767), "`c`"),
        (Type("text", length=768), "`c`(768)"),
        (Type("text"), "`c`(768)"),
        (Type("binary"), "`c`(3072)"),
        (Type("date"), "`c`"),
    ],
)
def test_what_mysql_indexes(kind, part):
    """All of a column, or as much as an index takes."""
    assert mysql.DIALECT.index_part(Column("c", kind)) == part


def test_mysql_cannot_index_json():
    """It is told, not left out in silence."""
    with pytest.raises(SchemaMismatch, match="column c is JSON"):
        mysql.DIALECT.index_part(Column("c", Type("json")))


@pytest.mark.parametrize("name", ["x" * 65, "blank ", "smile 😀"])
def test_names_that_mysql_does_not_take(name):
    """It would refuse them, or cut the blank."""
    with pytest.raises(SchemaMismatch, match="is none for mysql"):
        mysql.DIALECT.check(Relation("t"), TableSchema((Column(name, Type("date")),)), [])


def test_names_that_snowflake_does_not_take():
    """255 characters are fine."""
    snowflake.DIALECT.check(Relation("ä" * 255), TableSchema(()), [])
    with pytest.raises(SchemaMismatch, match="255 characters"):
        snowflake.DIALECT.check(Relation("t" * 256), TableSchema(()), [])
