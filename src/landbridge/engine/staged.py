"""The parcel that a run is about, seen from any phase."""

from landbridge.engine.plan import Plan
from landbridge.engine.world import World
from landbridge.errors import NotTrusted, ParcelError
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.reading import Parcel, open_parcel


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
    own = world.keyring.own_verifiers()
    return open_parcel(open_store(plan.location), folder, verifiers=own, identities=world.identities)


def open_folder(world: World, location: str, folder: str, *, table: str) -> Parcel:
    """Open a carried parcel by the keys of this side, and refuse one that is another table's."""
    store, keyring = open_store(location), world.keyring
    parcel = open_parcel(
        store,
        folder,
        verifiers=keyring.verifiers(),
        identities=world.identities,
        revoked=keyring.revoked_signers(),
    )
    if parcel.manifest.pipeline_name != table:
        raise ParcelError(
            f"{store.describe(folder)} holds a parcel of another table: {parcel.manifest.pipeline_name}",
            hint="carry the parcel into the folder of its own table",
        )
    if not parcel.index.obfuscated and not folder.endswith(parcel.manifest.parcel_id):
        raise NotTrusted(
            f"{store.describe(folder)} holds parcel {parcel.manifest.parcel_id} under another parcel's name",
            hint="carry the folder again under the name that it was exported with",
        )
    return parcel
