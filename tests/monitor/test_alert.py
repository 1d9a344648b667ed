"""What alerts say."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import AuditError, RunError, SourceError
from landbridge.ledger.database import Database
from landbridge.monitor.alert import MOST_LINES, duration, failure, gaps, schema_change, span
from landbridge.windows import Window, format_duration
from tests.monitor.failing import HOUR, NOON, failed_run, took


def test_a_failure(db: Database) -> None:
    """The subject is the seed's; the text has all that the next step needs, and ends with what to type."""
    error = AuditError("3 of 50 rows are missing", hint="landbridge verify-tables --table orders")
    run = failed_run(db, "orders", error)
    alert = failure("orders", error, run, pipeline=True)
    assert (alert.subject, alert.severity) == ("[ALERT] Pipeline Failure: orders", "critical")
    assert alert.text == (
        "run      orders_20260131_12h_run1\n"
        "window   [2026-01-31T12:00:00+00:00, 2026-01-31T13:00:00+00:00)\n"
        "phase    audit\n"
        "attempt  3\n"
        "host     etl1\n"
        "error    AuditError\n"
        "message  3 of 50 rows are missing\n"
        "hint     landbridge verify-tables --table orders\n\n"
        "landbridge show orders_20260131_12h_run1\n"
        "landbridge retry orders_20260131_12h_run1"
    )


def test_a_failure_of_a_table(db: Database) -> None:
    """A table is as of an instant, and is run again by its name; the drive table's words stand in for the error."""
    run = failed_run(db, "prices", SourceError("broken off\nin line 2"), window=Window.at(NOON))
    alert = failure("prices", None, run)
    assert alert.severity == "error"
    assert "window   as of 2026-01-31T12:00:00+00:00\n" in alert.text
    assert "error    SourceError\nmessage  broken off\n         in line 2\n\n" in alert.text
    assert alert.text.endswith("landbridge run --table prices")


def test_a_failure_before_any_run() -> None:
    """What could not be begun is told all the same."""
    alert = failure("prices", RunError("another run has this table", hint="wait"), None)
    assert alert.text == (
        "error    RunError\nmessage  another run has this table\nhint     wait\n\nlandbridge doctor\nlandbridge status"
    )


def test_keys_of_failures(db: Database) -> None:
    """The same is the same pipeline, phase and type of error, in whatever run and words."""
    one, again = (failed_run(db, "orders", SourceError(f"row {n}"), phase="audit") for n in (1, 2))
    elsewhere = failed_run(db, "orders", SourceError(""), phase="pre_validation")
    key = failure("orders", SourceError("row 1"), one).key
    assert failure("orders", SourceError("row 2"), again).key == key
    others = [("orders", SourceError(""), elsewhere), ("orders", AuditError(""), one), ("fund", SourceError(""), one)]
    assert len({key, *(failure(*other).key for other in others)}) == 4


@pytest.mark.parametrize(
    ("seconds", "expected", "told"),
    [(120, "1m", False), (120.001, "1m", True), (3600, "1m 30s", True), (9e9, None, False), (1, "soon", False)],
)
def test_durations(db: Database, seconds: float, expected: str | None, *, told: bool) -> None:
    """Told is what took strictly more than twice what was expected."""
    run = failed_run(db, "orders", SourceError(""))
    alert = duration(run, took(seconds, expected), 2.0)
    assert (alert is not None) == told
    assert alert is None or alert.subject == "[ALERT] Pipeline Duration: orders"


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400)))
def test_spans_are_read_as_they_are_written(length: timedelta) -> None:
    """Durations as the drive table has them come back to the second; none is no duration."""
    whole = timedelta(seconds=int(length.total_seconds()))
    assert span(format_duration(length)) == (whole or None)


def test_gaps_and_changes() -> None:
    """One alert for all; of very many lines the first are told, and how many more there are."""
    alert = gaps("orders", [HOUR])
    assert alert.text.startswith("1 window that no run will fill by itself\n\n[2026-01-31T12:00:00+00:00, ")
    assert alert.text.endswith("landbridge gaps orders --fill")
    changes = [f"column c{n} is new" for n in range(MOST_LINES + 2)]
    change = schema_change("orders", changes)
    assert change.subject == "[ALERT] Pipeline Schema Change: orders"
    assert change.text.startswith("52 changes at the source\n\ncolumn c0 is new\n")
    assert change.text.endswith("… and 2 more")
    assert schema_change("orders", changes[:-1]).key != change.key
