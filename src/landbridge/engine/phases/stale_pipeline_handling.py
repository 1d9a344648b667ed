"""Phase 1: settle what dead attempts left: unfinished parcels, landing tables."""

from typing import Literal

from landbridge.engine.carrying.custody import exported
from landbridge.engine.events import Notice
from landbridge.engine.phases.outcome import Outcome, completed, skipped
from landbridge.engine.phases.stage_cleaning import settle_stage
from landbridge.engine.plan import Plan, Windowed, load_id, window_load_id
from landbridge.engine.windowed.stale import reset_stale
from landbridge.engine.world import World
from landbridge.ledger import marks, parcels, stages
from landbridge.ledger.parcels import ParcelRow
from landbridge.ledger.runs import Run, get_run
from landbridge.stage.location import open_store
from landbridge.stage.reading import is_finished
from landbridge.stage.writing import delete_parcel, delete_unfinished

Begun = Literal["whole", "unfinished", "out of reach"]


def stale_pipeline_handling(plan: Plan, row: Run, world: World) -> Outcome:
    """We hold the lease, so whatever is half done for this table belongs to nobody.

    A parcel that has its index is whole, though its writer died before it could say so: it is kept. One
    without is removed, and its sequence number is free again.
    """
    if plan.windowed:
        return _of_window(plan, plan.windowed, row, world)
    kept, removed = [], []
    for slot in parcels.writing(world.ledger, plan.pipeline_name):
        match settle_begun(world, slot):
            case "whole":
                kept.append(slot.parcel_id)
            case "unfinished":
                removed.append(slot.parcel_id)
            case "out of reach":
                place = open_store(slot.location).describe()
                world.emit(Notice(f"parcel {slot.parcel_id} may be whole, but {place} is not there now"))
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


def _of_window(plan: Plan, windowed: Windowed, row: Run, world: World) -> Outcome:
    """What dead attempts at this window left; other windows may be at work beside it."""
    load_id = window_load_id(plan.pipeline_name, windowed.window)
    begun = [slot for slot in parcels.writing(world.ledger, plan.pipeline_name) if _was_ours(slot, row, world)]
    settled = {slot.parcel_id: settle_begun(world, slot) for slot in begun}
    removed = [parcel_id for parcel_id, state in settled.items() if state == "unfinished"]
    resumed = get_run(world.ledger, row.resumed_from).parcel_id if row.resumed_from else None
    for stage in stages.of_load(world.ledger, plan.pipeline_name, load_id):
        if stage.kind == "parcel" and stage.state == "staged" and stage.stage_id != resumed:
            delete_parcel(open_store(stage.location), stage.name)
            parcels.abandon(world.ledger, stage.stage_id)
            stages.deleted(world.ledger, stage.stage_id)
            removed = [*removed, stage.stage_id] if stage.stage_id not in removed else removed
    swept = [
        name
        for write in (plan.stage, plan.write)
        if write is not None
        for name in world.connector(write.connection).sweep(write, load_id=load_id)
    ]
    reset = reset_stale(plan, world) if plan.stage else 0
    timeout = world.project.pipeline(plan.pipeline_name).stale_after
    found = len(removed) + len(swept) + reset
    if not found:
        return skipped("nothing stale")
    return completed(
        stale_records_found=found,
        records_resolved=found,
        timeout_minutes=int(timeout.total_seconds() // 60),
        parcels_removed=removed,
        landing_tables_dropped=swept,
        stage_rows_reset=reset,
    )


def _was_ours(slot: ParcelRow, row: Run, world: World) -> bool:
    writer = get_run(world.ledger, slot.pipeline_id)
    return writer.pipeline_status != "RUNNING" and writer.window == row.window


def look_at_begun(slot: ParcelRow) -> Begun:
    """What became of a parcel that somebody began to write, by what lies there."""
    store = open_store(slot.location)
    counted = slot.row_count is not None
    if counted and not store.is_there():  # a disk that is not mounted looks like one without an index
        return "out of reach"
    return "whole" if counted and is_finished(store, slot.folder) else "unfinished"


def settle_begun(world: World, slot: ParcelRow) -> Begun:
    """Seal it, or delete it, or leave it as it is: by what became of it. The caller has the lease."""
    state = look_at_begun(slot)
    if state == "whole":
        parcels.seal(world.ledger, slot.parcel_id, exported(world, slot))
    elif state == "unfinished":
        delete_unfinished(open_store(slot.location), slot.folder)
        parcels.abandon(world.ledger, slot.parcel_id)
    return state


def _stages_left(plan: Plan, row: Run, world: World) -> list[str]:
    """Remove the parcels of earlier one-hop runs that nobody will go on with; return their ids."""
    if plan.job_kind != "run":
        return []
    resumed = get_run(world.ledger, row.resumed_from).parcel_id if row.resumed_from else None
    left = stages_left(plan, resumed, world)
    for slot in left:
        empty_stage(plan, slot, world)
    return [slot.parcel_id for slot in left]


def stages_left(plan: Plan, resumed: str | None, world: World) -> list[ParcelRow]:
    """Parcels in the stage of one-hop runs, but for the one that is gone on with."""
    return [
        slot
        for slot in parcels.list_parcels(world.ledger, plan.pipeline_name, "out")
        if slot.state == "sealed" and slot.location == plan.location and slot.parcel_id != resumed
        if get_run(world.ledger, slot.pipeline_id).job_kind == "run"
    ]


def empty_stage(plan: Plan, slot: ParcelRow, world: World) -> None:
    """Delete the parcel; where the target has its changes, the mark says so from now on. The caller has the lease."""
    loaded = _is_loaded(plan, slot, world)
    if loaded:
        marks.confirm(world.ledger, slot.parcel_id, "target")
    delete_parcel(open_store(slot.location), slot.folder)
    settle_stage(plan, world, slot.parcel_id, loaded=loaded)


def _is_loaded(plan: Plan, slot: ParcelRow, world: World) -> bool:
    """Whether the target has the rows, though the run that loaded them could not say so any more."""
    if plan.write is None or plan.sync_mode == "full":
        return False
    mark = marks.of_parcel(world.ledger, slot.parcel_id)
    if mark and mark.confirmed_at:
        return True
    return world.holds(plan.write, load_id(plan.pipeline_name, plan.write, slot.parcel_id))
