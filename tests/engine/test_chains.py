"""Chains of parcels, one claim at a time; test_histories mixes them (docs/sync-modes.md)."""

import shutil
from pathlib import Path

import pytest

from landbridge.config.project import load_project
from landbridge.engine.world import World
from landbridge.errors import (
    LandbridgeError,
    OutOfSequence,
    ParcelError,
    ParcelRepeated,
    RunError,
    SourceError,
    TargetError,
)
from tests.engine.histories import KEYS, InPlace, Sides
from tests.engine.projects import MART, WAREHOUSE, declare, in_duckdb, make_project, run, table


@pytest.fixture
def upsert(tmp_path: Path) -> Sides:
    return Sides(tmp_path, "upsert")


@pytest.fixture
def incremental(tmp_path: Path) -> Sides:
    return Sides(tmp_path, "incremental")


def through(sides: Sides, *, full_reload: bool = False) -> LandbridgeError | None:
    """Export, carry all, load; the first error."""
    if error := sides.export(begins_at="nothing" if full_reload else "exported"):
        return error
    for one in sides.exported():
        if one not in sides.carried:
            sides.carry(one)
    return sides.load()


def both(sides: Sides, entry: str) -> None:
    declare(sides.inside, entry)
    declare(sides.outside, entry)


def test_fault_13_a_failed_load_of_one_parcel_skips_nothing_of_the_next(incremental: Sides) -> None:
    """What was loaded is what the target's own book says, not a count of chunks (seed 000)."""
    incremental.source("INSERT INTO t SELECT i, i, i FROM range(1, 6) AS r(i)")
    incremental.export()
    incremental.carry(incremental.exported()[0])
    incremental.load(killed_at=9)
    incremental.source("INSERT INTO t SELECT i, i, i FROM range(6, 11) AS r(i)")
    assert through(incremental) is None
    assert [row[0] for row in incremental.target()] == list(range(1, 11))


def test_fault_15_a_delivery_that_was_lost_is_brought_again(upsert: Sides) -> None:
    """An export moves no mark that counts as arrived: after a loss the read begins where rows are known to be."""
    upsert.source("INSERT INTO t VALUES (1, 1, 1)")
    assert through(upsert) is None
    upsert.confirm()
    upsert.source("INSERT INTO t VALUES (2, 2, 50)")
    upsert.export()  # and the disk falls into the sea
    upsert.source("INSERT INTO t VALUES (3, 3, 100)")
    lost = upsert.exported()[-1]
    upsert.carried.add(lost)
    assert isinstance(through(upsert), OutOfSequence)
    upsert.export(begins_at="confirmed")
    upsert.carry(upsert.exported()[-1])
    assert upsert.load() is None
    assert upsert.target() == [(1, 1, 1), (2, 2, 50), (3, 3, 100)]


def test_fault_15_marks_are_compared_as_what_they_are(incremental: Sides) -> None:
    """As texts 10 would come before 9."""
    incremental.source("INSERT INTO t VALUES (1, 1, 9)")
    assert through(incremental) is None
    incremental.source("INSERT INTO t VALUES (2, 2, 10)")
    assert through(incremental) is None
    assert incremental.target() == [(1, 1, 9), (2, 2, 10)]


def test_fault_15_deletes_reach_the_target(upsert: Sides) -> None:
    """By the keys that each parcel brings, and also where nothing else has changed."""
    upsert.source("INSERT INTO t SELECT i, i, i FROM range(1, 6) AS r(i)")
    assert through(upsert) is None
    upsert.source("DELETE FROM t WHERE id IN (2, 5)")
    assert through(upsert) is None
    assert [row[0] for row in upsert.target()] == [1, 3, 4]


def test_fault_15_a_version_that_only_ends_is_seen(tmp_path: Path) -> None:
    """The source keeps validity columns; what moves when a version ends is named by the query."""
    sides = Sides(tmp_path, "upsert", keys="merge_keys: [id, value], settle_delay: 0m, deletes: ignored")
    sides.source("ALTER TABLE t ADD COLUMN ends BIGINT")
    query = "SELECT id, value, ends, CASE WHEN ends < 9999 THEN ends ELSE value END AS seq FROM {table}"
    both(sides, sides.entry(sides.keys, f', source_query: "{query}"'))
    sides.source("INSERT INTO t VALUES (1, 10, NULL, 9999)")
    assert through(sides) is None
    sides.source("UPDATE t SET ends = 20")
    assert through(sides) is None
    assert in_duckdb(sides.outside / "mart.duckdb", "SELECT id, value, ends FROM t") == [(1, 10, 20)]


