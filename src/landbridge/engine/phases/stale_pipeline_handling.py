"""Phase 1: settle what dead attempts left: unfinished parcels, landing tables."""

from landbridge.engine.carrying.custody import exported
from landbridge.engine.events import Notice
from landbridge.engine.phases.outcome import Outcome, completed, skipped
from landbridge.engine.phases.stage_cleaning import settle_stage
from landbridge.engine.plan import Plan, load_id
from landbridge.engine.world import World
from landbridge.ledger import marks, parcels
from landbridge.ledger.parcels import ParcelRow
from landbridge.ledger.runs import Run, get_run
from landbridge.stage.location import open_store
from landbridge.stage.reading import is_finished
from landbridge.stage.writing import delete_parcel, delete_unfinished


def stale_pipeline_handling(plan: Plan, row: Run, world: World) -> Outcome:
    """We hold the lease, so whatever is half done for this table belongs to nobody.

    A parcel that has its index is whole, though its writer died before it could say so: it is kept. One
    without is removed, and its sequence number is free again.
    """
    kept, removed = [], []
    for slot in parcels.writing(world.ledger, plan.pipeline_name):
        store = open_store(slot.location)
        counted = slot.row_count is not None
        if counted and not store.is_there():  # a disk that is not mounted looks like one without an index
            world.emit(Notice(f"parcel {slot.parcel_id} may be whole, but {store.describe()} is not there now"))
            continue
        if counted and is_finished(store, slot.folder):
            parcels.seal(world.ledger, slot.parcel_id, exported(world, slot))
            kept.append(slot.parcel_id)
        else:
            delete_unfinished(store, slot.folder)
            parcels.abandon(world.ledger, slot.parcel_id)
            removed.append(slot.parcel_id)
    removed += _stages_left(plan, row, world)
    swept = world.connector(plan.write.connection).sweep(plan.write) if plan.write else []
    for name in swept:
        world.emit(Notice(f"dropped {name}: a landing table that a dead attempt left"))
    found = len(kept) + len(removed) + len(swept)
    if not found:
        return skipped("nothing stale")
    return completed(
        stale_records_found=found,
        records_resolved=found,
        parcels_kept=kept,
        parcels_removed=removed,
        landing_tables_dropped=swept,
    )


def _stages_left(plan: Plan, row: Run, world: World) -> list[str]:
    """Remove the parcels of earlier one-hop runs that nobody will go on with; return their ids."""
    if plan.job_kind != "run":
        return []
    resumed = get_run(world.ledger, row.resumed_from).parcel_id if row.resumed_from else None
    left = [
        slot
        for slot in parcels.list_parcels(world.ledger, plan.pipeline_name, "out")
        if slot.state == "sealed" and slot.location == plan.location and slot.parcel_id != resumed
        if get_run(world.ledger, slot.pipeline_id).job_kind == "run"
    ]
    for slot in left:
        loaded = _is_loaded(plan, slot, world)
        if loaded:
            marks.confirm(world.ledger, slot.parcel_id, "target")
        delete_parcel(open_store(slot.location), slot.folder)
        settle_stage(plan, world, slot.parcel_id, loaded=loaded)
    return [slot.parcel_id for slot in left]


def _is_loaded(plan: Plan, slot: ParcelRow, world: World) -> bool:
    """Whether the target has the rows, though the run that loaded them could not say so any more."""
    if plan.write is None or plan.sync_mode == "full":
        return False
    mark = marks.of_parcel(world.ledger, slot.parcel_id)
    if mark and mark.confirmed_at:
        return True
    return world.holds(plan.write, load_id(plan.pipeline_name, plan.write, slot.parcel_id))
