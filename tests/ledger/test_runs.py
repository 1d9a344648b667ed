"""Runs: rows of the drive table, and the only ways in which they change (docs/drive-table.md)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from landbridge.errors import ConfigError, RunError, UsageError
from landbridge.ledger import runs
from landbridge.ledger.runs import PHASES, PhaseRecord
from landbridge.windows import Window
from tests.ledger.processes import at_once

FIVE = datetime(2026, 1, 31, 5, tzinfo=UTC)
WINDOW = Window(FIVE, FIVE + timedelta(hours=1))


def start(db, *, name="orders", **changes):
    values = {
        "pipeline_name": name,
        "job_kind": "run",
        "window": WINDOW,
        "plan_hash": "abc",
        "fence": 1,
        "resumed_from": None,
        "host": "here",
        "version": "0.1.0",
    }
    return runs.start_run(db, **(values | changes))


def end(db, run, phase, status="COMPLETED", **fields):
    return runs.phase_ended(db, run, PhaseRecord(phase_name=phase, status=status, **fields))


def end_all(db, run, status="COMPLETED"):
    for phase in run.phases_pending:
        run = end(db, run, phase, status)
    return run


def test_new_run(db):
    """A new row is RUNNING, with every phase pending, the window it is about, and what started it."""
    run = start(db)
    assert run.pipeline_id == "orders_20260131_05h_run1"
    assert run.pipeline_status == "RUNNING"
    assert run.window == WINDOW
    assert run.target_date.isoformat() == "2026-01-31"
    assert run.query_window_duration == "1h"
    assert run.phases_pending == PHASES
    assert {record.status for record in run.phases.values()} == {"PENDING"}
    assert (run.pipeline_end_timestamp, run.pipeline_run_duration, run.phase_failed) == (None, None, None)
    assert runs.get_run(db, run.pipeline_id) == run


def test_disabled_phases_are_skipped_from_the_start(db):
    """A phase that is not enabled is SKIPPED with a reason and never pending."""
    run = start(db, phases_enabled=PHASES[:-1])
    assert run.phases_pending == PHASES[:-1]
    assert run.phases_skipped == ("target_cleaning",)
    assert run.phases["target_cleaning"].status == "SKIPPED"
    assert run.phases["target_cleaning"].skip_reason


def test_run_number_counts_the_day(db):
    """N counts the rows of a pipeline and target date; other pipelines and days have their own."""
    other_hour = Window(FIVE + timedelta(hours=1), FIVE + timedelta(hours=2))
    next_day = Window(FIVE + timedelta(days=1), FIVE + timedelta(days=2))
    ids = [start(db).pipeline_id, start(db, window=other_hour).pipeline_id, start(db, window=next_day).pipeline_id]
    assert ids == ["orders_20260131_05h_run1", "orders_20260131_06h_run2", "orders_20260201_05h_run1"]
    assert start(db, name="customers").pipeline_id == "customers_20260131_05h_run1"


def test_a_number_is_not_taken_twice(db):
    """Where rows were deleted by hand the next free number is found."""
    first = start(db)
    start(db)
    with db.begin() as connection:
        connection.execute(runs.drive.delete().where(runs.drive.c.pipeline_id == first.pipeline_id))
    assert start(db).pipeline_id == "orders_20260131_05h_run3"


def test_names_may_hold_any_characters(db):
    """A pipeline name is bound, never pasted; one too long for the id is refused."""
    name = 'Robert\'); DROP TABLE "x" -- 名前/%s :p'
    assert runs.latest_run(db, start(db, name=name).pipeline_name, "run").pipeline_name == name
    with pytest.raises(ConfigError, match="too long"):
        start(db, name="x" * 250)


def test_eight_processes_get_eight_ids(url, tmp_path):
    """Attempts that begin at once all get a row of their own."""
    code = """
start = datetime(2026, 1, 31, 5, tzinfo=UTC)
run = runs.start_run(open_database(url), pipeline_name="orders", job_kind="run",
    window=Window(start, start + timedelta(hours=1)), plan_hash="", fence=1, resumed_from=None, host="", version="")
