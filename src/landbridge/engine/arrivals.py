"""Which carried parcel an import takes."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from landbridge.engine.custody import happened
from landbridge.engine.events import Notice
from landbridge.engine.obfuscation import Hidden, hidden_parcels
from landbridge.engine.plan import Plan
from landbridge.engine.staged import open_folder
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, ParcelError, ParcelMissing
from landbridge.ledger import parcels, runs
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.manifest import Manifest
from landbridge.stage.reading import find_parcels


def newest_arrival(world: World, table: str, location: str) -> str | None:
    """Folder of the newest finished parcel of `table`; None where that one is loaded already.

    The newest of a `full` table makes the older ones needless. Raises ParcelMissing where no finished parcel
    lies at `location`, or where a newer one should lie there.
    """
    hidden = [parcel for parcel in hidden_parcels(world, location) if parcel.pipeline_name == table]
    known = hidden + _named_openly(world, table, location, ordered=bool(hidden))
    if not known:
        raise ParcelMissing(
            f"no finished parcel of {table} at {location}",
            hint=f"carry the folder {table}/ there, the file `index` included, or name another place with --from",
        )
    newest = max(known, key=lambda parcel: parcel.sequence)
    run = runs.latest_run(world.ledger, table, "import")
    if run and run.pipeline_status == "SUCCESS" and run.parcel_id == newest.parcel_id:
        return None
    if not newest.here:
        raise ParcelMissing(
            f"parcel {newest.parcel_id} of {table} was exported for {location}, and is not there",
            hint=f"carry the folder {newest.folder}/ as well",
        )
    return newest.folder


def _named_openly(world: World, table: str, location: str, *, ordered: bool) -> list[Hidden]:
    """The newest parcel in the table's own folder; ids grow with time, its number is read where it is `ordered`."""
    folders = find_parcels(open_store(location), table)
    if not folders:
        return []
    folder = max(folders)
    sequence = open_folder(world, location, folder, table=table).manifest.sequence if ordered else 1
    return [Hidden(folder, table, folder.rpartition("/")[2], sequence)]


def named_arrival(world: World, table: str, location: str, name: str) -> str:
    """Folder of one parcel that the user named, by its id, its folder or the beginning of either.

    A newer one may be loaded already.
    """
    folders = [folder for folder in find_parcels(open_store(location), table) if folder.split("/")[1].startswith(name)]
    hidden = [p for p in hidden_parcels(world, location) if p.pipeline_name == table and p.here]
    folders += [p.folder for p in hidden if p.parcel_id.startswith(name) or p.folder.startswith(name)]
    if len(folders) != 1:
        count = f"{len(folders)} finished parcels" if folders else "no finished parcel"
        raise ParcelMissing(
            f"{count} of {table} at {location} match {name}", hint=f"landbridge parcel list --from {location}"
        )
    return folders[0]


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


def never_seen(world: World, plan: Plan, manifest: Manifest) -> list[tuple[int, int]]:
    """Numbers, as pairs of first and last, of parcels that were sealed since the one loaded before this, and that
    do not lie beside it whole. Nothing is missed before the first parcel that was loaded here.
    """
    before = parcels.last_loaded(world.ledger, plan.pipeline_name, below=manifest.sequence)
    if before is None or before.sequence is None or before.sequence + 1 == manifest.sequence:
        return []
    missing, expected = [], before.sequence + 1
    for number in sorted({*_sequences(world, plan), manifest.sequence}):
        if expected < number <= manifest.sequence:
            missing.append((expected, number - 1))
        expected = max(expected, number + 1)
    return missing


def _sequences(world: World, plan: Plan) -> Iterator[int]:
    """Sequence numbers of the table's sound parcels at the place."""
    table, location = plan.pipeline_name, plan.location
    yield from (h.sequence for h in hidden_parcels(world, location) if h.pipeline_name == table and h.here)
    for folder in find_parcels(open_store(location), table):
        with suppress(ParcelError):  # who cannot read it has not seen it
            yield open_folder(world, location, folder, table=table).manifest.sequence


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
            folder=plan.parcel,
            as_of=plan.as_of,
            row_count=None,
            byte_count=None,
            state="refused",
            pipeline_id=row.pipeline_id,
            event=event,
        )
    except LandbridgeError as trouble:
        world.emit(Notice(f"the refusal is not in the custody log: {trouble.message}"))
