"""What a plan would do, asked of the systems that it names; nothing is changed."""

from dataclasses import dataclass

from landbridge.engine.fidelity import Fidelity, look
from landbridge.engine.phases.pre_validation import incoming_schema
from landbridge.engine.plan import Plan
from landbridge.engine.resume import resumable
from landbridge.engine.staged import open_carried
from landbridge.engine.taking import mark_before
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError
from landbridge.schema.filters import where_clause
from landbridge.schema.model import Column, TableSchema
from landbridge.windows import format_duration


@dataclass(frozen=True)
class ColumnForecast:
    """One column's way: its type at the source and what becomes of it, its type at the target, how that fits."""

    name: str
    source: str
    target: str | None
    fit: str | None


@dataclass(frozen=True)
class Forecast:
    """`facts` in the order to print them; `columns` is empty where only the read itself can tell them.

    `refusal`: what values would lose, and the config does not accept.
    """

    plan: Plan
    facts: dict[str, str]
    columns: tuple[ColumnForecast, ...]
    refusal: LandbridgeError | None = None


def forecast(plan: Plan, world: World) -> Forecast:
    """Raises what pre-validation would: unknown tables, targets that cannot hold what comes, parcels refused."""
    incoming = incoming_schema(plan, world)
    existing: TableSchema | None = None
    found: Fidelity | None = None
    if plan.write:
        target = world.connector(plan.write.connection)
        existing = target.describe([plan.write.relation])[plan.write.relation]
        traits = open_carried(plan, world).manifest.traits if plan.parcel else None
        found = look(plan.write, incoming, traits, existing, target.holds) if incoming else None
    facts = _facts(plan, existing)
    if plan.read and plan.read.changes:
        mark = mark_before(plan, plan.read, world)
        facts["begins"] = f"after {mark.until_value}, the mark of {mark.parcel_id}" if mark else "with all rows"
    if earlier := resumable(plan, world):
        facts["attempt"] = f"goes on where {earlier.pipeline_id} failed: {earlier.phase_failed}"
    return Forecast(plan, facts, _columns(plan, incoming, found), found.refusal() if found else None)


def _facts(plan: Plan, existing: TableSchema | None) -> dict[str, str]:
    facts = {}
    if plan.read:
        what = "a query over " if plan.read.query else ""
        facts["source"] = f"{plan.read.connection}: {what}{plan.read.relation}"
        facts["filter"] = " ".join(where_clause(plan.read.filter).split()) or "none: all rows"
    if plan.packing:
        sealed = "sealed with age" if plan.packing.encryption else "NOT encrypted (the table's config)"
        sealed += ", names hidden" if plan.packing.obfuscated else ""
        packed = f"{plan.packing.compression_type} {plan.packing.compression_level}"
        facts["parcel"] = f"{sealed}, {packed if plan.packing.compression_type else 'not compressed'}, signed"
    facts["stage"] = f"{plan.location}/{plan.parcel}" if plan.parcel else plan.location
    if plan.write:
        becomes = "all rows are replaced at once" if plan.write.mode == "full" else "rows are merged"
        state = f"exists: {becomes}" if existing else "does not exist: it will be created"
        facts["target"] = f"{plan.write.connection}: {plan.write.relation} ({state})"
    facts["mode"] = plan.write.mode if plan.write else plan.sync_mode
    facts["schedule"] = f"every {format_duration(plan.schedule)}" if plan.schedule else "none declared"
    return facts


def _columns(plan: Plan, incoming: TableSchema | None, found: Fidelity | None) -> tuple[ColumnForecast, ...]:
    if incoming is None:
        return ()
    if found is None:
        return tuple(ColumnForecast(c.name, _source(c, plan), None, None) for c in incoming.columns)
    return tuple(
        ColumnForecast(p.incoming.name, _source(p.incoming, plan), str(p.target.type), found.grade(p))
        for p in found.pairings
    )


def _source(column: Column, plan: Plan) -> str:
    kind = column.native or str(column.type)
    altered = plan.read.columns.altered if plan.read else {}
    return altered[column.name].history(kind) if column.name in altered else kind
