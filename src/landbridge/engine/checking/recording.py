"""A load that the target has and the drive table does not know: recorded where the carried parcel proves it."""

from functools import partial

from landbridge.config.tables import Table
from landbridge.contracts.values import Loaded
from landbridge.engine.carrying.chain import refuse_other_mode
from landbridge.engine.carrying.obfuscation import hidden_parcels
from landbridge.engine.phases.audit import audit
from landbridge.engine.phases.outcome import Outcome, completed
from landbridge.engine.phases.source_to_stage_transfer import source_to_stage_transfer
from landbridge.engine.plan import Plan, plan_import
from landbridge.engine.staged import open_folder
from landbridge.engine.walk import Phase, recorded
from landbridge.engine.world import World
from landbridge.errors import ParcelDamaged, ParcelMissing
from landbridge.ledger import custody
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.naming import parcel_folder
from landbridge.stage.reading import is_finished


def prove(world: World, table: Table, newest: Loaded, rows: int) -> Plan:
    """The import that must have made this load; that load id and parcel id agree is known.

    Raises ParcelMissing where its parcel does not lie at the imports, and every other refusal of a parcel that is not
    sound, or was made for another mode; ParcelDamaged where there are not as many rows as it says.
    """
    parcel_id, location = str(newest.parcel_id), world.project.imports
    manifest = open_folder(world, location, _folder(world, table, parcel_id), table=table.name).manifest
    refuse_other_mode(table.write, manifest)
    left = manifest.row_count if table.write.mode == "full" else newest.rows
    if manifest.parcel_id != parcel_id or not left == newest.rows == rows:
        raise ParcelDamaged(f"it left {newest.rows} rows, and {rows} are there")
    folder = _folder(world, table, parcel_id)
    return plan_import(table, location, folder, as_of=manifest.as_of, again=False)


def record(world: World, plan: Plan, newest: Loaded) -> None:
    """As an import would have: an attempt of its own that opens the parcel, and audits the rows that are there."""
    assert world.lease is not None, "a repair holds the lease"  # noqa: S101
    custody.require_signer(world.ledger, world.signer)
    phases: dict[str, Phase] = {
        "source_to_stage_transfer": source_to_stage_transfer,
        "stage_to_target_transfer": partial(_found, newest),
        "audit": audit,
    }
    recorded(plan, world, world.lease.fence, phases)


def _found(newest: Loaded, plan: Plan, row: Run, world: World) -> Outcome:  # noqa: ARG001  a phase
    return completed(
        load_id=newest.load_id,
        stage_count=row.phases["source_to_stage_transfer"].details["stage_count"],
        target_count=newest.rows,
        published_by="already",
        why="found by fsck",
        accepted_losses={},
    )


def _folder(world: World, table: Table, parcel_id: str) -> str:
    """Where the parcel lies at the imports. Raises ParcelMissing."""
    location = world.project.imports
    store = open_store(location)
    if store.is_there():
        openly = parcel_folder(table.name, parcel_id)
        if is_finished(store, openly):
            return openly
        for hidden in hidden_parcels(world, location):
            if hidden.parcel_id == parcel_id and hidden.here:
                return hidden.folder
    raise ParcelMissing(f"the parcel does not lie at {store.describe()}")
