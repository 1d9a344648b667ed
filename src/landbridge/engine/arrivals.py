"""Which carried parcel an import takes."""

from landbridge.engine.world import World
from landbridge.errors import ParcelMissing
from landbridge.ledger import parcels
from landbridge.stage.location import open_store
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
    loaded = parcels.last_loaded(world.ledger, table)
    return None if loaded and newest == parcel_folder(table, loaded.parcel_id) else newest


def named_arrival(table: str, location: str, parcel_id: str) -> str:
    """Folder of one parcel that the user named, also where a newer one is loaded already."""
    folder = parcel_folder(table, parcel_id)
    if folder not in find_parcels(open_store(location), table):
        raise ParcelMissing(
            f"no finished parcel {parcel_id} of {table} at {location}", hint="landbridge parcel list --from " + location
        )
    return folder
