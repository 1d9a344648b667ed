"""How each type travels: its Arrow type, the same in every batch and every parcel."""

from typing import TYPE_CHECKING

from landbridge.schema.model import TableSchema, Type

if TYPE_CHECKING:
    import pyarrow as pa

MAX_DECIMAL128 = 38


def travels_as_text(kind: Type) -> bool:
    """True for a decimal that no fixed Arrow decimal holds: unbounded, or over 38 digits. Its digits travel as text."""
    return kind.kind == "decimal" and (kind.precision is None or kind.precision > MAX_DECIMAL128)


def arrow_type(kind: Type) -> "pa.DataType":
    """The Arrow type that carries `kind` without loss."""
    import pyarrow as pa

    unit = "ns" if kind.precision == 9 else "us"
    match kind.kind:
        case "boolean":
            return pa.bool_()
        case "int16":
            return pa.int16()
        case "int32":
            return pa.int32()
        case "int64":
            return pa.int64()
        case "decimal":
            return pa.string() if travels_as_text(kind) else pa.decimal128(kind.precision, kind.scale or 0)
        case "float32":
            return pa.float32()
        case "float64":
            return pa.float64()
        case "char" | "text" | "json":
            return pa.string()
        case "binary":
            return pa.binary()
        case "date":
            return pa.date32()
        case "time":
            return pa.time64(unit)
        case "timestamp":
            return pa.timestamp(unit)
        case "timestamptz":
            return pa.timestamp(unit, tz="UTC")
        case "uuid":
            return pa.binary(16)


def arrow_schema(schema: TableSchema) -> "pa.Schema":
    """Fields in the table's order. All are nullable: a NOT NULL is the target's to enforce, and to name the row."""
    import pyarrow as pa

    return pa.schema([pa.field(c.name, arrow_type(c.type)) for c in schema.columns])
