"""Arriving batches in a target's types: every value as it was, or an error that names its cell."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from landbridge.connectors.lossy import without
from landbridge.errors import ValueDoesNotFit
from landbridge.schema.arrow import arrow_type, travels_as_text
from landbridge.schema.canonical import to_text
from landbridge.schema.fidelity import Accepted, Holds, accepts, possible
from landbridge.schema.fit import Pairing
from landbridge.schema.model import Type

if TYPE_CHECKING:
    import pyarrow as pa

MAX_INT64_DIGITS = 19


def wire_type(pairing: Pairing) -> "pa.DataType":
    """The Arrow type in which the target's column is loaded; digits without a bound stay text."""
    import pyarrow as pa

    incoming, target = pairing.incoming.type, pairing.target.type
    if target.kind == "decimal" and travels_as_text(incoming):
        return pa.string()
    if target.kind == "decimal" and travels_as_text(target):
        return arrow_type(incoming) if incoming.kind == "decimal" else pa.decimal128(MAX_INT64_DIGITS, 0)
    return arrow_type(target)


def wire_schema(pairings: Sequence[Pairing]) -> "pa.Schema":
    """The target's columns, by their names there, in the types in which they are loaded."""
    import pyarrow as pa

    return pa.schema([pa.field(pairing.target.name, wire_type(pairing)) for pairing in pairings])


def conform(
    batches: "Iterable[pa.RecordBatch]",
    pairings: Sequence[Pairing],
    *,
    table: str,
    first_row: int,
    holds: Holds,
    accepted: Accepted,
) -> "Iterator[pa.RecordBatch]":
    """Batches of `wire_schema(pairings)`, without what is `accepted` to be lost; empty ones are left out.

    Raises ValueDoesNotFit with table, column, row (`first_row` is the first) and kind of value, never the value.
    """
    import pyarrow as pa

    schema = wire_schema(pairings)
    row = first_row
    for batch in batches:
        if batch.num_rows:
            arrays = [_lossy(batch.column(p.incoming.name), p, holds, accepted) for p in pairings]
            columns = [
                _column(array, pairing, f"{table}, column", row, holds)
                for array, pairing in zip(arrays, pairings, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)
            row += batch.num_rows


def _lossy(array: "pa.Array", pairing: Pairing, holds: Holds, accepted: Accepted) -> "pa.Array":
    losses = set(accepts(pairing, accepted)).intersection(possible(pairing, holds))
    return without(losses, array, pairing, holds) if losses else array


def _column(array: "pa.Array", pairing: Pairing, where: str, first_row: int, holds: Holds) -> "pa.Array":
    import pyarrow as pa

    wire, target = wire_type(pairing), pairing.target
    if array.null_count and not target.nullable:
        index = array.is_null().index(value=True).as_py()
        raise ValueDoesNotFit(f"{where} {target.name}, row {first_row + index}: NULL does not fit NOT NULL")
    try:
        return _converted(array, wire, target.type, holds)
    except pa.ArrowInvalid:
        index = _first_unfit(array, lambda piece: _converted(piece, wire, target.type, holds))
        raise ValueDoesNotFit(
            f"{where} {target.name}, row {first_row + index}: "
            f"{_kind_of_value(array[index], pairing.incoming.type)} does not fit {target.native or target.type}",
            hint="widen the target's column, or change what is read with source_query",
        ) from None  # pyarrow's text quotes the value


def _converted(array: "pa.Array", wire: "pa.DataType", target: Type, holds: Holds) -> "pa.Array":
    """`array` as `wire`; raises ArrowInvalid where a value would change or is out of the target's bounds."""
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_fixed_size_binary(array.type) and pa.types.is_string(wire):
        array = to_text(array, Type("uuid"))
    if pa.types.is_integer(array.type) and pa.types.is_decimal(wire):
        array = array.cast(pa.decimal128(MAX_INT64_DIGITS, 0))
    if array.type != wire:
        array = array.cast(wire)
    if target.length is not None:
        _within(compute.utf8_length(array), (0, target.length))
    if target.kind in holds.bounds:
        _within(array.view(pa.int32() if target.kind == "date" else pa.int64()), holds.bounds[target.kind])
    return array


def _within(numbers: "pa.Array", bounds: tuple[int, int]) -> None:
    import pyarrow as pa
    from pyarrow import compute

    found = compute.min_max(numbers).as_py()
    if found["min"] is not None and (found["min"] < bounds[0] or found["max"] > bounds[1]):
        raise pa.ArrowInvalid("out of bounds")


def _first_unfit(array: "pa.Array", convert: "Callable[[pa.Array], object]") -> int:
    """Index of the first value that `convert` refuses; there is one."""
    import pyarrow as pa

    low, high = 0, len(array)
    while high - low > 1:
        middle = (low + high) // 2
        try:
            convert(array[low:middle])
            low = middle
        except pa.ArrowInvalid:
            high = middle
    return low


def _kind_of_value(value: "pa.Scalar", kind: Type) -> str:
    if kind.kind in ("text", "char"):
        return f"text of {len(value.as_py())} characters"
    return f"this {kind}"
