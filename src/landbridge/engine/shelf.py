"""The parcels that lie at a place, as far as they can be seen there."""

from collections import defaultdict
from dataclasses import dataclass

from landbridge.engine.world import World
from landbridge.errors import ParcelError, UsageError
from landbridge.stage.location import open_store
from landbridge.stage.naming import INDEX, PARCEL_ID
from landbridge.stage.reading import Parcel, open_parcel


@dataclass(frozen=True)
class Shelved:
    """One parcel folder. Rows and as-of are known only to who can open it; `problem` says why we cannot."""

    folder: str
    files: int
    size: int  # bytes
    finished: bool
    parcel: Parcel | None = None
    problem: str | None = None


def shelf(world: World, location: str) -> list[Shelved]:
    """Every parcel folder below `location`, oldest first in each table."""
    return [_shelved(world, location, name, files) for name, files in sorted(_folders(location).items())]


def _folders(location: str) -> dict[str, dict[str, int]]:
    """Files and their bytes in each parcel folder; nothing is opened."""
    store = open_store(location)
    store.reach()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for path, size in store.files("").items():
        levels = path.split("/")
        if len(levels) == 3 and PARCEL_ID.fullmatch(levels[1]):
            found["/".join(levels[:2])][levels[2]] = size
    return found


def _shelved(world: World, location: str, folder: str, files: dict[str, int]) -> Shelved:
    whole = Shelved(folder, len(files), sum(files.values()), finished=INDEX in files)
    if not whole.finished:
        return whole
    try:
        parcel = open_parcel(open_store(location), folder, verifiers=acceptable(world), identities=world.identities)
    except ParcelError as error:
        return Shelved(folder, whole.files, whole.size, finished=True, problem=error.message)
    return Shelved(folder, whole.files, whole.size, finished=True, parcel=parcel)


def acceptable(world: World) -> tuple[str, ...]:
    """For looking at parcels, our own signature counts as well as those that we trust."""
    return (*world.keyring.trusted_signers(), *world.own_verifiers)


def find_one(location: str, name: str) -> str:
    """The folder of one parcel, by its id, the beginning of its id, or table/id."""
    matching = [folder for folder in _folders(location) if folder == name or folder.split("/")[1].startswith(name)]
    if len(matching) == 1:
        return matching[0]
    problem = f"{len(matching)} parcels match {name!r}" if matching else f"no parcel {name!r}"
    raise UsageError(f"{problem} at {location}", hint=f"landbridge parcel list --from {location}")
