"""The manifest of what was loaded last, kept when its parcel goes: what contents are compared with."""

from landbridge.contracts.values import Write
from landbridge.engine.carrying.shelf import acceptable
from landbridge.engine.events import Notice
from landbridge.engine.plan import load_id
from landbridge.engine.world import World
from landbridge.errors import ParcelError
from landbridge.sealing.note import Signers
from landbridge.stage.index import IndexEntry
from landbridge.stage.location import Store, open_store
from landbridge.stage.manifest import Manifest
from landbridge.stage.naming import INDEX, PARCEL_ID
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
    known = acceptable(world)
    signers = Signers((*known.trusted, *known.revoked))  # it was trusted when it was loaded
    for folder in _folders(store, table):
        if world.holds(write, load_id(table, write, folder.rpartition("/")[2])):
            try:
                return peek_parcel(store, folder, signers=signers, identities=world.identities)[0]
            except ParcelError as error:
                world.emit(Notice(f"what was kept of the last load of {table} is of no use: {error.message}"))
    return None


def _folders(store: Store, table: str) -> list[str]:
    """Of parcels; whatever else lies there is none of ours."""
    if not store.is_there():
        return []
    levels = (path.split("/") for path in store.files(f"{FOLDER}/{table}"))
    return sorted({"/".join(path[:3]) for path in levels if len(path) == 4 and PARCEL_ID.fullmatch(path[2])})
