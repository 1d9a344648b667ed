"""What is not like the last time stops before a row is read."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.engine.last_time import LastTime, last_time, refuse_no_room, refuse_surprise
from landbridge.engine.plan import Plan, plan_export, plan_run
from landbridge.engine.walk import walk
from landbridge.errors import RunError, WorldError
from landbridge.ledger import runs
from tests.engine.conftest import OpenWorld
from tests.engine.projects import MART, PRICES, WAREHOUSE, in_duckdb, introduce, make_project, table

PRICES_OF = "INSERT INTO prices SELECT i, 'fund', 1, DATE '2024-01-01', 'ACTIVE' FROM range({}) AS numbers(i)"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    make_project(tmp_path, WAREHOUSE, MART, tables=[table("prices", target="mart")])
    in_duckdb(tmp_path / "warehouse.duckdb", PRICES)
    introduce(tmp_path, make_project(tmp_path / "outside"))
    return tmp_path


def plan(max_delta: float | None = None, *, off: bool = False) -> Plan:
    return Plan("prices", "export", "/nowhere", max_delta=False if off else max_delta)


def surprises(before: int, now: int, max_delta: float | None = None, *, off: bool = False) -> bool:
    try:
        refuse_surprise(plan(max_delta, off=off), LastTime("prices_run1", before, 1), now)
    except RunError:
        return True
    return False


def test_both_numbers_are_told() -> None:
    """And how to let this one through."""
    with pytest.raises(RunError, match=r"counts 0 rows now; the last time \(prices_run1\) it had 2,000,000") as caught:
        refuse_surprise(plan(), LastTime("prices_run1", 2_000_000, 1), 0)
    assert "--accept-delta" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("before", "now", "stops"),
    [
        *[(1, 0, True), (0, 0, False), (0, 10**9, False), (1000, 1, False), (1001, 100, True), (1001, 101, False)],
        *[(100, 1000, False), (100, 1001, True), (200, 2000, False), (200, 2001, True)],
    ],
)
def test_unless_a_table_says_otherwise(before: int, now: int, *, stops: bool) -> None:
    """None after some, and more than tenfold or under a tenth where one of both counts is above 1,000."""
    assert surprises(before, now) == stops


@pytest.mark.parametrize(("before", "now", "stops"), [(10, 50, False), (10, 51, True), (10, 2, False), (10, 1, True)])
def test_a_tables_own_measure(before: int, now: int, *, stops: bool) -> None:
    """`max_delta: 5`: more than five times, under a fifth, however small the table."""
    assert surprises(before, now, 5.0) == stops


@given(st.integers(0), st.integers(0), st.none() | st.floats(1, exclude_min=True, allow_infinity=False))
def test_it_is_the_same_both_ways_and_can_be_off(before: int, now: int, most: float | None) -> None:
    """What may not grow so much may not shrink so much; the same count is no surprise; off is off."""
    if before and now:
        assert surprises(before, now, most) == surprises(now, before, most)
    assert not surprises(before, before, most)
    assert not surprises(before, now, off=True)


def test_an_emptied_table_leaves_the_target_as_it_is(project: Path, open_world: OpenWorld) -> None:
    """In one hop: nothing is read, the old rows stand; accepted, they are replaced, and that is the new measure."""
    world = open_world(project)
    prices = world.project.table("prices")
    walk(plan_run(world.project, prices), world)
    in_duckdb(project / "warehouse.duckdb", "DELETE FROM prices")
    for fresh in (False, True):
        with pytest.raises(RunError, match="0 rows now"):
            walk(plan_run(world.project, prices), world, fresh=fresh)
    assert in_duckdb(project / "mart.duckdb", "SELECT count(*) FROM prices") == [(100,)]
    assert not list((project / "stage").rglob("part-*"))
    walk(plan_run(world.project, prices, accept_delta=True), world)
    assert in_duckdb(project / "mart.duckdb", "SELECT count(*) FROM prices") == [(0,)]
    walk(plan_run(world.project, prices), world)


def test_an_export_is_compared_with_the_last_that_succeeded(project: Path, open_world: OpenWorld) -> None:
    """One that was stopped counts for nothing; nothing of it is left."""
    world = open_world(project)
    prices = world.project.table("prices")
    walk(plan_export(world.project, prices), world)
    in_duckdb(project / "warehouse.duckdb", PRICES_OF.format(2000))
    for _ in range(2):
        with pytest.raises(RunError, match="2,100 rows now"):
            walk(plan_export(world.project, prices), world)
    assert runs.latest_run(world.ledger, "prices", "export").phase_failed == "source_to_stage_transfer"
    assert last_time(world, "prices").rows == 100
    assert len(list((project / "exports" / "prices").glob("*/index"))) == len(list(project.glob("exports/prices/*")))
    walk(plan_export(world.project, prices, accept_delta=True), world)
    assert last_time(world, "prices").rows == 2100


def test_it_decides_nothing_about_resuming(project: Path, open_world: OpenWorld) -> None:
    """A failed run goes on, whether or not its count was accepted by hand."""
    world = open_world(project)
    prices = world.project.table("prices")
    assert plan_run(world.project, prices).digest() == plan_run(world.project, prices, accept_delta=True).digest()


def test_no_room_is_estimated_by_the_last_export(tmp_path: Path) -> None:
    """Bytes a row as the last time: refused only where three quarters of them are not free."""
    here = Plan("prices", "export", str(tmp_path / "exports"))
    refuse_no_room(here, LastTime("prices_run1", 2_000, 2_000 * 50), 10_000)
    refuse_no_room(here, LastTime("prices_run1", 1_000, 10**9), 10**14)
    with pytest.raises(WorldError, match="needs about 5,000,000,000,000,000 bytes, as prices_run1 did"):
        refuse_no_room(here, LastTime("prices_run1", 2_000, 2_000 * 50), 10**14)
    refuse_no_room(Plan("prices", "export", "memory:///"), LastTime("prices_run1", 2_000, 2_000 * 50), 10**14)
