"""Targets as they stand against what they should be (docs/metadata-change-tracking.md, "Verification")."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from landbridge.config.tables import Table
from landbridge.engine.tables.contents import again, compare_contents
from landbridge.engine.tables.migration import dialect_of, standing_table, wanted_table
from landbridge.engine.world import World
from landbridge.errors import AuditError, LandbridgeError, SchemaMismatch
from landbridge.schema.model import Relation
from landbridge.schema.structure import differences


@dataclass(frozen=True)
class Verified:
    """One table: how its target differs from what is wanted, a line each, and the AuditError that this is."""

    table: str
    relation: Relation
    differences: tuple[str, ...] = ()
    error: LandbridgeError | None = None


def verify_tables(
    world: World, tables: Sequence[Table], *, location: str | None, data: bool = False
) -> Iterator[Verified]:
    """Compare names, types, nullability, keys and order, with `data` also the rows; no source is asked.

    What is wanted is told as for a migration. One that fails does not stop the others.
    """
    for table in tables:
        relation = table.write.relation
        try:
            standing = standing_table(world, table)
            wanted = wanted_table(world, table, location, standing)
            found = differences(standing, wanted, dialect_of(world, table))
            rows = tuple(_contents(world, table)) if data else ()
        except LandbridgeError as error:
            yield Verified(table.name, relation, error=error)
        else:
            yield Verified(
                table.name, relation, found + rows, _differs(world, table, found, rows) if found or rows else None
            )


def _contents(world: World, table: Table) -> Sequence[str]:
    """One line where the structure is too far away for the rows to be compared."""
    try:
        return compare_contents(world, table)
    except SchemaMismatch as error:
        return [f"rows cannot be compared: {line}" for line in error.message.splitlines()]


def _differs(world: World, table: Table, structure: Sequence[str], rows: Sequence[str]) -> AuditError:
    lines = "\n  ".join([*structure, *rows])
    return AuditError(
        f"{table.write.relation} is not as it should be:\n  {lines}",
        hint=f"landbridge migrate-tables --table {table.name} --dry-run"
        if structure
        else f"who else writes to it? To make it as it was: {again(world, table)}",
    )
