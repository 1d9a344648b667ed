"""Targets that have fallen behind: what is missing, and doing it in one transaction
(docs/metadata-change-tracking.md, "Migrations").
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace

from landbridge.config.tables import Table
from landbridge.connectors.merging import shaped
from landbridge.contracts.values import Read, Write
from landbridge.engine.tables.creation import carried_schema
from landbridge.engine.tables.extraction import saved, target_dialect, target_table
from landbridge.engine.tables.kept import kept
from landbridge.engine.tables.metadata_folder import MetadataFolder
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, ParcelMissing, SchemaMismatch, TargetError, UsageError
from landbridge.schema.alter import Dialect
from landbridge.schema.ddl import literal
from landbridge.schema.dialects import TARGETS
from landbridge.schema.fit import fit
from landbridge.schema.metadata import ColumnMetadata, TableMetadata, of_schema
from landbridge.schema.migration import Migration, as_far_as_safe, migration
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded, qualify, quote
from landbridge.schema.table_ddl import as_target

MIGRATIONS = "_pipeline_migrations"
CLOCKS = ("timestamp", "timestamptz")


@dataclass(frozen=True)
class Migrated:
    """What became of one table: `done`, or what would be done; `left` are the lines of breaking changes left undone."""

    table: str
    relation: Relation
    done: Migration | None = None
    left: tuple[str, ...] = ()
    error: LandbridgeError | None = None


def migrate_tables(
    world: World,
    tables: Sequence[Table],
    *,
    location: str | None,
    dry_run: bool,
    allow_breaking: bool,
    renames: Mapping[str, str] | None = None,
) -> Iterator[Migrated]:
    """Make of each standing target what its newest carried parcel, else the saved metadata, wants.

    `renames` maps columns as they stand to those that are wanted. Breaking changes are left undone unless they are
    allowed; a table for which some are left is a failure. One that fails does not stop the others.
    """
    for table in tables:
        relation = table.write.relation
        try:
            with nullcontext() if dry_run else world.alone_with(table.name):
                done, left = _planned(world, table, location, renames or {}, allow_breaking=allow_breaking)
                if not dry_run and done.steps:
                    _execute(world, table, done)
            yield Migrated(table.name, relation, done, left, _left_undone(table, left, renames or {}) if left else None)
        except LandbridgeError as error:
            yield Migrated(table.name, relation, error=error)


def _planned(
    world: World, table: Table, location: str | None, renames: Mapping[str, str], *, allow_breaking: bool
) -> tuple[Migration, tuple[str, ...]]:
    """What is to be done, and the lines of what is left undone."""
    relation, standing, dialect = table.write.relation, standing_table(world, table), dialect_of(world, table)
    if dialect == "snowflake":
        raise UsageError(
            "tables in snowflake are not migrated by this version: its DDL commits statement by statement",
            hint=f"landbridge verify-tables --table {table.name} says what differs; migrate it by hand",
        )
    wanted = _roomy(wanted_table(world, table, location, standing), standing)
    whole = migration(standing, wanted, dialect, relation, renames=renames)
    left = () if allow_breaking else tuple(change.line for change in whole.changes if not change.safe)
    return migration(standing, as_far_as_safe(standing, whole), dialect, relation) if left else whole, left


def _roomy(wanted: TableMetadata, standing: TableMetadata) -> TableMetadata:
    """A standing type that holds every value stays: nobody needs it narrower."""

    def kept(column: ColumnMetadata) -> ColumnMetadata:
        old = standing.column(column.name)
        if old is None or fit(column.type, old.type) not in ("exact", "widened"):
            return column
        return replace(column, type=old.type, data_type=old.data_type)

    return replace(wanted, columns=tuple(map(kept, wanted.columns)))


def standing_table(world: World, table: Table) -> TableMetadata:
    """The target as it stands. Raises UsageError where it does not."""
    place = table.write
    (found,) = world.connector(place.connection).metadata([Read(place.connection, place.relation)])
    if found is None:
        raise UsageError(
            f"target {place.relation} does not exist", hint=f"landbridge create-tables --table {table.name}"
        )
    return found.table


def dialect_of(world: World, table: Table) -> Dialect:
    """The target's dialect. Raises UsageError for one whose tables this version does not compare."""
    match target_dialect(world, table):
        case "postgres":
            return "postgres"
        case "duckdb":
            return "duckdb"
        case "snowflake":
            return "snowflake"
        case other:
            raise UsageError(f"tables in {other} are not compared by this version", hint="migrate them by hand")


