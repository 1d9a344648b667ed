"""Arrow record batches to PostgreSQL's binary COPY; what would be altered or refused is found before it is sent."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from landbridge.errors import ValueDoesNotFit
from landbridge.schema.arrow import arrow_type, travels_as_text
from landbridge.schema.fit import Pairing
from landbridge.schema.model import Type

if TYPE_CHECKING:
    import pyarrow as pa

MAX_INT64_DIGITS = 19
# PostgreSQL holds 4713 BC to 5874897 (dates) and to 294276 (timestamps); the lowest and highest number of the Arrow
# type is what other systems mean by infinity, and pgpq would make a plain value of it
DAYS = (-2_440_588, 2_145_042_905)
MICROSECONDS = (-210_866_803_200_000_000, 2**63 - 2)


def is_staged(pairing: Pairing) -> bool:
    """True where the landing table holds text that becomes the target's type at publish: digits without a bound."""
    return travels_as_text(pairing.incoming.type) and pairing.target.type.kind == "decimal"


@dataclass
class Encoder:
    """One COPY: `chunks` gives its bytes, `rows` counts what they hold so far.

    `table` and `first_row` are for the words of ValueDoesNotFit.
    """

    pairings: Sequence[Pairing]
    table: str
    first_row: int
    rows: int = 0

    def chunks(self, batches: "Iterable[pa.RecordBatch]") -> "Iterator[bytes]":
        """Header, a chunk for each batch that has rows, trailer. Raises ValueDoesNotFit."""
        import pyarrow as pa
        from pgpq import ArrowToPostgresBinaryEncoder

        schema = pa.schema([pa.field(pairing.target.name, _wire_type(pairing)) for pairing in self.pairings])
        builders = {p.target.name: _builder(p, schema.field(p.target.name)) for p in self.pairings}
        encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(schema, builders)
        yield encoder.write_header()
        for batch in batches:
            if batch.num_rows:
                columns = [self._converted(batch, pairing) for pairing in self.pairings]
                yield encoder.write_batch(pa.RecordBatch.from_arrays(columns, schema=schema))
                self.rows += batch.num_rows
        yield encoder.finish()

    def _converted(self, batch: "pa.RecordBatch", pairing: Pairing) -> "pa.Array":
        import pyarrow as pa

        array = batch.column(pairing.incoming.name)
        wire = _wire_type(pairing)
        try:
            return _convert(array, wire, pairing.target.type)
        except pa.ArrowInvalid:
            row = _first_unfit(array, lambda piece: _convert(piece, wire, pairing.target.type))
            raise ValueDoesNotFit(
                f"{self.table}, column {pairing.target.name}, row {self.first_row + self.rows + row}: "
                f"{_kind_of_value(array[row], pairing.incoming.type)} does not fit {pairing.target.native}"
            ) from None  # pyarrow's text quotes the value


def _wire_type(pairing: Pairing) -> "pa.DataType":
    """The Arrow type whose binary form the landing column reads."""
    import pyarrow as pa

    incoming, target = pairing.incoming.type, pairing.target.type
    if target.kind != "decimal" or is_staged(pairing):
        microseconds = target.kind in ("time", "timestamp", "timestamptz")
        return arrow_type(Type(target.kind) if microseconds else Type("text") if is_staged(pairing) else target)
    if not travels_as_text(target):
        return arrow_type(target)
    return arrow_type(incoming) if incoming.kind == "decimal" else pa.decimal128(MAX_INT64_DIGITS, 0)


def _builder(pairing: Pairing, field: "pa.Field") -> Any:  # noqa: ANN401 - pgpq's builders have no class in common
    from pgpq import ArrowToPostgresBinaryEncoder
    from pgpq.encoders import StringEncoderBuilder
    from pgpq.schema import Jsonb

    if pairing.target.native == "jsonb":
        return StringEncoderBuilder.new_with_output(field, Jsonb())
    return ArrowToPostgresBinaryEncoder.infer_encoder(field)


def _convert(array: "pa.Array", wire: "pa.DataType", target: Type) -> "pa.Array":
    """`array` as `wire`; raises ArrowInvalid where a value would change or is out of the target's bounds."""
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_integer(array.type) and pa.types.is_decimal(wire):
        array = array.cast(pa.decimal128(MAX_INT64_DIGITS, 0))
    if array.type != wire:
        array = array.cast(wire)
    if target.length is not None:
        _within(compute.utf8_length(array), (0, target.length))
    if target.kind == "date":
        _within(array.view(pa.int32()), DAYS)
    if target.kind in ("timestamp", "timestamptz"):
        _within(array.view(pa.int64()), MICROSECONDS)
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
