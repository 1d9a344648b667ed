"""What the account sends, in result batches or in files, as the Arrow types of the table's schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from landbridge.contracts.values import Part
from landbridge.errors import SourceError, Unreachable
from landbridge.schema.arrow import arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def fetching(part: Part, hint: str = "run it again") -> Iterator[None]:
    """Raises Unreachable where a part cannot be had. The driver's words hold an address, which lets anybody in."""
    from snowflake.connector.errors import Error

    try:
        yield
    except (Error, OSError) as error:
        raise Unreachable(
            f"part {part.number} of {part.connection} could not be fetched: {type(error).__name__}", hint=hint
        ) from None


def restored(batch: "pa.RecordBatch", part: Part) -> "pa.RecordBatch":
    """The batch in `arrow_schema(part.schema)`, column by column. Raises SourceError for a value that does not fit."""
    import pyarrow as pa

    wire = arrow_schema(part.schema)
    arrays = []
    for array, column, field in zip(batch.columns, part.schema.columns, wire, strict=True):
        try:
            arrays.append(_as(array, field.type))
        except pa.ArrowInvalid:
            raise SourceError(
                f"column {column.name} ({column.native or column.type}) holds a value that {column.type} cannot carry",
                hint="filter such rows out, or cast the column in source_query, a clock to TIMESTAMP_NTZ(6)",
            ) from None  # pyarrow's text quotes the value
    return pa.RecordBatch.from_arrays(arrays, schema=wire)


def _as(array: "pa.Array", wanted: "pa.DataType") -> "pa.Array":
    """The account sends a number as the narrowest integer that holds a batch's, and a clock, as we ask, as a number."""
    import pyarrow as pa

    if array.type == wanted:
        return array
    if array.null_count == len(array):
        return pa.nulls(len(array), wanted)
    if pa.types.is_floating(array.type) and not pa.types.is_floating(wanted):
        raise pa.ArrowInvalid("a double has lost digits already")
    if pa.types.is_timestamp(wanted):
        return array.cast(pa.int64()).view(pa.int64()).cast(pa.timestamp(wanted.unit)).cast(wanted)
    if pa.types.is_time(wanted) and (pa.types.is_decimal(array.type) or pa.types.is_integer(array.type)):
        return array.cast(pa.int64()).cast(wanted)
    if pa.types.is_decimal(wanted) and pa.types.is_integer(array.type):
        return array.cast(pa.decimal128(19, 0)).cast(wanted)
    return array.cast(wanted)
