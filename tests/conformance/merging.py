"""What every target owes to rows that meet others (docs/sync-modes.md, "What a load does")."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from landbridge.contracts.values import Landing, Load, Merge, Published, Write
from landbridge.errors import SchemaMismatch, TargetError
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.changes import Mode
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import qualify
from tests.conformance import every_kind
from tests.conformance.system import System, publish

ROWS = TableSchema(
    (
        Column("id", Type("int64"), nullable=False),
        Column("note", Type("text")),
        Column("seq", Type("int64")),
        Column("gone", Type("boolean")),
    )
)
KEYS = TableSchema((ROWS.columns[0],))
NEWEST = Merge(("id",), newest_by="seq")
BY_KEYS = Merge(("id",), deletes="by_keys")
FLAGGED = Merge(("id",), newest_by="seq", deletes="by_column", deleted_by="gone")
HISTORY = Merge(("id",), deletes="by_keys", validity=("valid_from", "valid_to"))
DAY = datetime(2026, 1, 1, tzinfo=UTC)
Row = tuple[int | None, str | None, int | None, bool | None]


def row(key: int | None, note: str | None = "", seq: int | None = 0, *, gone: bool | None = False) -> Row:
    return key, note, seq, gone


class Chain:
    """One target and the loads that it gets, each going on from the one before."""

    def __init__(self, system: System, mode: Mode, merge: Merge | None, schema: TableSchema = ROWS) -> None:
        self.system, self.schema = system, schema
        self.write = Write("it", system.relation("t"), mode, {}, merge)
        self.last: str | None = None
        self.as_of = DAY

    def load(self, rows: Sequence[Row], keys: Sequence[int] | None = None, **other: Any) -> Published:
        """`other` replaces fields of the Load."""
        self.as_of += timedelta(days=1)
        fields = {
            "load_id": uuid4().hex,
            "first": self.last is None,
            "follows": (self.last,) if self.last else (),
            "as_of": self.as_of,
            **other,
        }
        load = Load(pipeline_name="p", parcel_id="x", attempt=uuid4().hex, rows=len(rows), **fields)
        landed = self.land(load, rows, keys)
        published = self.system.connector.publish(*landed)
        assert self.system.connector.sweep(self.write) == []
        self.last = load.load_id
        return published

    def land(self, load: Load, rows: Sequence[Row], keys: Sequence[int] | None = None) -> list[Landing]:
        connector = self.system.connector
        landed = [connector.prepare(self.write, self.schema, load)]
        connector.append(landed[0], [_batch(self.schema, rows)], 0)
        if keys is not None:
            of_keys = replace(load, rows=len(keys))
            landed.append(connector.prepare(self.write, KEYS, of_keys, only_keys=True))
            connector.append(landed[1], [_batch(KEYS, [(key,) for key in keys])], 0)
        return landed

    def rows(self) -> list[tuple[Any, ...]]:
        table = qualify(self.system.relation("t"))
        return [tuple(r) for r in self.system.execute(f"SELECT id, note, seq FROM {table} ORDER BY id, note, seq")]

    def versions(self) -> list[tuple[Any, ...]]:
        """Key, note, days from the first one to the beginning and to the end; None for an open end."""
        table = qualify(self.system.relation("t"))
        found = self.system.execute(f"SELECT id, note, valid_from, valid_to FROM {table} ORDER BY id, valid_from")
        return [(key, note, _day(first), _day(last)) for key, note, first, last in found]


def _day(instant: datetime) -> int | None:
    instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return None if instant.year == 9999 else (instant - DAY).days


def _batch(schema: TableSchema, rows: Sequence[tuple[Any, ...]]) -> pa.RecordBatch:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema.columns)
    return pa.record_batch([list(column) for column in columns], schema=arrow_schema(schema))


class MergeSuite:
    """For any target."""

    def test_rows_are_added(self, system: System) -> None:
        """Without keys a later load adds its rows, also equal ones."""
        chain = Chain(system, "incremental", None)
        chain.load([row(1, "a", 1)])
        done = chain.load([row(1, "a", 1), row(2, "b", 2)])
        assert chain.rows() == [(1, "a", 1), (1, "a", 1), (2, "b", 2)]
        assert (done.rows, done.changed) == (3, {"inserted": 2})

    def test_rows_that_are_there_are_left(self, system: System) -> None:
        """Incremental with keys: an overlap that is read again doubles nothing, and changes nothing."""
        chain = Chain(system, "incremental", Merge(("id",)))
        chain.load([row(1, "a", 1)])
        done = chain.load([row(1, "other", 1), row(2, "b", 2)])
        assert chain.rows() == [(1, "a", 1), (2, "b", 2)]
        assert done.changed == {"inserted": 1, "unchanged": 1}

    def test_the_newest_row_of_a_key_wins(self, system: System) -> None:
        """Within a load, and against the target's row; the first load is cleaned as well."""
        chain = Chain(system, "upsert", NEWEST)
        first = chain.load([row(1, "old", 1), row(1, "new", 2), row(2, "b", 5), row(3, "c", None)])
        assert (first.rows, chain.rows()) == (3, [(1, "new", 2), (2, "b", 5), (3, "c", None)])
        done = chain.load([row(1, "newer", 4), row(1, "between", 3), row(2, "late", 4), row(3, "c", 1), row(4, "d", 1)])
        assert chain.rows() == [(1, "newer", 4), (2, "b", 5), (3, "c", 1), (4, "d", 1)]
        assert done.changed == {"older": 1, "updated": 2, "inserted": 1, "unchanged": 1}

    def test_rows_that_do_not_differ_are_not_touched(self, system: System) -> None:
        """They count as unchanged: NULL equals NULL, and no NULL equals a value."""
        chain = Chain(system, "upsert", Merge(("id",)))
        chain.load([row(1, None, None, gone=None), row(2, "b", 1)])
        done = chain.load([row(1, None, None, gone=None), row(2, None, 1)])
        assert (chain.rows(), done.changed) == ([(1, None, None), (2, None, 1)], {"updated": 1, "unchanged": 1})

    @pytest.mark.parametrize(
        ("merge", "rows", "told"),
        [
            (Merge(("id",)), [row(1, "a"), row(1, "b")], "1 keys .id. stand in the parcel more than once"),
            (NEWEST, [row(1, "a", 7), row(1, "b", 7)], "same highest seq"),
        ],
    )
    @pytest.mark.parametrize("first", [True, False])
    def test_what_has_no_newest_row_is_refused(
        self, system: System, merge: Merge, rows: list[Row], told: str, *, first: bool
    ) -> None:
        """Nothing is chosen by chance, and nothing is changed."""
        chain = Chain(system, "upsert", merge)
        if not first:
            chain.load([row(1, "was", 1)])
        with pytest.raises(TargetError, match=told):
            chain.load(rows)
        assert chain.rows() == ([] if first else [(1, "was", 1)])

    def test_a_key_without_a_value_is_refused(self, system: System) -> None:
        """It would be a new row each time."""
        nullable = TableSchema((Column("id", Type("int64")), *ROWS.columns[1:]))
        there = Chain(system, "incremental", None, nullable)
        there.load([row(1)])
        chain = Chain(system, "upsert", NEWEST, nullable)
        chain.last = there.last
        with pytest.raises(TargetError, match="no value in their key"):
            chain.load([row(2), row(None)])
        assert [r[0] for r in chain.rows()] == [1]

    def test_what_is_gone_by_its_own_word_goes(self, system: System) -> None:
        """A row that says so deletes its key, unless the target's is newer; one that was never there is no error."""
        chain = Chain(system, "upsert", FLAGGED)
        chain.load([row(1, "a", 1), row(2, "b", 5), row(9, "x", 1, gone=True)])
        assert [r[0] for r in chain.rows()] == [1, 2]
        done = chain.load(
            [row(1, "a", 2, gone=True), row(2, "b", 4, gone=True), row(3, "c", 1), row(4, "d", 1, gone=True)]
        )
        assert [r[0] for r in chain.rows()] == [2, 3]
        assert (done.changed["deleted"], done.changed["gone"], done.changed["inserted"]) == (1, 3, 1)

    def test_keys_that_are_not_there_any_more_go(self, system: System) -> None:
        """By all keys of the source, which come beside the rows that changed."""
        chain = Chain(system, "upsert", BY_KEYS)
        chain.load([row(1), row(2), row(3)])
        done = chain.load([row(3, "new")], keys=[1, 3])
        assert (chain.rows(), done.rows) == ([(1, "", 0), (3, "new", 0)], 2)
        assert done.changed == {"updated": 1, "deleted": 1}

    def test_a_history_keeps_every_version(self, system: System) -> None:
        """A change ends the open version and begins one, at the instant of the parcel; what is gone ends; what comes
        back begins anew.
        """
        chain = Chain(system, "scd2", HISTORY)
        chain.load([row(1, "a"), row(2, "b")], keys=[1, 2])
        chain.load([row(1, "aa"), row(2, "b")], keys=[1, 2, 3])
        chain.load([row(3, "c")], keys=[1, 3])
        done = chain.load([row(2, "b")], keys=[1, 2, 3])
        assert chain.versions() == [
            (1, "a", 1, 2),
            (1, "aa", 2, None),
            (2, "b", 1, 3),
            (2, "b", 4, None),
            (3, "c", 3, None),
        ]
        assert (done.rows, done.changed) == (5, {"inserted": 1})

    def test_a_history_does_not_go_back(self, system: System) -> None:
        """By a source whose clock was set back a version would end before it began."""
        chain = Chain(system, "scd2", HISTORY)
        chain.load([row(1, "a")], keys=[1])
        with pytest.raises(TargetError, match="1 versions began at the instant of these rows or later"):
            chain.load([row(1, "b")], keys=[1], as_of=DAY + timedelta(days=1))
        assert chain.versions() == [(1, "a", 1, None)]

    def test_a_history_of_whole_tables(self, system: System) -> None:
        """Without a watermark every load brings all rows: what is not among them has ended."""
        chain = Chain(system, "scd2", HISTORY)
        chain.load([row(1, "a"), row(2, "b")], first=True)
        chain.load([row(1, "aa")], first=True, whole=True)
        system.execute(f"DELETE FROM {qualify(system.relation('t'))} WHERE id = 2")
        with pytest.raises(TargetError, match="the load before left 3 rows, and now there are 2"):
            chain.load([row(1, "aaa"), row(2, "b")], first=True, whole=True)
        assert chain.versions() == [(1, "a", 1, 2), (1, "aa", 2, None)]

    def test_a_load_goes_on_from_what_is_there_only(self, system: System) -> None:
        """A target that was loaded otherwise meanwhile does not get half of its rows."""
        chain = Chain(system, "upsert", NEWEST)
        chain.load([row(1)])
        with pytest.raises(TargetError, match="does not hold the rows"):
            chain.load([row(2)], follows=("another",), first=False)
        assert [r[0] for r in chain.rows()] == [1]

    def test_a_target_that_lost_rows_gets_no_more(self, system: System) -> None:
        """Emptied, or dropped and made anew: changes alone would be half of a table."""
        chain = Chain(system, "incremental", None)
        chain.load([row(1), row(2)])
        system.execute(f"DELETE FROM {qualify(system.relation('t'))} WHERE id = 1")
        with pytest.raises(TargetError, match="the load before left 2 rows, and now there are 1"):
            chain.load([row(3)])
        assert [r[0] for r in chain.rows()] == [2]

    def test_a_key_that_stands_there_twice_is_refused(self, system: System) -> None:
        """Which row would be meant?"""
        there = Chain(system, "incremental", None)
        there.load([row(1, "a"), row(1, "b")])
        chain = Chain(system, "upsert", NEWEST)
        chain.last = there.last
        with pytest.raises(TargetError, match="stand there more than once"):
            chain.load([row(1, "c", 9)])
        assert chain.rows() == [(1, "a", 0), (1, "b", 0)]

    def test_the_same_load_is_not_done_twice(self, system: System) -> None:
        """An attempt that was thought dead published it: the next one finds its rows, and doubles none."""
        chain = Chain(system, "incremental", None)
        chain.load([row(1)])
        before, connector = chain.last, system.connector
        load = Load(uuid4().hex, "p", "x", uuid4().hex, 1, first=False, follows=(str(before),))
        late = chain.land(load, [row(2)])
        connector.publish(*chain.land(replace(load, attempt=uuid4().hex), [row(2)]))
        assert connector.publish(*late).how == "already"
        assert [r[0] for r in chain.rows()] == [1, 2]
        assert connector.loaded(chain.write, load.load_id) == 2

    def test_columns_that_cannot_say_it_are_named(self, system: System) -> None:
        """A key that does not arrive, a flag that is text, a history without its columns."""
        for merge, told in (
            (Merge(("idd",)), "did you mean 'id'"),
            (Merge(("id",), deletes="by_column", deleted_by="note"), "cannot say that a row is gone"),
        ):
            with pytest.raises(SchemaMismatch, match=told):
                Chain(system, "upsert", merge).load([row(1)])
        publish(system, "t", ROWS, [])
        with pytest.raises(SchemaMismatch, match="keeps no history"):
            Chain(system, "scd2", HISTORY).load([row(1)])

    def test_every_kind_is_compared(self, system: System) -> None:
        """A row of all kinds that comes again is unchanged; documents, floats and bytes too."""
        schema = TableSchema(every_kind.SCHEMA.columns, ("id",))
        write = Write("it", system.relation("t"), "upsert", {}, Merge(("id",)))
        batch = every_kind.batch()
        last: tuple[str, ...] = ()
        for _ in range(2):
            load = Load(uuid4().hex, "p", "x", uuid4().hex, batch.num_rows, first=not last, follows=last)
            landing = system.connector.prepare(write, schema, load)
            system.connector.append(landing, [batch], 0)
            done = system.connector.publish(landing)
            last = (load.load_id,)
        assert done.changed == {"unchanged": batch.num_rows}
