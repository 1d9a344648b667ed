"""The stage as a landing table: rows into it, and out of it into the target (docs/pipelines.md, "The stage")."""

import json
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any

from landbridge.connectors.tagging import tag_of, untagged
from landbridge.contracts.values import Filter, Landing, Load, Published, Read, Snapshot, Write
from landbridge.engine.events import RowsExpected, RowsMoved
from landbridge.engine.fidelity import look
from landbridge.engine.phases.outcome import Outcome, completed
from landbridge.engine.plan import Plan, window_load_id
from landbridge.engine.pool import each
from landbridge.engine.windowed.rows import of_window
from landbridge.engine.work import Move
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, RunError
from landbridge.ledger import stages
from landbridge.ledger.parcels import ParcelRow
from landbridge.ledger.runs import Run
from landbridge.schema.columns import Columns
from landbridge.schema.ddl import literal
from landbridge.schema.model import TableSchema
from landbridge.schema.names import quote


def stage_rows(plan: Plan, row: Run, world: World) -> Outcome:
    """Phase 3, source to landing table: the window's rows take the place of those that an earlier attempt staged."""
    stage = _stage(plan)
    load = load_of(plan, row)
    begin_stage(plan, row, world)
    published = moved(of_window(plan, world), stage, load, world)
    note_staged(plan, row, published.rows, world)
    return completed(
        load_id=load.load_id,
        source_count=published.rows,
        stage_count=published.rows,
        staged_by=published.how,
        stage=f"{stage.connection}: {stage.relation}",
    )


def begin_stage(plan: Plan, row: Run, world: World) -> None:
    """Have what the landing table holds of this window count as staged, not as loaded.

    Before it is staged again: else a window beside this one would clean what an earlier load has left, and with it
    what comes now.
    """
    with world.cleaning:
        note_staged(plan, row, None, world)


def note_staged(plan: Plan, row: Run, rows: int | None, world: World) -> None:
    """Note in the drive database what lies in the landing table."""
    stage = _stage(plan)
    load_id = load_of(plan, row).load_id
    stages.staged(
        world.ledger,
        stage_id=load_id,
        pipeline_name=plan.pipeline_name,
        kind="table",
        location=stage.connection,
        name=json.dumps([stage.relation.database, stage.relation.schema, stage.relation.table]),
        load_id=load_id,
        pipeline_id=row.pipeline_id,
        row_count=rows or 0,
    )


def note_parcel(plan: Plan, row: Run, slot: ParcelRow, world: World) -> None:
    """The same for a parcel, whose parts are there and whose index is about to be."""
    stages.staged(
        world.ledger,
        stage_id=slot.parcel_id,
        pipeline_name=plan.pipeline_name,
        kind="parcel",
        location=slot.location,
        name=slot.folder,
        load_id=load_of(plan, row).load_id,
        pipeline_id=row.pipeline_id,
        row_count=slot.row_count or 0,
    )


def load_rows(plan: Plan, row: Run, world: World) -> Outcome:
    """Phase 4, landing table to target: through the user's SQL, where there is some."""
    assert plan.write is not None, "a plan without a target needs a script"  # noqa: S101
    stage, load = _stage(plan), load_of(plan, row)
    staged = world.connector(stage.connection).count(stage, load.load_id)
    published = moved(out_of(plan, stage, load.load_id, world), plan.write, load, world)
    changes = plan.keyed or (plan.windowed is not None and plan.windowed.rows_change)
    told: dict[str, Any] = {"rows_out": published.rows} if changes else {}
    return completed(
        load_id=load.load_id,
        stage_count=staged,
        target_count=published.rows,
        published_by=published.how,
        rows_changed=dict(published.changed),
        transformations_applied=["sql"] if plan.windowed and plan.windowed.transform else [],
        **told,
    )


def load_of(plan: Plan, row: Run, *, rows: int = 0, parcel_id: str = "") -> Load:
    """What is loaded by a run of a window: the same id whoever tries, and whatever stage it lies in."""
    assert plan.windowed is not None, "asked of a pipeline only"  # noqa: S101
    return Load(
        load_id=window_load_id(plan.pipeline_name, plan.windowed.window),
        pipeline_name=plan.pipeline_name,
        parcel_id=parcel_id or row.pipeline_id,
        attempt=row.pipeline_id,
        rows=rows,
    )


def of_load(stage: Write, load_id: str, world: World) -> Read:
    """The rows that the landing table has of one load, without the column that says so."""
    tag = tag_of(staged_schema(stage, world), stage.relation).name
    return Read(
        stage.connection,
        stage.relation,
        filter=Filter(f"{quote(tag)} = {literal(load_id)}"),
        columns=Columns(exclude=(tag,)),
    )


def staged_schema(stage: Write, world: World) -> TableSchema:
    """The landing table's columns. Raises RunError where it is gone."""
    schema = world.connector(stage.connection).describe([stage.relation])[stage.relation]
    if schema is None:
        where = f"{stage.connection}: {stage.relation}"
        raise RunError(f"the stage {where} is gone", hint="landbridge retry RUN_ID --fresh reads the window again")
    return schema


def out_of(plan: Plan, stage: Write, load_id: str, world: World) -> Read:
    """What the target gets of the landing table: its rows of one load, or what the user's SQL makes of them."""
    read = of_load(stage, load_id, world)
    sql = plan.windowed.transform if plan.windowed else None
    if sql is None:
        return read
    schema = staged_schema(stage, world)
    columns = ", ".join(map(quote, untagged(schema).names))
    query = (
        f"WITH landbridge_stage AS (SELECT {columns} FROM {{table}} WHERE {read.filter.where}) "  # noqa: S608  quoted
        f"SELECT * FROM ({sql.rstrip().rstrip(';').replace('{stage}', 'landbridge_stage')}\n) AS transformed"
    )
    return Read(stage.connection, stage.relation, query=query)


def moved(read: Read, write: Write, load: Load, world: World) -> Published:
    """What `read` gives, into `write` under the load's id: in the database where both are one, else part by part."""
    target = world.connector(write.connection)
    if read.connection == write.connection:
        version = target.newest_load(write).version if _is_there(write, world) else 0
        world.still_ours()
        return target.publish_from(write, read, load, version)
    with world.snapshot(read) as shot:
        existing = target.describe([write.relation])[write.relation]
        if refusal := look(write, shot.schema, None, untagged(existing) if existing else None, target.holds).refusal():
            raise refusal
        return _through_landing(shot, write, replace(load, rows=shot.rows), world)


def _through_landing(shot: Snapshot, write: Write, load: Load, world: World) -> Published:
    target = world.connector(write.connection)
    landing = target.prepare(write, shot.schema, load)
    try:
        world.emit(RowsExpected(shot.rows))
        for rows in _appended(shot, landing, world):
            world.emit(RowsMoved(rows, 0))
        world.still_ours()
        return target.publish(landing)
    except BaseException:
        with suppress(LandbridgeError):  # what failed matters more, and the next attempt sweeps what is left
            target.drop(landing)
        raise


def _appended(shot: Snapshot, landing: Landing, world: World) -> Iterator[int]:
    at_once = min(world.processes, landing.streams or world.processes)
    tasks = [Move(world.project.folder, part, landing) for part in shot.parts]
    with closing(each(world.pool, tasks, at_once=at_once)) as results:
        yield from results


def _is_there(write: Write, world: World) -> bool:
    return world.connector(write.connection).describe([write.relation])[write.relation] is not None


def _stage(plan: Plan) -> Write:
    assert plan.stage is not None, "asked where a landing table is the stage"  # noqa: S101
    return plan.stage
