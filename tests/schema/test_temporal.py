"""The statements of month ends and as-of functions, against golden files; what they do is tested on real databases in
tests/connectors/test_temporal.py.
"""

from pathlib import Path

import pytest

from landbridge.errors import SchemaMismatch
from landbridge.schema.dialects import TARGETS
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import folded
from landbridge.schema.temporal import WORDS, Temporal, temporal_statements

GOLDEN = Path(__file__).parent / "golden"
SOURCE = TableSchema(
    (
        Column("_ID", Type("int64"), nullable=False),
        Column("Größe \"x\" 'y' \\ $1 {0}", Type("text")),
        Column("IDS", Type("decimal", 12, 4)),
        Column("_TIMESTAMPFROM", Type("timestamptz"), nullable=False),
        Column("VALID_TO", Type("timestamp")),
    )
)
WANTED = Temporal(("_ID",), ("_TIMESTAMPFROM", "VALID_TO"), month_ends=True, as_of=True)


def standing(dialect: str, schema: TableSchema = SOURCE) -> TableSchema:
    named = folded(schema, TARGETS[dialect].fold)
    types = TARGETS[dialect].types(named, ())
    return TableSchema(
        tuple(Column(c.name, c.type, c.nullable, types[c.name]) for c in named.columns), named.primary_key
    )


@pytest.mark.parametrize("dialect", WORDS)
def test_as_the_golden_file(dialect: str):
    """Identifiers are quoted wherever they stand, also within a function's text."""
    place = Relation("SECURITY", "FIN", "DB") if dialect == "snowflake" else Relation("security", "fin", "db")
    text = "".join(f"{sql};\n\n" for sql in temporal_statements(dialect, place, standing(dialect), WANTED))
    assert text == (GOLDEN / f"temporal.{dialect}.sql").read_text()


@pytest.mark.parametrize("dialect", WORDS)
def test_only_what_is_asked_for(dialect: str):
    """Nothing for neither."""
    place = Relation("security", "fin")
    schema = standing(dialect)

    def names(*, month_ends: bool = False, as_of: bool = False) -> set[str]:
        wanted = Temporal(WANTED.keys, WANTED.validity, month_ends=month_ends, as_of=as_of)
        text = " ".join(temporal_statements(dialect, place, schema, wanted))
        return {name for name in ("security_month_ends", "security_as_of") if name in text}

    assert names() == set()
    assert names(month_ends=True) == {"security_month_ends"}
    assert names(as_of=True) == {"security_as_of"}


def test_a_name_that_would_be_cut_is_refused():
    """A name of 60 bytes has no room for what is put behind it."""
    with pytest.raises(SchemaMismatch, match="longer than the 63 bytes"):
        temporal_statements("postgres", Relation("t" * 60), standing("postgres"), WANTED)
