"""The manifest of what was loaded last, kept when its parcel goes: what contents are compared with."""

from collections.abc import Iterator
from contextlib import suppress

from landbridge.contracts.values import Write
from landbridge.engine.carrying.shelf import acceptable
from landbridge.engine.plan import load_id
from landbridge.engine.world import World
from landbridge.errors import ParcelError
from landbridge.stage.index import IndexEntry
from landbridge.stage.location import Store, open_store
from landbridge.stage.manifest import Manifest
from landbridge.stage.naming import INDEX
from landbridge.stage.reading import MOST_INDEX, Parcel, fetch, peek_parcel

FOLDER = "loaded"  # in the project's stage


def keep(world: World, table: str, location: str, parcel: Parcel) -> None:
    """Copy manifest and index as they came, sealed and signed; the index last."""
    source, goal = open_store(location), open_store(world.project.stage)
    index, folder = parcel.index, f"{FOLDER}/{table}/{parcel.index.parcel_id}"
    manifest: IndexEntry = index.manifest
    goal.put(f"{folder}/{manifest.name}", fetch(source, parcel.folder, index.parcel_id, manifest))
    goal.put(f"{folder}/{INDEX}", source.get(f"{parcel.folder}/{INDEX}", most=MOST_INDEX))


def forget_older(world: World, table: str, parcel_id: str) -> None:
    """Delete what is kept of parcels that were loaded before."""
    store = open_store(world.project.stage)
    for folder in _folders(store, table):
        if not folder.endswith(f"/{parcel_id}"):
            store.delete_folder(folder)


def kept(world: World, table: str, write: Write) -> Manifest | None:
    """The manifest of what the target holds; None where something else loaded it, or nothing was kept."""
    store = open_store(world.project.stage)
    for manifest in _manifests(world, store, table):
        if world.holds(write, load_id(table, write, manifest.parcel_id)):
            return manifest
    return None


def _manifests(world: World, store: Store, table: str) -> Iterator[Manifest]:
    for folder in _folders(store, table):
        with suppress(ParcelError):  # begun by a run that was killed, and then its load is not the target's newest
            yield peek_parcel(store, folder, signers=acceptable(world), identities=world.identities)[0]


def _folders(store: Store, table: str) -> list[str]:
    if not store.is_there():
        return []
    return sorted({path.rpartition("/")[0] for path in store.files(f"{FOLDER}/{table}")})
