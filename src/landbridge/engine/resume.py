"""Whether an attempt can go on where an earlier one failed."""

from datetime import UTC, datetime, timedelta

from landbridge.engine.events import Notice
from landbridge.engine.plan import Plan, Windowed, window_load_id
from landbridge.engine.world import World
from landbridge.ledger import runs
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.reading import is_finished

MOST_AGE = timedelta(days=1)  # of rows that are still worth loading, where the table declares no schedule
AFTER_AUDIT = ("stage_cleaning", "target_cleaning")


def resumable(plan: Plan, world: World) -> Run | None:
    """The newest attempt, if it failed at this very plan, has a transfer to give, and is not overdue."""
    if plan.windowed:
        return _resumable_window(plan, plan.windowed, world)
    earlier = runs.latest_run(world.ledger, plan.pipeline_name, plan.job_kind)
    if earlier is None or earlier.pipeline_status != "FAILED" or earlier.plan_hash != plan.digest():
        return None
    if not may_be_resumed(earlier) or not _has_parcel(earlier, plan):
        return None
    age = datetime.now(UTC) - earlier.query_window_start_timestamp
    if age > (plan.schedule or MOST_AGE):
        world.emit(Notice(f"{earlier.pipeline_id} is too old to go on with: reading the source again"))
        return None
    return earlier


def _resumable_window(plan: Plan, windowed: Windowed, world: World) -> Run | None:
    """The newest attempt at the window, if it failed at this very plan, not by its audit, and its stage is there."""
    earlier = runs.latest_of_window(world.ledger, plan.pipeline_name, windowed.window)
    if earlier is None or earlier.pipeline_status != "FAILED" or earlier.plan_hash != plan.digest():
        return None
    refuted = earlier.phases["audit"].error_type == "AuditError"  # then all is read again
    if refuted or not completed_by(earlier, "source_to_stage_transfer"):
        return None
    if datetime.now(UTC) - earlier.pipeline_start_timestamp > MOST_AGE:
        return None
    if earlier.phase_failed in AFTER_AUDIT:  # what it staged may be gone by now, and nobody needs it any more
        return earlier
    return earlier if _stage_is_there(earlier, plan, world) else None


def _stage_is_there(earlier: Run, plan: Plan, world: World) -> bool:
    if plan.packing is not None:
        return _has_parcel(earlier, plan)
    if plan.stage is None:
        return True  # the script's own stage
    staged = earlier.phases["source_to_stage_transfer"].details.get("stage_count")
    load_id = window_load_id(earlier.pipeline_name, earlier.window)
    return staged is not None and world.connector(plan.stage.connection).count(plan.stage, load_id) == staged


def may_be_resumed(earlier: Run) -> bool:
    """Whether it stopped where there is something to go on with: not before a parcel, nor after the audit.

    One that says RUNNING is taken for dead.
    """
    stopped = runs.stopped_at(earlier) if earlier.pipeline_status == "RUNNING" else earlier.phase_failed
    return stopped in ("stage_to_target_transfer", "audit")


def _has_parcel(earlier: Run, plan: Plan) -> bool:
    """A parcel that is still there, and that nobody refused."""
    transfer = earlier.phases["source_to_stage_transfer"]
    refused = earlier.phase_failed and earlier.phases[earlier.phase_failed].error_class == "ParcelError"
    folder: str = transfer.details.get("folder", "")
    return folder != "" and not refused and is_finished(open_store(plan.location), folder)


def completed_by(earlier: Run, name: str) -> str | None:
    """The attempt that completed this phase: the earlier one, or the one that it took it over from."""
    record = earlier.phases[name]
    if name == "stage_to_target_transfer" and earlier.phase_failed == "audit":
        return None  # the audit says that what was loaded is not there
    if record.status == "COMPLETED":
        return earlier.pipeline_id
    attempt: str | None = record.details.get("attempt") if record.status == "SKIPPED" else None
    return attempt
