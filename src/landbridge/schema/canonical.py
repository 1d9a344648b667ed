"""Values as text, the same for a value wherever it comes from (docs/types.md, "Values as text")."""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from landbridge.schema.arrow import arrow_type
from landbridge.schema.model import Kind, Type

if TYPE_CHECKING:
    import pyarrow as pa

OUT_OF_RANGE = "<"  # how Arrow begins the text of a date that it has no text for
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


def to_text(values: "pa.Array", kind: Type) -> "pa.StringArray":
    """The texts of an array of `arrow_type(kind)`; NULL stays NULL.

    One Python object a value for decimals, floats, bytes and uuids: give it distinct values. Raises ValueError
    for a date or timestamp beyond the years that can be written (32767 on either side).
    """
    import pyarrow as pa
    from pyarrow import compute

    if written := WRITTEN.get(kind.kind):
        return pa.array([None if value is None else written(value) for value in values.to_pylist()], pa.string())
    texts = values.cast(pa.string())
    if kind.kind == "char":
        return compute.utf8_rtrim(texts, " ")
    if kind.kind == "date":
        return _in_range(texts)
    if kind.kind in ("time", "timestamp", "timestamptz"):
        return compute.replace_substring_regex(_in_range(texts), r"\.?0*(Z?)$", r"\1")
    return texts


def from_text(text: str, kind: Type) -> "pa.Scalar":
    """The value that `text` means, as `arrow_type(kind)`. Raises ValueError where it means none of that type."""
    import pyarrow as pa

    wire = arrow_type(kind)
    if kind.length is not None and len(text) > kind.length:
        raise ValueError("longer than its column")
    if kind.kind == "json":
        json.loads(text)
    if kind.kind == "decimal" and not NUMBER.fullmatch(text):
        raise ValueError("not a number")
    if kind.kind == "boolean" and text not in ("true", "false"):
        raise ValueError("neither true nor false")
    if read := READ.get(kind.kind):
        return pa.scalar(read(text), wire)
    if kind.kind == "time":  # Arrow reads no time, but a timestamp
        day = pa.timestamp(wire.unit)
        return pa.array([f"1970-01-01 {text}"]).cast(day).cast(wire)[0]
    return pa.array([text.ljust(kind.length or 0) if kind.kind == "char" else text]).cast(wire)[0]


def _in_range(texts: "pa.StringArray") -> "pa.StringArray":
    from pyarrow import compute

    if compute.any(compute.starts_with(texts, OUT_OF_RANGE)).as_py():
        raise ValueError("a year that cannot be written")
    return texts


def _digits(number: object) -> str:
    """Of a Decimal, or of the digits of one that travels as text."""
    text = format(number, "f") if not isinstance(number, str) else number
    return text.rstrip("0").rstrip(".") if "." in text else text


def _float(number: float) -> str:
    return repr(number + 0.0)  # minus zero becomes zero


def _uuid(value: bytes) -> str:
    digits = value.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


WRITTEN: dict[Kind, Callable[[Any], str]] = {
    "decimal": _digits,
    "float32": _float,
    "float64": _float,
    "binary": bytes.hex,
    "uuid": _uuid,
}
READ: dict[Kind, Callable[[str], object]] = {
    "binary": bytes.fromhex,
    "uuid": lambda text: UUID(text).bytes,
}
