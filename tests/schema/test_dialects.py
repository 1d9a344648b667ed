"""One table in every dialect."""

from landbridge.schema.dialects import in_every_dialect
from landbridge.schema.model import Column, Relation, TableSchema, Type

RELATION = Relation("staff", "hr", "PROD")


def test_each_has_its_own_words():
    """Names folded, the source's database left away: on the other side there is none of that name."""
    schema = TableSchema((Column("ID", Type("int64"), nullable=False), Column("doc", Type("json"))), ("ID",))
    assert in_every_dialect(RELATION, schema) == {
        "postgres": 'CREATE TABLE IF NOT EXISTS "hr"."staff" (\n    "id" BIGINT NOT NULL,\n    "doc" JSONB,\n'
        '    PRIMARY KEY ("id")\n)',
        "duckdb": 'CREATE TABLE IF NOT EXISTS "hr"."staff" (\n    "id" BIGINT NOT NULL,\n    "doc" JSON,\n'
        '    PRIMARY KEY ("id")\n)',
    }


def test_one_that_cannot_hold_the_table_is_left_out():
    """Names that PostgreSQL would cut; names that would meet in any."""
    assert list(in_every_dialect(RELATION, TableSchema((Column("x" * 64, Type("text")),)))) == ["duckdb"]
    twins = TableSchema((Column("A", Type("text")), Column("a", Type("text"))))
    assert in_every_dialect(RELATION, twins) == {}
