"""Names: quoted so that any survives, folded by one rule."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import SchemaMismatch
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import fold, folded, qualify, quote

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(NAMES)
@settings(max_examples=50)
def test_a_quoted_name_reads_back_as_itself(name):
    """A database that reads the quoted name sees the very same name."""
    with duckdb.connect() as db:
        assert db.execute(f"SELECT 1 AS {quote(name)}").description[0][0] == name


@pytest.mark.parametrize("name", ["", "a\0b", "\0"])
def test_quote_refuses_what_no_database_takes(name):
    """An empty name and a NUL are refused, not quoted."""
    with pytest.raises(ValueError, match="not a name"):
        quote(name)


def test_qualify_quotes_each_level_that_is_set():
    """Levels are quoted one by one; those that are not set leave no dot."""
    assert qualify(Relation("t.1", "s", 'd"b')) == '"d""b"."s"."t.1"'
    assert qualify(Relation("t")) == '"t"'


@pytest.mark.parametrize(
    ("name", "expected"),
    [("SECID", "secid"), ("_TIMESTAMPTO", "_timestampto"), ("SecId", "SecId"), ("secid", "secid"), ("1+2", "1+2")],
)
def test_fold_lowers_only_names_without_lower_case(name, expected):
    """Snowflake's SECID becomes secid; a name with a lower-case letter is kept."""
    assert fold(name) == expected


@given(NAMES)
def test_fold_is_idempotent(name):
    """Folding a folded name changes nothing."""
    assert fold(fold(name)) == fold(name)


def test_folded_folds_columns_and_key():
    """The primary key follows its columns."""
    schema = TableSchema((Column("ID", Type("int64"), nullable=False), Column("Name", Type("text"))), ("ID",))
    assert folded(schema).names == ("id", "Name")
    assert folded(schema).primary_key == ("id",)


def test_folded_refuses_columns_that_become_one():
    """ID beside id would lose a column, so the table is refused by both names."""
    schema = TableSchema((Column("ID", Type("int64")), Column("id", Type("text"))))
    with pytest.raises(SchemaMismatch, match="columns ID, id would all be named id"):
        folded(schema)
