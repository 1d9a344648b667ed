"""How each type travels: its Arrow type, the same in every batch and every parcel."""

from typing import TYPE_CHECKING

from landbridge.schema.model import TableSchema, Type

if TYPE_CHECKING:
    import pyarrow as pa

MAX_DECIMAL128 = 38
NANOSECONDS = 9


def travels_as_text(kind: Type) -> bool:
    """True for a decimal that no fixed Arrow decimal holds: unbounded, or over 38 digits. Its digits travel as text."""
    return kind.kind == "decimal" and (kind.precision is None or kind.precision > MAX_DECIMAL128)


def arrow_type(kind: Type) -> "pa.DataType":
    """The Arrow type that carries `kind` without loss."""
    import pyarrow as pa

    unit = "ns" if kind.precision == NANOSECONDS else "us"
    if kind.kind == "decimal" and not travels_as_text(kind):
        return pa.decimal128(kind.precision, kind.scale or 0)
    return {
        "boolean": pa.bool_(),
        "int16": pa.int16(),
        "int32": pa.int32(),
        "int64": pa.int64(),
        "decimal": pa.string(),
        "float32": pa.float32(),
        "float64": pa.float64(),
        "char": pa.string(),
        "text": pa.string(),
        "binary": pa.binary(),
        "date": pa.date32(),
        "time": pa.time64(unit),
        "timestamp": pa.timestamp(unit),
        "timestamptz": pa.timestamp(unit, tz="UTC"),
        "json": pa.string(),
        "uuid": pa.binary(16),
    }[kind.kind]


def arrow_schema(schema: TableSchema) -> "pa.Schema":
    """Fields in the table's order. All are nullable: a NOT NULL is the target's to enforce, and to name the row."""
    import pyarrow as pa

    return pa.schema([pa.field(c.name, arrow_type(c.type)) for c in schema.columns])
