"""Conversion: which change of a standing column's type keeps its values, and the SQL that finds those it would not."""

from collections.abc import Iterable

from landbridge.schema.fit import fit
from landbridge.schema.metadata import ColumnMetadata
from landbridge.schema.model import Kind, Type
from landbridge.schema.names import quote

NUMBERS: tuple[Kind, ...] = ("int16", "int32", "int64", "decimal", "float32", "float64")
TEXTS: tuple[Kind, ...] = ("text", "char")
# one text for each value, whatever a session has set: timestamptz has not, nor is a text the bytes of a binary
WRITTEN: tuple[Kind, ...] = (*NUMBERS, "boolean", "uuid", "date", "time", "timestamp")
FAMILIES: list[set[Kind]] = [
    set(NUMBERS),
    {"date", "timestamp"},
    {"json", *TEXTS},
    *({*TEXTS, kind} for kind in WRITTEN),
]


def convertible(old: Type, new: Type) -> bool:
    """False where a cast would have to guess what the values mean: a wall clock as an instant, a number as a day."""
    return old.kind == new.kind or any({old.kind, new.kind} <= family for family in FAMILIES)


def lossy(old: ColumnMetadata, new: ColumnMetadata) -> str | None:
    """A condition on rows whose value would not come back from the new type as it was; None where all do.

    Both databases round decimals and clocks and cut texts silently in a cast. Of JSON, only that it is JSON counts:
    the cast itself sees to that.
    """
    if fit(old.type, new.type) in ("exact", "widened") or new.type.kind == "json":
        return None
    value, back = quote(old.name), old.data_type
    if {old.type.kind, new.type.kind} & set(TEXTS):
        back = "TEXT"
    return f"CAST(CAST({value} AS {new.data_type}) AS {back}) IS DISTINCT FROM CAST({value} AS {back})"


def refused(pairs: Iterable[tuple[ColumnMetadata, ColumnMetadata]]) -> list[str]:
    """A line for each pair of old and new column that no cast converts."""
    return [
        f"column {old.name} is {old.data_type}, and no cast makes {new.data_type} of it without guessing"
        for old, new in pairs
        if not convertible(old.type, new.type)
    ]
