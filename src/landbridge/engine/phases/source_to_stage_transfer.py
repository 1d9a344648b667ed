"""Phase 3: source to parcel. Read one instant in parts, seal every part, sign the index last."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, NamedTuple

from landbridge.contracts.values import Read, Snapshot
from landbridge.engine.carrying.chain import refuse_lost
from landbridge.engine.carrying.custody import exported
from landbridge.engine.carrying.obfuscation import list_exports
from landbridge.engine.carrying.receipts import expected_receipt
from landbridge.engine.events import RowsExpected, RowsMoved
from landbridge.engine.fidelity import refuse_offsets
from landbridge.engine.last_time import last_time, refuse_no_room, refuse_surprise
from landbridge.engine.manifests import Unloaded, compression_of, manifest_of, reading
from landbridge.engine.phases.outcome import Outcome, completed, skipped
from landbridge.engine.plan import Plan
from landbridge.engine.pool import each
from landbridge.engine.staged import open_carried
from landbridge.engine.taking import Taken, taking
from landbridge.engine.windowed.landing import note_parcel, stage_rows
from landbridge.engine.windowed.rows import of_window
from landbridge.engine.work import Unload
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, SourceError
from landbridge.ledger import parcels
from landbridge.ledger.marks import Mark
from landbridge.ledger.runs import Run
from landbridge.schema.checksums import Sums, measure
from landbridge.schema.columns import leaving
from landbridge.schema.traits import Traits, merged
from landbridge.stage.index import MOST_FILE
from landbridge.stage.location import open_store
from landbridge.stage.manifest import (
    MOST_COLUMNS,
    MOST_PARTS,
    Manifest,
    PartEntry,
    numbered,
)
from landbridge.stage.naming import hidden_folder, new_parcel_id, parcel_folder
from landbridge.stage.writing import PartSettings, delete_parcel, delete_unfinished, seal_parcel


def source_to_stage_transfer(plan: Plan, row: Run, world: World) -> Outcome:
    """Skipped where nothing changed since the mark. Raises SourceError when the source's count and what came differ.

    Raises RunError or WorldError, before a row is read, for a count that is not like the last one, or no room.
    """
    if plan.stage:
        return stage_rows(plan, row, world)
    if plan.read is None:
        return _carried(plan, world)
    parcel_id, folder = _names(plan, world)
    with _deleted_on_failure(plan, parcel_id, folder, world):
        written = _write(plan, row, world, parcel_id, folder)
    if isinstance(written, Outcome):
        return written
    if plan.packing and plan.packing.obfuscated:
        list_exports(world, plan.location)
    return completed(parcel_id=parcel_id, **_details(folder, written.manifest), **written.told)


def _names(plan: Plan, world: World) -> tuple[str, str]:
    """Id and folder of the parcel to be written. Ids grow with time, but one that is hidden must not tell it."""
    if plan.packing and plan.packing.obfuscated:
        return secrets.token_hex(16), hidden_folder()
    parcel_id = new_parcel_id(after=parcels.newest_id(world.ledger, plan.pipeline_name))
    return parcel_id, parcel_folder(plan.pipeline_name, parcel_id)


@contextmanager
def _deleted_on_failure(plan: Plan, parcel_id: str, folder: str, world: World) -> Iterator[None]:
    """Delete the parcel's files if its writing fails, unless it is whole: a disk that is full must not stay so.

    Its ledger row is left to the next attempt. One that has settled it already, because our lease was lost,
    has given its number away: then not even an index makes it a parcel.
    """
    try:
        yield
    except BaseException:
        with suppress(LandbridgeError):  # what failed matters more, and the next attempt deletes what is left
            written = parcels.list_parcels(world.ledger, plan.pipeline_name, "out")
            abandoned = any(slot.parcel_id == parcel_id and slot.state == "abandoned" for slot in written)
            delete = delete_parcel if abandoned else delete_unfinished
            delete(open_store(plan.location), folder)
        raise


class Sealed(NamedTuple):
    """The manifest of a sealed parcel, and what else there is to tell."""

    manifest: Manifest
    told: Mapping[str, Any]


def _write(plan: Plan, row: Run, world: World, parcel_id: str, folder: str) -> Sealed | Outcome:
    """The sealed parcel; a skipped phase where there is nothing that one would be needed for."""
    read, packing = reading(plan)
    recipients = _recipients(plan, world)
    if plan.windowed:
        read = of_window(plan, world)
    with taking(plan, read, world) as taken:
        shot = taken.rows
        lost = refuse_offsets(read, shot.schema)
        if taken.is_nothing:
            if plan.write:
                refuse_lost(world, plan.pipeline_name, plan.write, str(taken.follows))
            return _nothing(taken)
        _compare(plan, taken, world)
        slot = parcels.reserve(
            world.ledger,
            pipeline_name=plan.pipeline_name,
            parcel_id=parcel_id,
            location=plan.location,
            folder=folder,
            as_of=shot.as_of,
            pipeline_id=row.pipeline_id,
        )
        keys = _unload(plan, taken.keys, folder, recipients, world) if taken.keys else None
        unloaded = _unload(plan, shot, folder, recipients, world)
    _check_complete(read, shot, unloaded.entries)
    if taken.keys and keys:
        _check_complete(read, taken.keys, keys.entries)
    manifest = manifest_of(plan, taken, slot, unloaded, keys, world.project.connections[read.connection].type)
    size = sum(entry.sealed_bytes for entry in manifest.all_parts)
    slot = parcels.counted(world.ledger, _mark(plan, taken, manifest), row_count=shot.rows, byte_count=size)
    world.still_ours()
    if plan.windowed:  # before it is whole: whoever dies now leaves no parcel that nobody would delete
        note_parcel(plan, row, slot, world)
    seal_parcel(
        open_store(plan.location),
        folder,
        manifest,
        recipients=recipients,
        signer=world.keyring.signer(),
        obfuscated=packing.obfuscated,
    )
    parcels.seal(world.ledger, parcel_id, exported(world, slot))
    told: dict[str, Any] = {"accepted_losses": lost} if lost else {}
    if read.changes:
        told |= {"table_rows": taken.table_rows, "unsettled": taken.unsettled}
    return Sealed(manifest, told)


def _nothing(taken: Taken) -> Outcome:
    return skipped(
        f"nothing changed since parcel {taken.follows}",
        source_count=0,
        stage_count=0,
        as_of=taken.rows.as_of.isoformat(),
        unsettled=taken.unsettled,
    )


def _mark(plan: Plan, taken: Taken, manifest: Manifest) -> Mark:
    changes = plan.read.changes if plan.read else None
    return Mark(
        parcel_id=manifest.parcel_id,
        pipeline_name=plan.pipeline_name,
        follows=taken.follows,
        basis=taken.basis,
        watermark_column=changes.watermark_column if changes else None,
        after_value=taken.range.after,
        until_value=taken.range.until,
        watermark_type=taken.watermark_type,
        read_columns=list(taken.rows.schema.names),
        receipt_sha256=expected_receipt(manifest),
    )


def _compare(plan: Plan, taken: Taken, world: World) -> None:
    last = last_time(world, plan.pipeline_name)
    if last and taken.table_rows is not None:
        refuse_surprise(plan, last, taken.table_rows)
    if last and taken.follows is None:
        refuse_no_room(plan, last, taken.rows.rows)


def _recipients(plan: Plan, world: World) -> tuple[str, ...] | None:
    _, packing = reading(plan)
    return world.recipients(own=plan.job_kind == "run") if packing.encryption else None


def _check_complete(read: Read, shot: Snapshot, entries: Sequence[PartEntry]) -> None:
    staged = sum(entry.rows for entry in entries)
    if staged != shot.rows:
        raise SourceError(
            f"{read.relation}: the source counts {shot.rows} rows, and {staged} were read from the same instant",
            hint="is the table changed in place while it is read? try again, or read it through a query (source_query)",
        )
    columns, largest = len(shot.schema.columns), max((entry.sealed_bytes for entry in entries), default=0)
    if len(entries) > MOST_PARTS or largest > MOST_FILE or columns > MOST_COLUMNS:
        raise SourceError(
            f"{read.relation}: {columns} columns in {len(entries)} parts, the largest of {largest} bytes; "
            f"a reader accepts {MOST_COLUMNS} in {MOST_PARTS} of {MOST_FILE}",
            hint="change parcels.part_size in landbridge.yaml, or read the table in pieces (filter)",
        )


def _details(folder: str, manifest: Manifest) -> dict[str, Any]:
    return {
        "folder": folder,
        "source_count": manifest.row_count,
        "stage_count": sum(part.rows for part in manifest.parts),
        "parts": len(manifest.all_parts),
        "bytes": sum(part.sealed_bytes for part in manifest.all_parts),
        "as_of": manifest.as_of.isoformat(),
        "sequence": manifest.sequence,
    }


def _carried(plan: Plan, world: World) -> Outcome:
    parcel = open_carried(plan, world)
    parcel_id = parcel.manifest.parcel_id
    reason = f"other side: carried in as parcel {parcel_id}"
    return skipped(reason, parcel_id=parcel_id, **_details(parcel.folder, parcel.manifest))


def _unload(plan: Plan, shot: Snapshot, folder: str, recipients: tuple[str, ...] | None, world: World) -> Unloaded:
    read, packing = reading(plan)
    settings = PartSettings(recipients, compression_of(packing), packing.part_size, packing.obfuscated)
    attempt = secrets.token_hex(4)
    tasks = [
        Unload(
            project=world.project.folder,
            part=part,
            columns=read.columns,
            location=plan.location,
            folder=folder,
            stem=f"{attempt}-{part.number:05d}",
            settings=settings,
        )
        for part in shot.parts
    ]
    world.emit(RowsExpected(shot.rows))
    entries: dict[int, Sequence[PartEntry]] = {}
    sums = Sums(measure(leaving(shot.schema, read.columns)))
    traits: tuple[Traits, ...] = ()
    with closing(each(world.pool, tasks, at_once=world.processes + 1)) as results:
        for written in results:
            entries[written.number] = written.entries
            sums.merge(written.sums)
            traits = merged([*traits, *written.traits])
            world.emit(RowsMoved(sum(e.rows for e in written.entries), sum(e.sealed_bytes for e in written.entries)))
    ordered = numbered(entry for number in sorted(entries) for entry in entries[number])
    return Unloaded(ordered, sums.finished(), traits)
