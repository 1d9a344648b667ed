"""What every target owes to windows with keys: of each key one row, the newest (docs/pipelines.md, "Keys")."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.contracts.target import TAG
from landbridge.contracts.values import Landing, Merge, Published, Read, Write
from landbridge.errors import SchemaMismatch, TargetError
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import qualify
from tests.conformance.system import System, load_of, publish

ORDERS = TableSchema(
    (
        Column("id", Type("int64")),
        Column("shop", Type("text")),
        Column("note", Type("text")),
        Column("changed", Type("int64")),
    )
)
Row = tuple[int | None, str | None, str, int | None]
WINDOWS, TICKS = 3, 3  # of the property: windows, and instants in each


def row(key: int | None, changed: int | None, note: str = "", shop: str | None = "a") -> Row:
    return key, shop, note, changed


class Keyed:
    """One target, and the windows that it gets; load ids are short names."""

    def __init__(self, system: System, *keys: str, table: str = "t") -> None:
        self.system, self.table = system, table
        self.write = Write("it", system.relation(table), "window", merge=Merge(keys or ("id",), newest_by="changed"))

    def land(self, load_id: str, rows: Sequence[Row]) -> Landing:
        connector = self.system.connector
        landing = connector.prepare(self.write, ORDERS, load_of(len(rows), load_id))
        connector.append(landing, [batch(rows)], 0)
        return landing

    def load(self, load_id: str, *rows: Row) -> Published:
        return self.system.connector.publish(self.land(load_id, rows))

    def push(self, load_id: str, *rows: Row) -> Published:
        """The same from a table of the same database."""
        connector, source = self.system.connector, f"s_{uuid4().hex[:8]}"
        publish(self.system, source, ORDERS, [batch(rows)])
        version = connector.newest_load(self.write).version
        read = Read("it", self.system.relation(source))
        return connector.publish_from(self.write, read, load_of(0, load_id), version)

    def rows(self) -> list[tuple[Any, ...]]:
        """Id, note, changed and load id."""
        table = qualify(self.system.relation(self.table))
        found = self.system.execute(f"SELECT id, note, changed, {TAG}, shop FROM {table} ORDER BY id, changed, shop")
        return [tuple(each)[:4] for each in found]


def batch(rows: Iterable[Row]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [()] * len(ORDERS.columns)
    return pa.record_batch([list(column) for column in columns], schema=arrow_schema(ORDERS))


WAYS = pytest.mark.parametrize("way", [Keyed.load, Keyed.push], ids=["landed", "pushed"])
Way = Callable[..., Published]


class KeyedSuite:
    """For any target."""

    @WAYS
    def test_a_row_that_changed_is_there_once(self, system: System, way: Way) -> None:
        """A later window takes it over; an older one that comes after it leaves it out, and rows without one stay."""
        target = Keyed(system)
        assert way(target, "a", row(1, 10), row(2, 11)).changed == {"deleted": 0, "inserted": 2, "older": 0}
        later = way(target, "b", row(2, 20, "new"), row(3, 21))
        assert (later.rows, later.how, later.changed) == (2, "window", {"deleted": 1, "inserted": 2, "older": 0})
        known = [(1, "", 10, "a"), (2, "new", 20, "b"), (3, "", 21, "b")]
        assert target.rows() == known
        again = way(target, "a", row(1, 10), row(2, 11))
        assert (again.rows, again.changed) == (1, {"deleted": 1, "inserted": 1, "older": 1})
        assert target.rows() == known
        assert (system.connector.loaded(target.write, "a"), system.connector.count(target.write, "a")) == (1, 1)
        assert system.connector.sweep(target.write) == []

    @WAYS
    def test_a_window_that_is_run_again_replaces_its_rows(self, system: System, way: Way) -> None:
        """Also by rows that are older than those it had, and by fewer."""
        target = Keyed(system)
        way(target, "a", row(1, 15), row(2, 16), row(3, 17))
        way(target, "b", row(9, 20))
        done = way(target, "a", row(1, 12, "set back"), row(3, 17))
        assert done.changed == {"deleted": 3, "inserted": 2, "older": 0}
        assert target.rows() == [(1, "set back", 12, "a"), (3, "", 17, "a"), (9, "", 20, "b")]
        assert way(target, "a").rows == 0
        assert target.rows() == [(9, "", 20, "b")]

    @WAYS
    def test_of_what_comes_the_newest_row_of_each_key_stays(self, system: System, way: Way) -> None:
        """One without a value is older than any; equal ones of two loads: the one that comes stays."""
        target = Keyed(system)
        done = way(target, "a", row(1, 10), row(1, 12, "new"), row(1, 11), row(2, None), row(3, None), row(3, 5, "has"))
        assert done.changed == {"deleted": 0, "inserted": 3, "older": 3}
        assert target.rows()[:1] == [(1, "new", 12, "a")]
        way(target, "b", row(1, None), row(2, None, "later"), row(3, 5, "later"))
        assert sorted(target.rows(), key=lambda each: each[0]) == [
            (1, "new", 12, "a"),
            (2, "later", None, "b"),
            (3, "later", 5, "b"),
        ]

    @WAYS
    def test_several_columns_are_one_key(self, system: System, way: Way) -> None:
        """Only where all of them are equal a row is the same."""
        target = Keyed(system, "shop", "id")
        way(target, "a", row(1, 10, shop="x"), row(1, 11, shop="y"), row(2, 12, shop="x"))
        done = way(target, "b", row(1, 20, "new", shop="y"))
        assert done.changed == {"deleted": 1, "inserted": 1, "older": 0}
        assert target.rows() == [(1, "", 10, "a"), (1, "new", 20, "b"), (2, "", 12, "a")]

    @WAYS
    @pytest.mark.parametrize(
        ("rows", "told"),
        [
            ([row(1, 10), row(None, 11)], "1 rows have no value in their key"),
            ([row(1, 10, "x"), row(1, 10, "y"), row(2, 11)], "(?i)of 1 keys .id. several rows .* same highest changed"),
        ],
        ids=["null", "tie"],
    )
    def test_what_has_no_key_or_no_newest_row_is_refused(
        self, system: System, way: Way, rows: list[Row], told: str
    ) -> None:
        """Nothing is chosen by chance, nothing is changed, and nothing is left behind."""
        target = Keyed(system)
        way(target, "a", row(1, 9))
        way(target, "b", row(5, 20))
        before = target.rows()
        with pytest.raises(TargetError, match=told) as caught:
            way(target, "a", *rows)
        assert "merge_keys" in (caught.value.hint or "")
        assert (target.rows(), system.connector.loaded(target.write, "a")) == (before, 1)
        if way is Keyed.push:
            assert system.connector.sweep(target.write) == []

    @WAYS
    def test_doubles_of_before_go_with_the_newest(self, system: System, way: Way) -> None:
        """A target that had no keys until now: whoever brought its rows, a newer one of their key replaces them all."""
        target = Keyed(system)
        plain = Keyed(system)
        plain.write = replace(target.write, merge=None)
        for number, load_id in enumerate(("a", "b", "c")):
            plain.load(load_id, row(1, 10 + number), row(number + 5, 10))
        system.execute(f"INSERT INTO {qualify(system.relation('t'))} (id, note, changed) VALUES (1, 'by hand', 2)")
        done = way(target, "c", row(1, 12), row(7, 10))
        assert done.changed == {"deleted": 5, "inserted": 2, "older": 0}
        assert target.rows() == [(1, "", 12, "c"), (5, "", 10, "a"), (6, "", 10, "b"), (7, "", 10, "c")]
        way(target, "a", row(1, 10), row(5, 10))
        assert target.rows() == [(1, "", 12, "c"), (5, "", 10, "a"), (6, "", 10, "b"), (7, "", 10, "c")]

    @pytest.mark.parametrize("merge", [Merge(("idd",), newest_by="changed"), Merge(("id",), newest_by="updated_at")])
    def test_columns_that_do_not_arrive_are_named(self, system: System, merge: Merge) -> None:
        """Before anything is made; a name that only folds to one that arrives is that one."""
        target = Keyed(system)
        target.write = replace(target.write, merge=merge)
        for way in (target.load, target.push):
            with pytest.raises(SchemaMismatch, match=r"no column '(idd|updated_at)' arrives") as caught:
                way("a", row(1, 10))
            assert "target_system" in (caught.value.hint or "")
        assert system.connector.describe([target.write.relation])[target.write.relation] is None
        target.write = replace(target.write, merge=Merge(("ID",), newest_by="CHANGED"))
        target.load("a", row(1, 10))
        target.push("b", row(1, 11))
        target.load("c", row(1, 9))
        assert target.rows() == [(1, "", 11, "b")]

    def test_a_target_that_is_made_has_no_key(self, system: System) -> None:
        """As of all windows: between two statements of a load a key may be there twice."""
        Keyed(system).load("a", row(1, 10))
        found = system.connector.describe([system.relation("t")])[system.relation("t")]
        assert found is not None
        assert found.primary_key == ()

    @settings(
        max_examples=4,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
    )
    @given(
        st.lists(
            st.one_of(
                st.tuples(st.sampled_from(["change", "delete"]), st.integers(0, 2)),
                st.tuples(st.just("load"), st.integers(0, WINDOWS - 1)),
            ),
            min_size=5,
            max_size=WINDOWS * TICKS,
        ),
        st.permutations(range(WINDOWS)),
        st.lists(st.integers(0, WINDOWS - 1), max_size=2),
    )
    def test_all_windows_loaded_in_any_order_are_the_source(
        self, system: System, history: list[tuple[str, int]], order: list[int], again: list[int]
    ) -> None:
        """Rows change and go, each change at a later instant than those before it; windows are loaded meanwhile, when
        they may not even be over, in any order, some often. No key is ever there twice; once all were
        loaded from how the source is now, the target is the source, and stays it, whatever is loaded again.
        """
        target, source = Keyed(system, table=f"t{uuid4().hex[:8]}"), {}

        def load(window: int) -> None:
            target.load(f"w{window}", *(each for each in source.values() if each[3] // TICKS == window))

        for instant, (what, number) in enumerate(history):
            if what == "load":
                load(number)
            elif what == "change":
                source[number] = row(number, instant, f"as of {instant}")
            else:
                source.pop(number, None)
        for window in order:
            load(window)
            keys = [each[0] for each in target.rows()]
            assert len(set(keys)) == len(keys)
        wanted = [(key, note, at, f"w{at // TICKS}") for key, _, note, at in sorted(source.values())]
        assert target.rows() == wanted
        for window in again:
            load(window)
        assert target.rows() == wanted


class ConcurrentKeyedSuite:
    """For targets that several processes load at the same time."""

    @WAYS
    def test_windows_of_one_key_at_the_same_time(self, system: System, way: Way) -> None:
        """No deadlock, no delete that is lost: of each key the newest row is there, once."""
        target, count = Keyed(system), 4
        loads = [(f"w{n}", [row(key, n * TICKS + key, f"of {n}") for key in range(n, 6)]) for n in range(count)]
        with ThreadPoolExecutor(count) as pool:
            done = list(pool.map(lambda load: way(target, load[0], *load[1]), loads))
        assert {published.how for published in done} == {"window"}
        newest = [min(key, count - 1) for key in range(6)]
        assert target.rows() == [(key, f"of {n}", n * TICKS + key, f"w{n}") for key, n in enumerate(newest)]
        assert system.connector.newest_load(target.write).version == count
        assert system.connector.sweep(target.write) == []
