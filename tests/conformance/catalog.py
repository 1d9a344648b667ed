"""What every catalog owes; a connector's test file inherits the class and gives it a `system`."""

from collections.abc import Mapping
from dataclasses import replace

from landbridge.contracts.values import Read
from landbridge.schema.metadata import metadata_from_json, metadata_to_json, of_schema
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import folded, qualify
from landbridge.schema.structure import differences
from landbridge.schema.table_ddl import as_target
from tests.conformance import every_kind
from tests.conformance.system import NUMBERS, System, ids, numbers, publish

KEYED = TableSchema(
    (
        Column("b", Type("int64"), nullable=False),
        Column("a", Type("int32"), nullable=False),
        Column("n", Type("decimal", 20, 3)),
    ),
    ("b", "a"),
)


class CatalogSuite:
    """For any catalog."""

    kinds: Mapping[str, Type] = {}  # which it describes as others

    def test_what_is_created_is_described(self, system: System) -> None:
        """Columns in their order, types, NOT NULL and the key in the key's order."""
        relation = system.relation("t")
        assert system.connector.create(relation, KEYED)
        found = system.connector.describe([relation])[relation]
        assert found is not None
        wanted = (replace(c, type=self.kinds.get(c.type.kind, c.type)) for c in KEYED.columns)
        found_columns = tuple(replace(c, native=None) for c in found.columns)
        assert (found_columns, found.primary_key) == (tuple(wanted), KEYED.primary_key)
        assert all(column.native for column in found.columns)

    def test_what_is_not_there_is_none(self, system: System) -> None:
        """Tables that exist and that do not are told apart in one answer."""
        there, missing = system.relation("t"), system.relation("missing")
        system.connector.create(there, NUMBERS)
        found = system.connector.describe([missing, there])
        assert (found[missing], found[there].names if found[there] else None) == (None, ("id", "note"))

    def test_a_table_that_exists_is_not_touched(self, system: System) -> None:
        """A second create says that it made nothing; rows and columns stay."""
        publish(system, "t", NUMBERS, [numbers(0, 3)])
        assert not system.connector.create(system.relation("t"), KEYED)
        assert ids(system, "t") == [0, 1, 2]

    def test_the_statement_is_told(self, system: System) -> None:
        """`ddl` is what `create` executes."""
        text = system.connector.ddl(system.relation("t"), NUMBERS)
        assert text.startswith("CREATE TABLE")
        assert '"note"' in text.lower()

    def test_doctor_gets_answers(self, system: System) -> None:
        """Nothing is wrong with tables that are there; a table to read that is missing is named."""
        relation = system.relation("t")
        system.connector.create(relation, NUMBERS)
        assert all(check.ok for check in system.connector.check([relation], [relation]))
        wrong = [check for check in system.connector.check([system.relation("missing")], []) if not check.ok]
        assert ["missing" in check.name for check in wrong] == [True]
        assert all(check.hint for check in wrong)

    def test_metadata_has_what_the_database_says(self, system: System) -> None:
        """Types in the database's words, defaults as it writes them, keys in their order, comments."""
        other, table = qualify(system.relation("other")), qualify(system.relation("t"))
        system.execute(f"CREATE TABLE {other} (a INTEGER, b INTEGER, PRIMARY KEY (b, a))")
        system.execute(
            f"CREATE TABLE {table} (id BIGINT PRIMARY KEY, code VARCHAR(8) NOT NULL UNIQUE, y INTEGER, x INTEGER, "
            f"n DECIMAL(12,2) DEFAULT 1.50, UNIQUE (y, x), FOREIGN KEY (y, x) REFERENCES {other} (b, a))"
        )
        system.execute(f"COMMENT ON TABLE {table} IS 'it''s a table'")
        system.execute(f"COMMENT ON COLUMN {table}.code IS 'two\nlines'")
        read = Read("it", system.relation("t"))
        (found,) = system.connector.metadata([read])
        assert found is not None
        told = found.table
        assert [column.name for column in told.columns] == ["id", "code", "y", "x", "n"]
        assert [column.is_nullable for column in told.columns] == [False, False, True, True, True]
        assert [str(column.type) for column in told.columns][-1] == "decimal(12,2)"
        assert "1.5" in str(told.columns[-1].default_value)
        assert (told.primary_key, told.unique_keys) == (("id",), (("code",), ("y", "x")))
        (foreign,) = told.foreign_keys
        assert (foreign.columns, foreign.references.table, foreign.referenced_columns) == (
            ("y", "x"),
            "other",
            ("b", "a"),
        )
        assert (told.comment, told.columns[1].comment) == ("it's a table", "two\nlines")
        assert told.schema.column("n") == replace(told.columns[-1].column, has_default=True)
        assert metadata_from_json(metadata_to_json(found), where="here").table == told

    def test_metadata_of_many_tables_is_one_answer(self, system: System) -> None:
        """In the order asked for; None for what is not there; a query has names and types, and nothing else."""
        for name in ("a", "b", "c"):
            system.connector.create(system.relation(name), KEYED)
        query = Read("it", system.relation("a"), query="SELECT b, n, 1 AS one FROM {table}")
        reads = [Read("it", system.relation(name)) for name in ("c", "missing", "a")]
        third, missing, first, asked = system.connector.metadata([*reads, query])
        assert third is not None
        assert first is not None
        assert asked is not None
        assert missing is None
        assert (third.relation, third.table) == (system.relation("c"), first.table)
        assert (first.table.schema.names, first.table.primary_key) == (("b", "a", "n"), ("b", "a"))
        assert asked.schema_source == "source_query"
        assert asked.table.schema.names == ("b", "n", "one")

    def test_metadata_is_read_again_the_same(self, system: System) -> None:
        """Nothing in it depends on when it is read, but the time and the statistics."""
        system.connector.create(system.relation("t"), KEYED)
        read = Read("it", system.relation("t"))
        (before,), (after,) = system.connector.metadata([read]), system.connector.metadata([read])
        assert before is not None
        assert after is not None
        assert before.table == after.table

    def test_what_is_created_is_verified(self, system: System) -> None:
        """No false alarm, of no kind of column nor of keys, whatever case and words the source had for them."""
        columns = tuple(replace(column, name=column.name.upper()) for column in every_kind.SCHEMA.columns)
        schema = TableSchema(columns, tuple(name.upper() for name in every_kind.SCHEMA.primary_key))
        relation = system.relation("t")
        system.connector.create(relation, folded(schema))
        (standing,) = system.connector.metadata([Read("it", relation)])
        assert standing is not None
        dialect = standing.connection_type
        assert dialect in ("postgres", "duckdb", "snowflake")
        wanted = as_target(dialect, of_schema(schema), source_dialect="elsewhere")
        assert differences(standing.table, wanted, dialect) == ()
        missing = replace(wanted, columns=wanted.columns[1:], primary_key=())
        assert len(differences(standing.table, missing, dialect)) >= 1
