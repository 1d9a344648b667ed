"""Which carried parcel an import takes."""

from datetime import datetime

from landbridge.engine.custody import happened
from landbridge.engine.events import Notice
from landbridge.engine.plan import Plan
from landbridge.engine.staged import open_folder
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, ParcelError, ParcelMissing
from landbridge.ledger import parcels, runs
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.manifest import Manifest
from landbridge.stage.naming import parcel_folder
from landbridge.stage.reading import find_parcels


def newest_arrival(world: World, table: str, location: str) -> str | None:
    """Folder of the newest finished parcel of `table`; None where that one is loaded already.

    Parcel ids grow with time, so the newest of a `full` table makes the older ones needless. Raises
    ParcelMissing where no finished parcel lies at `location`.
    """
    folders = find_parcels(open_store(location), table)
    if not folders:
        raise ParcelMissing(
            f"no finished parcel of {table} at {location}",
            hint=f"carry the folder {table}/ there, the file `index` included, or name another place with --from",
        )
    newest = max(folders)
    run = runs.latest_run(world.ledger, table, "import")
    if run and run.parcel_id and run.pipeline_status == "SUCCESS" and newest == parcel_folder(table, run.parcel_id):
        return None
    return newest


def named_arrival(table: str, location: str, parcel_id: str) -> str:
    """Folder of one parcel that the user named, by its id or the beginning of it; a newer one may be loaded already."""
    found = [
        folder for folder in find_parcels(open_store(location), table) if folder.split("/")[1].startswith(parcel_id)
    ]
    if len(found) != 1:
        count = f"{len(found)} finished parcels" if found else "no finished parcel"
        raise ParcelMissing(
            f"{count} of {table} at {location} match {parcel_id}", hint=f"landbridge parcel list --from {location}"
        )
    return found[0]


def as_of_arrival(world: World, table: str, location: str, folder: str) -> datetime | None:
    """The instant that the parcel shows; None for one that is refused: the run itself will say and record why."""
    try:
        return open_folder(world, location, folder, table=table).manifest.as_of
    except ParcelError:
        return None


def refuse_older(world: World, plan: Plan, manifest: Manifest) -> None:
    """Raise ParcelError for a parcel that was sealed before the last one loaded, unless it was asked for by its id."""
    loaded = parcels.last_loaded(world.ledger, plan.pipeline_name)
    if plan.again or loaded is None or loaded.sequence is None or loaded.parcel_id == manifest.parcel_id:
        return
    if manifest.sequence <= loaded.sequence:
        raise ParcelError(
            f"parcel {manifest.parcel_id} of {plan.pipeline_name} is number {manifest.sequence}; "
            f"number {loaded.sequence} is loaded already",
            hint=f"--parcel {manifest.parcel_id} loads the older rows all the same",
        )


def note_refused(plan: Plan, row: Run, world: World, refusal: ParcelError) -> None:
    """Record that a carried parcel was refused. Raises nothing: where that fails, the refusal itself matters more."""
    if plan.parcel is None:
        return
    try:
        event = happened(
            world,
            "refused",
            open_store(plan.location),
            plan.parcel,
            pipeline_name=plan.pipeline_name,
            error=type(refusal).__name__,
            message=refusal.message,
            pipeline_id=row.pipeline_id,
        )
        parcels.record_in(
            world.ledger,
            pipeline_name=plan.pipeline_name,
            parcel_id=event.parcel_id,
            sequence=None,
            location=plan.location,
            as_of=plan.as_of,
            row_count=None,
            byte_count=None,
            state="refused",
            pipeline_id=row.pipeline_id,
            event=event,
        )
    except LandbridgeError as trouble:
        world.emit(Notice(f"the refusal is not in the custody log: {trouble.message}"))
