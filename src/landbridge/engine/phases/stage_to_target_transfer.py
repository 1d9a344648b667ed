"""Phase 4: parcel to target. Fill a table that nobody reads, then publish it with the load id at once."""

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from itertools import accumulate, groupby
from math import ceil
from operator import itemgetter
from typing import Any

from landbridge.connectors.tagging import untagged
from landbridge.contracts.target import Target
from landbridge.contracts.values import Landing, Load, Published, Write
from landbridge.engine.carrying.chain import follows, loaded_here, loads_before
from landbridge.engine.events import RowsExpected, RowsMoved
from landbridge.engine.fidelity import refuse_losses
from landbridge.engine.phases.outcome import Outcome, completed, skipped
from landbridge.engine.plan import Plan, load_id
from landbridge.engine.pool import each
from landbridge.engine.staged import nothing_staged, open_staged
from landbridge.engine.windowed.landing import load_of, load_rows
from landbridge.engine.work import Append
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, ParcelError
from landbridge.ledger.runs import Run
from landbridge.stage.location import open_store
from landbridge.stage.manifest import Manifest, PartEntry
from landbridge.stage.reading import Parcel
from landbridge.stage.survey import survey


def stage_to_target_transfer(plan: Plan, row: Run, world: World) -> Outcome:
    if plan.write is None:
        return skipped("other side: the parcel is to be carried there")
    if plan.stage:
        return load_rows(plan, row, world)
    if nothing_staged(row):
        return skipped("nothing changed")
    parcel = open_staged(plan, row, world)
    manifest = parcel.manifest
    target = world.connector(plan.write.connection)
    existing = target.describe([plan.write.relation])[plan.write.relation]
    if plan.windowed and existing:
        existing = untagged(existing)
    accepted = refuse_losses(plan.write, manifest, existing, target.holds)
    load = _load(plan, plan.write, manifest, row, world)
    already = _loaded(target, plan.write, load) if existing and not plan.again and not plan.windowed else None
    published = already or _published(plan, plan.write, parcel, load, world)
    told: dict[str, Any] = {"rows_changed": dict(published.changed)} if published.changed else {}
    if plan.keyed:
        told["rows_out"] = published.rows
    return completed(
        load_id=load.load_id,
        stage_count=manifest.row_count,
        target_count=published.rows,
        published_by=published.how,
        why=published.why,
        accepted_losses=accepted,
        **told,
    )


def _load(plan: Plan, write: Write, manifest: Manifest, row: Run, world: World) -> Load:
    if plan.windowed:
        return load_of(plan, row, rows=manifest.row_count, parcel_id=manifest.parcel_id)
    return Load(
        load_id=load_id(plan.pipeline_name, write, manifest.parcel_id),
        pipeline_name=plan.pipeline_name,
        parcel_id=manifest.parcel_id,
        attempt=row.pipeline_id,
        rows=manifest.row_count,
        first=follows(manifest) is None,
        whole=manifest.changes is not None and manifest.changes.watermark_column is None,
        as_of=manifest.as_of,
        follows=loads_before(plan, write, manifest, loaded_here(world, plan.pipeline_name)),
    )


def _loaded(target: Target, write: Write, load: Load) -> Published | None:
    """What an attempt published that could not say so any more; None where the target has other rows than it left."""
    rows = target.loaded(write, load.load_id)
    if rows is None or (write.mode == "full" and rows != target.count(write)):
        return None
    return Published(rows, "already")  # of changes whatever the target has now: the audit tells, none goes in twice


def _published(plan: Plan, write: Write, parcel: Parcel, load: Load, world: World) -> Published:
    """Parts are checked while they are loaded. One that is refused ends that, and all that must come again is told."""
    target = world.connector(write.connection)
    landings = [target.prepare(write, parcel.manifest.schema, load)]
    try:
        _append(plan, parcel, landings[0], world)
        if parcel.manifest.keys is not None:
            keys = parcel.of_keys()
            of_keys = replace(load, rows=keys.manifest.row_count)
            landings.append(target.prepare(write, keys.manifest.schema, of_keys, only_keys=True))
            _append(plan, keys, landings[1], world)
        world.still_ours()
        return target.publish(*landings)
    except BaseException as error:
        for landing in landings:
            with suppress(LandbridgeError):  # what failed matters more, and the next attempt sweeps what is left
                target.drop(landing)
        if isinstance(error, ParcelError) and plan.job_kind == "import":
            survey(open_store(plan.location), parcel.folder, world.keyring.signers())
        raise


def _append(plan: Plan, parcel: Parcel, landing: Landing, world: World) -> None:
    small, parts = parcel.without_parts(), parcel.manifest.parts
    at_once = min(world.processes, landing.streams or world.processes)
    tasks = [
        Append(project=world.project.folder, landing=landing, location=plan.location, parcel=small, entries=entries)
        for entries in shares(parts, landing.append_bytes, at_once)
    ]
    world.emit(RowsExpected(parcel.manifest.row_count))
    with closing(each(world.pool, tasks, at_once=at_once)) as results:
        for entries in results:
            world.emit(RowsMoved(sum(e.rows for e in entries), sum(e.sealed_bytes for e in entries)))


def shares(parts: Sequence[PartEntry], size: int, at_once: int) -> Iterator[tuple[PartEntry, ...]]:
    """Parts in their order, each by itself for `size` 0; else in even shares of at most about `size` bytes.

    There are `at_once` shares, or twice as many, and so on. A part belongs to the one in which its middle lies.
    """
    total = sum(entry.plain_bytes for entry in parts)
    count = ceil(total / (size * at_once)) * at_once if size else 0
    starts = accumulate((entry.plain_bytes for entry in parts), initial=0)
    numbers = [
        (2 * start + entry.plain_bytes) * count // (2 * total) if count else number
        for number, (start, entry) in enumerate(zip(starts, parts, strict=False))
    ]
    for _, share in groupby(zip(numbers, parts, strict=True), key=itemgetter(0)):
        yield tuple(entry for _, entry in share)