def test_a_hole_is_named(incremental: Sides) -> None:
    """By its number and its id, with the command that sends it again."""
    for seq in (1, 2, 3):
        incremental.source(f"INSERT INTO t VALUES ({seq}, 0, {seq})")
        incremental.export()
    first, second, third = incremental.exported()
    incremental.carry(first)
    incremental.carry(third)
    error = incremental.load()
    assert isinstance(error, OutOfSequence)
    assert "number 2 is missing" in error.message
    assert f"--resend {second}" in str(error.hint)
    assert len(incremental.target()) == 1
    incremental.carry(second)
    assert incremental.load() is None
    assert len(incremental.target()) == 3


def test_a_filter_that_changes_stops_the_read(upsert: Sides) -> None:
    """Rows that it lets in lie below the mark; a full reload brings them."""
    both(upsert, upsert.entry(KEYS["upsert"], ', filter: "id <> 1"'))
    upsert.source("INSERT INTO t VALUES (1, 1, 1), (2, 2, 200)")
    assert through(upsert) is None
    both(upsert, upsert.entry(KEYS["upsert"]))
    error = upsert.export()
    assert isinstance(error, RunError)
    assert "--full-reload" in str(error.hint)
    assert through(upsert, full_reload=True) is None
    assert [row[0] for row in upsert.target()] == [1, 2]


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        ("DELETE FROM landbridge_loads", "does not hold the rows"),
        ("DROP TABLE t", "it was emptied, or made anew"),
        ("DELETE FROM t", "it was emptied, or made anew"),
    ],
)
def test_a_target_that_is_not_what_it_was_gets_no_half(upsert: Sides, harm: str, told: str) -> None:
    """Its own book says what it holds, whatever the drive table believes."""
    upsert.source("INSERT INTO t VALUES (1, 1, 1)")
    assert through(upsert) is None
    in_duckdb(upsert.outside / "mart.duckdb", harm)
    upsert.source("INSERT INTO t VALUES (2, 2, 100)")
    error = through(upsert)
    assert isinstance(error, TargetError)
    assert told in error.message
    assert through(upsert, full_reload=True) is None
    assert [row[0] for row in upsert.target()] == [1, 2]


def test_rows_without_a_watermark(tmp_path: Path) -> None:
    """They stop the read, are left out, or come each time, as it is said."""
    found = {}
    for policy in ("refuse", "exclude", "include"):
        keys = f"merge_keys: [id], settle_delay: 0m, deletes: ignored, null_watermark: {policy}"
        sides = Sides(tmp_path / policy, "upsert", keys=keys)
        sides.source("INSERT INTO t VALUES (1, 1, 1), (2, 2, NULL)")
        error = through(sides)
        if policy == "refuse":
            assert isinstance(error, SourceError)
            assert "1 rows have no seq" in error.message
            continue
        assert error is None
        sides.source("UPDATE t SET value = 9 WHERE id = 2; INSERT INTO t VALUES (3, 3, 3)")
        assert through(sides) is None
        found[policy] = [row[:2] for row in sides.target()]
    assert found == {"exclude": [(1, 1), (3, 3)], "include": [(1, 1), (2, 9), (3, 3)]}


def test_nothing_new_makes_no_parcel(incremental: Sides) -> None:
    """And the run is a success that says so."""
    incremental.source("INSERT INTO t VALUES (1, 1, 1)")
    assert through(incremental) is None
    assert incremental.export() is None
    assert len(incremental.exported()) == 1


def test_the_two_sides_must_agree(upsert: Sides) -> None:
    """A parcel of one mode or key is not loaded as another."""
    upsert.source("INSERT INTO t VALUES (1, 1, 1)")
    declare(upsert.outside, upsert.entry(KEYS["upsert"].replace("[id]", "[id, value]")))
    error = through(upsert)
    assert isinstance(error, ParcelError)
    assert "merge_keys (id there, id, value here)" in error.message