def wanted_table(world: World, table: Table, location: str | None, standing: TableMetadata) -> TableMetadata:
    """What the newest carried parcel wants, else the saved metadata, else what was loaded last.

    Raises UsageError where nothing tells it.
    """
    arriving = carried_schema(world, table, location)
    if arriving is None and location:
        raise ParcelMissing(
            f"no parcel of {table.name} at {location}", hint=f"landbridge parcel list --from {location}"
        )
    dialect = target_dialect(world, table)
    extracted = None if arriving else MetadataFolder(world.project.folder).load(table.name)
    if not (arriving or extracted) and (last := kept(world, table.name, table.write)):
        arriving = last.schema
    if arriving is not None:
        wanted = _of_parcel(folded(shaped(arriving, table.write), TARGETS[dialect].fold), standing)
    else:
        extracted = extracted or saved(world, table)
        wanted = as_target(dialect, target_table(table, extracted), source_dialect=extracted.connection_type)
    return _history_as_it_stands(wanted, standing, table.write)


def _history_as_it_stands(wanted: TableMetadata, standing: TableMetadata, write: Write) -> TableMetadata:
    """The target's own columns of a history stay where they are, and of whatever clock: no parcel says otherwise."""
    validity = write.merge.validity if write.merge else None
    own = {name.casefold() for name in validity or ()} & {name.casefold() for name in standing.schema.names}
    if not own:
        return wanted
    mine = {column.name.casefold(): column for column in wanted.columns if column.name.casefold() in own}
    columns = [column for column in wanted.columns if column.name.casefold() not in own]
    place = 0  # behind the column that stands before
    for column in standing.columns:
        name, names = column.name.casefold(), [one.name.casefold() for one in columns]
        if goal := mine.get(name):
            columns.insert(place, replace(column, name=goal.name) if column.type.kind in CLOCKS else goal)
            place += 1
        elif name in names:
            place = names.index(name) + 1
    return replace(wanted, columns=tuple(columns))


def _of_parcel(arriving: TableSchema, standing: TableMetadata) -> TableMetadata:
    """A parcel knows no defaults and no unique keys: those of the target stay."""
    table, defaults = of_schema(arriving), {column.name: column.default_value for column in standing.columns}
    return replace(
        table,
        columns=tuple(replace(column, default_value=defaults.get(column.name)) for column in table.columns),
        unique_keys=tuple(key for key in standing.unique_keys if set(key) <= set(arriving.names)),
    )


def _execute(world: World, table: Table, done: Migration) -> None:
    """All steps and their record, or nothing. Raises TargetError, with the changes, where the database refuses one."""
    book = replace(done.relation, table=MIGRATIONS)
    making = (
        f"CREATE TABLE IF NOT EXISTS {qualify(book)} (id BIGINT PRIMARY KEY, table_name VARCHAR NOT NULL, "
        "action VARCHAR NOT NULL, ddl_executed VARCHAR NOT NULL, summary VARCHAR NOT NULL, "
        "applied_at TIMESTAMP WITH TIME ZONE NOT NULL)"
    )
    ddl = ";\n".join(step.sql for step in done.steps)
    told = ", ".join(literal(text) for text in (done.relation.table, "alter_table", ddl, done.summary))
    noting = (
        f"INSERT INTO {qualify(book)} SELECT coalesce(max({quote('id')}), 0) + 1, {told}, CURRENT_TIMESTAMP "  # noqa: S608
        f"FROM {qualify(book)}"
    )
    try:
        world.connector(table.write.connection).execute([*(step.sql for step in done.steps), making, noting])
    except TargetError as error:
        lines = "\n  ".join(change.line for change in done.changes)
        raise TargetError(
            f"{done.relation} was not migrated, and stands as before: {error.message}\n  {lines}",
            hint="does a value not fit, or a view or an index depend on a column? --dry-run shows the statements",
        ) from error


def _left_undone(table: Table, left: Sequence[str], renames: Mapping[str, str]) -> SchemaMismatch:
    lines = "\n  ".join(left)
    said = "".join(f" --rename {old}={new}" for old, new in renames.items())
    return SchemaMismatch(
        f"breaking changes of {table.write.relation} are left undone:\n  {lines}",
        hint=f"landbridge migrate-tables --table {table.name}{said} --allow-breaking, after a look at --dry-run",
    )
