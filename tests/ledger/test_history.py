"""What the rows tell about attempts and windows, and that no question reads all of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from landbridge.ledger import coverage, gaps, runs, stages
from landbridge.ledger.database import open_database
from landbridge.ledger.tables import drive, metadata
from landbridge.windows import Window
from tests.ledger.test_runs import FIVE, WINDOW, start

MICROSECOND = timedelta(microseconds=1)


def hours(first, last):
    return Window(FIVE + timedelta(hours=first), FIVE + timedelta(hours=last))


@given(
    pieces=st.lists(st.tuples(st.integers(0, 20_000_000), st.sampled_from([1, 60, 3600, 5400, 86_400])), max_size=8),
    span=st.tuples(st.integers(0, 20_000_000), st.integers(1, 5_000_000)),
    fraction=st.integers(0, 2),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_attempted_are_those_that_overlap(db, pieces, span, fraction):
    """Of windows of any lengths, with parts of a second or without: exactly those that overlap the span, each once."""

    def window(begin, seconds):
        first = FIVE + timedelta(seconds=begin)
        return Window(first, first + timedelta(seconds=seconds) + fraction * MICROSECOND)

    with db.begin() as connection:
        connection.execute(drive.delete())
    windows = {window(*piece) for piece in pieces}
    for each in [*windows, *list(windows)[:2]]:
        start(db, window=each)
    wanted = window(*span)
    expected = sorted(each for each in windows if each.start < wanted.end and each.end > wanted.start)
    assert runs.attempted(db, "orders", wanted) == expected
    assert runs.first_window(db, "orders") == min((each.start for each in windows), default=None)


def test_windows_that_only_touch_do_not_overlap(db):
    """Windows are half-open."""
    start(db, window=hours(0, 1))
    start(db, window=hours(2, 3))
    assert runs.attempted(db, "orders", hours(1, 2)) == []
    assert runs.attempted(db, "customers", hours(0, 9)) == []
    assert runs.first_window(db, "customers") is None


def test_the_latest_attempt_at_a_window(db):
    """The newest row of exactly this window, however it ended."""
    runs.finish_run(db, start(db), "FAILED")
    second = start(db, retry_number=1)
    start(db, window=hours(0, 2))
    start(db, name="customers")
    assert runs.latest_of_window(db, "orders", WINDOW) == second
    assert runs.latest_of_window(db, "orders", hours(7, 8)) is None


def test_rate_of_the_newest(db):
    """SUCCESS of SUCCESS and FAILED, since a time, of the newest so many; other rows are neither."""
    for status in ("FAILED", "SUCCESS", "SUCCESS", "SKIPPED", "RUNNING"):
        run = start(db)
        with db.begin() as connection:
            row = drive.c.pipeline_id == run.pipeline_id
            connection.execute(drive.update().where(row).values(pipeline_status=status))
    gaps.record_gap(db, "orders", hours(5, 6), host="", version="")
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    assert runs.rate(db, "orders", long_ago) == (2, 3)
    assert runs.rate(db, "orders", long_ago, most=2) == (2, 2)
    assert runs.rate(db, "orders", datetime(2100, 1, 1, tzinfo=UTC)) == (0, 0)
    assert runs.rate(db, "customers", long_ago) == (0, 0)


def _ask_everything(db):
    since = datetime(2020, 1, 1, tzinfo=UTC)
    start(db)
    runs.latest_run(db, "orders", "import")
    runs.list_runs(db)
    for name in (None, "orders"):
        for status in (None, "FAILED"):
            runs.list_runs(db, pipeline_name=name, status=status, since=since)
    runs.attempted(db, "orders", WINDOW)
    runs.first_window(db, "orders")
    runs.latest_of_window(db, "orders", WINDOW)
    runs.rate(db, "orders", since)
    runs.close_crashed(db, "orders", "export")
    gaps.record_gap(db, "orders", WINDOW, host="", version="")
    gaps.recorded(db, "orders")
    coverage.covered(db, "orders", WINDOW)
    with db.begin() as connection:
        coverage.cover(db, connection, "orders", WINDOW)
    stages.cleanable(db, "orders", since)
    stages.of_load(db, "orders", "l")


@pytest.fixture
def plans(tmp_path):
    """What SQLite does for each statement that `_ask_everything` sends: pairs of its words and the steps."""
    db = open_database(f"sqlite:///{tmp_path}/drive.db")
    sent = []
    for engine in (db._reader, db._writer):
        event.listen(engine, "before_cursor_execute", lambda *given: sent.append(given[2:4]))
    _ask_everything(db)
    with db.read() as connection:
        explained = [
            (words, connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}", values).all())
            for words, values in sent
            if words.startswith(("SELECT", "UPDATE", "DELETE"))
        ]
    db.close()
    return [(words, [row.detail for row in rows]) for words, rows in explained]


def test_no_question_reads_all_rows(plans):
    """On SQLite each finds its rows by an index; the newest of all are read off the one by time."""
    tables = tuple(f"SCAN {name}" for name in metadata.tables)
    assert len(plans) > 20
    for words, steps in plans:
        scans = {step for step in steps if step.startswith(tables)}
        assert scans <= {"SCAN pipeline_execution_drive USING INDEX pipeline_execution_drive_by_time"}, words


def test_the_newest_are_not_sorted(plans):
    """Who asks for the newest rows gets them in the order of an index; at most rows of one instant are sorted."""
    newest = [steps for words, steps in plans if "created_at DESC, pipeline_execution_drive.fence DESC" in words]
    assert len(newest) > 5
    assert not [steps for steps in newest if "USE TEMP B-TREE FOR ORDER BY" in steps]
