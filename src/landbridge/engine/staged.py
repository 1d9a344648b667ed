"""The parcel that a run is about, seen from any phase."""

from landbridge.engine.plan import Plan
from landbridge.engine.world import World
from landbridge.errors import ParcelDamaged, ParcelMissing, ParcelSwapped
from landbridge.ledger.runs import Run
from landbridge.sealing.note import Signers
from landbridge.stage.location import open_store
from landbridge.stage.reading import Parcel, open_parcel
from landbridge.stage.refusal import carry_again
from landbridge.stage.survey import survey


def open_carried(plan: Plan, world: World) -> Parcel:
    """The parcel that an import was planned for; every refusal of `open_parcel` applies."""
    if plan.parcel is None:
        raise ValueError("only an import names its parcel")
    return open_folder(world, plan.location, plan.parcel, table=plan.pipeline_name)


def open_staged(plan: Plan, row: Run, world: World) -> Parcel:
    """The parcel that this run, or the attempt it resumes, moved into the stage."""
    if plan.parcel is not None:
        return open_carried(plan, world)
    folder = row.phases["source_to_stage_transfer"].details["folder"]
    own = Signers(world.keyring.own_verifiers())
    return open_parcel(open_store(plan.location), folder, signers=own, identities=world.identities)


def nothing_staged(row: Run) -> bool:
    """Whether the run found nothing that a parcel would be needed for."""
    transfer = row.phases["source_to_stage_transfer"]
    return transfer.status == "SKIPPED" and "folder" not in transfer.details


def open_folder(world: World, location: str, folder: str, *, table: str) -> Parcel:
    """Open a carried parcel by the keys of this side, and refuse one that is another table's.

    What is missing or damaged is told for all files of the parcel at once.
    """
    store, signers = open_store(location), world.keyring.signers()
    try:
        parcel = open_parcel(store, folder, signers=signers, identities=world.identities)
    except (ParcelMissing, ParcelDamaged):
        survey(store, folder, signers)
        raise
    name, parcel_id = folder.rpartition("/")[2], parcel.manifest.parcel_id
    if parcel.manifest.pipeline_name != table:
        raise ParcelSwapped(
            f"{store.describe(folder)} holds a parcel of another table: {parcel.manifest.pipeline_name[:80]!a}",
            hint=f"put it into the folder of its own table; {carry_again(name)}",
        )
    if not parcel.index.obfuscated and name != parcel_id:
        raise ParcelSwapped(
            f"{store.describe(folder)} holds parcel {parcel_id} under another parcel's name",
            hint=f"give its folder the name {parcel_id} again; {carry_again(name)}",
        )
    return parcel