def test_an_old_parcel_of_changes_is_not_loaded_again(upsert: Sides) -> None:
    """Its rows would undo what came since; by its id it is refused as well."""
    for seq in (1, 100):
        upsert.source(f"DELETE FROM t; INSERT INTO t VALUES (1, {seq}, {seq})")
        assert through(upsert) is None
    first = upsert.exported()[0]
    error = upsert.load(parcel_id=first)
    assert isinstance(error, ParcelRepeated)
    assert upsert.target() == [(1, 100, 100)]


def test_an_exporting_side_that_was_lost_begins_a_new_chain(upsert: Sides) -> None:
    """It gives its numbers again; what it exports is told from what is loaded by the instant that it shows."""
    for seq in (1, 100, 200):
        upsert.source(f"INSERT INTO t VALUES ({seq}, 1, {seq})")
        assert through(upsert) is None
    shutil.rmtree(upsert.inside / "state")
    upsert.source("INSERT INTO t VALUES (300, 1, 300)")
    assert through(upsert) is None
    assert [row[0] for row in upsert.target()] == [1, 100, 200, 300]


def test_an_importing_side_that_was_lost_loads_nothing_old(upsert: Sides) -> None:
    """The target knows what it holds: an older parcel that lies there must not take its place."""
    for seq in (1, 100):
        upsert.source(f"INSERT INTO t VALUES ({seq}, 1, {seq})")
        assert through(upsert) is None
    shutil.rmtree(upsert.outside / "state")
    error = upsert.load()
    assert isinstance(error, RunError)
    assert "fsck --repair" in str(error.hint)
    assert len(upsert.target()) == 2


def test_a_target_that_was_emptied_is_told_though_nothing_is_new(upsert: Sides) -> None:
    """`nothing new` would be said for days."""
    upsert.source("INSERT INTO t VALUES (1, 1, 1)")
    assert through(upsert) is None
    in_duckdb(upsert.outside / "mart.duckdb", "DELETE FROM t")
    error = upsert.load()
    assert isinstance(error, RunError)
    assert "does not have the rows" in error.message


def test_a_column_that_came_stops_the_read(upsert: Sides) -> None:
    """Of rows that do not change its values would never arrive; it can be left out, or all rows are read once more."""
    upsert.source("INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)")
    assert through(upsert) is None
    upsert.source("ALTER TABLE t ADD COLUMN note VARCHAR DEFAULT 'old'")
    error = upsert.export()
    assert isinstance(error, RunError)
    assert "did not have at the last read: note" in error.message
    in_duckdb(upsert.outside / "mart.duckdb", "ALTER TABLE t ADD COLUMN note VARCHAR")
    assert through(upsert, full_reload=True) is None
    assert in_duckdb(upsert.outside / "mart.duckdb", "SELECT DISTINCT note FROM t") == [("old",)]


def test_a_watermark_of_another_type_stops_the_read(incremental: Sides) -> None:
    """Its mark would be read as something else."""
    incremental.source("INSERT INTO t VALUES (1, 1, 1)")
    assert through(incremental) is None
    incremental.source("ALTER TABLE t ALTER seq TYPE DECIMAL(18, 2)")
    error = incremental.export()
    assert isinstance(error, RunError)
    assert "seq is decimal(18,2), and was int64" in error.message


def test_what_is_not_settled_comes_with_keys_and_waits_without(tmp_path: Path) -> None:
    """A row that changes all the time must not stay old for ever; without a key it would come twice."""
    for mode, more in (("upsert", ", merge_keys: [id], deletes: by_keys"), ("incremental", "")):
        folder = tmp_path / mode
        entry = table("t", target="mart", more=f", sync_mode: {mode}, watermark_column: w, settle_delay: 15m{more}")
        project = make_project(folder, WAREHOUSE, MART, tables=[entry])
        create = "CREATE TABLE t AS SELECT 1 AS id, 'old' AS v, TIMESTAMPTZ '2026-01-01' AS w"
        in_duckdb(project / "warehouse.duckdb", create, "INSERT INTO t VALUES (2, 'new', now())")
        world = World(load_project(project, {}), lambda _event: None)
        world.pool = InPlace()
        row = run(world, "t")
        del world.pool
        world.close()
        unsettled = row.phases["source_to_stage_transfer"].details["unsettled"]
        found = in_duckdb(project / "mart.duckdb", "SELECT id FROM t ORDER BY id")
        assert (found, unsettled) == (([(1,), (2,)], 0) if mode == "upsert" else ([(1,)], 1))