print(run.pipeline_id)
"""
    said = at_once(code, url=url, folder=tmp_path, processes=8)
    assert sorted(said) == [f"orders_20260131_05h_run{n}" for n in range(1, 9)]


def test_phases_move_between_the_lists(db):
    """A phase leaves pending for completed or skipped, or becomes phase_failed; its record is kept."""
    run = runs.phase_began(db, start(db), "stale_pipeline_handling")
    assert run.phases["stale_pipeline_handling"].start_timestamp is not None
    assert run.phases["stale_pipeline_handling"].status == "PENDING"
    run = end(db, run, "stale_pipeline_handling", "SKIPPED", skip_reason="nothing stale")
    run = end(db, run, "pre_validation", details={"validation_checks": ["source answers"]})
    record = PhaseRecord(phase_name="source_to_stage_transfer", status="COMPLETED", details={"stage_count": 5})
    run = runs.phase_ended(db, run, record, parcel_id="p1", load_id="l1")
    run = end(db, run, "stage_to_target_transfer", "FAILED", error_message="no\0 space", error_class="TargetError")
    run = runs.finish_run(db, run, "FAILED")
    assert run.phases_skipped == ("stale_pipeline_handling",)
    assert run.phases_completed == ("pre_validation", "source_to_stage_transfer")
    assert run.phase_failed == "stage_to_target_transfer"
    assert run.phases_pending == ("audit", "stage_cleaning", "target_cleaning")
    assert (run.parcel_id, run.load_id) == ("p1", "l1")
    assert run.phases["source_to_stage_transfer"] == record
    assert run.phases["stage_to_target_transfer"].error_message == r"no\x00 space"
    assert run.pipeline_status == "FAILED"
    assert run.pipeline_end_timestamp >= run.pipeline_start_timestamp
    assert run.pipeline_run_duration == "0s"
    assert runs.latest_run(db, "orders", "run") == run


def test_a_phase_ends_once(db):
    """A phase that is not pending cannot begin or end again, and PENDING is no end."""
    run = end(db, start(db), "audit")
    with pytest.raises(RunError, match="not pending"):
        end(db, run, "audit", "FAILED")
    with pytest.raises(RunError, match="not pending"):
        runs.phase_began(db, run, "audit")
    with pytest.raises(ValueError, match="PENDING"):
        end(db, run, "pre_validation", "PENDING")
    assert runs.get_run(db, run.pipeline_id) == run


def test_how_runs_end(db):
    """SUCCESS needs every phase completed or skipped, SKIPPED every phase skipped (seed 002, section 2.4)."""
    with pytest.raises(RunError, match="SUCCESS"):
        runs.finish_run(db, start(db), "SUCCESS")
    assert runs.finish_run(db, end_all(db, start(db)), "SUCCESS").pipeline_status == "SUCCESS"
    assert runs.finish_run(db, end_all(db, start(db), "SKIPPED"), "SKIPPED").pipeline_status == "SKIPPED"
    with pytest.raises(RunError, match="SKIPPED"):
        runs.finish_run(db, end_all(db, start(db)), "SKIPPED")
    failed = end_all(db, end(db, start(db), "audit", "FAILED"))
    with pytest.raises(RunError, match="SUCCESS"):
        runs.finish_run(db, failed, "SUCCESS")


def test_a_closed_run_never_changes(db):
    """After its end a row refuses every change, from the attempt that it was as from any other."""
    run = runs.finish_run(db, start(db), "FAILED")
    with pytest.raises(RunError, match="closed"):
        end(db, run, "audit")
    with pytest.raises(RunError, match="closed"):
        runs.phase_began(db, run, "audit")
    with pytest.raises(RunError, match="closed"):
        runs.finish_run(db, run, "FAILED")
    with pytest.raises(RunError, match="closed"), db.begin() as connection:
        runs._change(db, connection, run, {"pipeline_status": "RUNNING"})  # the UPDATE itself asks for RUNNING
    assert runs.get_run(db, run.pipeline_id) == run


def test_crashed_runs_are_closed(db):
    """What still says RUNNING fails in the phase that had begun; the process, should it live, is locked out."""
    first = end(db, start(db), "stale_pipeline_handling")
    first = runs.phase_began(db, first, "source_to_stage_transfer")
    second = start(db)
    other = start(db, name="customers")
    export = start(db, job_kind="export")
    closed = runs.close_crashed(db, "orders", "run")
    assert [run.pipeline_id for run in closed] == [first.pipeline_id, second.pipeline_id]
    assert [run.phase_failed for run in closed] == ["source_to_stage_transfer", "stale_pipeline_handling"]
    record = closed[0].phases["source_to_stage_transfer"]
    assert (record.status, record.error_class) == ("FAILED", "crash")
    assert record.error_message == "the process ended without a word"
    assert record.details == {"last_sign_of_life": first.updated_at.isoformat()}
    assert "source_to_stage_transfer" not in closed[0].phases_pending
    assert closed[0].pipeline_status == "FAILED"
    assert closed[0].pipeline_end_timestamp is not None
    assert closed[0].pipeline_run_duration is None
    with pytest.raises(RunError, match="closed"):
        end(db, first, "source_to_stage_transfer")
    assert [runs.get_run(db, run.pipeline_id).pipeline_status for run in (other, export)] == ["RUNNING", "RUNNING"]
    assert runs.close_crashed(db, "orders", "run") == []


def test_crash_after_a_phase_failed(db):
    """A run that died between its failed phase and its end keeps the failure that it recorded."""
    run = end(db, start(db), "audit", "FAILED", error_message="rows are missing")
    [closed] = runs.close_crashed(db, "orders", "run")
    assert closed.phase_failed == "audit"
    assert closed.phases["audit"].error_message == "rows are missing"
    assert closed.phases_pending == run.phases_pending


def test_resumed_attempts_point_back(db):
    """A resuming attempt names the earlier one, and its number is written into the phases that it executes."""
    earlier = runs.finish_run(db, end(db, start(db), "pre_validation", details={"n": 1}), "FAILED")
    run = start(db, resumed_from=earlier, retry_number=1, window=earlier.window)
    taken_over = replace(earlier.phases["pre_validation"], status="SKIPPED", skip_reason="completed before")
    run = runs.phase_ended(db, run, taken_over)
    run = end(db, run, "audit")
    assert run.resumed_from == earlier.pipeline_id
    assert run.pipeline_retry_number == 1
    assert run.phases["pre_validation"] == taken_over
    assert run.phases["audit"].retry_number == 1


def test_unknown_run_has_near_names(db):
    """A mistyped id is answered with the ids that it may have meant."""
    start(db)
    with pytest.raises(UsageError) as failure:
        runs.get_run(db, "order_20260131_05h_run1")
    assert failure.value.hint == "did you mean orders_20260131_05h_run1?"


def test_lists_are_newest_first(db):
    """Runs are listed newest first, by name, status and time."""
    first, second, third = start(db), start(db, name="customers"), runs.finish_run(db, start(db), "FAILED")
    assert runs.list_runs(db) == [third, second, first]
    assert runs.list_runs(db, limit=1) == [third]
    assert runs.list_runs(db, pipeline_name="orders") == [third, first]
    assert runs.list_runs(db, status="RUNNING") == [second, first]
    assert runs.list_runs(db, since=second.created_at) == [third, second]
    assert runs.latest_run(db, "orders", "export") is None
