"""The rows of a target against those that were loaded into it (docs/metadata-change-tracking.md, "Contents")."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice

from landbridge.config.tables import Table
from landbridge.contracts.values import Read
from landbridge.engine.carrying.shelf import open_shelved
from landbridge.engine.events import Notice, RowsExpected, RowsMoved
from landbridge.engine.fidelity import Fidelity, by_column
from landbridge.engine.plan import load_id, sides
from landbridge.engine.pool import each
from landbridge.engine.tables.kept import kept
from landbridge.engine.work import Find, OfParcel, OfSource, Sum
from landbridge.engine.world import World
from landbridge.errors import ParcelDamaged, ParcelError, RunError, SourceError, UsageError, WorldError
from landbridge.ledger import parcels
from landbridge.schema.checksums import Sums, measure, restored
from landbridge.schema.columns import Columns, Pick
from landbridge.schema.comparison import Difference, Row, compared, differing, located, range_line
from landbridge.schema.fit import Pairing, pair
from landbridge.schema.traits import Traits
from landbridge.stage.manifest import Manifest
from landbridge.stage.reading import Parcel

MOST_LINES = 20
MOST_VALUES = 1_000_000  # hashes of rows that are looked at one by one
FIRST_DAY, LAST_DAY = -719_162, 2_932_896  # of the years 1 to 9999: dates beyond them load, and are not read back
KEYLESS = "without a primary key no row can be named: one that changed is one missing and one too many"
TOO_MANY = "no row was looked for: too many lie in one range"


@dataclass(frozen=True)
class Loaded:
    """What a target holds: its manifest, and the parcel itself while it lies where it was loaded from."""

    manifest: Manifest
    location: str = ""
    parcel: Parcel | None = None

    def parts(self, columns: tuple[str, ...]) -> list[OfParcel] | None:
        if self.parcel is None:
            return None
        small = self.parcel.without_parts()
        return [OfParcel(self.location, small, entry, columns) for entry in self.parcel.manifest.parts]


def compare_contents(world: World, table: Table) -> list[str]:
    """A line for each range, and each row that can be told, in which the target differs from what was loaded.

    Raises UsageError where it is not known what that was, SchemaMismatch where the target cannot hold it any more.
    """
    _refuse_kept_by_changes(table)
    last, place = last_loaded(world, table), table.write
    standing = world.connector(place.connection).describe([place.relation])[place.relation]
    assert standing is not None, "a target that is gone holds no load"  # noqa: S101
    pairings = pair(last.manifest.schema, standing)
    lost = _lost(world, table, last.manifest, pairings)
    columns = tuple(name for name in last.manifest.schema.names if name not in lost)
    expected = _expected(world, last, lost)
    names = tuple(p.target.name for p in pairings if p.incoming.name not in lost)
    read = Read(place.connection, place.relation, columns=Columns(tuple(map(Pick, names)), others=False))
    with world.snapshot(read) as shot:
        if not world.holds(place, load_id(table.name, place, last.manifest.parcel_id)):
            raise RunError(f"{place.relation} was loaded again meanwhile", hint="verify it again")
        there = [OfSource(part, names) for part in shot.parts]
        try:
            found = differing(expected, _sum(world, there, expected, rows=shot.rows))
        except SourceError as error:
            return _unreadable(last.manifest, error)
        lines = [range_line(one, expected.of, expected.width) for one in found]
        if shot.rows != last.manifest.row_count:
            lines.insert(0, f"there are {shot.rows} rows, and {last.manifest.row_count} were loaded")
        keyed = bool(last.manifest.schema.primary_key)
        told = _rows(world, found, expected, last.parts(columns), there) if keyed else [KEYLESS] * bool(found)
        return [*_cut(lines, "ranges"), *_cut(told, "rows")]


def _refuse_kept_by_changes(table: Table) -> None:
    """Raise UsageError for a table whose rows came with more parcels than the last."""
    if table.write.mode == "full":
        return
    raise UsageError(
        f"rows of {table.write.relation} cannot be compared: sync_mode {table.write.mode} keeps them by changes, "
        "and the last parcel holds only those that it brought",
        hint="without --data the structure is compared; --full-reload brings all rows anew",
    )


def last_loaded(world: World, table: Table) -> Loaded:
    """What the target holds, told by what was kept of it or by the parcel itself. Raises UsageError without either."""
    manifest = kept(world, table.name, table.write)
    for row in reversed(parcels.list_parcels(world.ledger, table.name, "in")):
        ours = row.parcel_id == manifest.parcel_id if manifest else row.state == "loaded"
        if ours and (manifest or world.holds(table.write, load_id(table.name, table.write, row.parcel_id))):
            with suppress(ParcelError, WorldError):  # it is not there any more
                parcel = open_shelved(world, row.location, row.folder)
                return Loaded(manifest or parcel.manifest, row.location, parcel)
    if manifest is None:
        raise UsageError(
            f"it is not known which rows were loaded into {table.write.relation}: not by landbridge, not from here, "
            "or before contents were compared",
            hint="load it again; from then on its contents can be verified",
        )
    return Loaded(manifest)


def again(world: World, table: Table) -> str:
    """What to type so that the target is as it was loaded."""
    if sides(world.project, table) == "run":
        return f"landbridge run --table {table.name} --fresh"
    last = last_loaded(world, table)
    if last.parcel is None:
        return f"its parcel is gone: export {table.name} again, and carry it"
    place = "" if last.location == world.project.imports else f" --from {last.location}"
    return f"landbridge import-data --table {table.name} --parcel {last.manifest.parcel_id}{place}"


def _lost(world: World, table: Table, manifest: Manifest, pairings: Sequence[Pairing]) -> Collection[str]:
    """Columns that the load changed: what their values would lose was accepted, or there would have been no load.

    Raises UsageError for one of the key.
    """
    holds = world.connector(table.write.connection).holds
    changed = Fidelity(pairings, by_column(manifest.traits), holds, table.write.accept_loss).changed()
    key = manifest.checksums.key if manifest.checksums else measure(manifest.schema).key
    if spoilt := [name for name in key if name in changed]:
        raise UsageError(
            f"rows of {table.write.relation} cannot be told apart: "
            f"{spoilt[0]} lost {changed[spoilt[0]][0]}, as accepted",
            hint="verify-tables without --data compares the structure",
        )
    if changed:
        world.emit(Notice(f"{table.name}: not compared, for accept_loss changed them: {', '.join(sorted(changed))}"))
    return changed.keys()


def _unreadable(manifest: Manifest, error: SourceError) -> list[str]:
    """What was loaded could be read; so a value that cannot is another one. Only far dates load, and are not read."""
    days = {
        column.name for column in manifest.schema.columns if column.type.kind in ("date", "timestamp", "timestamptz")
    }
    if manifest.traits is None or any(_far(one, manifest) for one in manifest.traits if one.column in days):
        raise error
    return [f"some row cannot be read: {error.message.splitlines()[0]}"]


def _far(traits: Traits, manifest: Manifest) -> bool:
    """Whether there are values before the year 1 or after 9999."""
    column = manifest.schema.column(traits.column)
    unit = (
        1 if column is None or column.type.kind == "date" else 86_400 * 10 ** (9 if column.type.precision == 9 else 6)
    )
    ends = [end for end in (traits.earliest, traits.latest) if end is not None]
    return any(not FIRST_DAY <= end // unit <= LAST_DAY for end in ends)


def _expected(world: World, last: Loaded, lost: Collection[str]) -> Sums:
    manifest = last.manifest
    if manifest.checksums:
        try:
            return restored(manifest.checksums, manifest.schema).without(lost)
        except ValueError as error:
            raise ParcelDamaged(f"the checksums of parcel {manifest.parcel_id} do not add up") from error
    parts = last.parts(tuple(name for name in manifest.schema.names if name not in lost))
    if parts is None:
        raise UsageError(
            f"parcel {manifest.parcel_id} was written by a version without checksums, and is gone",
            hint="load the table again; from then on its contents can be verified",
        )
    return _sum(world, parts, Sums(measure(manifest.schema)).without(lost), rows=manifest.row_count)


def _sum(world: World, of_rows: Sequence[OfSource | OfParcel], like: Sums, *, rows: int) -> Sums:
    """The sum over all parts, in the measure of `like` and in ranges no narrower."""
    sums = Sums(like.of, like.width)
    world.emit(RowsExpected(rows))
    tasks = [Sum(world.project.folder, part, like.of, like.width) for part in of_rows]
    with closing(each(world.pool, tasks, at_once=world.processes + 1)) as results:
        for one in results:
            sums.merge(one)
            world.emit(RowsMoved(one.rows, 0))
    return sums


def _rows(
    world: World,
    found: Sequence[Difference],
    sums: Sums,
    parcel: Sequence[OfParcel] | None,
    there: Sequence[OfSource],
) -> Iterator[str]:
    """Rows of the first ranges that differ: as many as are no burden to the memory."""
    chosen: list[Difference] = []
    room = MOST_VALUES // (2 + len(sums.of.columns))
    for one in found:
        room -= one.loaded + one.there
        if room < 0:
            break
        chosen.append(one)
    if found and not chosen:
        yield TOO_MANY
        return
    ranges = frozenset(one.number for one in chosen)
    standing = _found(world, there, sums, ranges)
    if parcel is not None:
        try:
            yield from compared(_found(world, parcel, sums, ranges), standing, sums.of)
        except ParcelError as error:
            world.emit(Notice(f"the parcel cannot be read any more: {error.message}"))
        else:
            return
    for one in chosen:
        yield from located(one, standing, sums.of)


def _found(world: World, rows: Sequence[OfSource | OfParcel], sums: Sums, ranges: frozenset[int]) -> list[Row]:
    tasks = [Find(world.project.folder, part, sums.of, sums.width, ranges) for part in rows]
    with closing(each(world.pool, tasks, at_once=world.processes + 1)) as results:
        return [row for found in results for row in found]


def _cut(lines: Iterable[str], what: str) -> list[str]:
    shown = list(islice(lines, MOST_LINES + 1))
    return shown if len(shown) <= MOST_LINES else [*shown[:MOST_LINES], f"and more {what}"]
