"""Clean-up of parcels that have had their time: which may go, and how each goes (docs/custody.md)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from landbridge.engine.carrying.custody import happened
from landbridge.engine.carrying.obfuscation import list_exports
from landbridge.engine.carrying.shelf import acceptable, find_one
from landbridge.engine.events import Notice
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, NotTrusted, UsageError
from landbridge.ledger import custody, parcels
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.evidence import evidence
from landbridge.stage.location import Store, open_store
from landbridge.stage.naming import INDEX


@dataclass(frozen=True)
class Outdated:
    """A parcel that is to go; `table` None where neither the drive table nor the folder's name tells it."""

    location: str
    folder: str
    parcel_id: str
    table: str | None
    files: int
    size: int  # bytes


def outdated_arrivals(
    world: World, location: str, *, older_than: timedelta, table: str | None = None
) -> list[Outdated]:
    """Carried parcels at `location` that were loaded so long ago, of each table all but the newest that lies there."""
    loaded = [row for row in parcels.list_parcels(world.ledger, table, "in") if row.state == "loaded"]
    return _outdated(world, location, loaded, older_than)


def outdated_exports(world: World, location: str, *, older_than: timedelta) -> list[Outdated]:
    """Exported parcels at `location` that were sealed so long ago, of each table all but the newest that lies there."""
    written = parcels.list_parcels(world.ledger, direction="out")
    sealed = [row for row in written if row.state in ("sealed", "purged")]  # of a purged one a crash may leave files
    return _outdated(world, location, sealed, older_than)


def named(world: World, location: str, names: Iterable[str], *, anyhow: bool) -> list[Outdated]:
    """Parcels by id, beginning of id or table/id. UsageError for one that is not known as loaded, unless `anyhow`."""
    folders = list(dict.fromkeys(find_one(location, name) for name in names))
    store = open_store(location)
    lying = _lying(store)
    rows = parcels.list_parcels(world.ledger)
    tables = {row.parcel_id: row.pipeline_name for row in rows}
    loaded = {row.parcel_id for row in rows if row.state == "loaded"}
    found = []
    for folder in folders:
        parcel_id = evidence(store, folder, acceptable(world)).parcel_id
        if parcel_id not in loaded and not anyhow:
            raise UsageError(f"{folder} is not known as loaded here", hint="--yes purges it all the same")
        table = tables.get(parcel_id) or folder.rpartition("/")[0] or None
        found.append(Outdated(location, folder, parcel_id, table, *_sum(lying[folder])))
    return found


def purge_each(world: World, outdated: Sequence[Outdated]) -> Iterator[tuple[Outdated, LandbridgeError | None]]:
    """Purge one after the other, each under its table's lease; one that fails does not stop the others."""
    for one in outdated:
        try:
            _purge_alone(world, one)
        except LandbridgeError as error:
            yield one, error
        else:
            yield one, None


def purge(world: World, one: Outdated) -> None:
    """Index first: from then on it is no parcel, and the log says so before the rest goes. The caller has the lease.

    Raises NotTrusted where the folder holds another parcel by now, ConfigError where the log cannot be gone on with.
    """
    custody.require_signer(world.ledger, world.signer)
    store = open_store(one.location)
    event = happened(world, "purged", store, one.folder, pipeline_name=one.table, files=one.files, bytes=one.size)
    if event.details["signer"] and event.parcel_id != one.parcel_id:
        raise NotTrusted(
            f"{store.describe(one.folder)} holds parcel {event.parcel_id}, not {one.parcel_id}; nothing was purged",
            hint="landbridge parcel show says what it is",
        )
    whole = event.details["index_sha256"] is not None
    if whole:
        store.delete(f"{one.folder}/{INDEX}")
    if whole or not _told(world, one, event.details["location"]):
        parcels.purge(world.ledger, one.parcel_id, one.location, replace(event, parcel_id=one.parcel_id))
    store.delete_folder(one.folder)
    if any(p.folder == one.folder and "/" not in p.folder for p in parcels.list_parcels(world.ledger, direction="out")):
        _list_rest(world, one.location)


def _list_rest(world: World, location: str) -> None:
    """The parcel is gone, whether the export index can be written anew or not."""
    try:
        list_exports(world, location)
    except LandbridgeError as error:
        world.emit(Notice(f"the export index at {location} still lists it: {error.message}"))


def _purge_alone(world: World, one: Outdated) -> None:
    if one.table is None:
        purge(world, one)
        return
    with world.alone_with(one.table):
        purge(world, one)


def _told(world: World, one: Outdated, folder: str) -> bool:
    """Whether an earlier purge of it died after it wrote its entry."""
    last = custody.latest(world.ledger, parcel_id=one.parcel_id)
    return last is not None and last.event == "purged" and last.details["location"] == folder


def _outdated(world: World, location: str, rows: Sequence[ParcelRow], older_than: timedelta) -> list[Outdated]:
    store = open_store(location)
    store.reach()
    lying = _lying(store)
    there = [(row, row.folder) for row in rows if row.folder in lying]
    newest = {row.pipeline_name: row.parcel_id for row, _ in sorted(there, key=lambda one: one[0].sequence or 0)}
    with world.ledger.read() as connection:
        before = world.ledger.now(connection) - older_than
    return [
        Outdated(location, folder, row.parcel_id, row.pipeline_name, *_sum(lying[folder]))
        for row, folder in there
        if row.parcel_id != newest[row.pipeline_name] and row.updated_at <= before
    ]


def _lying(store: Store) -> dict[str, list[int]]:
    """The sizes of the files in each folder at a place."""
    found: dict[str, list[int]] = defaultdict(list)
    for path, size in store.files("").items():
        found[path.rpartition("/")[0]].append(size)
    return found


def _sum(sizes: Sequence[int]) -> tuple[int, int]:
    return len(sizes), sum(sizes)
