"""What every target owes to windows: rows that carry their load's id, each load replacing its own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from landbridge.contracts.target import TAG
from landbridge.contracts.values import Filter, Landing, Published, Read, Write
from landbridge.errors import LandbridgeError, RunError, SchemaMismatch, TargetError
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.columns import Columns, Pick
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import qualify
from tests.conformance import every_kind
from tests.conformance.system import NUMBERS, System, ids, land, load_of, numbers, publish, read

WITHOUT_TAG = Columns(exclude=(TAG,))


class Windows:
    """One target and the windows that it gets."""

    def __init__(self, system: System, table: str = "t", schema: TableSchema = NUMBERS) -> None:
        self.system, self.table, self.schema = system, table, schema
        self.write = Write("it", system.relation(table), "window")

    def land(self, load_id: str, *batches: pa.RecordBatch) -> Landing:
        load = load_of(sum(batch.num_rows for batch in batches), load_id)
        return land(self.system, self.table, self.schema, batches, load, mode="window")

    def load(self, load_id: str, *batches: pa.RecordBatch) -> Published:
        return self.system.connector.publish(self.land(load_id, *batches))

    def push(self, load_id: str, source: Read, version: int | None = None) -> Published:
        connector = self.system.connector
        version = connector.newest_load(self.write).version if version is None else version
        return connector.publish_from(self.write, source, load_of(0, load_id), version)

    def rows(self) -> list[tuple[Any, ...]]:
        """Id and load id."""
        table = qualify(self.system.relation(self.table))
        return [tuple(row) for row in self.system.execute(f"SELECT id, {TAG} FROM {table} ORDER BY 1, 2")]


class WindowSuite:
    """For any target."""

    cut: tuple[str, str, str] | None = None  # a value, its type, and the type that the database would cut it to

    def test_a_window_that_is_run_again_replaces_its_rows(self, system: System) -> None:
        """Exactly the new rows are there, be they fewer; another window keeps its own, and so do rows of nobody."""
        windows, one, two = Windows(system), uuid4().hex, uuid4().hex
        first = windows.load(one, numbers(0, 2), numbers(2, 3))
        assert (first.rows, first.how, first.changed) == (3, "window", {"deleted": 0, "inserted": 3})
        assert windows.load(two, numbers(10, 12)).rows == 2
        system.execute(f"INSERT INTO {qualify(system.relation('t'))} (id) VALUES (99)")
        again = windows.load(one, numbers(1, 2))
        assert (again.rows, again.changed) == (1, {"deleted": 3, "inserted": 1})
        assert windows.rows() == [(1, one), (10, two), (11, two), (99, None)]
        assert windows.load(one).rows == 0
        assert ids(system, "t") == [10, 11, 99]

    def test_a_load_is_known_by_its_id(self, system: System) -> None:
        """Whoever came after it: its rows in the book and in the table, and versions that count up."""
        windows, connector, one, two = Windows(system), system.connector, uuid4().hex, uuid4().hex
        landing = windows.land(one, numbers(0, 3))
        assert connector.loaded(windows.write, one) is None
        connector.publish(landing)
        windows.load(two, numbers(0, 5))
        assert (connector.loaded(windows.write, one), connector.loaded(windows.write, two)) == (3, 5)
        assert connector.loaded(replace(windows.write, mode="full"), one) is None
        assert [connector.count(windows.write, *of) for of in ((), (one,), (two,), ("nobody's",))] == [8, 3, 5, 0]
        windows.load(one, numbers(0, 1))
        assert connector.loaded(windows.write, one) == 1
        newest = connector.newest_load(windows.write)
        assert (newest.version, newest.load_id, newest.rows) == (3, one, 1)

    def test_windows_are_published_in_any_order(self, system: System) -> None:
        """What came in between is no hindrance, unless it is the same load: that is not published again."""
        windows, connector, one, two = Windows(system), system.connector, uuid4().hex, uuid4().hex
        zombie, late = windows.land(one, numbers(0, 3)), windows.land(one, numbers(5, 6))
        between = windows.land(two, numbers(10, 12))
        assert [connector.publish(landing).how for landing in (late, between)] == ["window", "window"]
        done = connector.publish(zombie)
        assert (done.how, done.rows, ids(system, "t")) == ("already", 1, [5, 10, 11])
        assert connector.sweep(windows.write) == []
        source = Read("it", system.relation("t"))
        assert windows.push(one, source, version=zombie.version).how == "already"

    def test_a_rerun_after_a_kill_finds_its_own_leftovers(self, system: System) -> None:
        """What landed and was not published is swept by its load, and a living window beside it is left alone."""
        windows, connector, one, two = Windows(system), system.connector, uuid4().hex, uuid4().hex
        dead, beside = windows.land(one, numbers(0, 3)), windows.land(two, numbers(10, 12))
        kept = windows.land(one, numbers(0, 4))
        assert connector.sweep(windows.write, load_id=uuid4().hex) == []
        assert connector.sweep(windows.write, keep=kept.load.attempt, load_id=one) == [dead.relation.table]
        assert connector.left(windows.write, keep=kept.load.attempt, load_id=one) == []
        assert {connector.publish(kept).rows, connector.publish(beside).rows} == {4, 2}
        assert ids(system, "t") == [0, 1, 2, 3, 10, 11]

    def test_a_window_of_which_rows_are_missing_is_refused(self, system: System) -> None:
        """Its old rows stay."""
        windows, one = Windows(system), uuid4().hex
        windows.load(one, numbers(0, 3))
        landing = windows.land(one, numbers(0, 9))
        with pytest.raises(TargetError, match="9 rows"):
            system.connector.publish(replace(landing, load=replace(landing.load, rows=10)))
        assert ids(system, "t") == [0, 1, 2]

    def test_every_kind_survives_either_way(self, system: System) -> None:
        """NULL, empty, NaN, ends of kinds: what is pushed within the database is what lands and is published."""
        order, batch = [("id", "ascending")], every_kind.batch()
        publish(system, "s", every_kind.SCHEMA, [batch])
        Windows(system, "a", every_kind.SCHEMA).load(uuid4().hex, batch)
        assert Windows(system, "b").push(uuid4().hex, Read("it", system.relation("s"))).rows == batch.num_rows
        sent, landed, pushed = (read(system, table, columns=columns).sort_by(order) for table, columns in (
            ("s", None), ("a", WITHOUT_TAG), ("b", WITHOUT_TAG)
        ))  # fmt: skip
        assert sent.schema == landed.schema == pushed.schema
        for name in sent.column_names:
            wanted = repr(sent[name].to_pylist())  # NaN is no equal of NaN
            assert repr(landed[name].to_pylist()) == wanted, name
            assert repr(pushed[name].to_pylist()) == wanted, name

    def test_a_window_is_made_of_a_query(self, system: System) -> None:
        """Paired by name, filtered, renamed; the id of the load that brought them there is left out; run twice."""
        staged, windows, one = Windows(system, "s"), Windows(system), uuid4().hex
        staged.load(uuid4().hex, numbers(0, 4, "x"))
        windows.load("another", numbers(50, 51))
        query = f"SELECT {TAG}, note, id + 100 AS id FROM {{table}}"
        source = Read("it", system.relation("s"), query, Filter("(id <> 102)"))
        for deleted in (0, 3):
            done = windows.push(one, source)
            assert (done.rows, done.how, done.changed) == (3, "window", {"deleted": deleted, "inserted": 3})
        assert windows.rows() == [(50, "another"), (100, one), (101, one), (103, one)]
        assert (system.connector.loaded(windows.write, one), system.connector.newest_load(windows.write).version) == (
            3,
            3,
        )
        renamed = Columns((Pick("note", rename="remark"),), exclude=("id",))
        Windows(system, "u").push(one, Read("it", system.relation("s"), columns=renamed))
        assert read(system, "u", columns=WITHOUT_TAG).to_pylist() == [{"remark": "x"}] * 4

    def test_what_would_lose_something_is_not_pushed(self, system: System) -> None:
        """A digit that would be rounded, a text that would be cut: refused with a hint, and nothing is changed."""
        windows, one = Windows(system, schema=_decimals(2)), uuid4().hex
        windows.load(one, _decimal(2, "1.25"))
        publish(system, "s", _decimals(4), [_decimal(4, "1.2345")])
        with pytest.raises(SchemaMismatch) as caught:
            windows.push(one, Read("it", system.relation("s")))
        assert "CAST" in (caught.value.hint or "")
        masked = Read("it", system.relation("s"), columns=Columns((Pick("v", mask="hash"),)))
        with pytest.raises(SchemaMismatch, match="masked"):
            windows.push(one, masked)
        assert read(system, "t", columns=WITHOUT_TAG)["v"].to_pylist() == _decimal(2, "1.25")["v"].to_pylist()

    def test_what_the_database_would_cut_is_not_pushed(self, system: System) -> None:
        """Where it raises no error of its own."""
        assert self.cut, "each database has one"
        value, wide, narrow = self.cut
        publish(system, "other", NUMBERS, [])  # so that the schema is there
        source, target = qualify(system.relation("s")), qualify(system.relation("t"))
        system.execute(f"CREATE TABLE {source} AS SELECT CAST({value} AS {wide}) AS v")
        system.execute(f"CREATE TABLE {target} (v {narrow}, {TAG} VARCHAR)")
        with pytest.raises(SchemaMismatch, match="cut or round") as caught:
            Windows(system).push(uuid4().hex, Read("it", system.relation("s")))
        assert "CAST" in (caught.value.hint or "")
        assert system.execute(f"SELECT * FROM {target}") == []

    def test_a_value_that_does_not_fit_changes_nothing(self, system: System) -> None:
        """The database says so, and the window keeps its old rows."""
        publish(system, "s", NUMBERS, [numbers(2**40, 2**40 + 2)])
        target = qualify(system.relation("t"))
        system.execute(f"CREATE TABLE {target} (id NUMERIC(4,0), note VARCHAR, {TAG} VARCHAR)")
        windows, one = Windows(system), uuid4().hex
        windows.load(one, numbers(0, 3))
        with pytest.raises(RunError):
            windows.push(one, Read("it", system.relation("s")))
        assert windows.rows() == [(0, one), (1, one), (2, one)]

    def test_a_target_without_the_column_is_refused(self, system: System) -> None:
        """The hint is the statement that adds it; after that the rows that were there are no window's."""
        publish(system, "t", NUMBERS, [numbers(0, 2)])
        windows, one = Windows(system), uuid4().hex
        for attempt in (
            lambda: windows.land(one, numbers(5, 7)),
            lambda: windows.push(one, Read("it", system.relation("t"))),
            lambda: system.connector.discard(windows.write, [one]),
        ):
            with pytest.raises(SchemaMismatch, match=TAG) as caught:
                attempt()
        assert (caught.value.hint or "").startswith("ALTER TABLE")
        system.execute(caught.value.hint or "")
        windows.load(one, numbers(5, 7))
        assert windows.rows() == [(0, None), (1, None), (5, one), (6, one)]

    @pytest.mark.parametrize("name", [TAG, TAG.upper()])
    def test_a_column_of_that_name_does_not_arrive(self, system: System, name: str) -> None:
        """Of a stage that is read as any table: its ids are not those of this load."""
        schema = TableSchema((*NUMBERS.columns, Column(name, Type("text"))))
        with pytest.raises(SchemaMismatch, match="the target's own"):
            Windows(system, schema=schema).land(uuid4().hex)
        assert system.connector.describe([system.relation("t")])[system.relation("t")] is None

    def test_a_key_of_the_source_is_none_of_the_target(self, system: System) -> None:
        """A row that changed comes again with the window of its change."""
        windows = Windows(system, schema=replace(NUMBERS, primary_key=("id",)))
        for _ in range(2):
            windows.load(uuid4().hex, numbers(0, 2))
        assert ids(system, "t") == [0, 0, 1, 1]

    def test_exactly_some_loads_are_discarded(self, system: System) -> None:
        """Rows of all others stay, also those of an id that begins alike; where there is no table, there are none."""
        windows, connector = Windows(system), system.connector
        assert connector.discard(windows.write, ["a"]) == 0
        for number, load_id in enumerate(("a", "aa", "b", "c")):
            windows.load(load_id, numbers(number * 10, number * 10 + 2))
        assert connector.discard(windows.write, []) == 0
        assert connector.discard(windows.write, ["a", "b", "nobody's"]) == 4
        assert ids(system, "t") == [10, 11, 30, 31]
        assert connector.discard(windows.write, ["a"]) == 0

    def test_statements_are_done_together(self, system: System) -> None:
        """Each says how many rows it changed; where one fails, none was done; none ends the transaction."""
        publish(system, "t", NUMBERS, [numbers(0, 5, "100%s")])
        table, run = qualify(system.relation("t")), system.connector.run_sql
        assert run([]) == []
        assert run(
            [
                f"DELETE FROM {table} WHERE id < 2 AND note LIKE '100%s'",
                f"-- words\nUPDATE {table} SET note = 'y' WHERE id = 3",
                f"INSERT INTO {table} (id, note) SELECT id + 10, note FROM {table}",
                f"DELETE FROM {table} WHERE id = 99;",
            ]
        ) == [2, 1, 3, 0]
        for wrong in ("INSERT INTO no_such_table SELECT 1", "/* */ COMMIT", "ROLLBACK", "SELECT 1; SELECT 2"):
            with pytest.raises(LandbridgeError):
                run([f"DELETE FROM {table}", wrong])
            assert ids(system, "t") == [2, 3, 4, 12, 13, 14]


