"""Carrying again: a parcel that was exported here, or those of its files that did not arrive, byte for byte."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from landbridge.engine.carrying.custody import happened
from landbridge.engine.carrying.shelf import acceptable
from landbridge.engine.world import World
from landbridge.errors import ParcelMissing, UsageError
from landbridge.ledger import custody, parcels
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.copying import check_room, copy_own, export_index_at, needed, put_index, put_once
from landbridge.stage.index import Index, IndexEntry
from landbridge.stage.location import Store, open_store
from landbridge.stage.naming import EXPORT_INDEX, INDEX
from landbridge.stage.reading import SignedIndex, differing, is_finished, read_index


@dataclass(frozen=True)
class Lying:
    """One file of an exported parcel: the part's number, where its name tells it, and what a listing finds wrong."""

    entry: IndexEntry
    number: int | None
    problem: str | None


@dataclass(frozen=True)
class Exported:
    """A parcel that was exported here, and the files that were asked for: the manifest, then parts."""

    row: ParcelRow
    signed: SignedIndex
    files: tuple[Lying, ...]


def find_exported(world: World, name: str, parts: Sequence[str]) -> Exported:
    """The parcel with the id or folder `name`, or the only one that begins so; of its parts those named, or all.

    Raises UsageError for a parcel or part that does not exist, ParcelMissing for one that is not there any more.
    """
    row = _row(world, name)
    store = open_store(row.location)
    store.reach()
    if row.state != "sealed" or not is_finished(store, row.folder):
        raise ParcelMissing(
            f"parcel {row.parcel_id} of {row.pipeline_name} is not at {store.describe(row.folder)} any more",
            hint=f"landbridge export-data --table {row.pipeline_name}: a new parcel",
        )
    signed = read_index(store, row.folder, acceptable(world))
    index = signed.index
    problems = {fault.file: fault.what for fault in differing(row.folder, index.files, store.files(row.folder))}
    numbers = _numbers(index)
    lying = [Lying(entry, numbers.get(entry.name), problems.get(entry.name)) for entry in index.files]
    return Exported(row, signed, tuple(_chosen(row.parcel_id, lying, parts)))


def _row(world: World, name: str) -> ParcelRow:
    written = parcels.list_parcels(world.ledger, direction="out")
    found = [row for row in written if name in (row.parcel_id, row.folder)]
    found = found or [row for row in written if any(x.startswith(name) for x in (row.parcel_id, row.folder))]
    if len(found) != 1:
        problem = f"{len(found)} parcels that begin with {name!r} were" if found else f"no parcel {name!r} was"
        raise UsageError(f"{problem} exported here", hint=f"landbridge parcel list --from {world.project.exports}")
    return found[0]


def _numbers(index: Index) -> dict[str, int]:
    """Parts as they were written: names that are not hidden tell their order in the manifest, which we cannot open."""
    if index.obfuscated:
        return {}
    ordered = sorted(
        index.parts, key=lambda part: [int(digits) for digits in re.findall("-([0-9]+)(?=[-.])", part.name)]
    )
    return {part.name: number for number, part in enumerate(ordered)}


def _chosen(parcel_id: str, lying: Sequence[Lying], parts: Sequence[str]) -> Iterator[Lying]:
    """The manifest always; of the parts all, or those that `parts` name by file or number."""
    known = {key for file in lying for key in (file.entry.name, str(file.number)) if key != "None"}
    if unknown := [part for part in parts if part not in {*known, INDEX}]:
        raise UsageError(
            f"the parcel has no part {', '.join(unknown)}",
            hint=f"landbridge export-data --resend {parcel_id} lists its parts",
        )
    for place, file in enumerate(lying):
        if not parts or place == 0 or {file.entry.name, str(file.number)} & set(parts):
            yield file


def resend(world: World, exported: Exported, location: str) -> int:
    """Copy the files, manifest and index to `location`, the index last; return the bytes that had to be written.

    Raises ParcelDamaged where one of them is not as it was signed: that is never carried.
    Raises UsageError, WorldError.
    """
    row, signed = exported.row, exported.signed
    if location == row.location:
        raise UsageError(f"the parcel lies at {location} already", hint="--to another place: the medium")
    source, target = open_store(row.location), open_store(location)
    custody.require_signer(world.ledger, world.signer)
    check_room(target, needed(target, {f"{row.folder}/{one.entry.name}": one.entry.bytes for one in exported.files}))
    copied = 0
    for file in exported.files:
        copied += file.entry.bytes * copy_own(source, target, row.folder, signed.index, file.entry)
    put_index(target, row.folder, signed)
    _record(world, exported, target, copied)
    told = export_index_at(source) if signed.index.obfuscated else None
    if told is not None:
        put_once(target, EXPORT_INDEX, told, timeless=True)
    return copied


def _record(world: World, exported: Exported, target: Store, copied: int) -> None:
    row = exported.row
    event = happened(
        world,
        "resent",
        target,
        row.folder,
        pipeline_name=row.pipeline_name,
        files=len(exported.files),
        bytes=copied,
        sequence=row.sequence,
    )
    custody.record(world.ledger, event)
