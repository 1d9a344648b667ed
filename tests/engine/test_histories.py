"""Whatever happens to a table and to its parcels, the target ends as the source is (docs/sync-modes.md)."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from landbridge.demo.postgres_server import PostgresServer
from landbridge.errors import OutOfSequence
from tests.engine.histories import OVERLAP, Sides

HISTORIES = int(os.environ.get("LANDBRIDGE_HISTORIES", "1"))  # of each mode and kind of target; `make histories` has 34
STEPS = 12

kills = st.none() | st.integers(0, 24)


def machine(mode: str, postgres: PostgresServer | None) -> type[RuleBasedStateMachine]:  # noqa: C901  a rule each
    """Rules for one mode: without keys rows only come, in their order; with keys they change, go, and come late."""
    keyed = mode != "incremental"

    class History(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.folder = tempfile.TemporaryDirectory()
            self.sides = Sides(Path(self.folder.name), mode, postgres.new_database() if postgres else None)
            self.rows: dict[int, tuple[int, int]] = {}
            self.seq = 0
            self.late: list[tuple[int, int, int]] = []

        def _stamp(self) -> int:
            self.seq += 1
            return self.seq

        def _put(self, key: int, value: int, seq: int) -> None:
            self.sides.source(f"DELETE FROM t WHERE id = {key}")
            self.sides.source(f"INSERT INTO t VALUES ({key}, {value}, {seq})")
            self.rows[key] = (value, seq)

        @rule(value=st.integers(0, 9))
        def insert(self, value: int) -> None:
            self._put(1000 + self.seq, value, self._stamp())

        @precondition(lambda self: keyed and self.rows)
        @rule(data=st.data(), value=st.integers(0, 9))
        def update(self, data: st.DataObject, value: int) -> None:
            self._put(data.draw(st.sampled_from(sorted(self.rows))), value, self._stamp())

        @precondition(lambda self: keyed and self.rows)
        @rule(data=st.data())
        def delete(self, data: st.DataObject) -> None:
            key = data.draw(st.sampled_from(sorted(self.rows)))
            self.sides.source(f"DELETE FROM t WHERE id = {key}")
            del self.rows[key]

        @precondition(lambda self: keyed and not self.late)
        @rule(value=st.integers(0, 9))
        def begin_a_transaction(self, value: int) -> None:
            """It has its watermark now, and commits later."""
            self.late.append((2000 + self.seq, value, self._stamp()))

        @precondition(lambda self: self.late)
        @rule()
        def commit_late(self) -> None:
            key, value, seq = self.late.pop()
            if self.seq - seq < OVERLAP:
                self._put(key, value, seq)

        @rule(killed_at=kills)
        def export(self, killed_at: int | None) -> None:
            self.sides.export(killed_at=killed_at)

        @precondition(lambda _self: keyed)
        @rule()
        def export_from_confirmed(self) -> None:
            self.sides.confirm()
            self.sides.export(begins_at="confirmed")

        @rule(killed_at=kills)
        def export_everything(self, killed_at: int | None) -> None:
            self.sides.export(begins_at="nothing", killed_at=killed_at)

        @rule(data=st.data())
        def carry(self, data: st.DataObject) -> None:
            """Any of those that were not carried yet, in any order."""
            if waiting := [one for one in self.sides.exported() if one not in self.sides.carried]:
                self.sides.carry(data.draw(st.sampled_from(waiting)))

        @rule(killed_at=kills)
        def load(self, killed_at: int | None) -> None:
            error = self.sides.load(killed_at=killed_at)
            assert error is None or isinstance(error, OutOfSequence) or not self.sides.carried, error

        def teardown(self) -> None:
            """In the end all that was lost is carried, and the last export too."""
            try:
                self._end()
            finally:
                self.folder.cleanup()

        def _end(self) -> None:
            assert self.sides.export() is None
            for one in self.sides.exported():
                if one not in self.sides.carried:
                    self.sides.carry(one)
            error = self.sides.load()
            if isinstance(error, OutOfSequence):  # two exports went on from one parcel, and rows have no keys
                assert self.sides.export(begins_at="nothing") is None
                self.sides.carry(self.sides.exported()[-1])
                error = self.sides.load()
            assert error is None, error
            assert self.sides.target() == sorted((key, *row) for key, row in self.rows.items())

    return History


@contextmanager
def _server(request: pytest.FixtureRequest, kind: str) -> Iterator[PostgresServer | None]:
    yield request.getfixturevalue("postgres") if kind == "postgres" else None


@pytest.mark.parametrize("target", ["duckdb", "postgres"])
@pytest.mark.parametrize("mode", ["incremental", "upsert", "scd2"])
def test_the_target_ends_as_the_source_is(request: pytest.FixtureRequest, mode: str, target: str) -> None:
    """Inserts, updates, deletes, late commits; parcels lost, reordered, superseded; both sides killed at any event."""
    with _server(request, target) as server:
        run_state_machine_as_test(
            machine(mode, server),
            settings=settings(
                max_examples=HISTORIES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
