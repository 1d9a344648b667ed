"""Obfuscated parcels at a place: which folder holds which table, told by the export index or by opening them."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

from landbridge.engine.carrying.hidden import Hidden
from landbridge.engine.events import Notice
from landbridge.engine.world import World
from landbridge.errors import ParcelError, ParcelMissing
from landbridge.ledger import parcels
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.export_index import Listed, read_export_index, write_export_index
from landbridge.stage.location import Store, open_store
from landbridge.stage.reading import find_obfuscated, is_finished, peek_index, peek_parcel

MOST_TOLD = 10


def list_exports(world: World, location: str) -> None:
    """Write the export index anew: every obfuscated parcel that was sealed here and lies at `location` now.

    Wherever it was sealed to: parcels are also copied. A name of 16 random digits is enough to know it by.
    """
    store = open_store(location)
    lying = {folder for folder in find_obfuscated(store) if is_finished(store, folder)}
    ours = [p for p in parcels.list_parcels(world.ledger, direction="out") if p.state == "sealed"]
    listed = [entry for p in ours if p.folder in lying for entry in _listed(store, p)]
    write_export_index(
        store,
        listed,
        created_at=datetime.now(UTC),
        recipients=world.recipients(own=False),
        signer=world.keyring.signer(),
    )


def _listed(store: Store, row: ParcelRow) -> Iterator[Listed]:
    """Its entry; none where the index there is broken: that is no parcel any more."""
    with suppress(ParcelError):
        parts = peek_index(store, row.folder).parts
        yield Listed(
            table_name=row.pipeline_name,
            folder_id=row.folder,
            parcel_id=row.parcel_id,
            sequence=row.sequence or 0,
            export_timestamp=row.updated_at,
            total_rows=row.row_count or 0,
            total_chunks=len(parts),
        )


def hidden_parcels(world: World, location: str) -> tuple[Hidden, ...]:
    """What is at `location`, and what the export index says should be; looked at once for all tables of a command.

    A folder that cannot be opened is told and passed over.
    """
    if location not in world.hidden:
        world.hidden[location] = tuple(_look(world, open_store(location)))
    return world.hidden[location]


def _look(world: World, store: Store) -> Sequence[Hidden]:
    lying = find_obfuscated(store)
    listed = {entry.folder_id: entry for entry in _export_index(world, store)}
    told = [_of_index(entry, here=is_finished(store, folder)) for folder, entry in listed.items()]
    opened = [_opened(world, store, folder) for folder in lying if folder not in listed]
    refused = [hidden for hidden in opened if hidden.error]
    for hidden in refused[:MOST_TOLD]:
        world.emit(Notice(f"folder {hidden.folder} at {store.describe()} is passed over: {hidden.error}"))
    if len(refused) > MOST_TOLD:
        world.emit(Notice(f"and so are {len(refused) - MOST_TOLD} more folders at {store.describe()}"))
    return [*told, *opened]


def _of_index(entry: Listed, *, here: bool) -> Hidden:
    return Hidden(entry.folder_id, entry.table_name, entry.parcel_id, entry.sequence, here=here)


def _export_index(world: World, store: Store) -> Sequence[Listed]:
    try:
        return read_export_index(store, signers=world.keyring.signers(), identities=world.identities)
    except ParcelMissing:
        return ()
    except ParcelError as error:
        world.emit(Notice(f"the export index at {store.describe()} is passed over: {error.message}"))
        return ()


def _opened(world: World, store: Store, folder: str) -> Hidden:
    try:
        manifest, error = peek_parcel(store, folder, signers=world.keyring.signers(), identities=world.identities)
    except ParcelError as refused:
        return Hidden(folder, error=refused, here=is_finished(store, folder))
    return Hidden(folder, manifest.pipeline_name, manifest.parcel_id, manifest.sequence, error=error)
