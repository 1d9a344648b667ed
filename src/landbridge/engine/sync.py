"""Many tables, one after the other: a table that fails is reported, and the next one still gets its turn."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from landbridge.config.tables import Table
from landbridge.engine.carrying.arrivals import as_of_arrival, named_arrival, newest_arrival
from landbridge.engine.carrying.chain import next_arrival
from landbridge.engine.forecast import Forecast, forecast
from landbridge.engine.giving_up import give_up
from landbridge.engine.plan import Begin, Plan, plan_export, plan_import, plan_run, sides
from landbridge.engine.walk import walk
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, RunError
from landbridge.ledger.runs import Run


@dataclass(frozen=True)
class Result:
    """How one table fared: a successful run, an error, or neither: there was nothing to do."""

    table: str
    run: Run | None = None
    error: LandbridgeError | None = None


def run_tables(
    world: World, tables: Sequence[Table], *, fresh: bool, accept_delta: bool = False, full_reload: bool = False
) -> Iterator[Result]:
    """Source to target in one hop."""
    plan = partial(plan_run, world.project, accept_delta=accept_delta, full_reload=full_reload)
    return _each(world, tables, plan, fresh=fresh)


def export_tables(  # noqa: PLR0913  all by keyword: each is an option of the command
    world: World,
    tables: Sequence[Table],
    *,
    location: str | None,
    obfuscate: bool | None = None,
    accept_delta: bool = False,
    separate_instants: bool = False,
    begins_at: Begin = "exported",
) -> Iterator[Result]:
    """Source to sealed parcels at `location`; all tables of a connection as of one instant, unless they are to differ.

    `obfuscate` None: as each table says. A single table needs no more than the snapshot that it takes itself.
    """
    plan = partial(
        plan_export,
        world.project,
        location=location,
        obfuscate=obfuscate,
        accept_delta=accept_delta,
        begins_at=begins_at,
    )
    shared = len(tables) > 1 and not separate_instants
    with world.one_instant() if shared else nullcontext():
        yield from _each(world, tables, plan, fresh=False)


def import_tables(
    world: World, tables: Sequence[Table], *, location: str | None, parcel_id: str | None
) -> Iterator[Result]:
    """Carried parcels at `location` to targets: of each table the newest, or the one with `parcel_id`.

    Of a table that is kept in step by changes all that wait, one after the other.
    """
    for table in tables:
        alone = table.write.mode == "full" or parcel_id is not None
        loaded = 0
        while not (alone and loaded):
            (result,) = _each(world, [table], lambda one: plan_arrival(world, one, location, parcel_id), fresh=False)
            if result.run or result.error or not loaded:
                yield result
            if result.run is None:
                break
            loaded += 1


def plan_arrival(world: World, table: Table, location: str | None, parcel_id: str | None) -> Plan | None:
    """The plan to import one table; None where its newest parcel is loaded already."""
    place = location or world.project.imports
    if parcel_id:
        folder: str | None = named_arrival(world, table.name, place, parcel_id)
    elif table.write.mode == "full":
        folder = newest_arrival(world, table.name, place)
    else:
        folder = next_arrival(world, table.name, place, table.write)
    if folder is None:
        return None
    as_of = as_of_arrival(world, place, folder)
    return plan_import(table, place, folder, as_of=as_of, again=parcel_id is not None)


def plan_here(world: World, table: Table) -> Plan | None:
    """What this side would do with a table: run it, export it, or import what has arrived."""
    match sides(world.project, table):
        case "run":
            return plan_run(world.project, table)
        case "export":
            return plan_export(world.project, table)
        case "import":
            return plan_arrival(world, table, None, None)


def foresee(
    world: World, tables: Sequence[Table], plan: Callable[[Table], Plan | None]
) -> Iterator[tuple[str, Forecast | LandbridgeError | None]]:
    """What each table's plan would do, or why it cannot; None where there is nothing to do."""
    for table in tables:
        try:
            decided = plan(table)
            yield table.name, forecast(decided, world) if decided else None
        except LandbridgeError as error:
            yield table.name, error


def _each(
    world: World, tables: Sequence[Table], plan: Callable[[Table], Plan | None], *, fresh: bool
) -> Iterator[Result]:
    for table in tables:
        try:
            decided = plan(table)
            run = walk(decided, world, fresh=fresh) if decided else None
        except LandbridgeError as error:
            give_up(world, table.name, error)
            yield Result(table.name, error=error)
        except Exception as error:  # noqa: BLE001  a fault of ours is this table's failure, not the others'
            told = RunError(f"{type(error).__name__}: a fault of landbridge", hint="the run's row has the traceback")
            give_up(world, table.name, told)
            yield Result(table.name, error=told)
        else:
            yield Result(table.name, run=run)


def worst(errors: Iterable[LandbridgeError | None]) -> int:
    """The exit code of all together: 0, or that of the worst failure: audit, run, environment, config."""
    codes = {error.exit_code for error in errors if error}
    return next((code for code in (4, 1, 3, 2) if code in codes), 0)
