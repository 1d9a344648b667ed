"""Targets: does each hold what this side believes that it loaded last, and nothing that a dead attempt left?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from landbridge.config.tables import Table
from landbridge.contracts.values import Loaded
from landbridge.engine.checking.finding import Finding
from landbridge.engine.checking.recording import prove, record
from landbridge.engine.plan import load_id, sides
from landbridge.engine.world import World
from landbridge.errors import ParcelError, ParcelMissing
from landbridge.ledger import marks, parcels, runs
from landbridge.stage.location import open_store
from landbridge.stage.reading import is_finished


@dataclass(frozen=True)
class Known:
    """What this side loaded last, and all parcels that it knows as loaded, or as begun by a run that will say more."""

    last: str | None
    loaded: frozenset[str]
    begun: frozenset[str] = frozenset()


def target(world: World, table: Table) -> Iterator[Finding]:
    yield from _landings(world, table)
    yield from _loads(world, table)


def _landings(world: World, table: Table) -> Iterator[Finding]:
    target = world.connector(table.write.connection)
    for name in target.left(table.write):
        yield Finding(
            kind="landing_left",
            table=table.name,
            where=place(table),
            what=f"{name} is a landing table that a dead attempt left",
            mend=partial(target.sweep, table.write),
        )


def _loads(world: World, table: Table) -> Iterator[Finding]:
    """The target's newest load and its rows against what the drive table has; at most one finding."""
    write = table.write
    target = world.connector(write.connection)
    kind = sides(world.project, table)
    known = _known_of_run(world, table) if kind == "run" else _known_of_import(world, table)
    if target.describe([write.relation])[write.relation] is None:
        if known.last:
            yield _lost(world, table, known.last, "target_gone", "the target is not there")
        return
    newest = target.newest_load(write)
    if newest.load_id is None or newest.parcel_id is None:
        if known.last:
            yield _lost(world, table, known.last, "target_unknown", "the target has no load in landbridge_loads")
        return
    ours = newest.load_id == load_id(table.name, write, newest.parcel_id)
    rows = target.count(write)
    if ours and newest.parcel_id == known.last:
        if rows != newest.rows:
            told = f"the target has {rows} rows; the load of parcel {known.last} left {newest.rows}"
            yield _lost(world, table, known.last, "target_differs", told)
    elif ours and newest.parcel_id not in known.loaded:
        yield from (_of_run if kind == "run" else _of_import)(world, table, known, newest, rows)
    elif known.last:
        yield _other(world, table, known.last, newest)


def _known_of_import(world: World, table: Table) -> Known:
    rows = [row for row in parcels.list_parcels(world.ledger, table.name, "in") if row.state == "loaded"]
    rows.sort(key=lambda row: row.updated_at)  # one that was asked for by its id may have a lower number
    return Known(rows[-1].parcel_id if rows else None, frozenset(row.parcel_id for row in rows))


def _known_of_run(world: World, table: Table) -> Known:
    """In one hop the mark says it; of mode full, which reads by no mark, the newest run that succeeded."""
    attempts = [
        run for run in runs.list_runs(world.ledger, pipeline_name=table.name) if run.parcel_id and run.job_kind == "run"
    ]
    done = [str(run.parcel_id) for run in attempts if "audit" in run.phases_completed]
    if table.write.mode == "full":
        begun = frozenset(str(run.parcel_id) for run in attempts) - set(done)
        return Known(done[0] if done else None, frozenset(done), begun)
    mark = marks.confirmed(world.ledger, table.name, "run")
    return Known(mark.parcel_id if mark else None, frozenset(done))


def _of_run(world: World, table: Table, known: Known, newest: Loaded, rows: int) -> Iterator[Finding]:
    """A load that no audit has confirmed: the mark may, where it is this side's and the rows are there."""
    parcel_id = str(newest.parcel_id)
    if parcel_id in known.begun:
        return  # the next run goes on there, or replaces all rows
    mark = marks.of_parcel(world.ledger, parcel_id)
    if mark and mark.confirmed_at is None and rows == newest.rows and table.write.mode != "full":
        told = "the target has the load of parcel {}, and its mark does not say so"
        yield _unrecorded(table, newest, told, mend=partial(marks.confirm, world.ledger, parcel_id, "target"))
    elif known.last:
        yield _other(world, table, known.last, newest)


def _of_import(world: World, table: Table, known: Known, newest: Loaded, rows: int) -> Iterator[Finding]:
    told = "the target has the load of parcel {}, and the drive table does not say so"
    try:
        plan = prove(world, table, newest, rows)
    except ParcelMissing as error:
        if known.last or table.write.mode != "full":  # else the next import replaces all rows
            hint = f"landbridge parcel collect --from MEDIUM, then landbridge fsck --table {table.name} --repair"
            yield _unrecorded(table, newest, f"{told}: {error.message}", hint=hint)
    except ParcelError as error:
        hint = _again(world, table, str(newest.parcel_id))
        yield _unrecorded(table, newest, f"{told}: {error.message}", hint=hint)
    else:
        yield _unrecorded(table, newest, told, mend=partial(record, world, plan, newest))


def _unrecorded(
    table: Table, newest: Loaded, told: str, *, mend: Callable[[], object] | None = None, hint: str | None = None
) -> Finding:
    what = told.format(newest.parcel_id)
    return Finding(kind="load_unrecorded", table=table.name, where=place(table), what=what, hint=hint, mend=mend)


def _other(world: World, table: Table, last: str, newest: Loaded) -> Finding:
    told = f"the target has the load of parcel {newest.parcel_id}; the last one that was loaded from here is {last}"
    return _lost(world, table, last, "target_other", told)


def _lost(world: World, table: Table, last: str, kind: str, what: str) -> Finding:
    return Finding(kind=kind, table=table.name, where=place(table), what=what, hint=_again(world, table, last))


def place(table: Table) -> str:
    return f"{table.write.connection}: {table.write.relation}"


def _again(world: World, table: Table, parcel_id: str) -> str:
    """What to type for the rows to be there again: changes are not loaded twice, so all rows have to come."""
    name, full = table.name, table.write.mode == "full"
    if sides(world.project, table) == "run":
        return f"landbridge run --table {name} " + ("--fresh" if full else "--full-reload")
    if not full:
        return f"on the exporting side: landbridge export-data --table {name} --full-reload"
    rows = parcels.list_parcels(world.ledger, name, "in")
    lying = next((row for row in rows if row.parcel_id == parcel_id and row.state == "loaded"), None)
    if lying is None or not is_finished(open_store(lying.location), lying.folder):
        return f"on the exporting side: landbridge export-data --table {name}"
    origin = "" if lying.location == world.project.imports else f" --from {lying.location}"
    return f"landbridge import-data --table {name} --parcel {parcel_id}{origin}"
