"""Whether an attempt can go on where an earlier one failed."""

from datetime import UTC, datetime, timedelta

from landbridge.engine.events import Notice
from landbridge.engine.plan import Plan
from landbridge.engine.world import World
from landbridge.ledger import runs
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.reading import is_finished

MOST_AGE = timedelta(days=1)  # of rows that are still worth loading, where the table declares no schedule


def resumable(plan: Plan, world: World) -> Run | None:
    """The newest attempt, if it failed at this very plan, has a transfer to give, and is not overdue."""
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
