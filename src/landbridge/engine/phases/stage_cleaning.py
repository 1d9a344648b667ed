"""Phase 6: remove exactly this run's parcel, when it was only a stage between two connections of this host.

An import keeps what was carried in, as long as the project says.
"""

from landbridge.engine.carrying.purge import outdated_arrivals, purge
from landbridge.engine.phases.outcome import Outcome, completed, skipped
from landbridge.engine.plan import Plan
from landbridge.engine.staged import nothing_staged
from landbridge.engine.tables.kept import forget_older
from landbridge.engine.windowed.cleaning import clean_stages
from landbridge.engine.world import World
from landbridge.ledger import parcels
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.writing import delete_parcel


def stage_cleaning(plan: Plan, row: Run, world: World) -> Outcome:
    if plan.job_kind == "export":
        return skipped("other side: the parcel stays until it is carried")
    if plan.windowed:
        return clean_stages(plan, row, world)
    if nothing_staged(row):
        return skipped("nothing changed")
    forget_older(world, plan.pipeline_name, str(row.parcel_id))
    if plan.job_kind == "import":
        return _retention(plan, world)
    transfer = row.phases["source_to_stage_transfer"].details
    delete_parcel(open_store(plan.location), transfer["folder"])
    settle_stage(plan, world, str(row.parcel_id), loaded=True)
    return completed(records_deleted=transfer["stage_count"], parcel_deleted=row.parcel_id)


def settle_stage(plan: Plan, world: World, parcel_id: str, *, loaded: bool) -> None:
    """Close the book of a one-hop run's parcel. Of changes that are `loaded` the mark stays, from which the next read
    goes on; of all else not even the number.
    """
    if loaded and plan.sync_mode != "full":
        parcels.emptied(world.ledger, parcel_id)
    else:
        parcels.abandon(world.ledger, parcel_id)


def _retention(plan: Plan, world: World) -> Outcome:
    keep = world.project.imports_keep
    if keep is None:
        return skipped("the carried parcel is kept as a backup")
    outdated = outdated_arrivals(world, plan.location, older_than=keep, table=plan.pipeline_name)
    if not outdated:
        return skipped("no carried parcel has had its time")
    for one in outdated:
        world.still_ours()
        purge(world, one)
    return completed(parcels_purged=[one.parcel_id for one in outdated])
