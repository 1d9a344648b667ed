"""The checks, one table after the other; a repair works under the table's lease, and a look never changes a thing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from landbridge.config.tables import Table
from landbridge.engine.checking import attempts, chains, surroundings, targets, written
from landbridge.engine.checking.finding import Finding
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, LeaseHeld
from landbridge.ledger import leases

Check = Callable[[World, Table], Iterator[Finding]]

# what comes later sees what was mended before it: a run that is closed may leave a stage that nobody goes on with
CHECKS: Sequence[Check] = (
    attempts.dead_runs,
    written.begun,
    written.stages,
    written.files_left,
    chains.exports,
)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A finding, and whether it was mended; or the error that kept a check or a repair from being done."""

    table: str | None
    finding: Finding | None = None
    repaired: bool = False
    error: LandbridgeError | None = None

    @property
    def is_wrong(self) -> bool:
        return self.finding is not None and self.finding.is_wrong and not self.repaired


def check(world: World, tables: Sequence[Table], *, repair: bool) -> Iterator[Checked]:
    """What is found of each table, of the places, of the log. One that cannot be asked does not stop the others."""
    for table in tables:
        try:
            yield from _repaired(world, table) if repair else _looked(world, table)
        except LandbridgeError as error:
            yield Checked(table=table.name, error=error)
    yield from _each(None, partial(surroundings.strangers, world, tables))
    yield from _each(None, partial(surroundings.log, world))


def _looked(world: World, table: Table) -> Iterator[Checked]:
    """Without a lease: whoever took the table meanwhile has made what was found uncertain."""
    held, fence = leases.look(world.ledger, f"table:{table.name}")
    if held and held.lives:
        yield _in_work(table, held.holder)
        return
    found = [Checked(table=table.name, finding=attempts.dead_lease(table, held))] if held else []
    for asked in _checks(world, table):
        found += _each(table.name, partial(asked, world, table))
    held, newest = leases.look(world.ledger, f"table:{table.name}")
    if newest == fence:
        yield from found
    else:
        yield _in_work(table, held.holder if held else "a run that has ended since")


def _repaired(world: World, table: Table) -> Iterator[Checked]:
    held, _ = leases.look(world.ledger, f"table:{table.name}")
    done: list[Checked] = []
    try:
        with world.alone_with(table.name):
            if held:
                done.append(Checked(table=table.name, finding=attempts.dead_lease(table, held), repaired=True))
            for asked in _checks(world, table):
                found = list(_each(table.name, partial(asked, world, table)))
                done += [_mended(world, one) for one in found]
    except LeaseHeld:
        yield _in_work(table, held.holder if held else "another process")
        return
    yield from done


def _mended(world: World, one: Checked) -> Checked:
    if one.finding is None or one.finding.mend is None:
        return one
    try:
        world.still_ours()
        one.finding.mend()
    except LandbridgeError as error:
        return Checked(table=one.table, finding=one.finding, error=error)
    return Checked(table=one.table, finding=one.finding, repaired=True)


def _checks(world: World, table: Table) -> Sequence[Check]:
    here = table.write.connection in world.project.connections
    return (*CHECKS, targets.target) if here else CHECKS


def _each(table: str | None, asked: Callable[[], Iterable[Finding]]) -> Iterator[Checked]:
    try:
        for finding in asked():
            yield Checked(table=finding.table, finding=finding)
    except LandbridgeError as error:
        yield Checked(table=table, error=error)


def _in_work(table: Table, who: str) -> Checked:
    what = f"{who} works on it"
    return Checked(
        table=table.name,
        finding=Finding(kind="in_work", table=table.name, where=f"table:{table.name}", what=what, hint="ask again"),
    )
