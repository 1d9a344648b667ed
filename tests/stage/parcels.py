"""Parcels for tests: keys of two sides, a small table, and the way from batches to a sealed folder."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pyarrow as pa

from landbridge.contracts.values import Filter
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.traits import Traits
from landbridge.sealing.age import new_identity
from landbridge.sealing.note import new_signer
from landbridge.stage.location import Store
from landbridge.stage.manifest import Compression, Encryption, Manifest, Origin, numbered
from landbridge.stage.naming import hidden_folder, new_parcel_id, parcel_folder
from landbridge.stage.writing import PartSettings, seal_parcel, write_parts

IDENTITY, RECIPIENT = new_identity()
SIGNER, VERIFIER = new_signer("exporter.example/one")
CANARY = "canary-7c1d55-in-the-cage"
ZSTD = Compression("zstd", 3)
SEALED = PartSettings((RECIPIENT,), ZSTD)
CLEAR = PartSettings(None, ZSTD)
FIN = TableSchema(
    (
        Column("id", Type("int64"), nullable=False),
        Column("memo", Type("text")),
        Column("amount", Type("decimal", precision=18, scale=4)),
    ),
    primary_key=("id",),
)


def fin(start: int, rows: int) -> pa.RecordBatch:
    """Rows `start` … of FIN; every memo holds the canary, every seventh is NULL."""
    ids = range(start, start + rows)
    memos = [None if i % 7 == 0 else f"{CANARY} {i}" for i in ids]
    amounts = pa.array(ids, pa.int32()).cast(pa.decimal128(18, 4))
    return pa.RecordBatch.from_arrays([pa.array(ids, pa.int64()), pa.array(memos), amounts], schema=arrow_schema(FIN))


def export(
    store: Store,
    batches: Iterable[pa.RecordBatch] | None = None,
    *,
    schema: TableSchema = FIN,
    settings: PartSettings = SEALED,
    signer: str = SIGNER,
    table: str = "fin",
) -> str:
    """Seal the batches (1,000 rows of FIN unless given) as a parcel, and return its folder."""
    parcel_id = new_parcel_id()
    folder = hidden_folder() if settings.obfuscated else parcel_folder(table, parcel_id)
    batches = [fin(0, 1000)] if batches is None else batches
    entries = write_parts(store, folder, batches, schema=arrow_schema(schema), settings=settings, stem="3fa91c2e-0000")
    manifest = manifest_of(entries, parcel_id=parcel_id, schema=schema, settings=settings)
    hidden = settings.obfuscated
    seal_parcel(store, folder, manifest, recipients=settings.recipients, signer=signer, obfuscated=hidden)
    return folder


def manifest_of(
    entries: Sequence, *, parcel_id: str, schema: TableSchema = FIN, settings: PartSettings = SEALED
) -> Manifest:
    return Manifest(
        parcel_id=parcel_id,
        pipeline_name="fin",
        sequence=1,
        sync_mode="full",
        as_of=datetime(2026, 1, 31, 23, 0, tzinfo=UTC),
        created_at=datetime(2026, 1, 31, 23, 0, 5, tzinfo=UTC),
        landbridge_version="0.1.0",
        source=Origin("duckdb", Relation("FIN", "PUBLIC"), None, Filter(where="(ID > 0)")),
        schema=schema,
        row_count=sum(entry.rows for entry in entries),
        parts=numbered(entries),
        encryption=Encryption("age" if settings.recipients else None),
        compression=settings.compression,
        traits=(
            Traits(schema.names[0], nanoseconds=True, nul_bytes=True, earliest=-1, latest=1),
        ),  # all that there is to fuzz
    )
