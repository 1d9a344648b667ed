"""What every target owes; a connector's test file inherits the classes for what it can do and gives it a `system`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import pyarrow as pa
import pytest

from landbridge.contracts.values import Loaded, Write
from landbridge.errors import LeaseLost, SchemaMismatch, TargetError, ValueDoesNotFit
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import qualify
from tests.conformance import every_kind
from tests.conformance.system import (
    NUMBERS,
    System,
    ids,
    land,
    landings,
    load_of,
    numbers,
    publish,
    read,
    with_types,
)


class TargetSuite:
    """For any target that is also a source: what was loaded is read again."""

    kinds: Mapping[str, Type] = {}  # which come back as others, with all their values
    rewritten: Sequence[str] = ()  # columns of documents that come back in other words

    def test_every_kind_comes_back_equal(self, system: System) -> None:
        """NULL, empty, NaN, infinity, first and last of every kind: the same Arrow values before and after."""
        sent = every_kind.batch()
        publish(system, "t", every_kind.SCHEMA, [sent.slice(0, 2), sent.slice(2)])
        sent = every_kind.kept(self.kinds)
        order = [("id", "ascending")]
        found, expected = read(system, "t").sort_by(order), pa.Table.from_batches([sent]).sort_by(order)
        assert found.schema == expected.schema
        for name in self.rewritten:
            documents = (table[name].to_pylist() for table in (found, expected))
            assert [*map(json.loads, filter(None, next(documents)))] == [
                *map(json.loads, filter(None, next(documents)))
            ]
        for name in set(expected.column_names).difference(self.rewritten):
            assert repr(found[name].to_pylist()) == repr(expected[name].to_pylist()), name  # NaN is no equal of NaN

    def test_a_digit_without_bounds_travels(self, system: System) -> None:
        """A decimal that no Arrow decimal holds arrives with all of its digits."""
        schema = TableSchema((Column("id", Type("int64")), Column("n", Type("decimal"))))
        digits = ["1" * 60 + "." + "7" * 40, "0.10", "-5", None]
        publish(system, "t", schema, [pa.record_batch([[0, 1, 2, 3], digits], schema=arrow_schema(schema))])
        assert read(system, "t").sort_by("id")["n"].to_pylist() == digits

    def test_a_first_load_makes_types_of_its_own(self, system: System) -> None:
        """What another database calls its columns is no matter: an ENUM, a list and an interval arrive."""
        words = {"en": ("text", "ENUM('a', 'b')"), "li": ("json", "INTEGER[]"), "iv": ("text", "INTERVAL")}
        schema = TableSchema(tuple(Column(name, Type(kind), native=native) for name, (kind, native) in words.items()))
        batch = pa.record_batch([["a"], ["[1]"], ["3 days"]], schema=arrow_schema(schema))
        publish(system, "t", schema, [batch])
        assert read(system, "t").to_pylist() == batch.to_pylist()

    def test_publish_replaces_all_rows(self, system: System) -> None:
        """After the second load nothing of the first is left, and the count says so."""
        publish(system, "t", NUMBERS, [numbers(0, 10)])
        published = publish(system, "t", NUMBERS, [numbers(5, 25)])
        assert (published.rows, ids(system, "t")) == (20, list(range(5, 25)))
        assert system.connector.count(Write("it", system.relation("t"))) == 20

    def test_a_landing_is_read_by_nobody(self, system: System) -> None:
        """Until publish the target keeps its rows."""
        publish(system, "t", NUMBERS, [numbers(0, 3)])
        land(system, "t", NUMBERS, [numbers(5, 9)])
        assert ids(system, "t") == [0, 1, 2]

    def test_an_empty_load_empties_the_table(self, system: System) -> None:
        """No rows is an answer as well."""
        publish(system, "t", NUMBERS, [numbers(0, 10)])
        publish(system, "t", NUMBERS, [])
        assert ids(system, "t") == []

    def test_the_same_load_id_is_published_once(self, system: System) -> None:
        """A second attempt at a load that was published changes nothing and says how many rows there are."""
        connector, load = system.connector, load_of(3)
        first = land(system, "t", NUMBERS, [numbers(0, 3)], load)
        again = land(system, "t", NUMBERS, [numbers(10, 13)], replace(load, attempt="another"))
        connector.publish(first)
        published = connector.publish(again)
        assert (published.how, published.rows, ids(system, "t")) == ("already", 3, [0, 1, 2])
        assert landings(system, "t") == []

    def test_loaded_knows_the_newest_load_only(self, system: System) -> None:
        """Before any load None; then its rows; and None again when another load took its place."""
        connector, write, load = system.connector, Write("it", system.relation("t")), load_of(3)
        landing = land(system, "t", NUMBERS, [numbers(0, 3)], load)
        assert connector.loaded(write, load.load_id) is None
        connector.publish(landing)
        assert connector.loaded(write, load.load_id) == 3
        publish(system, "t", NUMBERS, [numbers(0, 4)])
        assert connector.loaded(write, load.load_id) is None

    def test_the_newest_load_says_whose_it_is(self, system: System) -> None:
        """Its ids, its number and the rows that it left; nothing where no load was published."""
        connector, write, load = system.connector, Write("it", system.relation("t")), load_of(3)
        assert connector.newest_load(write) == Loaded()
        landing = land(system, "t", NUMBERS, [numbers(0, 3)], load)
        assert connector.newest_load(write) == Loaded()
        connector.publish(landing)
        assert connector.newest_load(write) == Loaded(1, load.load_id, 3, load.parcel_id)

    def test_who_lost_the_lease_cannot_publish(self, system: System) -> None:
        """A process that prepared before another one published is kept out, and the newer rows stay."""
        late = land(system, "t", NUMBERS, [numbers(0, 3)])
        publish(system, "t", NUMBERS, [numbers(10, 12)])
        with pytest.raises(LeaseLost):
            system.connector.publish(late)
        assert ids(system, "t") == [10, 11]

    def test_what_a_dead_attempt_left_is_swept(self, system: System) -> None:
        """Landings of this target go, but for the attempt that is kept; those of a target with a like name stay."""
        connector, write = system.connector, Write("it", system.relation("t"))
        dead = land(system, "t", NUMBERS, [numbers(0, 3)])
        kept = land(system, "t", NUMBERS, [numbers(0, 3)])
        other = land(system, "t_2", NUMBERS, [numbers(0, 3)])
        if connector.left(write):  # where it can be told that we live and fill them, there are none
            assert connector.left(write, keep=kept.load.attempt) == [dead.relation.table]
        assert connector.sweep(write, keep=kept.load.attempt) == [dead.relation.table]
        assert connector.left(write, keep=kept.load.attempt) == []
        assert connector.sweep(write, keep=kept.load.attempt) == []
        assert {connector.publish(kept).rows, connector.publish(other).rows} == {3}

    def test_a_published_table_is_not_swept(self, system: System) -> None:
        """A landing that became the target is no landing any more."""
        publish(system, "t", NUMBERS, [numbers(0, 3)])
        publish(system, "t", NUMBERS, [numbers(0, 3)])
        assert landings(system, "t") == []
        assert ids(system, "t") == [0, 1, 2]

    def test_a_wrong_number_of_rows_is_refused(self, system: System) -> None:
        """Where fewer rows landed than were sent, the old rows stay."""
        publish(system, "t", NUMBERS, [numbers(0, 3)])
        landing = land(system, "t", NUMBERS, [numbers(0, 9)], load_of(10))
        with pytest.raises(TargetError, match="9 rows"):
            system.connector.publish(landing)
        assert ids(system, "t") == [0, 1, 2]

    def test_an_append_is_all_or_nothing(self, system: System) -> None:
        """Batches that break off leave no row, and their own error comes up; the landing can still be filled."""

        def breaking() -> Iterator[pa.RecordBatch]:
            yield numbers(0, 5)
            raise OSError("the parcel's disk is gone")

        landing = land(system, "t", NUMBERS, [], load_of(2))
        with pytest.raises(OSError, match="disk is gone"):
            system.connector.append(landing, breaking(), 0)
        system.connector.append(landing, [numbers(0, 1), numbers(0, 0), numbers(1, 2)], 0)
        system.connector.publish(landing)
        assert ids(system, "t") == [0, 1]

    def test_a_value_that_does_not_fit_names_its_cell(self, system: System) -> None:
        """Table, column and row are in the message, the value is not; the old rows stay."""
        narrow = with_types(NUMBERS, [Type("int32"), Type("text")])
        publish(system, "t", narrow, [numbers(0, 3).cast(arrow_schema(narrow))])
        landing = land(system, "t", NUMBERS, [], load_of(8))
        late = pa.record_batch([[1, 2**31 - 1, 2**31, 2**40], [""] * 4], schema=arrow_schema(NUMBERS))
        with pytest.raises(ValueDoesNotFit, match=r"(?i)\bt\b.* id\b.* 10[67]\b") as caught:
            system.connector.append(landing, [numbers(0, 4), late], 100)
        assert "2147483648" not in caught.value.message
        assert ids(system, "t") == [0, 1, 2]

    def test_a_missing_target_is_created(self, system: System) -> None:
        """Names without lower-case letters are folded, the key and NOT NULL come along."""
        schema = TableSchema((Column("ID", Type("int64"), nullable=False), Column("Note", Type("text"))), ("ID",))
        batch = pa.record_batch([[1], ["x"]], schema=arrow_schema(schema))
        publish(system, "t", schema, [batch])
        made = system.connector.describe([system.relation("t")])[system.relation("t")]
        assert made is not None
        assert (made.names, made.primary_key, made.columns[0].nullable) == (("id", "Note"), ("id",), False)

    def test_a_target_with_fewer_columns_is_refused(self, system: System) -> None:
        """A column with no place to go is an error before anything is made."""
        publish(system, "t", TableSchema(NUMBERS.columns[:1]), [numbers(0, 2).select(["id"])])
        with pytest.raises(SchemaMismatch, match="note"):
            land(system, "t", NUMBERS, [])
        assert landings(system, "t") == []

    def test_more_columns_at_the_target_take_their_defaults(self, system: System) -> None:
        """Columns are paired by name, not by place; the target's own are filled by their defaults."""
        table = qualify(system.relation("t"))
        publish(system, "other", NUMBERS, [])  # so that the schema is there
        system.execute(f"CREATE TABLE {table} (kind INTEGER NOT NULL DEFAULT 7, note TEXT, id BIGINT, free INTEGER)")
        publish(system, "t", NUMBERS, [numbers(0, 2, "x")])
        assert system.execute(f"SELECT kind, note, id, free FROM {table} ORDER BY id") == [
            (7, "x", 0, None),
            (7, "x", 1, None),
        ]

    def test_not_null_without_a_default_is_refused(self, system: System) -> None:
        """A target column that must have a value and gets none is an error before anything is made."""
        publish(system, "other", NUMBERS, [])
        system.execute(f"CREATE TABLE {qualify(system.relation('t'))} (id BIGINT, note TEXT, must INTEGER NOT NULL)")
        with pytest.raises(SchemaMismatch, match=r"(?i)must"):
            land(system, "t", NUMBERS, [])

    def test_a_wider_type_takes_every_value(self, system: System) -> None:
        """Integers, decimals and floats are widened, text loses its bound."""
        narrow = [Type("int16"), Type("int32"), Type("decimal", 10, 2), Type("float32"), Type("text", length=3)]
        wide = [Type("int64"), Type("decimal", 12, 2), Type("decimal", 20, 4), Type("float64"), Type("text")]
        schema = TableSchema(tuple(Column(name, kind) for name, kind in zip("abcde", narrow, strict=True)))
        publish(system, "t", with_types(schema, wide), [])
        rows = pa.record_batch(
            [[-(2**15)], [2**31 - 1], pa.array([1], pa.decimal128(10, 2)), [0.5], ["abc"]], schema=arrow_schema(schema)
        )
        publish(system, "t", schema, [rows])
        assert [str(v[0]) for v in read(system, "t").columns] == ["-32768", "2147483647.00", "1.0000", "0.5", "abc"]

    def test_a_type_that_would_lose_values_is_refused(self, system: System) -> None:
        """A float does not become an integer, nor do digits after the point get cut."""
        schema = TableSchema((Column("a", Type("float64")), Column("b", Type("decimal", 10, 4))))
        publish(system, "t", with_types(schema, [Type("int64"), Type("decimal", 10, 2)]), [])
        with pytest.raises(SchemaMismatch) as caught:
            land(system, "t", schema, [])
        assert [line.split()[1].lower() for line in caught.value.message.splitlines()] == ["a", "b"]


class ConcurrentTargetSuite:
    """For targets that others read while they are loaded."""

    def test_readers_see_all_old_or_all_new_rows(self, system: System) -> None:
        """A reader in a loop finds every load whole: never a part of it, never an empty table."""
        table, done = qualify(system.relation("t")), Event()
        publish(system, "t", NUMBERS, [numbers(0, 500, "0")])

        def look() -> set[tuple[object, ...]]:
            seen = set()
            while not done.is_set():
                seen.update(system.execute(f"SELECT count(*), min(note) = max(note) FROM {table}"))
            return seen

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(look)
            try:
                for number in range(1, 6):
                    publish(system, "t", NUMBERS, [numbers(0, 250, str(number)), numbers(250, 500, str(number))])
            finally:
                done.set()
            assert reader.result() == {(500, True)}
