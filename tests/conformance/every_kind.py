"""One table with a column of every kind and the values that other tools lose."""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from uuid import UUID

import pyarrow as pa

from landbridge.schema.arrow import arrow_schema, arrow_type
from landbridge.schema.canonical import to_text
from landbridge.schema.model import Column, TableSchema, Type

LONG = "ä\n\"'\\,\t" * 150_000  # over 1 MB in UTF-8

VALUES: dict[str, tuple[Type, list[object]]] = {
    "id": (Type("int64"), [1, 2, 3, -(2**63), 2**63 - 1]),
    "truth": (Type("boolean"), [True, False, None, True, False]),
    "small": (Type("int16"), [-(2**15), 2**15 - 1, None, 0, 1]),
    "medium": (Type("int32"), [-(2**31), 2**31 - 1, None, 0, 1]),
    "money": (
        Type("decimal", 18, 4),
        [Decimal("-99999999999999.9999"), Decimal("0.0001"), None, Decimal(0), Decimal(1)],
    ),
    "huge": (
        Type("decimal", 38, 10),
        [Decimal("9" * 28 + "." + "9" * 10), Decimal("-1e-10"), None, Decimal(0), Decimal(1)],
    ),
    "real": (Type("float32"), [math.inf, -math.inf, math.nan, None, 3.4028234663852886e38]),
    "double": (Type("float64"), [5e-324, -0.0, math.nan, None, math.inf]),
    "fixed": (Type("char", length=5), ["a    ", "ünïcö", None, "     ", "12345"]),
    "short": (Type("text", length=10), ["", " lead", None, "trail ", "日本語🙂"]),
    "long": (Type("text"), [LONG, "", None, "NULL", "\\N"]),
    "bytes": (Type("binary"), [b"", b"\x00\xff\\x", None, bytes(range(256)), b"a"]),
    "day": (Type("date"), [date(1, 1, 1), date(9999, 12, 31), None, date(1970, 1, 1), date(2000, 2, 29)]),
    "clock": (Type("time", 6), [time(0), time(23, 59, 59, 999999), None, time(12), time(0, 0, 0, 1)]),
    "wall": (
        Type("timestamp", 6),
        [
            *(datetime.fromisoformat(text) for text in ("0001-01-01", "9999-12-31T23:59:59.999999")),
            None,
            *(datetime.fromisoformat(text) for text in ("1970-01-01", "1969-07-20T20:17:40")),
        ],
    ),
    "instant": (
        Type("timestamptz", 6),
        [
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
            None,
            datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
            datetime(2024, 10, 27, 1, 30, tzinfo=UTC),
        ],
    ),
    "document": (Type("json"), ['{"a": [1, 2.50, null]}', "[]", None, '"ä"', "null"]),
    "key": (
        Type("uuid"),
        [UUID(int=0).bytes, UUID(int=2**128 - 1).bytes, None, UUID(int=1).bytes, UUID(int=2**64).bytes],
    ),
}

SCHEMA = TableSchema(tuple(Column(name, kind) for name, (kind, _) in VALUES.items()))


def kept(kinds: Mapping[str, Type]) -> pa.RecordBatch:
    """The rows as a database gives them back whose types are `kinds`, by ours, where they are not the same."""
    schema = kept_schema(kinds)
    columns = zip(SCHEMA.columns, schema.columns, batch().columns, strict=True)
    arrays = [
        to_text(array, was.type) if (was.type.kind, now.type.kind) == ("uuid", "text") else _cast(array, now.type)
        for was, now, array in columns
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=arrow_schema(schema))


def kept_schema(kinds: Mapping[str, Type]) -> TableSchema:
    return TableSchema(
        tuple(replace(column, type=kinds.get(column.type.kind, column.type)) for column in SCHEMA.columns)
    )


def _cast(array: pa.Array, kind: Type) -> pa.Array:
    wire = arrow_type(kind)
    through = (
        array.cast(pa.decimal128(19, 0)) if pa.types.is_decimal(wire) and pa.types.is_integer(array.type) else array
    )
    return through.cast(wire)


def batch() -> pa.RecordBatch:
    """The rows; `id` tells them apart."""
    return pa.record_batch([values for _, values in VALUES.values()], schema=arrow_schema(SCHEMA))
