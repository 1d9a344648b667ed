"""Arrow record batches to the bytes of PostgreSQL's binary COPY."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from landbridge.connectors.conform import conform, wire_schema
from landbridge.schema.arrow import travels_as_text
from landbridge.schema.fidelity import Accepted, Holds
from landbridge.schema.fit import Pairing

if TYPE_CHECKING:
    import pyarrow as pa

# PostgreSQL holds 4713 BC to 5874897 (dates) and to 294276 (timestamps); the lowest and highest number of the Arrow
# type is what other systems mean by infinity, and pgpq would make a plain value of it
MICROSECONDS = (-210_866_803_200_000_000, 2**63 - 2)
HOLDS = Holds(
    digits=6,
    nul_bytes=False,
    bounds={"date": (-2_440_588, 2_145_042_905), "timestamp": MICROSECONDS, "timestamptz": MICROSECONDS},
)


def is_staged(pairing: Pairing) -> bool:
    """True where the landing table holds text that becomes the target's type at publish: digits without a bound."""
    return travels_as_text(pairing.incoming.type) and pairing.target.type.kind == "decimal"


CHUNK_ROWS = 2_048  # rows encoded at a time: a few hundred KB, which stay in the cache and in the heap


@dataclass
class Encoder:
    """One COPY: `chunks` gives its bytes, `rows` counts what they hold so far.

    `table` and `first_row` are for the words of ValueDoesNotFit.
    """

    pairings: Sequence[Pairing]
    table: str
    first_row: int
    accepted: Accepted = field(default_factory=dict)
    rows: int = 0

    def chunks(self, batches: "Iterable[pa.RecordBatch]") -> Iterator[bytes]:
        """Header, one or more chunks for each batch that has rows, trailer. Raises ValueDoesNotFit."""
        from pgpq import ArrowToPostgresBinaryEncoder

        schema = wire_schema(self.pairings)
        builders = {p.target.name: _builder(p, schema.field(p.target.name)) for p in self.pairings}
        encoder = ArrowToPostgresBinaryEncoder.new_with_encoders(schema, builders)
        yield encoder.write_header()
        fitting = conform(
            batches, self.pairings, table=self.table, first_row=self.first_row, holds=HOLDS, accepted=self.accepted
        )
        for batch in fitting:
            for start in range(0, batch.num_rows, CHUNK_ROWS):
                yield encoder.write_batch(batch.slice(start, CHUNK_ROWS))
            self.rows += batch.num_rows
        yield encoder.finish()


def _builder(pairing: Pairing, field: "pa.Field") -> Any:  # noqa: ANN401 - pgpq's builders have no class in common
    from pgpq import ArrowToPostgresBinaryEncoder
    from pgpq.encoders import StringEncoderBuilder
    from pgpq.schema import Jsonb

    if pairing.target.native == "jsonb":
        return StringEncoderBuilder.new_with_output(field, Jsonb())
    return ArrowToPostgresBinaryEncoder.infer_encoder(field)
