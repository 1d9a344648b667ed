"""Parcels that were exported, and their marks: is all there that the other side may still need?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from landbridge.config.tables import Table
from landbridge.engine.carrying.shelf import acceptable
from landbridge.engine.checking.finding import Finding
from landbridge.engine.checking.written import described, lying_at, out_of_reach
from landbridge.engine.world import World
from landbridge.errors import ParcelError
from landbridge.ledger import marks, parcels, runs
from landbridge.ledger.marks import Mark
from landbridge.ledger.parcels import ParcelRow
from landbridge.stage.location import Store, open_store
from landbridge.stage.naming import INDEX
from landbridge.stage.reading import differing, read_index


@dataclass(frozen=True)
class Chain:
    """The newest export and those that it goes on from, newest first, back to what is known to have arrived.

    `broken`: the last of them goes on from `follows`, which nobody can carry.
    """

    needed: Sequence[ParcelRow] = ()
    broken: bool = False
    follows: str | None = None
    marked: bool = True


def exports(world: World, table: Table) -> Iterator[Finding]:
    written = parcels.list_parcels(world.ledger, table.name, "out")
    exported = [row for row in written if row.state in ("sealed", "purged") and _is_exported(world, row)]
    exported.sort(key=lambda row: row.sequence or 0)
    if not exported:
        return
    chain = _chain(world, exported)
    hint = _next_export(world, table)
    if not chain.marked and table.write.mode != "full":
        newest = exported[-1]
        told = f"parcel {newest.parcel_id} has no mark: an earlier landbridge made it"
        yield Finding(kind="no_mark", table=table.name, where=described(newest), what=told)
    if chain.broken:
        last = chain.needed[-1]
        told = (
            f"parcel {last.parcel_id} (number {last.sequence}) goes on from {chain.follows}, which was never exported"
        )
        again = f"landbridge export-data --table {table.name} --full-reload"
        yield Finding(kind="chain_broken", table=table.name, where=described(last), what=told, hint=again)
    yield from _lying(world, table, chain.needed, hint)
    yield from _older(table, [row for row in exported if row not in chain.needed])
    yield from _unused(table, exported, {row.sequence for row in written if row.state == "writing"})


def _is_exported(world: World, row: ParcelRow) -> bool:
    """Not the stage of a one-hop run, which nobody carries."""
    return runs.get_run(world.ledger, row.pipeline_id).job_kind == "export"


def _chain(world: World, exported: Sequence[ParcelRow]) -> Chain:
    rows = {row.parcel_id: row for row in exported}
    newest = exported[-1]
    mark = marks.of_parcel(world.ledger, newest.parcel_id)
    if mark is None:
        return Chain([newest], marked=False)
    needed: list[ParcelRow] = []
    while not mark.confirmed_at:
        needed.append(rows[mark.parcel_id])
        if mark.follows is None:
            break
        before = marks.of_parcel(world.ledger, mark.follows)
        if before is None or before.parcel_id not in rows:
            return Chain(needed, broken=True, follows=mark.follows)
        mark = before
    return Chain(needed)


def _next_export(world: World, table: Table) -> str:
    """The export that makes the parcels on their way needless."""
    if table.write.mode == "full":
        return f"landbridge export-data --table {table.name}"
    confirmed: Mark | None = marks.confirmed(world.ledger, table.name, "export")
    return f"landbridge export-data --table {table.name} " + ("--from-confirmed" if confirmed else "--full-reload")


def _lying(world: World, table: Table, needed: Sequence[ParcelRow], hint: str) -> Iterator[Finding]:
    """What is wrong with those that are needed, by a listing; a purge was somebody's will."""
    for row in needed:
        store = open_store(row.location)
        if row.state != "sealed":
            continue
        if not store.is_there():
            yield out_of_reach(table, row.location, f"parcel {row.parcel_id} (number {row.sequence}) was written there")
        elif told := _wrong_with(world, store, row):
            kind, what = told
            name = f"parcel {row.parcel_id} (number {row.sequence})"
            yield Finding(kind=kind, table=table.name, where=described(row), what=f"{name} {what}", hint=hint)


def _wrong_with(world: World, store: Store, row: ParcelRow) -> tuple[str, str] | None:
    present = store.files(row.folder)
    if not present:
        return "parcel_gone", "is not there any more"
    if f"{row.folder}/{INDEX}" not in present:
        return "parcel_harmed", "has no index any more"
    try:
        faults = differing(row.folder, read_index(store, row.folder, acceptable(world)).index.files, present)
    except ParcelError as error:
        return "parcel_harmed", f"is not as it was signed: {error.message}"
    return ("parcel_harmed", "; ".join(f"{fault.file} {fault.what}" for fault in faults)) if faults else None


def _older(table: Table, rows: Sequence[ParcelRow]) -> Iterator[Finding]:
    sealed = [row for row in rows if row.state == "sealed"]
    listed = lying_at({row.location for row in sealed})
    there = [row for row in sealed if row.location in listed]
    gone = [row for row in there if INDEX not in listed[row.location].get(row.folder, {})]
    if gone:
        numbers = ", ".join(str(row.sequence) for row in gone)
        yield Finding(
            kind="older_gone", table=table.name, where=gone[-1].location, what=f"exports that are not there: {numbers}"
        )


def _unused(table: Table, exported: Sequence[ParcelRow], begun: set[int | None]) -> Iterator[Finding]:
    taken = {row.sequence for row in exported} | begun
    first, last = exported[0].sequence or 1, exported[-1].sequence or 1
    if unused := [number for number in range(first, last) if number not in taken]:
        numbers = ", ".join(map(str, unused))
        yield Finding(
            kind="number_unused",
            table=table.name,
            where="landbridge_parcels",
            what=f"numbers that no exported parcel has: {numbers}",
        )
