"""Target tables that do not exist yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from landbridge.config.tables import Table
from landbridge.engine.plan import plan_run
from landbridge.engine.pre_validation import incoming_schema
from landbridge.engine.staged import open_folder
from landbridge.engine.world import World
from landbridge.errors import UsageError
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded
from landbridge.stage.location import open_store
from landbridge.stage.reading import find_parcels


@dataclass(frozen=True)
class Created:
    """What happened to one target: its DDL, and whether the table was there, is made, or would be."""

    table: str
    relation: Relation
    ddl: str
    state: Literal["exists", "created", "would be created"]


def create_tables(world: World, tables: Sequence[Table], *, location: str | None, dry_run: bool) -> Iterator[Created]:
    """Tables that exist are never touched. Columns come from the newest carried parcel, else from the source."""
    for table in tables:
        schema = folded(_schema(world, table, location or world.project.imports))
        catalog, relation = world.connector(table.write.connection), table.write.relation
        made: Literal["created", "would be created"] = "would be created" if dry_run else "created"
        missing = catalog.describe([relation])[relation] is None if dry_run else catalog.create(relation, schema)
        yield Created(table.name, relation, catalog.ddl(relation, schema), made if missing else "exists")


def _schema(world: World, table: Table, location: str) -> TableSchema:
    folders = find_parcels(open_store(location), table.name)
    if folders:
        return open_folder(world, location, max(folders), table=table.name).manifest.schema
    schema = incoming_schema(plan_run(world.project, table), world)
    if schema is None:
        raise UsageError(
            f"{table.name} is read through a query, so only its data tells its columns",
            hint=f"landbridge export-data --table {table.name}, or import-data, which creates the table itself",
        )
    return schema
