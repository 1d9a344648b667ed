"""Many tables, one after the other: a table that fails is reported, and the next one still gets its turn."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from landbridge.config.tables import Table
from landbridge.engine.arrivals import as_of_arrival, named_arrival, newest_arrival
from landbridge.engine.plan import Plan, plan_export, plan_import, plan_run
from landbridge.engine.walk import walk
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError
from landbridge.ledger.runs import Run


@dataclass(frozen=True)
class Result:
    """How one table fared: a successful run, an error, or neither: there was nothing to do."""

    table: str
    run: Run | None = None
    error: LandbridgeError | None = None


def run_tables(world: World, tables: Sequence[Table], *, fresh: bool) -> Iterator[Result]:
    """Source to target in one hop."""
    return _each(world, tables, lambda table: plan_run(world.project, table), fresh=fresh)


def export_tables(world: World, tables: Sequence[Table], *, location: str | None) -> Iterator[Result]:
    """Source to sealed parcels at `location`."""
    return _each(world, tables, lambda table: plan_export(world.project, table, location), fresh=False)


def import_tables(
    world: World, tables: Sequence[Table], *, location: str | None, parcel_id: str | None
) -> Iterator[Result]:
    """Carried parcels at `location` to targets: of each table the newest, or the one with `parcel_id`."""
    return _each(world, tables, lambda table: plan_arrival(world, table, location, parcel_id), fresh=False)


def plan_arrival(world: World, table: Table, location: str | None, parcel_id: str | None) -> Plan | None:
    """The plan to import one table; None where its newest parcel is loaded already."""
    place = location or world.project.imports
    folder = named_arrival(table.name, place, parcel_id) if parcel_id else newest_arrival(world, table.name, place)
    if folder is None:
        return None
    as_of = as_of_arrival(world, table.name, place, folder)
    return plan_import(table, place, folder, as_of=as_of, again=parcel_id is not None)


def _each(
    world: World, tables: Sequence[Table], plan: Callable[[Table], Plan | None], *, fresh: bool
) -> Iterator[Result]:
    for table in tables:
        try:
            decided = plan(table)
            yield Result(table.name, run=walk(decided, world, fresh=fresh) if decided else None)
        except LandbridgeError as error:
            yield Result(table.name, error=error)


def worst(results: Sequence[Result]) -> int:
    """The exit code of all together: 0, or that of the worst failure: audit, run, environment, config."""
    codes = {result.error.exit_code for result in results if result.error}
    return next((code for code in (4, 1, 3, 2) if code in codes), 0)
