"""Looking at source tables: what they are now, what has changed, and the files that tell it
(docs/metadata-change-tracking.md).
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from landbridge import __version__
from landbridge.config.tables import Table
from landbridge.contracts.catalog import Catalog
from landbridge.contracts.target import LOADS
from landbridge.engine.tables.metadata_folder import INITIAL, Entry, MetadataFolder
from landbridge.engine.world import World
from landbridge.errors import ConfigError, LandbridgeError, SourceError, UsageError, WorldError
from landbridge.schema.columns import leaving_table
from landbridge.schema.ddl import literal
from landbridge.schema.drift import Change, changes, summary
from landbridge.schema.merging import table_with_history
from landbridge.schema.metadata import Extracted, TableMetadata
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify, quote
from landbridge.schema.table_ddl import table_ddl, table_statements

Status = Literal["NEW", "CHANGED", "UNCHANGED", "WRITTEN", "SAVED", "FAILED"]
ARCHIVE = re.compile(r"(.+)_[0-9]{8}(_[0-9]+)?")
Target = Literal["exists", "created", "replaced"]


@dataclass(frozen=True)
class Look:
    """What one table's look found. WRITTEN: its files were, and no change was looked for or found; SAVED: its source
    was not asked, the files that were carried here stand.
    """

    table: str
    status: Status
    changes: tuple[Change, ...] = ()
    archived: tuple[str, ...] = ()
    target: Target | None = None
    error: LandbridgeError | None = None

    @property
    def summary(self) -> str:
        return summary(self.changes)


def extract(
    world: World, tables: Sequence[Table], *, check: bool, force: bool, create: bool = False, drop: bool = False
) -> Iterator[Look]:
    """Look at each table's source, and write what is new or has changed; with `create` also make its target.

    Then the saved files are enough where this project does not know the source. One that fails does not stop the
    others.
    """
    away = {table.name for table in tables if create and table.read.connection not in world.project.connections}
    seen = _seen(world, [table for table in tables if table.name not in away])
    for table in tables:
        try:
            _refuse_archive_name(world, table.name)
            if table.name in away:
                look = Look(table.name, "SAVED")
            else:
                look = _look(world, table, seen, check=check, force=force)
            if create:
                with world.alone_with(table.name):
                    look = replace(look, target=_create(world, table, drop=drop))
            yield look
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


def _look(
    world: World, table: Table, seen: Mapping[str, Extracted | LandbridgeError], *, check: bool, force: bool
) -> Look:
    found = seen[table.name]
    if isinstance(found, LandbridgeError):
        raise found
    folder = MetadataFolder(world.project.folder)
    before = _before(folder, table.name, found, force=force)
    if before is None:
        ddl = target_ddl(world, table, found)
        folder.note(Entry(table.name, found.extracted_at, INITIAL))
        folder.save(table.name, found, ddl)
        return Look(table.name, "NEW")
    told = changes(before.table, found.table) if before.table != found.table else ()
    if not told and not force:  # what is there stays as it is, with the numbers of the look that wrote it
        if folder.ddl_is_of(table.name, _inputs(world, table, before)):
            return Look(table.name, "UNCHANGED")
        found = before
    if not told or not check:
        written = folder.save(table.name, found, target_ddl(world, table, found))
        return Look(table.name, "WRITTEN" if written else "UNCHANGED", told)
    ddl = target_ddl(world, table, found)  # where that fails nothing is written, and the change is told the next time
    archived = tuple(map(str, folder.archive(table.name, found.extracted_at)))
    classes = (f"{change.line}  [{'safe' if change.safe else 'breaking'}]" for change in told)
    lines = (*classes, *(f"archived: {path}" for path in archived))
    folder.note(Entry(table.name, found.extracted_at, summary(told), lines))
    folder.save(table.name, found, ddl)
    return Look(table.name, "CHANGED", told, archived)


def _before(folder: MetadataFolder, table: str, found: Extracted, *, force: bool) -> Extracted | None:
    """What was written last; by `force` a file that cannot be read is archived, and the table looked at as if new."""
    try:
        return folder.load(table)
    except ConfigError:
        if not force:
            raise
        folder.archive(table, found.extracted_at)
        return None


def _refuse_archive_name(world: World, name: str) -> None:
    """Raise ConfigError for a table whose files another table's archives would be taken for."""
    alike = ARCHIVE.fullmatch(name)
    if alike and alike[1] in {table.name for table in world.project.tables}:
        raise ConfigError(
            f"the metadata of {name} cannot be told from an archive of {alike[1]}",
            hint="rename it in config/tables.yaml",
        )


