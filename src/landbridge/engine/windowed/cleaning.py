"""Stages that have had their time: archived, compared with the archive, then deleted, one load at a time."""

import io
import json
import secrets
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from landbridge.config.pipelines import StageCleaning
from landbridge.contracts.values import Write
from landbridge.engine.phases.outcome import Outcome, completed, skipped
from landbridge.engine.plan import Plan, window_load_id
from landbridge.engine.pool import each
from landbridge.engine.windowed.landing import of_load
from landbridge.engine.work import Unload, Written
from landbridge.engine.world import World
from landbridge.errors import RunError
from landbridge.ledger import parcels, runs, stages
from landbridge.ledger.runs import Run
from landbridge.ledger.stages import Stage
from landbridge.schema.checksums import Sums, measure
from landbridge.schema.columns import Columns
from landbridge.schema.model import Relation, TableSchema
from landbridge.stage.location import Store, open_store
from landbridge.stage.manifest import Compression
from landbridge.stage.naming import INDEX
from landbridge.stage.writing import PartSettings, delete_parcel

MANIFEST = "manifest.json"
MOST_FILE = 1 << 30


def clean_stages(plan: Plan, row: Run, world: World) -> Outcome:
    """Skipped where no stage has had its time. Raises RunError where an archive is not like its stage."""
    rules = world.project.pipeline(plan.pipeline_name).cleaning
    _note_loaded(row, world)
    with world.cleaning:  # parallel windows would clean the same ones
        due = stages.cleanable(world.ledger, plan.pipeline_name, datetime.now(UTC) - rules.delete_after)
        if not due:
            return skipped("no stage has had its time")
        archived = sum(_archive(one, rules, world) for one in due if rules.archive_before_delete)
        deleted = sum(_delete(one, world) for one in due)
    return completed(
        records_archived=archived,
        records_deleted=deleted,
        archive_location=rules.archive_location if rules.archive_before_delete else None,
        loads_deleted=[one.load_id for one in due],
    )


def _note_loaded(row: Run, world: World) -> None:
    """No audit of ours said so, where a script did it, or nobody: who comes here has passed it."""
    transfer = row.phases["stage_to_target_transfer"]
    if transfer.status != "COMPLETED" and "attempt" not in transfer.details:
        return
    for stage in stages.of_load(world.ledger, row.pipeline_name, window_load_id(row.pipeline_name, row.window)):
        if stage.state == "staged":
            stages.loaded(world.ledger, stage.stage_id)


def _archive(one: Stage, rules: StageCleaning, world: World) -> int:
    """Rows that the archive holds, compared with the stage; what was archived before is not archived again."""
    if one.state == "archived":
        return 0
    store = open_store(str(rules.archive_location))
    day = runs.get_run(world.ledger, one.pipeline_id).target_date if one.pipeline_id else one.staged_at.date()
    folder = f"{one.pipeline_name}/{day}/{one.load_id}"
    store.delete_folder(folder)  # what an attempt that died has left
    rows = _archive_parcel(one, store, folder) if one.kind == "parcel" else _archive_table(one, store, folder, world)
    world.still_ours()
    stages.archived(world.ledger, one.stage_id, store.describe(folder))
    return rows


def _archive_parcel(one: Stage, store: Store, folder: str) -> int:
    """Sealed as it is, file by file; the index last."""
    source = open_store(one.location)
    files = sorted(source.files(one.name), key=lambda path: path.endswith(f"/{INDEX}"))
    for path in files:
        data, copy = source.get(path, most=MOST_FILE), f"{folder}/{path.rpartition('/')[2]}"
        store.put(copy, data)
        if store.get(copy, most=len(data)) != data:
            raise _differs(one, store.describe(copy))
    return one.row_count or 0


def _archive_table(one: Stage, store: Store, folder: str, world: World) -> int:
    stage = _write_of(one)
    read = of_load(stage, one.load_id, world)
    settings = PartSettings(None, Compression("zstd", 3))
    with world.snapshot(read) as shot:
        sums, entries = Sums(measure(shot.schema)), []
        tasks = [
            Unload(
                project=world.project.folder,
                part=part,
                columns=Columns(),
                location=store.location if store.root is None else str(store.root),
                folder=folder,
                stem=f"{secrets.token_hex(4)}-{part.number:05d}",
                settings=settings,
            )
            for part in shot.parts
        ]
        with closing(each(world.pool, tasks, at_once=world.processes + 1)) as results:
            for written in results:
                entries += _noted(written, sums)
    _compare(one, store, folder, entries, sums, shot.schema)
    if sums.rows != world.connector(stage.connection).count(stage, one.load_id):
        raise _differs(one, store.describe(folder))
    told = {"pipeline_name": one.pipeline_name, "load_id": one.load_id, "rows": sums.rows, "files": entries}
    store.put(f"{folder}/{MANIFEST}", json.dumps(told, indent=2).encode())
    return int(sums.rows)


def _noted(written: Written, sums: Sums) -> list[dict[str, Any]]:
    sums.merge(written.sums)
    return [{"file": e.file, "rows": e.rows, "sha256": e.plain_sha256} for e in written.entries]


def _compare(
    one: Stage, store: Store, folder: str, entries: list[dict[str, Any]], sums: Sums, schema: TableSchema
) -> None:
    """Read the archive again, and compare what its rows add up to with what was read of the stage."""
    import pyarrow.parquet as pq

    again = Sums(measure(schema))
    for entry in entries:
        data = store.get(f"{folder}/{entry['file']}", most=MOST_FILE)
        for batch in pq.ParquetFile(io.BytesIO(data)).iter_batches():
            again.add(batch)
    if (again.rows, again.finished()) != (sums.rows, sums.finished()):
        raise _differs(one, store.describe(folder))


def _differs(one: Stage, where: str) -> RunError:
    return RunError(
        f"{where} does not hold what the stage of {one.pipeline_name}, load {one.load_id}, holds: nothing was deleted",
        hint="run it again; is something else writing there?",
    )


def _delete(one: Stage, world: World) -> int:
    """Rows that are gone by it: exactly those of this load."""
    world.still_ours()
    if one.kind == "parcel":
        delete_parcel(open_store(one.location), one.name)
        parcels.abandon(world.ledger, one.stage_id)
        rows = one.row_count or 0
    else:
        stage = _write_of(one)
        rows = world.connector(stage.connection).discard(stage, [one.load_id])
    stages.deleted(world.ledger, one.stage_id)
    return rows


def _write_of(one: Stage) -> Write:
    database, schema, table = json.loads(one.name)
    return Write(one.location, Relation(table, schema, database), mode="window")
