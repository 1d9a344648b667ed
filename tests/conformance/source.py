"""What every source owes; a connector's test file inherits the classes for what it can do and gives it a `system`."""

import pyarrow as pa
import pytest

from landbridge.contracts.values import Read
from landbridge.errors import SourceError
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.filters import compose
from landbridge.schema.names import qualify
from tests.conformance.system import NUMBERS, System, numbers, publish, read


class SourceSuite:
    """For any source that is also a target: the rows are put there by its own load."""

    def test_parts_are_disjoint_and_complete(self, system: System) -> None:
        """Together the parts hold each row exactly once, and as many as the source itself counts."""
        publish(system, "t", NUMBERS, [numbers(0, 1000), numbers(1000, 1500)])
        assert sorted(read(system, "t")["id"].to_pylist()) == list(range(1500))

    def test_a_part_can_be_read_again(self, system: System) -> None:
        """The same part gives the same rows twice, as a worker that died makes necessary."""
        publish(system, "t", NUMBERS, [numbers(0, 100)])
        with system.connector.snapshot(Read("it", system.relation("t"))) as snapshot:
            first, second = ([*system.connector.batches(snapshot.parts[0])] for _ in range(2))
        assert pa.Table.from_batches(first) == pa.Table.from_batches(second)

    def test_batches_have_the_schema_that_the_snapshot_says(self, system: System) -> None:
        """Arrow types come from the table's schema alone, so that every batch of every part has the same."""
        publish(system, "t", NUMBERS, [numbers(0, 10)])
        with system.connector.snapshot(Read("it", system.relation("t"))) as snapshot:
            batches = [*system.connector.batches(snapshot.parts[0])]
        assert snapshot.as_of.tzinfo is not None
        assert {batch.schema for batch in batches} == {arrow_schema(snapshot.schema)}

    def test_an_empty_table_is_no_error(self, system: System) -> None:
        """No rows, and still a schema."""
        publish(system, "t", NUMBERS, [])
        assert read(system, "t").to_pydict() == {"id": [], "note": []}

    def test_a_filter_with_or_is_kept_apart(self, system: System) -> None:
        """`a OR b` joined with what cuts the parts still means `a OR b` (seed 000, section 0.3)."""
        publish(system, "t", NUMBERS, [numbers(0, 1000)])
        chosen = compose(["id < 3 -- the first", "OR id = 500", "OR id > 997"])
        assert sorted(read(system, "t", filter=chosen)["id"].to_pylist()) == [0, 1, 2, 500, 998, 999]

    def test_a_query_stands_for_the_table_and_the_filter_goes_outside(self, system: System) -> None:
        """`{table}` is the qualified name, and the filter sees the query's columns."""
        publish(system, "t", NUMBERS, [numbers(0, 10, "x")])
        query = "SELECT id, id * 2 AS twice FROM {table} WHERE id > 2 -- not the last"
        found = read(system, "t", query=query, filter=compose("twice < 12"))
        assert sorted(found["id"].to_pylist()) == [3, 4, 5]

    def test_the_sources_own_words_and_the_query_come_up(self, system: System) -> None:
        """An SQL error is passed on with the text of the query (seed 000, section 0.3)."""
        publish(system, "t", NUMBERS, [numbers(0, 1)])
        with pytest.raises(SourceError, match="no_such_column") as caught:
            read(system, "t", query="SELECT no_such_column FROM {table}")
        assert qualify(system.relation("t")) in caught.value.message

    def test_a_table_that_is_not_there_is_named(self, system: System) -> None:
        """The message says which."""
        publish(system, "t", NUMBERS, [])
        with pytest.raises(SourceError, match="missing"):
            read(system, "missing")

    def test_a_reader_that_stops_early_leaves_no_trace(self, system: System) -> None:
        """A part that was not read to its end can be read whole afterwards."""
        publish(system, "t", NUMBERS, [numbers(0, 1000)])
        with system.connector.snapshot(Read("it", system.relation("t"))) as snapshot:
            batches = iter(system.connector.batches(snapshot.parts[0]))
            next(batches)
            batches.close()
        assert read(system, "t").num_rows == 1000


class ConcurrentSourceSuite:
    """For sources that others write while they are read."""

    def test_a_snapshot_does_not_see_later_rows(self, system: System) -> None:
        """Rows that are committed after the snapshot opened are in neither its count nor its parts."""
        publish(system, "t", NUMBERS, [numbers(0, 10)])
        table = qualify(system.relation("t"))
        with system.connector.snapshot(Read("it", system.relation("t"))) as snapshot:
            system.execute(f"INSERT INTO {table} VALUES (99, 'late')")
            system.execute(f"DELETE FROM {table} WHERE id = 0")
            batches = [batch for part in snapshot.parts for batch in system.connector.batches(part)]
        assert snapshot.rows == 10
        assert sorted(pa.Table.from_batches(batches)["id"].to_pylist()) == list(range(10))
