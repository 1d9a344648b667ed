"""Rows of a landing table that a worker took and never finished (seed 002, section 2.12)."""

from datetime import UTC, datetime

from landbridge.contracts.values import Filter, Read
from landbridge.engine.plan import Plan
from landbridge.engine.windowed.rows import source_schema
from landbridge.engine.world import World
from landbridge.schema.columns import chosen, leaving
from landbridge.schema.ddl import literal
from landbridge.schema.model import TableSchema
from landbridge.schema.names import qualify, quote

STATUS, SINCE = "status", "modified_timestamp"


def reset_stale(plan: Plan, world: World) -> int:
    """Set rows that say in_progress for longer than `timeout_minutes` to pending; return how many.

    A stage without columns `status` and `modified_timestamp` has none, nor has one that gets them from the source:
    there they are data, and arrive as they are.
    """
    if plan.stage is None:
        return 0
    connector = world.connector(plan.stage.connection)
    schema = connector.describe([plan.stage.relation])[plan.stage.relation]
    status, since = (_named(schema, name) for name in (STATUS, SINCE))
    if status is None or since is None or _arrives(plan, world):
        return 0
    before = datetime.now(UTC) - world.project.pipeline(plan.pipeline_name).stale_after
    old = f"{quote(status)} = 'in_progress' AND {quote(since)} < {literal(before.isoformat(sep=' '))}"
    read = Read(plan.stage.connection, plan.stage.relation, filter=Filter(old))
    with connector.instant() as instant:
        if not connector.count_rows(read, instant):
            return 0
    world.still_ours()
    (reset,) = connector.run_sql(
        [f"UPDATE {qualify(plan.stage.relation)} SET {quote(status)} = 'pending' WHERE {old}"]  # noqa: S608  quoted
    )
    return reset


def _arrives(plan: Plan, world: World) -> bool:
    """Whether `status` is among the columns that are read."""
    if plan.read is None:
        return False
    incoming = leaving(chosen(source_schema(plan.read, world), plan.read.columns), plan.read.columns)
    return _named(incoming, STATUS) is not None


def _named(schema: TableSchema | None, name: str) -> str | None:
    return next((column for column in schema.names if column.casefold() == name), None) if schema else None
