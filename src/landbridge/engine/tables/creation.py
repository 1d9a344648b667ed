"""Target tables that do not exist yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from landbridge.config.tables import Table
from landbridge.engine.carrying.arrivals import newest_parcel
from landbridge.engine.phases.pre_validation import incoming_schema
from landbridge.engine.plan import plan_run
from landbridge.engine.staged import open_folder
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, UsageError
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded
from landbridge.stage.location import open_store


@dataclass(frozen=True)
class Created:
    """What happened to one table's target: its DDL and whether it was there, is made, or would be; or why not."""

    table: str
    relation: Relation
    state: Literal["exists", "created", "would be created", "failed"]
    ddl: str | None = None
    error: LandbridgeError | None = None


def create_tables(world: World, tables: Sequence[Table], *, location: str | None, dry_run: bool) -> Iterator[Created]:
    """Tables that exist are never touched. Columns come from the newest carried parcel, else from the source."""
    for table in tables:
        relation = table.write.relation
        try:
            schema = folded(_schema(world, table, location))
            catalog = world.connector(table.write.connection)
            missing = catalog.describe([relation])[relation] is None if dry_run else catalog.create(relation, schema)
            made: Literal["created", "would be created"] = "would be created" if dry_run else "created"
            yield Created(table.name, relation, made if missing else "exists", catalog.ddl(relation, schema))
        except LandbridgeError as error:
            yield Created(table.name, relation, "failed", error=error)


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
