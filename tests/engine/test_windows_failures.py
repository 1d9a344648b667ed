"""What a failure is, and which are tried again: by type, SQLSTATE and HTTP status, never by words."""

from pathlib import Path

import psycopg
import pytest

from landbridge.engine.events import Event, Notice, RunGivenUp
from landbridge.engine.windowed.failures import Category, category
from landbridge.errors import (
    AccessDenied,
    ConfigError,
    LandbridgeError,
    RunError,
    ScriptFailed,
    SourceError,
    TargetError,
    Unreachable,
)
from landbridge.ledger import runs
from tests.engine.conftest import OpenWorld
from tests.engine.pipelines import ask, run, shop, source, succeeded, target

ONE_HOUR = {"acceptable_data_fetch_end_time": "2026-01-01T01:00:00Z"}


class Answer(Exception):
    """What an HTTP client raises: the answer is in it."""

    def __init__(self, status: int) -> None:
        super().__init__("locked, busy, temporary, denied")
        self.response = type("Response", (), {"status_code": status})()


def from_script(cause: Exception) -> ScriptFailed:
    failure = ScriptFailed("a script raised")
    failure.__cause__ = cause
    return failure


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (Unreachable("no answer"), "transient"),
        (TargetError("deadlock", code="40P01"), "transient"),
        (TargetError("lock time-out", code="55P03"), "transient"),
        (SourceError("too many connections", code="53300"), "transient"),
        (TargetError("the disk is full of blocks and clocks: locked, busy, time-out"), "permanent"),
        (TargetError("syntax", code="42601"), "permanent"),
        (AccessDenied("refused", code="28P01"), "configuration"),
        (ConfigError("no such key"), "configuration"),
        (from_script(TimeoutError("timed out")), "transient"),
        (from_script(ConnectionResetError()), "transient"),
        (from_script(Answer(503)), "transient"),
        (from_script(Answer(429)), "transient"),
        (from_script(Answer(401)), "configuration"),
        (from_script(Answer(404)), "permanent"),
        (from_script(psycopg.errors.DeadlockDetected("deadlock")), "transient"),
        (from_script(ValueError("connection timed out, try again")), "permanent"),
        (KeyError("temporary"), "permanent"),
        (RunError("access denied, temporarily locked"), "permanent"),
    ],
)
def test_fault_12_words_decide_nothing(failure: Exception, expected: Category) -> None:
    """Neither "lock" in "block" nor the order of words makes a failure pass; types and codes do."""
    assert category(failure) == expected


def test_what_may_pass_is_tried_again(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """A lock that is held, for once: one attempt fails by its SQLSTATE, the next, a row of its own, succeeds."""
    events: list[Event] = []
    project = shop(
        tmp_path, pg_url, query_window=ONE_HOUR, retry_configuration={"max_retries": 2, "backoff_strategy": "none"}
    )
    ask(
        pg_url,
        "CREATE SCHEMA mart; CREATE TABLE mart.orders (id INTEGER, state TEXT, amount NUMERIC(12, 4),"
        " placed_at TIMESTAMPTZ, landbridge_load_id TEXT); CREATE SEQUENCE tries",
        "CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('tries') = 1 THEN"
        " RAISE 'try again' USING ERRCODE = '55P03'; END IF; RETURN NULL; END $$",
        "CREATE TRIGGER busy AFTER INSERT ON mart.orders FOR EACH STATEMENT EXECUTE FUNCTION busy()",
    )
    world = open_world(project, events.append)
    (done,) = succeeded(run(world))
    rows = runs.list_runs(world.ledger)
    assert [(row.pipeline_status, row.pipeline_retry_number) for row in rows] == [("SUCCESS", 1), ("FAILED", 0)]
    assert rows[1].phases["stage_to_target_transfer"].details["error_category"] == "transient"
    assert done.resumed_from == rows[1].pipeline_id
    assert done.phases["source_to_stage_transfer"].status == "SKIPPED", "and the source is not read again"
    assert any("attempt 1 failed, and may pass" in event.text for event in events if isinstance(event, Notice))
    assert not [event for event in events if isinstance(event, RunGivenUp)], "nobody is told of what passed"
    assert target(pg_url) == source(pg_url, "2026-01-01 01:00+00")


@pytest.mark.parametrize(
    ("statement", "attempts"),
    [
        ("RAISE 'locked, busy, temporarily unavailable'", 1),
        ("RAISE 'x' USING ERRCODE = '40001'", 3),
    ],
)
def test_what_will_not_pass_is_not(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, statement: str, attempts: int
) -> None:
    """A permanent error stops at the first attempt; one that may pass after `max_retries` more; it is told once."""
    events: list[Event] = []
    retry = {"max_retries": 2, "backoff_strategy": "none"}
    project = shop(tmp_path, pg_url, query_window=ONE_HOUR, retry_configuration=retry)
    ask(
        pg_url,
        "CREATE SCHEMA mart; CREATE TABLE mart.orders (id INTEGER, state TEXT, amount NUMERIC(12, 4),"
        " placed_at TIMESTAMPTZ, landbridge_load_id TEXT)",
        f"CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; END $$",
        "CREATE TRIGGER busy AFTER INSERT ON mart.orders FOR EACH STATEMENT EXECUTE FUNCTION busy()",
    )
    world = open_world(project, events.append)
    (failed,) = run(world)
    assert isinstance(failed.error, LandbridgeError)
    assert len(runs.list_runs(world.ledger)) == attempts
    told = [event for event in events if isinstance(event, RunGivenUp)]
    assert [(event.pipeline_name, event.run and event.run.pipeline_retry_number) for event in told] == [
        ("orders", attempts - 1)
    ]
