"""What is asked before a row of a window moves (docs/pipelines.md, "Phases")."""

from typing import Any

from landbridge.connectors.merging import keyed
from landbridge.connectors.tagging import tag_of, untagged
from landbridge.contracts.values import Write
from landbridge.engine.events import Notice, SchemaChanged
from landbridge.engine.fidelity import look, refuse_offsets
from landbridge.engine.phases.outcome import Outcome, completed
from landbridge.engine.plan import Plan, Windowed, window_load_id
from landbridge.engine.windowed.landing import out_of
from landbridge.engine.windowed.rows import field_of, source_schema, without_window
from landbridge.engine.windowed.strangers import look_for_strangers
from landbridge.engine.world import World
from landbridge.ledger import coverage, runs
from landbridge.ledger.runs import Run
from landbridge.schema.columns import chosen, leaving
from landbridge.schema.model import Column, TableSchema


def check_window(plan: Plan, windowed: Windowed, row: Run, world: World, checks: list[str]) -> Outcome:
    """Raises what makes a run of this window impossible. `checks` are those that were made before."""
    told: dict[str, Any] = {}
    incoming = None
    if plan.read is not None:
        schema = source_schema(plan.read, world)
        field = field_of(schema, windowed)
        checks.append(f"source {plan.read.relation} can be read; {field.name} ({field.type}) tells windows")
        leaves = chosen(schema, plan.read.columns)
        refuse_offsets(plan.read, leaves)
        incoming = leaving(leaves, plan.read.columns)
        told["rows_without_window"] = _outside(plan, world)
        told["columns"] = {column.name: str(column.type) for column in incoming.columns}
        told["told_by"] = told_by(windowed, field)
        told["schema_changes"] = _changes(plan, incoming, told["told_by"], world)
    if plan.write is not None and "stage_to_target_transfer" not in windowed.scripts:
        standing = world.connector(plan.write.connection).describe([plan.write.relation])[plan.write.relation]
        look_for_strangers(plan, windowed, standing, world)
    for name, write, comes in _writes(plan, incoming):
        checks.append(f"{name} {write.connection}: {write.relation} {check_write(write, comes, world)}")
    checks += check_keys(plan, windowed, incoming, world)
    checks += [f"{phase}: {path}" for phase, path in windowed.scripts.items()]
    return completed(is_fresh_run=row.resumed_from is None, validation_checks=checks, **told)


def _writes(plan: Plan, incoming: TableSchema | None) -> list[tuple[str, Write, TableSchema | None]]:
    """Where rows go, and what is known of them by now: what a script or the user's SQL makes is not."""
    scripts = plan.windowed.scripts if plan.windowed else {}
    changed = plan.windowed is not None and plan.windowed.transform is not None
    found: list[tuple[str, Write, TableSchema | None]] = []
    if plan.stage and "source_to_stage_transfer" not in scripts:
        found.append(("stage", plan.stage, incoming))
    if plan.write and "stage_to_target_transfer" not in scripts:
        found.append(("target", plan.write, None if changed else incoming))
    return found


def check_write(write: Write, incoming: TableSchema | None, world: World) -> str:
    """What was found. Raises SchemaMismatch for a table that cannot take what comes, or has no column for the load."""
    target = world.connector(write.connection)
    existing = target.describe([write.relation])[write.relation]
    if existing:
        tag_of(existing, write.relation)
        existing = untagged(existing)
    found = look(write, incoming, None, existing, target.holds) if incoming else None
    if existing is None:
        return "does not exist yet and will be created"
    return f"can hold all {len(found.pairings)} columns" if found else "exists"


def check_keys(plan: Plan, windowed: Windowed, incoming: TableSchema | None, world: World) -> list[str]:
    """What was found of the target's keys, as far as it can be known before rows are staged.

    Raises SchemaMismatch for keys that will not arrive, or a `query_field` that will not.
    """
    if plan.write is None or plan.write.merge is None or not plan.keyed:
        return []
    rules = plan.write.merge
    told = f"keys {', '.join(rules.keys)}"
    if windowed.transform is not None:
        incoming = _transformed(plan, windowed, world)
    if incoming is None:
        return [f"{told}: whether they arrive is seen when rows do"]
    keyed(plan.write, incoming)
    return [f"{told} arrive; the newest row by {rules.newest_by} stays"]


def _transformed(plan: Plan, windowed: Windowed, world: World) -> TableSchema | None:
    """Columns that the user's SQL gives; None where there is no stage yet that could be asked."""
    stage = plan.stage
    if stage is None or world.connector(stage.connection).describe([stage.relation])[stage.relation] is None:
        return None
    return source_schema(out_of(plan, stage, window_load_id(plan.pipeline_name, windowed.window), world), world)


def _outside(plan: Plan, world: World) -> int:
    """Rows that belong to no window: asked once a command, for it may read the whole table."""
    if plan.pipeline_name not in world.outside_windows:
        rows = without_window(plan, world)
        world.outside_windows[plan.pipeline_name] = rows
        if rows and plan.windowed:
            world.emit(
                Notice(
                    f"{rows:,} rows of the source have no {plan.windowed.field}, or one in none of the years that "
                    "windows have: they belong to no window"
                )
            )
    return world.outside_windows[plan.pipeline_name]


def _changes(plan: Plan, incoming: TableSchema, by: str, world: World) -> list[str]:
    """How the source differs from what it was when the last window was loaded; told as an event."""
    last = runs.list_runs(world.ledger, pipeline_name=plan.pipeline_name, status="SUCCESS", limit=1)
    details = last[0].phases["pre_validation"].details if last else {}
    before = details.get("columns")
    if before is None:
        return []
    now = {column.name: str(column.type) for column in incoming.columns}
    changes = [f"column {name} is new ({now[name]})" for name in now if name not in before]
    changes += [f"column {name} is gone (was {before[name]})" for name in before if name not in now]
    changes += [
        f"column {name} is {now[name]} (was {before[name]})" for name in now if before.get(name, now[name]) != now[name]
    ]
    if (was := details.get("told_by", by)) != by:
        changes.append(f"windows are told by {by} (were by {was}): {again(plan.pipeline_name, world)}")
    if changes:
        world.emit(SchemaChanged(plan.pipeline_name, tuple(changes)))
    return changes


def told_by(windowed: Windowed, field: Column) -> str:
    """What says which rows are a window's: where it changes, rows change their window."""
    clock = {"timestamp": windowed.clock, "date": windowed.zone}.get(field.type.kind)
    return f"{field.name}, its clock in {clock}" if clock else field.name


def again(name: str, world: World) -> str:
    """What to type when windows that are loaded hold other rows now: some would come twice, or not at all."""
    spans = coverage.covered(world.ledger, name)
    typed = [f"landbridge backfill {name} --from {s.start.isoformat()} --to {s.end.isoformat()}" for s in spans[:3]]
    return f"rows between those would come twice or never; load again what is loaded: {'; '.join(typed)}"