def saved(world: World, table: Table) -> Extracted:
    """What was written last. Raises UsageError where nothing was, ConfigError where it cannot be read."""
    found = MetadataFolder(world.project.folder).load(table.name)
    if found is None:
        raise UsageError(
            f"there is no metadata of {table.name} in {world.project.folder}",
            hint="carry the folder metadata/ here, or, where the source is: "
            f"landbridge extract-metadata --table {table.name}",
        )
    return found


def target_dialect(world: World, table: Table) -> str:
    """The dialect of the table's target; PostgreSQL's where this side does not know that connection."""
    options = world.project.connections.get(table.write.connection)
    return options.type if options else "postgres"


def target_ddl(world: World, table: Table, extracted: Extracted) -> str:
    """CREATE TABLE of the table's target, in its own dialect, with all that belongs to it."""
    return table_ddl(
        target_dialect(world, table),
        replace(table.write.relation, database=None),
        target_table(table, extracted),
        source_dialect=extracted.connection_type,
        indexes=table.indexes,
        remarks=[*_keys_left_out(table, extracted), *_facts(extracted), f"inputs: {_inputs(world, table, extracted)}"],
    )


def target_table(table: Table, extracted: Extracted) -> TableMetadata:
    """What its target looks like, under the names of the source: with the keys and columns of its mode."""
    left, merge = leaving_table(extracted.table, table.read.columns), table.write.merge
    return table_with_history(left, merge.keys, merge.validity) if merge else left


def _keys_left_out(table: Table, extracted: Extracted) -> list[str]:
    if table.write.merge is None:
        return []
    keys = leaving_table(extracted.table, table.read.columns).unique_keys
    why = f"mode {table.write.mode} has {', '.join(table.write.merge.keys)} only"
    return [f"left out: unique key ({', '.join(key)}): {why}" for key in keys]


def _facts(extracted: Extracted) -> list[str]:
    rows = extracted.statistics.row_count
    return [
        f"source: {extracted.relation} ({extracted.connection_type})",
        f"extracted at: {extracted.extracted_at:%Y-%m-%dT%H:%M:%SZ}",
        *([f"rows: {rows}"] if rows is not None else []),
    ]


def _inputs(world: World, table: Table, extracted: Extracted) -> str:
    """A hash of all that the DDL is made from: to make it anew for each table would take longer than all the rest."""
    seen = (extracted.relation, extracted.table, extracted.connection_type, _facts(extracted))
    wanted = (
        table.read.columns,
        table.write.relation,
        table.indexes,
        table.write.merge,
        target_dialect(world, table),
        __version__,
    )
    return hashlib.sha256(repr((seen, wanted)).encode()).hexdigest()[:16]


def _create(world: World, table: Table, *, drop: bool) -> Target:
    """Make the target from the saved metadata, in one transaction; one that is there stays, unless it is dropped."""
    extracted, relation = saved(world, table), table.write.relation
    catalog = world.connector(table.write.connection)
    there = catalog.describe([relation])[relation] is not None
    if there and not drop:
        return "exists"
    making = table_statements(
        target_dialect(world, table),
        relation,
        target_table(table, extracted),
        source_dialect=extracted.connection_type,
        indexes=table.indexes,
    )
    schema = [f"CREATE SCHEMA IF NOT EXISTS {quote(relation.schema)}"] if relation.schema else []
    catalog.execute([*schema, *(_dropping(catalog, relation) if there else []), *making])
    return "replaced" if there else "created"


def _dropping(catalog: Catalog, relation: Relation) -> list[str]:
    """The table, and what its database knows of its loads: the next import has to load them again."""
    book = replace(relation, table=LOADS)
    known = catalog.describe([book])[book] is not None
    forgetting = f"DELETE FROM {qualify(book)} WHERE target_table = {literal(relation.table)}"  # noqa: S608
    return [f"DROP TABLE {qualify(relation)}", *([forgetting] if known else [])]
