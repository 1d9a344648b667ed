"""Gaps: each hole is one row, told once."""

from datetime import UTC, datetime, timedelta

import pytest

from landbridge.errors import ConfigError, LeaseLost
from landbridge.ledger import gaps, runs
from landbridge.windows import Window
from tests.ledger.processes import at_once
from tests.ledger.test_runs import FIVE, WINDOW, start


def record(db, window=WINDOW, name="orders"):
    return gaps.record_gap(db, name, window, host="here", version="0.1.0")


def test_a_gap_is_recorded_once(db):
    """Its row is closed from the start, nothing was run, and the second time there is nothing to tell."""
    gap = record(db)
    assert gap.pipeline_id == "orders_gap_20260131_050000_to_060000"
    assert (gap.pipeline_status, gap.pipeline_retry_number, gap.window) == ("GAP_DETECTED", 0, WINDOW)
    assert gap.pipeline_end_timestamp == gap.pipeline_start_timestamp
    assert set(gap.phases_skipped) == set(runs.PHASES)
    assert not gap.phases_pending
    assert record(db) is None
    assert gaps.recorded(db, "orders") == [gap]
    with pytest.raises(LeaseLost):
        runs.finish_run(db, gap, "FAILED")


def test_a_gap_is_no_attempt(db):
    """What is asked about attempts passes over gaps; the list of all rows has them."""
    run = start(db)
    later = Window(WINDOW.end, WINDOW.end + timedelta(hours=1))
    gap = record(db, later)
    assert runs.latest_run(db, "orders", "run") == run
    assert runs.latest_of_window(db, "orders", later) is None
    assert runs.attempted(db, "orders", later) == []
    assert runs.close_crashed(db, "customers", "run") == []
    assert runs.list_runs(db) == [gap, run]
    record(db, name="customers")
    assert runs.first_window(db, "customers") is None


@pytest.mark.parametrize(
    ("start_at", "length", "name"),
    [
        (FIVE, timedelta(days=1), "20260131_050000_to_20260201_050000"),
        (datetime(2026, 1, 31, 23, tzinfo=UTC), timedelta(hours=1), "20260131_230000_to_20260201_000000"),
        (FIVE, timedelta(microseconds=7), "20260131_050000_to_050000.000007"),
    ],
)
def test_the_id_names_the_hole(db, start_at, length, name):
    """The end has its date where that is another; holes that differ in less than a second have names of their own."""
    assert record(db, Window(start_at, start_at + length)).pipeline_id == f"orders_gap_{name}"


def test_too_long_a_name(db):
    """A name that leaves no room for the rest of the id is refused."""
    with pytest.raises(ConfigError, match="too long"):
        record(db, name="x" * 230)


def test_processes_that_find_it_at_once(url, tmp_path):
    """Of two processes that record one gap at the same moment, only one is told that it is new."""
    code = """
from landbridge.ledger.gaps import record_gap
start = datetime(2026, 1, 31, 5, tzinfo=UTC)
gap = record_gap(open_database(url), "orders", Window(start, start + timedelta(hours=1)), host="", version="")
print(gap is not None)
"""
    assert sorted(at_once(code, url=url, folder=tmp_path, processes=2)) == ["False", "True"]
