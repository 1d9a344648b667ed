"""What is no table's own: folders that nobody knows, and the custody log."""

from collections.abc import Iterator, Sequence

from landbridge.config.tables import Table
from landbridge.engine.carrying.custody import as_far_as_whole
from landbridge.engine.carrying.shelf import parcel_folders
from landbridge.engine.checking.finding import Finding
from landbridge.engine.world import World
from landbridge.ledger import parcels
from landbridge.sealing.note import Signers
from landbridge.stage.evidence import evidence
from landbridge.stage.location import open_store


def log(world: World) -> Iterator[Finding]:
    _, problem = as_far_as_whole(world)
    if problem:
        yield Finding(
            kind="log_broken", table=None, where="landbridge_custody", what=problem.message, hint=problem.hint
        )


def strangers(world: World, tables: Sequence[Table]) -> Iterator[Finding]:
    """Parcel folders where this project writes that no row knows; of other tables only those whose names are hidden."""
    names = {table.name for table in tables}
    for location in dict.fromkeys((world.project.exports, world.project.stage)):
        if not open_store(location).is_there():
            continue
        lying = parcel_folders(location)  # before the rows are read: a parcel has its row before it has files
        known = {row.folder for row in parcels.list_parcels(world.ledger)}
        for folder in sorted(lying):
            table = folder.rpartition("/")[0] or None
            if folder not in known and (table is None or table in names):
                yield _stranger(world, location, folder, table)


def _stranger(world: World, location: str, folder: str, table: str | None) -> Finding:
    store = open_store(location)
    found = evidence(store, folder, Signers(world.own_verifiers))
    purge = f"landbridge parcel purge {found.parcel_id} --from {location} --yes, if nobody needs it"
    state = "a parcel" if found.index_sha256 else "an unfinished parcel"
    if found.signer:
        what = f"this side signed parcel {found.parcel_id}, and the drive table does not know it"
        hint = "put back the newest drive table that there is; " + purge
        return Finding(kind="parcel_unknown", table=table, where=store.describe(folder), what=what, hint=hint)
    what = f"{state} that this side does not know lies there"
    return Finding(kind="folder_unknown", table=table, where=store.describe(folder), what=what, hint=purge)
