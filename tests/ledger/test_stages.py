"""Stages: from when a window is staged until its rows or files are deleted."""

from datetime import timedelta

import pytest

from landbridge.errors import LeaseLost
from landbridge.ledger import stages


def stage(db, run_id, stage_id="s1", *, name="orders", load_id="l1"):
    return stages.staged(
        db,
        stage_id=stage_id,
        pipeline_name=name,
        kind="table",
        location="warehouse",
        name='["RAW", "STAGE_ORDERS"]',
        load_id=load_id,
        pipeline_id=run_id,
        row_count=17,
    )


def test_the_life_of_a_stage(db, run_id):
    """Staged, loaded, archived, deleted: each at its time, and deleted twice is the same as once."""
    first = stage(db, run_id)
    assert (first.state, first.row_count, first.loaded_at, first.pipeline_id) == ("staged", 17, None, run_id)
    loaded = stages.loaded(db, "s1")
    archived = stages.archived(db, "s1", "s3://archive/l1")
    assert (archived.state, archived.archive_location, archived.loaded_at) == (
        "archived",
        "s3://archive/l1",
        loaded.loaded_at,
    )
    assert stages.deleted(db, "s1").state == stages.deleted(db, "s1").state == "deleted"


def test_a_window_staged_again_begins_anew(db, run_id):
    """The row of an earlier attempt becomes that of the new one; nothing of its times is left."""
    stage(db, run_id)
    stages.loaded(db, "s1")
    stages.archived(db, "s1", "/archive")
    stages.deleted(db, "s1")
    again = stage(db, None)
    assert (again.state, again.loaded_at, again.archived_at, again.deleted_at) == ("staged", None, None, None)
    assert (again.archive_location, again.pipeline_id) == (None, None)


def test_states_that_do_not_follow(db, run_id):
    """What is not loaded cannot be archived, what is deleted cannot be loaded, and what nobody noted is told."""
    stage(db, run_id)
    with pytest.raises(LeaseLost, match="no stage s1 is loaded or archived"):
        stages.archived(db, "s1", "/archive")
    stages.deleted(db, "s1")
    with pytest.raises(LeaseLost):
        stages.loaded(db, "s1")
    with pytest.raises(LeaseLost, match="no stage s9"):
        stages.deleted(db, "s9")


def test_what_can_be_cleaned(db, run_id):
    """Loaded and archived stages of one pipeline whose load is old enough, the oldest first; no other."""
    for number in range(1, 6):
        stage(db, run_id, f"s{number}", load_id=f"l{number}")
    stage(db, run_id, "other", name="customers")
    loaded = [stages.loaded(db, stage_id) for stage_id in ("s4", "s2", "s3", "s5", "other")]
    stages.archived(db, "s2", "/archive")
    stages.deleted(db, "s5")
    last = loaded[2].loaded_at
    assert last is not None
    assert [each.stage_id for each in stages.cleanable(db, "orders", last)] == ["s4", "s2", "s3"]
    earlier = stages.cleanable(db, "orders", last - timedelta(microseconds=1))
    assert [each.stage_id for each in earlier] == ["s4", "s2"]


def test_stages_of_a_load(db, run_id):
    """All that was staged for a load and is still there, of this pipeline alone."""
    stage(db, run_id, "s1")
    stage(db, run_id, "s2")
    stage(db, run_id, "s3", load_id="l2")
    stage(db, run_id, "s4", name="customers")
    stages.deleted(db, "s1")
    assert [each.stage_id for each in stages.of_load(db, "orders", "l1")] == ["s2"]
