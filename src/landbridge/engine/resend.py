"""Carrying again: a parcel that was exported here, or those of its files that did not arrive, byte for byte."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from landbridge.engine.obfuscation import list_exports
from landbridge.engine.shelf import acceptable
from landbridge.engine.world import World
from landbridge.errors import ParcelDamaged, ParcelError, ParcelMissing, UsageError
from landbridge.ledger import parcels
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.index import Index, IndexEntry
from landbridge.stage.location import open_store
from landbridge.stage.naming import INDEX
from landbridge.stage.reading import MOST_INDEX, differing, fetch, is_finished, read_index


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
    index: Index
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
    index, _ = read_index(store, row.folder, acceptable(world))
    problems = {fault.file: fault.what for fault in differing(row.folder, index.files, store.files(row.folder))}
    numbers = _numbers(index)
    lying = [Lying(entry, numbers.get(entry.name), problems.get(entry.name)) for entry in index.files]
    return Exported(row, index, tuple(_chosen(lying, parts)))


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


def _chosen(lying: Sequence[Lying], parts: Sequence[str]) -> Iterator[Lying]:
    """The manifest always; of the parts all, or those that `parts` name by file or number."""
    known = {key for file in lying for key in (file.entry.name, str(file.number)) if key != "None"}
    if unknown := [part for part in parts if part not in {*known, INDEX}]:
        raise UsageError(
            f"the parcel has no part {', '.join(unknown)}", hint="--resend without --part and --to lists its parts"
        )
    for place, file in enumerate(lying):
        if not parts or place == 0 or {file.entry.name, str(file.number)} & set(parts):
            yield file


def resend(world: World, exported: Exported, location: str) -> int:
    """Copy the files, manifest and index to `location`, the index last; return their bytes.

    Raises ParcelDamaged, ParcelMissing where one of them is not as it was signed: that is never carried.
    """
    row, index = exported.row, exported.index
    if location == row.location:
        raise UsageError(f"the parcel lies at {location} already", hint="--to another place: the medium")
    source, target = open_store(row.location), open_store(location)
    copied = 0
    for file in reversed(exported.files):
        try:
            data = fetch(source, row.folder, row.parcel_id, file.entry)
        except ParcelError as error:
            raise ParcelDamaged(
                f"not sent: {error.message}", hint=f"landbridge export-data --table {row.pipeline_name}: a new parcel"
            ) from error
        target.put(f"{row.folder}/{file.entry.name}", data, timeless=index.obfuscated)
        copied += len(data)
    signed = source.get(f"{row.folder}/{INDEX}", most=MOST_INDEX)
    target.put(f"{row.folder}/{INDEX}", signed, timeless=index.obfuscated)
    if index.obfuscated:
        list_exports(world, location)
    return copied + len(signed)
