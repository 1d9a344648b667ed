"""Looking at source tables: what they are now, what has changed, and the files that tell it
(docs/metadata-change-tracking.md).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from landbridge.config.tables import Table
from landbridge.engine.metadata_folder import INITIAL, Entry, MetadataFolder
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, SourceError, WorldError
from landbridge.schema.columns import leaving_table
from landbridge.schema.dialects import table_ddl
from landbridge.schema.drift import Change, changes, summary
from landbridge.schema.metadata import Extracted

Status = Literal["NEW", "CHANGED", "UNCHANGED", "WRITTEN", "FAILED"]


@dataclass(frozen=True)
class Look:
    """What one table's look found; WRITTEN: its files were, and no change was looked for or found."""

    table: str
    status: Status
    changes: tuple[Change, ...] = ()
    archived: tuple[str, ...] = ()
    error: LandbridgeError | None = None

    @property
    def summary(self) -> str:
        return summary(self.changes)


def extract(world: World, tables: Sequence[Table], *, check: bool, force: bool) -> Iterator[Look]:
    """Look at each table's source, and write what is new or has changed. One that fails does not stop the others."""
    seen = _seen(world, tables)
    for table in tables:
        found = seen[table.name]
        if isinstance(found, LandbridgeError):
            yield Look(table.name, "FAILED", error=found)
            continue
        try:
            yield _look(world, table, found, check=check, force=force)
        except LandbridgeError as error:
            yield Look(table.name, "FAILED", error=error)


def _seen(world: World, tables: Sequence[Table]) -> Mapping[str, Extracted | LandbridgeError]:
    """Each table as its source tells it, or why it does not: all of one connection are asked at once."""
    by_connection: dict[str, list[Table]] = defaultdict(list)
    for table in tables:
        by_connection[table.read.connection].append(table)
    seen: dict[str, Extracted | LandbridgeError] = {}
    for connection, own in by_connection.items():
        try:
            found = world.connector(connection).metadata([table.read for table in own])
        except LandbridgeError as error:
            alone = len(own) == 1 or isinstance(error, WorldError)
            seen |= {table.name: error for table in own} if alone else _one_by_one(world, own)
            continue
        for table, extracted in zip(own, found, strict=True):
            seen[table.name] = extracted or _not_there(table)
    return seen


def _one_by_one(world: World, tables: Sequence[Table]) -> dict[str, Extracted | LandbridgeError]:
    """One that cannot be asked, such as a query that is wrong, must not hide the others."""
    return {name: found for table in tables for name, found in _seen(world, [table]).items()}


def _not_there(table: Table) -> SourceError:
    return SourceError(
        f"no table {table.read.relation} at {table.read.connection}", hint="check its name in config/tables.yaml"
    )


def _look(world: World, table: Table, found: Extracted, *, check: bool, force: bool) -> Look:
    folder = MetadataFolder(world.project.folder)
    before = folder.load(table.name)
    if before is None:
        folder.note(Entry(table.name, found.extracted_at, INITIAL))
        folder.save(table.name, found, target_ddl(world, table, found))
        return Look(table.name, "NEW")
    told = changes(before.table, found.table)
    if not told and not force:  # what is there stays as it is, with the numbers of the look that wrote it
        found = before
    if not told or not check:
        written = folder.save(table.name, found, target_ddl(world, table, found))
        return Look(table.name, "WRITTEN" if written else "UNCHANGED", told)
    archived = tuple(map(str, folder.archive(table.name, found.extracted_at)))
    lines = (*(f"{change}  [{change.word}]" for change in told), *(f"archived: {path}" for path in archived))
    folder.note(Entry(table.name, found.extracted_at, summary(told), lines))
    folder.save(table.name, found, target_ddl(world, table, found))
    return Look(table.name, "CHANGED", told, archived)


def target_ddl(world: World, table: Table, extracted: Extracted) -> str:
    """CREATE TABLE of the table's target, in its own dialect; PostgreSQL's where this side does not know it."""
    options = world.project.connections.get(table.write.connection)
    rows = extracted.statistics.row_count
    remarks = [
        f"source: {extracted.relation} ({extracted.connection_type})",
        f"extracted at: {extracted.extracted_at:%Y-%m-%dT%H:%M:%SZ}",
        *([f"rows: {rows}"] if rows is not None else []),
    ]
    relation = table.write.relation
    return table_ddl(
        options.type if options else "postgres",
        replace(relation, database=None),
        leaving_table(extracted.table, table.read.columns),
        source_dialect=extracted.connection_type,
        indexes=table.indexes,
        remarks=remarks,
    )
