"""Rows at the target that the drive table knows nothing of: they may be those that are about to come once more."""

from dataclasses import replace

from landbridge.connectors.tagging import tag_of
from landbridge.contracts.target import LOADS
from landbridge.contracts.values import Filter, Read, Write
from landbridge.engine.events import Notice
from landbridge.engine.plan import Plan, Windowed, window_load_id
from landbridge.engine.windowed.rows import FIRST, LAST
from landbridge.engine.world import World
from landbridge.errors import RunError
from landbridge.ledger import runs
from landbridge.schema.ddl import literal
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import qualify, quote
from landbridge.windows import Window


def look_for_strangers(plan: Plan, windowed: Windowed, standing: TableSchema | None, world: World) -> None:
    """Asked until a window of the pipeline was loaded, by this drive table.

    Raises RunError where the target has rows of this pipeline, and none of this window: it may be cut in another way.
    Rows of pipelines that the project does not have, which may be this one by another name, are told.
    """
    write = plan.write
    if write is None or standing is None:
        return
    if runs.list_runs(world.ledger, pipeline_name=plan.pipeline_name, status="SUCCESS", limit=1):
        return
    book = _book(write, world)
    if book is None:
        return
    tag = quote(tag_of(standing, write.relation).name)
    of = f"{tag} IN (SELECT load_id FROM {qualify(book)} WHERE target_table = {literal(write.relation.table)} AND {{}})"  # noqa: S608  quoted
    ours = of.format(f"pipeline_name = {literal(plan.pipeline_name)}")
    known = ", ".join(literal(window_load_id(plan.pipeline_name, each)) for each in _begun(plan, world))
    load_id = literal(window_load_id(plan.pipeline_name, windowed.window))
    rows = _count(write, f"{ours} AND {tag} NOT IN ({known or load_id})", world)
    if rows and not _count(write, f"{tag} = {load_id}", world):
        delete = f"DELETE FROM {qualify(write.relation)} WHERE {ours}"  # noqa: S608  for people
        raise RunError(
            f"{write.relation} has {rows:,} rows of {plan.pipeline_name} that this drive table did not load, and none "
            f"of window {windowed.window}: windows that are cut in another way would bring them twice",
            hint=f"give the project the drive table that it had, and query_window; or delete those rows: {delete}",
        )
    names = ", ".join(literal(pipeline.name) for pipeline in world.project.pipelines)
    if rows := _count(write, of.format(f"pipeline_name NOT IN ({names})"), world):
        world.emit(
            Notice(
                f"{write.relation} has {rows:,} rows of pipelines that this project does not have: is "
                f"{plan.pipeline_name} one of them by a new name, its rows come twice"
            )
        )


def _begun(plan: Plan, world: World) -> list[Window]:
    """What failed after it was loaded is no stranger."""
    return runs.attempted(world.ledger, plan.pipeline_name, Window(FIRST, LAST))


def _count(write: Write, where: str, world: World) -> int:
    connector = world.connector(write.connection)
    with connector.instant() as instant:
        return connector.count_rows(Read(write.connection, write.relation, filter=Filter(where)), instant)


def _book(write: Write, world: World) -> Relation | None:
    """Where the target's loads are told; Snowflake writes its name large."""
    names = [replace(write.relation, table=name) for name in (LOADS, LOADS.upper())]
    found = world.connector(write.connection).describe(names)
    return next((name for name in names if found[name]), None)
