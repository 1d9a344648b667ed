"""Phase 2: ask everything that can be asked before a row moves."""

from landbridge.contracts.values import Write
from landbridge.engine.carrying.arrivals import never_seen, refuse_older
from landbridge.engine.carrying.chain import loaded_here, refuse_hole, refuse_other_mode
from landbridge.engine.fidelity import look, refuse_losses, refuse_offsets
from landbridge.engine.phases.outcome import Outcome, completed
from landbridge.engine.plan import Plan
from landbridge.engine.staged import open_carried
from landbridge.engine.windowed.checks import check_window
from landbridge.engine.world import World
from landbridge.ledger import custody
from landbridge.ledger.runs import Run
from landbridge.schema.columns import chosen, leaving
from landbridge.schema.fidelity import Holds
from landbridge.schema.model import TableSchema


def pre_validation(plan: Plan, row: Run, world: World) -> Outcome:
    """Keys are there, the source's table exists, the parcel opens, the target can hold what comes."""
    checks = []
    if plan.packing:
        checks.append(_keys(plan, world))
    if plan.windowed:
        return check_window(plan, plan.windowed, row, world, checks)
    if plan.parcel:
        custody.require_signer(world.ledger, world.signer)
    incoming = incoming_schema(plan, world)
    checks.append(f"parcel {plan.parcel} is whole and opens" if plan.parcel else "the source can be read")
    missed = []
    if plan.write:
        target = world.connector(plan.write.connection)
        existing = target.describe([plan.write.relation])[plan.write.relation]
        checks.append(_target(plan.write, incoming, existing, target.holds))
        if plan.parcel:
            manifest = open_carried(plan, world).manifest
            refuse_hole(manifest, plan.write.sync_mode, loaded_here(world, plan.pipeline_name))
            refuse_losses(plan.write, manifest, existing, target.holds)
            missed = never_seen(world, plan, manifest)
    return completed(is_fresh_run=row.resumed_from is None, validation_checks=checks, never_seen=missed)


def incoming_schema(plan: Plan, world: World) -> TableSchema | None:
    """Columns that will arrive: the parcel's, or the source table's; None for a query, which only a read can tell.

    Raises what `snapshot` does for a table that cannot be read, ConfigError for columns that cannot leave as declared,
    and every refusal of `open_parcel` and `refuse_older`.
    """
    if plan.read is None:
        manifest = open_carried(plan, world).manifest
        if plan.write:
            refuse_other_mode(plan.write, manifest)
        refuse_older(world, plan, manifest)
        return manifest.schema
    source, relation = world.connector(plan.read.connection), plan.read.relation
    schema = source.describe([relation])[relation]
    if schema is None:
        with source.snapshot(plan.read):  # says better than we could why it cannot be read
            pass
    if schema is None or plan.read.query:
        return None
    leaves = chosen(schema, plan.read.columns)
    refuse_offsets(plan.read, leaves)
    return leaving(leaves, plan.read.columns)


def _keys(plan: Plan, world: World) -> str:
    world.keyring.signer()
    if plan.job_kind == "run":
        _ = world.identities  # will open the parcel again: a passphrase is asked for now, not after the read
    if not plan.packing or not plan.packing.encryption:
        return "signing key is there; the table's config says that it is not encrypted"
    recipients = world.recipients(own=plan.job_kind == "run")
    return f"signing key is there, sealing for {len(recipients)} recipient(s)"


def _target(write: Write, incoming: TableSchema | None, existing: TableSchema | None, holds: Holds) -> str:
    found = look(write, incoming, None, existing, holds) if incoming else None
    if existing is None:
        return f"target {write.relation} does not exist yet and will be created"
    if found is None:
        return f"target {write.relation} exists"
    return f"target {write.relation} can hold all {len(found.pairings)} columns"
