"""What the manifest says of what was read, and how it was packed."""

import secrets
from datetime import UTC, datetime
from typing import NamedTuple

from landbridge import __version__
from landbridge.contracts.values import Read
from landbridge.engine.plan import Packing, Plan
from landbridge.engine.taking import Taken
from landbridge.ledger.parcels import ParcelRow
from landbridge.schema.checksums import Checksums
from landbridge.schema.columns import leaving
from landbridge.schema.dialects import in_every_dialect
from landbridge.schema.traits import Traits
from landbridge.stage.manifest import (
    CHANGES,
    Altered,
    Chained,
    Compression,
    Encryption,
    LoadHints,
    Manifest,
    Origin,
    PartEntry,
    rules_of,
)


class Unloaded(NamedTuple):
    """What all parts of a source became: entries in the order of their rows, sums over them, what values are like."""

    entries: tuple[PartEntry, ...]
    checksums: Checksums
    traits: tuple[Traits, ...]


def compression_of(packing: Packing) -> Compression:
    if packing.compression_type is None:
        return Compression(None)
    return Compression(packing.compression_type, packing.compression_level)


def manifest_of(
    plan: Plan, taken: Taken, slot: ParcelRow, rows: Unloaded, keys: Unloaded | None, kind: str
) -> Manifest:
    """Of a parcel that is written; `kind` is the type of the connection. ValueError for an import's plan."""
    read, packing = reading(plan)
    shot = taken.rows
    schema = leaving(shot.schema, read.columns)
    return Manifest(
        parcel_id=slot.parcel_id,
        pipeline_name=plan.pipeline_name,
        sequence=slot.sequence or 0,  # a reserved parcel has one, and 0 is refused
        requires=() if read.changes is None else (CHANGES,),
        sync_mode=plan.sync_mode,
        as_of=shot.as_of,
        created_at=datetime.now(UTC),
        landbridge_version=__version__,
        source=Origin(kind, read.relation, read.query, read.filter, _altered(read)),
        schema=schema,
        row_count=shot.rows,
        parts=rows.entries,
        encryption=Encryption("age" if packing.encryption else None),
        compression=compression_of(packing),
        load_hints=LoadHints(plan.goes_to),
        ddl=in_every_dialect(plan.goes_to, schema) if plan.goes_to else {},
        checksums=rows.checksums,
        traits=rows.traits,
        changes=_chained(plan, taken),
        keys=keys.entries if keys else None,
        receipt_key=secrets.token_hex(16) if plan.job_kind == "export" else None,
    )


def _chained(plan: Plan, taken: Taken) -> Chained | None:
    changes = plan.read.changes if plan.read else None
    if changes is None:
        return None
    return Chained(
        follows=taken.follows,
        watermark_column=changes.watermark_column,
        after=taken.range.after,
        until=taken.range.until,
        **rules_of(plan.merge),
    )


def _altered(read: Read) -> tuple[Altered, ...]:
    return tuple(Altered(name, pick.name, pick.mask) for name, pick in read.columns.altered.items())


def reading(plan: Plan) -> tuple[Read, Packing]:
    """What is read and how it is packed. ValueError for an import's plan, which has neither."""
    if plan.read is None or plan.packing is None:
        raise ValueError("an import reads no source")
    return plan.read, plan.packing
