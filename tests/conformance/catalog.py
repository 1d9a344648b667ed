"""What every catalog owes; a connector's test file inherits the class and gives it a `system`."""

from dataclasses import replace

from landbridge.schema.model import Column, TableSchema, Type
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

    def test_what_is_created_is_described(self, system: System) -> None:
        """Columns in their order, types, NOT NULL and the key in the key's order."""
        relation = system.relation("t")
        assert system.connector.create(relation, KEYED)
        found = system.connector.describe([relation])[relation]
        assert found is not None
        assert replace(found, columns=tuple(replace(c, native=None) for c in found.columns)) == KEYED
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
        assert '"note"' in text

    def test_doctor_gets_answers(self, system: System) -> None:
        """Nothing is wrong with tables that are there; a table to read that is missing is named."""
        relation = system.relation("t")
        system.connector.create(relation, NUMBERS)
        assert all(check.ok for check in system.connector.check([relation], [relation]))
        wrong = [check for check in system.connector.check([system.relation("missing")], []) if not check.ok]
        assert ["missing" in check.name for check in wrong] == [True]
        assert all(check.hint for check in wrong)
