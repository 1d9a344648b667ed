"""Chains of parcels: which one is loaded next, and what it may go on from (docs/sync-modes.md)."""

from collections.abc import Iterator

from landbridge.contracts.values import Write, WriteMode
from landbridge.engine.carrying.arrivals import no_parcel, refuse_harmed, unfinished
from landbridge.engine.carrying.hidden import Hidden
from landbridge.engine.carrying.obfuscation import hidden_parcels
from landbridge.engine.plan import Plan, load_id
from landbridge.engine.staged import open_folder
from landbridge.engine.world import World
from landbridge.errors import OutOfSequence, ParcelError, RunError
from landbridge.ledger import parcels
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.location import open_store
from landbridge.stage.manifest import Manifest, rules_of
from landbridge.stage.reading import Parcel, list_parcels


def next_arrival(world: World, table: str, location: str, write: Write) -> str | None:
    """Folder of the parcel of `table` to be loaded next; None where all that arrived are loaded.

    Raises OutOfSequence where one before it has not arrived, ParcelMissing where none was ever loaded and none is
    there, and what is wrong with one that is, or could be, the next.
    """
    loaded = loaded_here(world, table)
    waiting = sorted(_waiting(world, table, location, loaded), key=lambda parcel: parcel.manifest.as_of)
    if not loaded:
        _refuse_unknown_load(world, table, write)
    if not waiting:
        _refuse_unfit(world, table, location, loaded)
        refuse_lost(world, table, write, loaded[-1].parcel_id)
        return None
    fit = [parcel for parcel in waiting if _may_be_next(parcel.manifest, write.sync_mode, loaded)]
    if not fit:
        refuse_hole(waiting[0].manifest, write.sync_mode, loaded)
    # what goes on from an earlier parcel brings all since then; a history wants the steps between as well
    return fit[0 if write.mode == "scd2" else -1].folder


def loaded_here(world: World, table: str) -> list[ParcelRow]:
    """The parcels of a table that were loaded here, by the instants that they show.

    Not by their numbers: those of an exporting side whose drive table was set back are given twice.
    """
    rows = [row for row in parcels.list_parcels(world.ledger, table, "in") if row.state == "loaded"]
    return sorted(rows, key=lambda row: (row.as_of or row.created_at, row.sequence or 0))


def refuse_lost(world: World, table: str, write: Write, parcel_id: str) -> None:
    """Raise RunError where the target does not have what was loaded last, though nothing new has come for it."""
    target, last = world.connector(write.connection), load_id(table, write, parcel_id)
    there = world.holds(write, last)
    if not there or target.count(write) < (target.loaded(write, last) or 0):
        raise RunError(
            f"{write.relation} does not have the rows of parcel {parcel_id} any more, which was loaded last: it was "
            "emptied, made anew, or loaded by something else",
            hint=f"all rows once more: --full-reload where {table} is read",
        )


def _refuse_unknown_load(world: World, table: str, write: Write) -> None:
    """A drive table that was lost must not lead to old rows in the place of newer ones."""
    target = world.connector(write.connection)
    there = target.describe([write.relation])[write.relation] is not None
    newest = target.newest_load(write).parcel_id if there else None
    if newest is not None and parcels.written(world.ledger, newest) is None:
        raise RunError(
            f"{write.relation} holds parcel {newest}, and this side's drive table knows of no load of {table}: "
            "was it lost, or is another project loading this target?",
            hint="landbridge fsck --repair; or --parcel ID, for the parcel that is to replace all rows",
        )


def follows(manifest: Manifest) -> str | None:
    """The parcel that this one goes on from; None for one that holds all rows."""
    return manifest.changes.follows if manifest.changes else None


def refuse_hole(manifest: Manifest, mode: WriteMode, loaded: list[ParcelRow]) -> None:
    """Raise OutOfSequence for a parcel that goes on from one that was not loaded here, or not loaded last."""
    before = follows(manifest)
    if before is None or _may_be_next(manifest, mode, loaded):
        return
    told = f"parcel {manifest.parcel_id} of {manifest.pipeline_name} is number {manifest.sequence}"
    again = f"where it was exported: landbridge export-data --resend {before} --to MEDIUM; or --full-reload"
    if before in {row.parcel_id for row in loaded}:
        newer = loaded[-1]
        raise OutOfSequence(
            f"{told} and goes on from {before}; number {newer.sequence} was loaded since: its rows would be doubled",
            hint=f"on the exporting side: landbridge export-data --table {manifest.pipeline_name} --full-reload",
        )
    last = manifest.sequence - 1
    first = (loaded[-1].sequence or 0) + 1 if loaded else last
    numbers = f"numbers {first} to {last} are" if first < last else f"number {last} is" if first == last else "it is"
    raise OutOfSequence(
        f"{told} and goes on from parcel {before}, which was not loaded here: {numbers} missing", hint=again
    )


