"""Obfuscated parcels at a place: which folder holds which table, told by the export index or by opening them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from landbridge.engine.events import Notice
from landbridge.engine.world import World
from landbridge.errors import ParcelError, ParcelMissing
from landbridge.ledger import parcels
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.export_index import Listed, read_export_index, write_export_index
from landbridge.stage.location import Store, open_store
from landbridge.stage.reading import find_obfuscated, open_parcel


@dataclass(frozen=True)
class Hidden:
    """One obfuscated parcel. `here` is False where the export index names a folder that was not carried."""

    folder: str
    pipeline_name: str
    parcel_id: str
    sequence: int
    here: bool = True


def list_exports(world: World, location: str) -> None:
    """Write the export index anew: every obfuscated parcel that was sealed here and still lies at `location`."""
    store = open_store(location)
    lying = set(find_obfuscated(store))
    ours = [p for p in parcels.list_parcels(world.ledger, direction="out") if p.state == "sealed"]
    listed = [_listed(store, p) for p in ours if p.location == location and p.folder in lying]
    write_export_index(
        store,
        listed,
        created_at=datetime.now(UTC),
        recipients=world.recipients(own=False),
        signer=world.keyring.signer(),
    )


def _listed(store: Store, row: ParcelRow) -> Listed:
    files = len(store.files(row.folder))
    return Listed(
        table_name=row.pipeline_name,
        folder_id=row.folder,
        parcel_id=row.parcel_id,
        sequence=row.sequence or 0,
        export_timestamp=row.updated_at,
        total_rows=row.row_count or 0,
        total_chunks=max(files - 2, 0),  # without index and manifest
    )


def hidden_parcels(world: World, location: str) -> tuple[Hidden, ...]:
    """What is at `location`, and what the export index says should be; looked at once for all tables of a command.

    A folder that cannot be opened is told and passed over: whose table it holds cannot be known.
    """
    if location not in world.hidden:
        world.hidden[location] = tuple(_look(world, open_store(location)))
    return world.hidden[location]


def _look(world: World, store: Store) -> Sequence[Hidden]:
    lying = find_obfuscated(store)
    listed = {entry.folder_id: entry for entry in _export_index(world, store)}
    told = [_of_index(entry, here=folder in lying) for folder, entry in listed.items()]
    opened = [_opened(world, store, folder) for folder in lying if folder not in listed]
    return [*told, *(hidden for hidden in opened if hidden)]


def _of_index(entry: Listed, *, here: bool) -> Hidden:
    return Hidden(entry.folder_id, entry.table_name, entry.parcel_id, entry.sequence, here=here)


def _export_index(world: World, store: Store) -> Sequence[Listed]:
    try:
        return read_export_index(store, verifiers=world.keyring.verifiers(), identities=world.identities)
    except ParcelMissing:
        return ()
    except ParcelError as error:
        world.emit(Notice(f"the export index at {store.describe()} is passed over: {error.message}"))
        return ()


def _opened(world: World, store: Store, folder: str) -> Hidden | None:
    try:
        parcel = open_parcel(store, folder, verifiers=world.keyring.verifiers(), identities=world.identities)
    except ParcelError as error:
        world.emit(Notice(f"folder {folder} at {store.describe()} is passed over: {error.message}"))
        return None
    manifest = parcel.manifest
    return Hidden(folder, manifest.pipeline_name, manifest.parcel_id, manifest.sequence)