class ConcurrentWindowSuite:
    """For targets that several processes load at the same time."""

    def test_windows_are_published_at_the_same_time(self, system: System) -> None:
        """All of them are there, each once, and the book has counted them; a zombie at its twin's side doubles none."""
        windows, connector = Windows(system), system.connector
        loads = [uuid4().hex for _ in range(3)]
        landings = [windows.land(load, numbers(n * 10, n * 10 + 5)) for n, load in enumerate([*loads, loads[0]])]
        with ThreadPoolExecutor(len(landings)) as pool:
            done = list(pool.map(connector.publish, landings))
        assert [published.rows for published in done] == [5] * 4
        assert sorted(published.how for published in done) == ["already", "window", "window", "window"]
        assert {load: connector.count(windows.write, load) for load in loads} == dict.fromkeys(loads, 5)
        assert connector.newest_load(windows.write).version == 3
        assert connector.sweep(windows.write) == []

    def test_windows_are_run_at_the_same_time(self, system: System) -> None:
        """From the first step on, the table being made; by landing as by pushing."""
        windows, connector = Windows(system), system.connector
        publish(system, "s", NUMBERS, [numbers(0, 5)])

        def run(number: int) -> int:
            if number % 2:
                return windows.push(uuid4().hex, Read("it", system.relation("s"))).rows
            return windows.load(uuid4().hex, numbers(0, 5)).rows

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(run, range(4))) == [5] * 4
        assert (connector.count(windows.write), connector.newest_load(windows.write).version) == (20, 4)


def _decimals(scale: int) -> TableSchema:
    return TableSchema((Column("v", Type("decimal", 10, scale)),))


def _decimal(scale: int, *values: str) -> pa.RecordBatch:
    texts: Sequence[str] = values
    return pa.record_batch([pa.array(texts).cast(pa.decimal128(10, scale))], schema=arrow_schema(_decimals(scale)))
