"""What every source owes; a connector's test file inherits the classes for what it can do and gives it a `system`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from landbridge.connectors.masking import masked
from landbridge.contracts.values import Read
from landbridge.errors import ConfigError, SourceError
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.changes import Changes, Newest, beyond, condition, position, reach, text_at
from landbridge.schema.columns import Columns, Pick
from landbridge.schema.filters import compose
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import qualify
from tests.conformance import every_kind
from tests.conformance.system import NUMBERS, System, numbers, publish, read

MARKED = TableSchema(
    (
        Column("id", Type("int64")),
        Column("amount", Type("decimal", 12, 2)),
        Column("day", Type("date")),
        Column("at", Type("timestamp")),
        Column("zoned", Type("timestamptz")),
    )
)
BEGIN = datetime(2026, 3, 29, 0, 59, 59, 999_990, tzinfo=UTC)


def _marked(rows: int) -> pa.RecordBatch:
    """Each fourth row has no watermark; the others grow by the least step of each type."""

    def column(value: Callable[[int], object]) -> list[object]:
        return [None if key % 4 == 3 else value(key) for key in range(rows)]

    return pa.record_batch(
        [
            list(range(rows)),
            column(lambda key: Decimal(key) / 100),
            column(lambda key: BEGIN.date() + timedelta(days=key)),
            column(lambda key: (BEGIN + timedelta(microseconds=key)).replace(tzinfo=None)),
            column(lambda key: BEGIN + timedelta(microseconds=key)),
        ],
        schema=arrow_schema(MARKED),
    )


def _at(newest: Newest, key: int) -> str:
    """The watermark of another row, as the source would tell it: the highest one is that of row 38."""
    kind = newest.column.type
    step = {"date": Decimal(1), "timestamp": Decimal(1000), "timestamptz": Decimal(1000)}
    least = step.get(kind.kind, Decimal(1) if newest.column.name.lower() == "id" else Decimal("0.01"))
    return text_at(position(newest.value or "", kind) - (38 - key) * least, kind)


class SourceSuite:
    """For any source that is also a target: the rows are put there by its own load."""

    kinds: Mapping[str, Type] = {}  # which come back as others, with all their values
    hashed_otherwise: Sequence[str] = ()  # columns whose values come back as other texts

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

    def test_only_the_columns_that_leave_are_read(self, system: System) -> None:
        """Under the source's names and in its order; the filter sees the others too, and a key that is cut is none."""
        schema = TableSchema((*NUMBERS.columns[::-1], Column("flag", Type("boolean"))), ("id",))
        rows = pa.record_batch([["a", "b", "c"], [1, 2, 3], [True, False, None]], schema=arrow_schema(schema))
        publish(system, "t", schema, [rows])
        columns = Columns((Pick("flag", "Flag"), Pick("note", None, "hash")), others=False)
        found = read(system, "t", filter=compose("id < 3"), columns=columns)
        assert sorted(found.to_pylist(), key=str) == [{"note": "a", "flag": True}, {"note": "b", "flag": False}]
        with system.connector.snapshot(Read("it", system.relation("t"), columns=columns)) as snapshot:
            assert snapshot.schema.primary_key == ()
        with system.connector.snapshot(
            Read("it", system.relation("t"), columns=Columns(exclude=("flag",)))
        ) as snapshot:
            assert (snapshot.schema.names, snapshot.schema.primary_key) == (("note", "id"), ("id",))

    @pytest.mark.parametrize("column", ["id", "amount", "day", "at", "zoned"])
    def test_a_watermark_cuts_without_a_hole(self, system: System, column: str) -> None:
        """What one range takes the next one does not, to the microsecond; what has no value is told."""
        publish(system, "t", MARKED, [_marked(40)])
        read = Read("it", system.relation("t"), filter=compose("id <> 39"))
        with system.connector.instant() as instant:
            newest = system.connector.newest(read, column, instant)
            assert (newest.column.name.lower(), newest.nulls) == (column, 0 if column == "id" else 9)
            # of a date no more is asked here than of the others: that its day has ended
            changes = Changes((), column, overlap=timedelta() if column == "day" else None)
            first = reach(changes, replace(newest, value=_at(newest, 17)), instant.as_of, None)
            second = reach(changes, newest, instant.as_of, first.until)
            left = beyond(newest.column, first)
            assert left is not None
            counted = system.connector.count_rows(replace(read, filter=compose(["id <> 39", left])), instant)
            found = []
            for taken in (first, second):
                filters = compose(["id <> 39", condition(newest.column, taken, "exclude")])
                with system.connector.snapshot(replace(read, filter=filters), instant) as snapshot:
                    batches = (b for part in snapshot.parts for b in system.connector.batches(part))
                    found.append([key for batch in batches for key in batch["id"].to_pylist()])
        known = [key for key in range(39) if column == "id" or key % 4 != 3]
        assert sorted(found[0]) == [key for key in known if key <= 17]
        assert sorted(found[1]) == [key for key in known if key > 17]
        assert counted == len(found[1])

    def test_what_is_not_to_be_read_comes_as_null(self, system: System) -> None:
        """In every kind's own type, and in rows that the filter chose by its values."""
        publish(system, "t", every_kind.SCHEMA, [every_kind.batch()])
        masks = [Pick(name, None, "null") for name in every_kind.VALUES if name not in ("id", "short")]
        columns = Columns((*masks, Pick("short", None, "constant", "x")))
        found = read(system, "t", columns=columns, filter=compose(["medium >= 0", "AND short IS NOT NULL"]))
        assert found.schema == arrow_schema(every_kind.kept_schema(self.kinds))
        assert {found[name].null_count for name in every_kind.VALUES} == {0, found.num_rows}
        assert sorted(found["id"].to_pylist()) == [-(2**63), 2, 2**63 - 1]

    def test_columns_of_a_query_can_be_chosen(self, system: System) -> None:
        """Names are those that the query gives, and one that it does not give is told with a suggestion."""
        publish(system, "t", NUMBERS, [numbers(0, 3, "x")])
        query = "SELECT id, id * 2 AS twice, note FROM {table}"
        columns = Columns((Pick("twice", None, "null"),), exclude=("note",))
        found = read(system, "t", query=query, columns=columns, filter=compose("twice > 2"))
        assert found.to_pylist() == [{"id": 2, "twice": None}]
        with pytest.raises(ConfigError, match=r"(?i)no column 'twise'; did you mean 'twice'"):
            read(system, "t", query=query, columns=Columns(exclude=("twise",)))

    def test_a_column_that_is_not_there_is_told(self, system: System) -> None:
        """With the name that was probably meant."""
        publish(system, "t", NUMBERS, [])
        with pytest.raises(ConfigError, match=r"(?i)no column 'notes'; did you mean 'note'"):
            read(system, "t", columns=Columns((Pick("notes", None, "hash"),)))

    def test_a_hash_is_the_same_from_every_source(self, system: System) -> None:
        """Of each kind, by a fixed key: what this source gives is hashed like the values that were written."""
        sent = every_kind.batch()
        publish(system, "t", every_kind.SCHEMA, [sent])
        columns = Columns(tuple(Pick(name, None, "hash") for name in every_kind.VALUES))
        key = b"fixed for all sources, for ever."
        read_again = read(system, "t").to_batches()
        found = pa.Table.from_batches(masked(read_again, every_kind.kept_schema(self.kinds), columns, key))
        expected = pa.Table.from_batches(masked([sent], every_kind.SCHEMA, columns, key))
        order = [("id", "ascending")]
        one, other = (table.drop_columns(list(self.hashed_otherwise)).sort_by(order) for table in (found, expected))
        assert one.to_pydict() == other.to_pydict()

    def test_snapshots_of_one_instant_agree(self, system: System) -> None:
        """They tell the same time, hold what was there then, and none outlives the instant."""
        for table in ("t", "u"):
            publish(system, table, NUMBERS, [numbers(0, 5)])
        shots = []
        with system.connector.instant() as instant:
            for table in ("t", "u", "t"):
                with system.connector.snapshot(Read("it", system.relation(table)), instant) as snapshot:
                    rows = sum(b.num_rows for part in snapshot.parts for b in system.connector.batches(part))
                    shots.append((snapshot.as_of, snapshot.rows, rows))
        assert shots == [(instant.as_of, 5, 5)] * 3
        publish(system, "t", NUMBERS, [numbers(0, 7)])
        assert read(system, "t").num_rows == 7

    def test_a_read_that_fails_leaves_the_instant_open(self, system: System) -> None:
        """The tables after it are read all the same."""
        publish(system, "t", NUMBERS, [numbers(0, 5)])
        with system.connector.instant() as instant:
            with (
                pytest.raises(SourceError, match="missing"),
                system.connector.snapshot(Read("it", system.relation("missing")), instant),
            ):
                pass
            with system.connector.snapshot(Read("it", system.relation("t")), instant) as snapshot:
                assert snapshot.rows == 5


class ConcurrentSourceSuite:
    """For sources that others write while they are read."""

    def test_one_instant_does_not_see_later_rows(self, system: System) -> None:
        """What is committed after it opened is in no table of it, also in one that is looked at only afterwards."""
        for table in ("parents", "children"):
            publish(system, table, NUMBERS, [numbers(0, 3)])
        seen = {}
        with system.connector.instant() as instant:
            for name in ("parents", "children"):
                for table in ("parents", "children"):
                    system.execute(f"INSERT INTO {qualify(system.relation(table))} VALUES (9, 'late')")
                with system.connector.snapshot(Read("it", system.relation(name)), instant) as snapshot:
                    batches = [batch for part in snapshot.parts for batch in system.connector.batches(part)]
                    seen[name] = sorted(pa.Table.from_batches(batches)["id"].to_pylist())
        assert seen == {"parents": [0, 1, 2], "children": [0, 1, 2]}
        assert read(system, "children").num_rows == 5

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
