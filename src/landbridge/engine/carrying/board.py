"""The board: where each parcel is that this side knows of, as far as can be known here (docs/receipts.md)."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

from landbridge.engine.carrying.shelf import open_shelved, parcel_folders
from landbridge.engine.world import World
from landbridge.errors import ParcelError
from landbridge.ledger import marks, parcels
from landbridge.ledger.marks import Mark
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.location import open_store
from landbridge.stage.naming import INDEX, PARCEL_ID

State = Literal[
    "writing", "on the way", "loaded", "superseded", "purged", "arrived", "unfinished", "refused", "missing"
]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One parcel; of those that are missing a span of numbers, `sequence` to `last`. What is not known is None.

    `since`: when it was sealed, confirmed, loaded or refused. `size` in bytes as stored.
    """

    table: str | None
    way: Literal["out", "in"]
    state: State
    sequence: int | None = None
    last: int | None = None
    parcel_id: str | None = None
    rows: int | None = None
    size: int | None = None
    as_of: datetime | None = None
    since: datetime | None = None


def board(world: World) -> list[Listed]:
    """By table and number; what was written here before what came here."""
    found = [*outgoing(world), *_incoming(world)]
    return sorted(found, key=lambda one: (one.table is None, one.table, one.way == "in", one.sequence or 0))


def outgoing(world: World) -> list[Listed]:
    """What was written here, but for what was given up, and the stages of pipelines: nobody carries those."""
    stages = [pipeline.name for pipeline in world.project.pipelines]
    marked = marks.every(world.ledger, but=stages)
    rows = parcels.standing(world.ledger, but=stages)
    newest: dict[str, int] = {}
    for row in rows:
        if (mark := marked.get(row.parcel_id)) and mark.confirmed_at:
            newest[row.pipeline_name] = max(newest.get(row.pipeline_name, 0), row.sequence or 0)
    return [_sent(row, marked.get(row.parcel_id), newest.get(row.pipeline_name, 0)) for row in rows]


def _sent(row: ParcelRow, mark: Mark | None, newest: int) -> Listed:
    if row.state == "writing":
        return _row(row, "writing", None)
    if mark and mark.confirmed_at:
        return _row(row, "loaded", mark.confirmed_at)
    if (row.sequence or 0) < newest:
        return _row(row, "superseded", None)
    return _row(row, "purged" if row.state == "purged" else "on the way", row.updated_at)


def _row(row: ParcelRow, state: State, since: datetime | None) -> Listed:
    return Listed(
        table=row.pipeline_name,
        way=row.direction,
        state=state,
        sequence=row.sequence,
        parcel_id=row.parcel_id,
        rows=row.row_count,
        size=row.byte_count,
        as_of=row.as_of,
        since=since,
    )


def _incoming(world: World) -> Iterator[Listed]:
    known = {row.parcel_id: row for row in parcels.list_parcels(world.ledger, direction="in")}
    lying = list(_lying(world, known))
    told = {one.parcel_id for one in lying}
    found = lying + [_arrived(row) for row in known.values() if row.parcel_id not in told]
    yield from found
    yield from _missing(found)


def _arrived(row: ParcelRow) -> Listed:
    return _row(row, "loaded" if row.state == "loaded" else "refused", row.updated_at)


def _lying(world: World, known: dict[str, ParcelRow]) -> Iterator[Listed]:
    """What lies at the imports and was not loaded."""
    place = world.project.imports
    loaded = [row for row in known.values() if row.state == "loaded"]
    folders = {row.folder for row in loaded if row.location == place}
    last: dict[str, int] = {}
    for row in loaded:
        last[row.pipeline_name] = max(last.get(row.pipeline_name, 0), row.sequence or 0)
    there = parcel_folders(place) if open_store(place).is_there() else {}
    for folder, files in sorted(there.items()):
        if folder in folders:
            continue
        one = _lies(world, folder, files)
        before = known.get(one.parcel_id or "")
        if before is None and one.sequence is not None and one.sequence <= last.get(one.table or "", 0):
            yield replace(one, state="superseded")
        elif before is None:
            yield one
        elif before.state == "refused":
            yield replace(one, state="refused", since=before.updated_at)


def _lies(world: World, folder: str, files: dict[str, int]) -> Listed:
    table, _, name = folder.rpartition("/")
    size, parcel_id = sum(files.values()), name if PARCEL_ID.fullmatch(name) else None
    if INDEX not in files:
        return Listed(table=table or None, way="in", state="unfinished", parcel_id=parcel_id, size=size)
    try:
        manifest = open_shelved(world, world.project.imports, folder).manifest
    except ParcelError:
        return Listed(table=table or None, way="in", state="refused", parcel_id=parcel_id, size=size)
    return Listed(
        table=manifest.pipeline_name,
        way="in",
        state="arrived",
        sequence=manifest.sequence,
        parcel_id=manifest.parcel_id,
        rows=manifest.row_count,
        size=size,
        as_of=manifest.as_of,
    )


def _missing(found: list[Listed]) -> Iterator[Listed]:
    """The holes between the numbers that are known of each table."""
    numbers: dict[str, set[int]] = defaultdict(set)
    for one in found:
        if one.table is not None and one.sequence is not None:
            numbers[one.table].add(one.sequence)
    for table, known in numbers.items():
        for before, after in pairwise(sorted(known)):
            if after > before + 1:
                yield Listed(table=table, way="in", state="missing", sequence=before + 1, last=after - 1)
