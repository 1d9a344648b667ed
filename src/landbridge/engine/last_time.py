"""What a read is compared with before it begins: how many rows, and how many bytes of parcel, it gave last time."""

from dataclasses import dataclass

from landbridge.engine.plan import Plan
from landbridge.engine.world import World
from landbridge.errors import RunError, WorldError
from landbridge.ledger import runs
from landbridge.stage.location import open_store

MOST_DELTA = 10.0  # where a table does not set its own
SMALL = 1_000  # rows; up to them a table without a max_delta of its own may change as it likes
ENOUGH = 0.75  # of the estimated bytes: compression differs from time to time


@dataclass(frozen=True)
class LastTime:
    """The newest export or one-hop run that succeeded and knew how many rows the table has."""

    pipeline_id: str
    rows: int
    bytes: int


def last_time(world: World, pipeline_name: str) -> LastTime | None:
    """None for a table that was never read with success."""
    for run in runs.list_runs(world.ledger, pipeline_name=pipeline_name, status="SUCCESS"):
        if run.job_kind != "import":
            details = run.phases["source_to_stage_transfer"].details
            rows = details.get("table_rows", details["stage_count"])
            if rows is not None and "bytes" in details:
                return LastTime(run.pipeline_id, rows, details["bytes"])
    return None


def refuse_surprise(plan: Plan, last: LastTime, rows: int) -> None:
    """Raise RunError for a count that differs from the last one by more than the table's `max_delta`."""
    if plan.max_delta is False or not _surprises(plan.max_delta, last.rows, rows):
        return
    raise RunError(
        f"{plan.pipeline_name}: the source counts {rows:,} rows now; the last time ({last.pipeline_id}) it "
        f"had {last.rows:,}: nothing was read",
        hint="if that is right: --accept-delta, once, or another max_delta in config/tables.yaml",
    )


def _surprises(most: float | None, before: int, now: int) -> bool:
    if before == 0 or now == 0:
        return before > 0
    if most is None and max(before, now) <= SMALL:
        return False
    return max(before, now) / min(before, now) > (most or MOST_DELTA)


def refuse_no_room(plan: Plan, last: LastTime, rows: int) -> None:
    """Raise WorldError where the disk has clearly too little space for a parcel of `rows` rows."""
    if last.rows <= SMALL:  # their bytes are headers and padding
        return
    store = open_store(plan.location)
    needed, free = rows * last.bytes // last.rows, store.free_bytes()
    if free is not None and free < needed * ENOUGH:
        raise WorldError(
            f"{store.describe()}: a parcel of {rows:,} rows needs about {needed:,} bytes, as {last.pipeline_id} did; "
            f"{free:,} are free",
            hint=f"df -h {store.describe()}; parcels that were carried can be deleted",
        )
