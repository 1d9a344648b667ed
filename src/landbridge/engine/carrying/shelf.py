"""The parcels that lie at a place, as far as they can be seen there."""

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, replace

from landbridge.engine.world import World
from landbridge.errors import AccessDenied, CannotOpen, ParcelError, UsageError
from landbridge.ledger import parcels
from landbridge.sealing.note import Signers
from landbridge.stage.evidence import evidence
from landbridge.stage.location import Store, open_store
from landbridge.stage.naming import HIDDEN_FOLDER, INDEX, PARCEL_ID
from landbridge.stage.reading import Parcel, check_parcel, open_parcel, peek_index


@dataclass(frozen=True)
class Shelved:
    """One parcel folder. Rows and as-of are known only to who can open it; `problem` says why we cannot."""

    folder: str
    files: int
    size: int  # bytes
    finished: bool
    parcel: Parcel | None = None
    problem: str | None = None
    written_for: str | None = None

    @property
    def table(self) -> str | None:
        """Whose rows it holds; None where names are hidden, we cannot open it, and did not write it."""
        table, _, _ = self.folder.rpartition("/")
        return self.parcel.manifest.pipeline_name if self.parcel else table or self.written_for

    @property
    def parcel_id(self) -> str:
        """Its id, or its folder's name where only that is known."""
        return self.parcel.manifest.parcel_id if self.parcel else self.folder.rpartition("/")[2]


def shelf(world: World, location: str) -> list[Shelved]:
    """Every parcel folder below `location`, oldest first in each table."""
    written = parcels.list_parcels(world.ledger, direction="out")
    ours = {row.folder: row.pipeline_name for row in written if row.location == location}
    found = [_shelved(world, location, name, files) for name, files in sorted(parcel_folders(location).items())]
    known = [replace(one, written_for=ours.get(one.folder)) for one in found]
    return sorted(known, key=lambda one: (one.table is None, one.table, one.folder))


def parcel_folders(location: str) -> dict[str, dict[str, int]]:
    """Files and their bytes in each parcel folder at `location`; nothing is opened."""
    store = open_store(location)
    store.reach()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for top in store.folders():
        for path, size in _files(store, top).items():
            *levels, name = path.split("/")
            openly = len(levels) == 2 and PARCEL_ID.fullmatch(levels[1])
            if openly or (len(levels) == 1 and HIDDEN_FOLDER.fullmatch(top)):
                found["/".join(levels)][name] = size
    return found


def _files(store: Store, folder: str) -> dict[str, int]:
    """None where we may not look: a medium has folders of its own, such as lost+found."""
    with suppress(AccessDenied):
        return store.files(folder)
    return {}


def _shelved(world: World, location: str, folder: str, files: dict[str, int]) -> Shelved:
    whole = Shelved(folder, len(files), sum(files.values()), finished=INDEX in files)
    if not whole.finished:
        return whole
    try:
        parcel = open_shelved(world, location, folder)
    except ParcelError as error:
        return Shelved(folder, whole.files, whole.size, finished=True, problem=error.message)
    return Shelved(folder, whole.files, whole.size, finished=True, parcel=parcel)


def open_shelved(world: World, location: str, folder: str) -> Parcel:
    """Open a parcel to look at it; every refusal of `open_parcel` applies."""
    return open_parcel(open_store(location), folder, signers=acceptable(world), identities=world.identities)


def check_shelved(world: World, location: str, folder: str) -> tuple[list[ParcelError], Parcel | None]:
    """Every fault of a parcel, and the parcel, None where it cannot be opened; of one that is sound the rows were read.

    That it is sealed for others is no fault where nothing can be opened, nor of a parcel that this side sealed.
    """
    store, identities, foreign, parcel = open_store(location), world.identities, None, None
    try:
        parcel = open_shelved(world, location, folder)
    except CannotOpen as refusal:
        foreign = refusal
    except ParcelError:
        pass  # found again below, with all else
    faults = check_parcel(store, folder, signers=acceptable(world), identities=None if foreign else identities)
    if foreign and identities and not evidence(store, folder, Signers(world.own_verifiers)).signer:
        faults.append(foreign)
    return faults, parcel


def acceptable(world: World) -> Signers:
    """For looking at parcels, our own signature counts as well as those that we trust."""
    keyring = world.keyring
    return Signers((*keyring.trusted_signers(), *world.own_verifiers), keyring.revoked_signers())


def _told_id(location: str, folder: str) -> str:
    """What the index says, whoever signed it; nothing for one that is none."""
    with suppress(ParcelError):
        return peek_index(open_store(location), folder).parcel_id
    return ""


def find_one(location: str, name: str) -> str:
    """The folder of one parcel, by table/id, or by its own name or its parcel's id, or the beginning of either."""
    found = parcel_folders(location)
    matching = [folder for folder in found if folder == name or folder.rpartition("/")[2].startswith(name)]
    matching = matching or [folder for folder in found if _told_id(location, folder).startswith(name)]
    if len(matching) == 1:
        return matching[0]
    problem = f"{len(matching)} parcels match {name!r}" if matching else f"no parcel {name!r}"
    raise UsageError(f"{problem} at {location}", hint=f"landbridge parcel list --from {location}")
