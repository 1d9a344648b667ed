"""Parcels that were written here, against what lies at their places; what is half done there belongs to nobody."""

from collections.abc import Collection, Iterator
from functools import partial

from landbridge.config.tables import Table
from landbridge.engine.carrying.shelf import parcel_folders
from landbridge.engine.checking.finding import Finding
from landbridge.engine.phases.stale_pipeline_handling import empty_stage, look_at_begun, settle_begun, stages_left
from landbridge.engine.plan import plan_run, sides
from landbridge.engine.resume import may_be_resumed
from landbridge.engine.world import World
from landbridge.ledger import parcels, runs
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.location import open_store
from landbridge.stage.naming import INDEX
from landbridge.stage.writing import delete_parcel

KINDS = {"whole": "parcel_whole", "unfinished": "parcel_unfinished"}


def begun(world: World, table: Table) -> Iterator[Finding]:
    """Parcels `writing`: who wrote them is dead."""
    for slot in parcels.writing(world.ledger, table.name):
        state = look_at_begun(slot)
        if state == "out of reach":
            yield out_of_reach(table, slot.location, f"parcel {slot.parcel_id} may be whole")
            continue
        whole = state == "whole"
        yield Finding(
            kind=KINDS[state],
            table=table.name,
            where=described(slot),
            what=f"parcel {slot.parcel_id} is {'whole' if whole else 'not finished'}, and who wrote it is dead",
            mend=partial(settle_begun, world, slot),
        )


def stages(world: World, table: Table) -> Iterator[Finding]:
    """Parcels of one-hop runs that no run will go on with."""
    if sides(world.project, table) != "run":
        return
    plan = plan_run(world.project, table)
    newest = runs.latest_run(world.ledger, table.name, "run")
    resumed = newest.parcel_id if newest and may_be_resumed(newest) else None
    for slot in stages_left(plan, resumed, world):
        yield Finding(
            kind="stage_left",
            table=table.name,
            where=described(slot),
            what=f"parcel {slot.parcel_id} is left of run {slot.pipeline_id}",
            mend=partial(empty_stage, plan, slot, world),
        )


def files_left(world: World, table: Table) -> Iterator[Finding]:
    """Files of abandoned parcels, and what a purge that died left; one that is whole again was put back."""
    written = parcels.list_parcels(world.ledger, table.name, "out")
    gone = [slot for slot in written if slot.state in ("abandoned", "purged")]
    listed = lying_at({slot.location for slot in gone})
    for slot in gone:
        lying = listed.get(slot.location, {}).get(slot.folder, {})
        if not lying or (slot.state == "purged" and INDEX in lying):
            continue
        yield Finding(
            kind="files_left",
            table=table.name,
            where=described(slot),
            what=f"{len(lying)} files of parcel {slot.parcel_id}, which is {slot.state}",
            mend=partial(delete_parcel, open_store(slot.location), slot.folder),
        )


def lying_at(locations: Collection[str]) -> dict[str, dict[str, dict[str, int]]]:
    """By one listing of each place that is there: the files in each parcel folder."""
    return {location: parcel_folders(location) for location in locations if open_store(location).is_there()}


def described(slot: ParcelRow) -> str:
    return open_store(slot.location).describe(slot.folder)


def out_of_reach(table: Table, location: str, what: str) -> Finding:
    return Finding(
        kind="out_of_reach",
        table=table.name,
        where=location,
        what=f"no folder is there: {what}",
        hint="mount it, and ask again",
    )
