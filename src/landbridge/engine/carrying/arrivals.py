"""Which carried parcel an import takes."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime

from landbridge.engine.carrying.custody import happened
from landbridge.engine.carrying.hidden import Hidden
from landbridge.engine.carrying.obfuscation import MOST_TOLD, hidden_parcels
from landbridge.engine.events import Notice
from landbridge.engine.plan import Plan
from landbridge.engine.staged import open_folder
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, NotTrusted, OutOfSequence, ParcelError, ParcelMissing, ParcelRepeated
from landbridge.ledger import parcels, runs
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.manifest import Manifest
from landbridge.stage.naming import INDEX
from landbridge.stage.reading import find_parcels, list_parcels, open_parcel
from landbridge.stage.refusal import carry_again


def newest_arrival(world: World, table: str, location: str) -> str | None:
    """Folder of the newest finished parcel of `table`; None where that one is loaded already.

    The newest of a `full` table makes the older ones needless. Raises ParcelMissing where no finished parcel
    lies at `location`, or where a newer one should lie there; what was refused, where all that could be it was.
    """
    newest = newest_parcel(world, table, location)
    if newest is None:
        raise no_parcel(world, table, location)
    run = runs.latest_run(world.ledger, table, "import")
    done = run if run and run.pipeline_status == "SUCCESS" and run.parcel_id == newest.parcel_id else None
    if done and world.holds(world.project.table(table).write, str(done.load_id)):
        return None
    if not newest.here:
        raise ParcelMissing(
            f"parcel {newest.parcel_id} of {table} was exported for {location}; {newest.folder}/{INDEX} is not there",
            hint=carry_again(newest.folder),
        )
    return newest.folder


def newest_parcel(world: World, table: str, location: str) -> Hidden | None:
    """The newest sound parcel of `table`, loaded or not, in whichever layout; None where there is none.

    Raises what is wrong with one that is, or could be, newer.
    """
    hidden = [parcel for parcel in hidden_parcels(world, location) if parcel.pipeline_name == table]
    known = hidden + _named_openly(world, table, location, ordered=bool(hidden))
    sound = [parcel for parcel in known if not parcel.error]
    if not sound:
        return None
    newest = max(sound, key=lambda parcel: parcel.sequence)
    refuse_harmed(world, table, location, newest)
    return newest


def refuse_harmed(world: World, table: str, location: str, newest: Hidden) -> None:
    """Raise what is wrong with a parcel that is, or could be, a newer one of the table: its rows must not be missed."""
    for parcel in hidden_parcels(world, location):
        newer = parcel.pipeline_name == table and parcel.sequence > newest.sequence
        if parcel.is_harmed and (newer or parcel.pipeline_name is None):
            open_folder(world, location, parcel.folder, table=table)


def no_parcel(world: World, table: str, location: str) -> ParcelError:
    """Why there is no parcel of the table: one that is not whole, folders that cannot be opened, or simply none."""
    _, begun = list_parcels(open_store(location), table)
    if begun:
        return unfinished(begun[-1], location)
    if refused := list(_refused(world, table, location)):
        told = "\n  ".join(error.message for error in refused)
        hints = dict.fromkeys(error.hint for error in refused if error.hint)
        return type(refused[0])(f"no parcel of {table} at {location} can be opened: {told}", hint="; ".join(hints))
    return ParcelMissing(
        f"no finished parcel of {table} at {location}",
        hint=f"carry the folder {table}/ there, the file `index` included, or name another place with --from",
    )


def unfinished(folder: str, location: str) -> ParcelMissing:
    parcel_id = folder.rpartition("/")[2]
    return ParcelMissing(
        f"{folder} at {location} has no index: the parcel is unfinished, or not all of it was carried",
        hint=f"carry the rest (landbridge parcel collect --from MEDIUM); or {carry_again(parcel_id, [INDEX])}",
    )


def _refused(world: World, table: str, location: str) -> Iterator[ParcelError]:
    """Why obfuscated folders that could be the table's cannot be opened; a stranger's, which is unlikely, last."""
    shut = [parcel for parcel in hidden_parcels(world, location) if parcel.error]
    for parcel in sorted(shut, key=lambda parcel: type(parcel.error) is NotTrusted)[:MOST_TOLD]:
        try:
            open_folder(world, location, parcel.folder, table=table)
        except ParcelError as error:
            yield error


def _named_openly(world: World, table: str, location: str, *, ordered: bool) -> list[Hidden]:
    """The newest parcel in the table's own folder; ids grow with time, its number is read where it is `ordered`.

    Raises ParcelMissing where a newer one was begun there: what it will hold must not be missed.
    """
    finished, begun = list_parcels(open_store(location), table)
    if not finished:
        return []
    folder = finished[-1]
    if begun and begun[-1] > folder:
        raise unfinished(begun[-1], location)
    sequence = open_folder(world, location, folder, table=table).manifest.sequence if ordered else 1
    return [Hidden(folder, table, folder.rpartition("/")[2], sequence)]


def named_arrival(world: World, table: str, location: str, name: str) -> str:
    """Folder of one parcel that the user named, by its id, its folder or the beginning of either.

    A newer one may be loaded already.
    """
    folders = [folder for folder in find_parcels(open_store(location), table) if folder.split("/")[1].startswith(name)]
    hidden = [p for p in hidden_parcels(world, location) if p.parcel_id.startswith(name) or p.folder.startswith(name)]
    for parcel in hidden:
        if parcel.error or not parcel.here:
            open_folder(world, location, parcel.folder, table=table)  # raises what is wrong with it
    alike = {p.parcel_id: p.folder for p in hidden if p.pipeline_name == table}  # a copy is the same parcel
    folders += alike.values()
    if len(folders) != 1:
        count = f"{len(folders)} finished parcels" if folders else "no finished parcel"
        raise ParcelMissing(
            f"{count} of {table} at {location} match {name}", hint=f"landbridge parcel list --from {location}"
        )
    return folders[0]


def as_of_arrival(world: World, location: str, folder: str) -> datetime | None:
    """The instant that the parcel shows; None for one that is refused: the run itself will say and record why."""
    try:
        signers, identities = world.keyring.signers(), world.identities
        return open_parcel(open_store(location), folder, signers=signers, identities=identities).manifest.as_of
    except ParcelError:
        return None


def refuse_older(world: World, plan: Plan, manifest: Manifest) -> None:
    """Refuse a parcel whose number is not above that of the last one loaded, unless it was asked for by its id.

    Raises ParcelRepeated for one that was loaded before, OutOfSequence for any other.
    """
    newest = parcels.last_loaded(world.ledger, plan.pipeline_name)
    if manifest.changes:
        return _refuse_older_changes(world, plan, manifest)
    if plan.again or newest is None or newest.sequence is None or newest.parcel_id == manifest.parcel_id:
        return None
    if manifest.sequence > newest.sequence:
        return None
    arrived = parcels.list_parcels(world.ledger, plan.pipeline_name, "in")
    loaded = {row.parcel_id: row.sequence for row in arrived if row.state == "loaded"}
    told = f"parcel {manifest.parcel_id} of {plan.pipeline_name} is number {manifest.sequence}"
    hint = f"--parcel {manifest.parcel_id} loads its rows all the same"
    if manifest.parcel_id in loaded:
        raise ParcelRepeated(f"{told}, and was loaded before; number {newest.sequence} was loaded since", hint=hint)
    if manifest.sequence in loaded.values():
        raise OutOfSequence(
            f"{told}, and so was another one, which is loaded already",
            hint=f"was the drive table of the exporting side set back? {hint}",
        )
    raise OutOfSequence(f"{told}; number {newest.sequence} is loaded already", hint=hint)


def _refuse_older_changes(world: World, plan: Plan, manifest: Manifest) -> None:
    """Changes that are loaded once more would undo those since, whoever asks for it.

    They are told apart by the instants that they show: an exporting side that was set back gives numbers twice.
    """
    loaded = [row for row in parcels.list_parcels(world.ledger, plan.pipeline_name, "in") if row.state == "loaded"]
    newer = [row for row in loaded if row.as_of and row.as_of > manifest.as_of]
    if not newer:
        return
    known = manifest.parcel_id in {row.parcel_id for row in loaded}
    told = f"parcel {manifest.parcel_id} of {plan.pipeline_name} is number {manifest.sequence}"
    raise (ParcelRepeated if known else OutOfSequence)(
        f"{told}{', was loaded before,' if known else ''} and shows an older instant than number {newer[-1].sequence}, "
        "which is loaded: its rows would undo what came since",
        hint=f"all rows once more: --full-reload where {plan.pipeline_name} is read",
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
