"""Target tables that do not exist yet, and what is made of their versions."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from landbridge.config.tables import Table
from landbridge.connectors.merging import shaped
from landbridge.engine.carrying.arrivals import newest_parcel
from landbridge.engine.phases.pre_validation import incoming_schema
from landbridge.engine.plan import plan_run
from landbridge.engine.staged import open_folder
from landbridge.engine.tables.extraction import target_dialect
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, UsageError
from landbridge.schema.dialects import TARGETS
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded
from landbridge.schema.temporal import Temporal, temporal_statements
from landbridge.stage.location import open_store


@dataclass(frozen=True)
class Created:
    """What happened to one table's target: its DDL and whether it was there, is made, or would be; or why not.

    `temporal` are the statements that make, or would make, the view and the function of its versions.
    """

    table: str
    relation: Relation
    state: Literal["exists", "created", "would be created", "failed"]
    ddl: str | None = None
    temporal: tuple[str, ...] = ()
    error: LandbridgeError | None = None


def create_tables(
    world: World, tables: Sequence[Table], *, location: str | None, dry_run: bool, temporal: bool = False
) -> Iterator[Created]:
    """Tables that exist are never touched. Columns come from the newest carried parcel, else from the source.

    With `temporal` also the view and the function that a table's `temporal` asks for, anew where they are there.
    """
    for table in tables:
        relation = table.write.relation
        try:
            if temporal and table.temporal:
                yield _with_temporal(world, table, table.temporal, location, dry_run=dry_run)
            else:
                yield _created(world, table, location, dry_run=dry_run)
        except LandbridgeError as error:
            yield Created(table.name, relation, "failed", error=error)


def _created(world: World, table: Table, location: str | None, *, dry_run: bool) -> Created:
    relation, catalog = table.write.relation, world.connector(table.write.connection)
    schema = _wanted(world, table, location)
    missing = catalog.describe([relation])[relation] is None if dry_run else catalog.create(relation, schema)
    made: Literal["created", "would be created"] = "would be created" if dry_run else "created"
    return Created(table.name, relation, made if missing else "exists", catalog.ddl(relation, schema))


def _with_temporal(world: World, table: Table, wanted: Temporal, location: str | None, *, dry_run: bool) -> Created:
    """What a table that stands is made of is not asked for: neither its parcel nor its source has to be there."""
    relation, catalog = table.write.relation, world.connector(table.write.connection)
    dialect = target_dialect(world, table)
    standing, done = catalog.describe([relation])[relation], Created(table.name, relation, "exists")
    if standing is None:
        done = _created(world, table, location, dry_run=dry_run)
        standing = catalog.describe([relation])[relation] or _native(_wanted(world, table, location), dialect)
    statements = temporal_statements(dialect, relation, standing, wanted)
    if not dry_run:
        catalog.execute(statements)
    return replace(done, temporal=statements)


def _wanted(world: World, table: Table, location: str | None) -> TableSchema:
    return folded(shaped(_schema(world, table, location), table.write))


def _native(schema: TableSchema, dialect: str) -> TableSchema:
    """As the table would stand."""
    named = folded(schema, TARGETS[dialect].fold)
    types = TARGETS[dialect].types(named, ())
    return replace(named, columns=tuple(replace(column, native=types[column.name]) for column in named.columns))


def carried_schema(world: World, table: Table, location: str | None) -> TableSchema | None:
    """What the newest carried parcel holds; None where there is none. Raises every refusal of `open_parcel`."""
    place = location or world.project.imports
    if not location and not open_store(place).is_there():  # a new project has no imports
        return None
    newest = newest_parcel(world, table.name, place)
    return open_folder(world, place, newest.folder, table=table.name).manifest.schema if newest else None


def _schema(world: World, table: Table, location: str | None) -> TableSchema:
    carried = carried_schema(world, table, location)
    if carried is not None:
        return carried
    place = location or world.project.imports
    if table.read.connection not in world.project.connections:
        raise UsageError(
            f"no parcel of {table.name} at {place}, and its source {table.read.connection!r} is not reached from here",
            hint=f"carry the folder {table.name}/ there first",
        )
    schema = incoming_schema(plan_run(world.project, table), world)
    if schema is None:
        raise UsageError(
            "it is read through a query: only the data tells its columns",
            hint=f"landbridge export-data --table {table.name}, or import-data, which creates the table itself",
        )
    return schema