def _may_be_next(manifest: Manifest, mode: WriteMode, loaded: list[ParcelRow]) -> bool:
    before = follows(manifest)
    return before is None or before in _may_follow(manifest, mode, loaded)


def _may_follow(manifest: Manifest, mode: WriteMode, loaded: list[ParcelRow]) -> list[str]:
    """Ids of parcels that it can go on from: with keys, rows that come twice do no harm."""
    if mode == "incremental" and not (manifest.changes and manifest.changes.merge_keys):
        loaded = loaded[-1:]
    return [row.parcel_id for row in loaded]


def loads_before(plan: Plan, write: Write, manifest: Manifest, loaded: list[ParcelRow]) -> tuple[str, ...]:
    """The loads of which one must be the target's newest."""
    before = follows(manifest)
    if before is None:
        return ()
    ids = [row.parcel_id for row in loaded]
    since = ids[ids.index(before) :] if before in ids else [before]
    may = set(_may_follow(manifest, write.sync_mode, loaded)) or {before}
    return tuple(load_id(plan.pipeline_name, write, one) for one in since if one in may or one == before)


def refuse_other_mode(write: Write, manifest: Manifest) -> None:
    """Raise ParcelError for a parcel that was made for another mode, or other keys, than this side's table has."""
    here = {"sync_mode": write.mode, **rules_of(write.merge)}
    there = {key: getattr(manifest.changes, key, None) for key in here} | {"sync_mode": manifest.sync_mode}
    if different := [key for key in here if here[key] != there[key]]:
        raise ParcelError(
            f"parcel {manifest.parcel_id} of {manifest.pipeline_name} differs from this side's table in "
            + ", ".join(f"{key} ({_shown(there[key])} there, {_shown(here[key])} here)" for key in different),
            hint="make config/tables.yaml the same on both sides",
        )


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _waiting(world: World, table: str, location: str, loaded: list[ParcelRow]) -> Iterator[Parcel]:
    """Sound parcels at the place that show later instants than what was loaded.

    What is older was passed over: by one that brings its rows as well.
    """
    known = {row.parcel_id for row in loaded}
    # ids of parcels in the table's own folder grow with time; those of obfuscated ones do not
    newest = max((row.parcel_id for row in loaded if row.folder.endswith(row.parcel_id)), default="")
    named, _ = list_parcels(open_store(location), table)
    folders = [folder for folder in named if folder.rpartition("/")[2] > newest]
    folders += [h.folder for h in hidden_parcels(world, location) if h.pipeline_name == table]
    for folder in folders:
        parcel = open_folder(world, location, folder, table=table)
        manifest = parcel.manifest
        if manifest.parcel_id in known:
            continue
        if not loaded or manifest.as_of > (loaded[-1].as_of or loaded[-1].created_at):
            yield parcel
        elif manifest.sequence > (loaded[-1].sequence or 0):
            told = f"parcel {manifest.parcel_id} of {table}, number {manifest.sequence}, shows {manifest.as_of:%F %T}"
            raise OutOfSequence(
                f"{told} UTC, and what is loaded here is of a later instant: was its clock set back?",
                hint=f"all rows once more, when the clock is past that: --full-reload where {table} is read",
            )


def _refuse_unfit(world: World, table: str, location: str, loaded: list[ParcelRow]) -> None:
    """Nothing is waiting: raise what is wrong with that, if something is."""
    newest = loaded[-1] if loaded else None
    _, begun = list_parcels(open_store(location), table)
    if newest is None:
        raise no_parcel(world, table, location)
    if late := [folder for folder in begun if folder.rpartition("/")[2] > newest.parcel_id]:
        raise unfinished(late[-1], location)
    refuse_harmed(world, table, location, Hidden(newest.folder, table, newest.parcel_id, newest.sequence or 0))
