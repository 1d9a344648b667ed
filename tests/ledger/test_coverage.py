"""Coverage: whatever windows are covered in whatever order, the intervals are their union."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from landbridge.errors import RunError
from landbridge.ledger import runs
from landbridge.ledger.coverage import cover, covered
from landbridge.ledger.tables import coverage
from landbridge.windows import Window
from tests.ledger.processes import at_once
from tests.ledger.test_runs import WINDOW, end_all, start

ZERO = datetime(2026, 1, 31, tzinfo=UTC)
WINDOWS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=15)


def window(first, last):
    return Window(ZERO + timedelta(hours=first), ZERO + timedelta(hours=last))


def hours(windows):
    return {hour for each in windows for hour in range(60) if each.start <= ZERO + timedelta(hours=hour) < each.end}


def add(db, name, *windows):
    with db.begin() as connection:
        for each in windows:
            cover(db, connection, name, each)


@given(pieces=WINDOWS, within=st.tuples(st.integers(0, 50), st.integers(1, 9)))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_covered_is_the_union(db, pieces, within):
    """After any windows in any order: the union, in intervals that do not touch; with `within`, its cut of them."""
    windows = [window(first, first + length) for first, length in pieces]
    with db.begin() as connection:
        connection.execute(coverage.delete())
    add(db, "orders", *windows)
    found = covered(db, "orders")
    assert hours(found) == hours(windows)
    assert all(one.end < following.start for one, following in pairwise(found))
    span = window(within[0], within[0] + within[1])
    cut = covered(db, "orders", span)
    assert hours(cut) == hours(found) & hours([span])
    assert cut == sorted(cut)
    assert all(span.start <= each.start and each.end <= span.end for each in cut)


def test_each_pipeline_has_its_own(db):
    """What one pipeline covers says nothing of another."""
    add(db, "orders", window(0, 2))
    add(db, "customers", window(1, 3))
    assert covered(db, "orders") == [window(0, 2)]
    assert covered(db, "customers") == [window(1, 3)]


def test_processes_merge_in_turn(url, db, tmp_path):
    """Windows that three processes cover at once become one interval: nobody merges with what is no longer there."""
    code = """
from landbridge.ledger.coverage import cover
db, number = open_database(url), int(ready.name[-1])
for hour in range(number, 39, 3):
    start = datetime(2026, 1, 31, tzinfo=UTC) + timedelta(hours=hour)
    with db.begin() as connection:
        cover(db, connection, "orders", Window(start, start + timedelta(hours=1)))
"""
    at_once(code, url=url, folder=tmp_path, processes=3)
    assert covered(db, "orders") == [window(0, 39)]


def test_a_successful_run_covers_its_window(db):
    """Only a run that ends as SUCCESS covers, only where it is asked to, and not when its row could not be closed."""
    runs.finish_run(db, end_all(db, start(db)), "SUCCESS")
    runs.finish_run(db, end_all(db, start(db), "SKIPPED"), "SKIPPED", covers=True)
    runs.finish_run(db, start(db), "FAILED", covers=True)
    with pytest.raises(RunError):
        runs.finish_run(db, start(db), "SUCCESS", covers=True)
    assert covered(db, "orders") == []
    run = end_all(db, start(db))
    runs.finish_run(db, run, "SUCCESS", covers=True)
    assert covered(db, "orders") == [WINDOW]
    with pytest.raises(RunError, match="closed"):
        runs.finish_run(db, run, "SUCCESS", covers=True)
