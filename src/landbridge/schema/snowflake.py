"""Snowflake's types, read as its catalogue, its DESCRIBE or a person writes them (seed 000, section 0.5)."""

from landbridge.schema.model import Kind, Type
from landbridge.schema.native import take_apart

KINDS: dict[str, Kind] = {
    "int": "int32",
    "integer": "int32",
    "bigint": "int64",
    "smallint": "int16",
    "tinyint": "int16",
    "byteint": "int16",
    "float": "float64",
    "float8": "float64",
    "double": "float64",
    "double precision": "float64",
    "float4": "float32",
    "real": "float32",
    "binary": "binary",
    "varbinary": "binary",
    "boolean": "boolean",
    "date": "date",
    "variant": "json",
    "object": "json",
    "array": "json",
}
CLOCKS: dict[str, Kind] = {
    "time": "time",
    "datetime": "timestamp",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp",
    "timestamp_ltz": "timestamptz",
    "timestamp_tz": "timestamptz",
}
DEFAULT_NUMBER = (38, 0)
DEFAULT_DIGITS = 9


def parse_type(native: str) -> Type:
    """The type that `native` means; text for one that has no kind of its own (GEOGRAPHY, VECTOR, …).

    A clock has 9 digits where none are written, and comes out as 9 above microseconds, else 6.
    """
    words, numbers = take_apart(native)
    words = words.split(" collate ")[0]
    first = numbers[0] if numbers else None
    if words in KINDS:
        return Type(KINDS[words])
    if words in CLOCKS:
        return Type(CLOCKS[words], precision=9 if (DEFAULT_DIGITS if first is None else first) > 6 else 6)
    if words in ("number", "decimal", "numeric"):
        return Type("decimal", *((*numbers, 0)[:2] if numbers else DEFAULT_NUMBER))
    if words in ("char", "character"):
        return Type("char", length=first or 1)
    return Type("text", length=first if words in ("varchar", "string", "text") else None)
