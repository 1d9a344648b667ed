"""The rows of a target against those that were loaded into it (docs/metadata-change-tracking.md, "Contents")."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice

from landbridge.config.tables import Table
from landbridge.contracts.values import Read
from landbridge.engine.carrying.shelf import open_shelved
from landbridge.engine.events import Notice, RowsExpected, RowsMoved
from landbridge.engine.plan import load_id
from landbridge.engine.pool import each
from landbridge.engine.tables.kept import kept
from landbridge.engine.work import Find, OfParcel, OfSource, Sum
from landbridge.engine.world import World
from landbridge.errors import ParcelDamaged, ParcelError, UsageError, WorldError
from landbridge.ledger import parcels
from landbridge.ledger.runs import list_runs
from landbridge.schema.checksums import Sums, measure, restored
from landbridge.schema.columns import Columns, Pick
from landbridge.schema.comparison import Difference, Row, compared, differing, located, range_line
from landbridge.schema.fit import pair
from landbridge.stage.manifest import Manifest

MOST_LINES = 20
MOST_RUNS = 100  # of the table, in which its last load is looked for
MOST_ROWS = 200_000  # that are looked at one by one
KEYLESS = "without a primary key no row can be named: one that changed is one missing and one too many"


def compare_contents(world: World, table: Table) -> list[str]:
    """A line for each range, and each row that can be told, in which the target differs from what was loaded.

    Raises UsageError where it is not known what that was, SchemaMismatch where the target cannot hold it any more.
    """
    manifest, place = loaded(world, table), table.write
    lost = _lost(world, table, manifest)
    parcel = _parcel(world, table, manifest, lost)
    expected = _expected(world, manifest, parcel, lost)
    standing = world.connector(place.connection).describe([place.relation])[place.relation]
    assert standing is not None, "a target that is gone holds no load"  # noqa: S101
    names = tuple(p.target.name for p in pair(manifest.schema, standing) if p.incoming.name not in lost)
    read = Read(place.connection, place.relation, columns=Columns(tuple(map(Pick, names)), others=False))
    with world.snapshot(read) as shot:
        there = [OfSource(part, names) for part in shot.parts]
        found = differing(expected, _sum(world, there, expected, rows=shot.rows))
        lines = [range_line(one, expected.of, expected.width) for one in found]
        if shot.rows != manifest.row_count:
            lines.insert(0, f"{shot.rows} rows, {manifest.row_count} were loaded")
        keyed = bool(manifest.schema.primary_key)
        told = _rows(world, found, expected, parcel, there) if keyed else iter([KEYLESS] if found else [])
        return [*_cut(lines, "ranges"), *_cut(told, "rows")]


def loaded(world: World, table: Table) -> Manifest:
    """The manifest of what the target holds. Raises UsageError where it is not known."""
    manifest = kept(world, table.name, table.write)
    if manifest is None:
        raise UsageError(
            f"it is not known which rows were loaded into {table.write.relation}: not by landbridge, not from here, "
            "or before contents were compared",
            hint="load it again; from then on its contents can be verified",
        )
    return manifest


def _lost(world: World, table: Table, manifest: Manifest) -> Collection[str]:
    """Columns that the load changed, since the config accepts it. Raises UsageError for one of the key."""
    load = load_id(table.name, table.write, manifest.parcel_id)
    runs_of = list_runs(world.ledger, pipeline_name=table.name, status="SUCCESS", limit=MOST_RUNS)
    details = [run.phases["stage_to_target_transfer"].details for run in runs_of if run.load_id == load]
    lost: dict[str, list[str]] = details[0].get("accepted_losses", {}) if details else {}
    key = manifest.checksums.key if manifest.checksums else measure(manifest.schema).key
    if spoilt := [name for name in key if name in lost]:
        raise UsageError(
            f"rows of {table.write.relation} cannot be told apart: {', '.join(spoilt)} lost {lost[spoilt[0]][0]} by "
            "accept_loss",
            hint="verify-tables without --data compares the structure",
        )
    if lost:
        world.emit(Notice(f"{table.name}: not compared, for accept_loss changed them: {', '.join(sorted(lost))}"))
    return lost.keys()


def _parcel(world: World, table: Table, manifest: Manifest, lost: Collection[str]) -> list[OfParcel] | None:
    """The rows of the parcel itself; None where it lies no more where it was loaded from."""
    for row in parcels.list_parcels(world.ledger, table.name, "in"):
        if row.parcel_id == manifest.parcel_id:
            with suppress(ParcelError, WorldError):
                parcel = open_shelved(world, row.location, row.folder)
                small, names = parcel.without_parts(), tuple(n for n in manifest.schema.names if n not in lost)
                return [OfParcel(row.location, small, entry, names) for entry in parcel.manifest.parts]
    return None


def _expected(world: World, manifest: Manifest, parcel: Sequence[OfParcel] | None, lost: Collection[str]) -> Sums:
    if manifest.checksums:
        try:
            return restored(manifest.checksums, manifest.schema).without(lost)
        except ValueError as error:
            raise ParcelDamaged(f"the checksums of parcel {manifest.parcel_id} do not add up") from error
    if parcel is None:
        raise UsageError(
            f"parcel {manifest.parcel_id} was written by a version without checksums, and is gone",
            hint="load the table again; from then on its contents can be verified",
        )
    return _sum(world, parcel, Sums(measure(manifest.schema)).without(lost), rows=manifest.row_count)


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
    rows = 0
    for one in found:
        rows += one.loaded + one.there
        if chosen and rows > MOST_ROWS:
            break
        chosen.append(one)
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
