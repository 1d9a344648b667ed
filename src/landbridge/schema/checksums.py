"""Checksums of a table's rows by column and key range; they add up in any order (docs/parcel.md, "Checksums")."""

import base64
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

from pydantic import FailFast, Field

from landbridge.schema.hashing import counts, position, row_hashes, value_hashes
from landbridge.schema.model import TableSchema
from landbridge.schema.words import stir

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Words = npt.NDArray[np.uint64]

MOST_WORDS = 16_384
FEWEST_RANGES, MOST_RANGES = 16, 1024
ROWS_OF_A_RANGE = 64
PIECE_ROWS, PIECE_BYTES = 16 * 1024, 1 << 20  # what is hashed at a time: it stays in the processor's cache
MOST_TEXT = 4 << 20  # base64 of 16 ranges of a table with ten thousand columns
MOST_WIDTH = 63
HEAD = 3  # words before those of the columns: number of the range, rows, sum of the row hashes


@dataclass(frozen=True)
class Checksums:
    """The fields of docs/parcel.md. `ranges` is text, and belief in it ends at `table`."""

    key: Annotated[tuple[str, ...], FailFast()]
    columns: Annotated[tuple[str, ...], FailFast()]
    width: Annotated[int, Field(ge=0, le=MOST_WIDTH)]
    ranges: Annotated[str, Field(max_length=MOST_TEXT)]

    def table(self) -> "Words":
        """Shape (ranges, 3 + 2 per column). Raises ValueError where the text is none of that."""
        import numpy as np

        words = np.frombuffer(base64.b64decode(self.ranges, validate=True), "<u8")
        return words.reshape(-1, HEAD + 2 * len(self.columns)).astype(np.uint64)


@dataclass(frozen=True)
class Measure:
    """What is summed: `schema` are the columns as they travel, `key` those that tell rows apart."""

    schema: TableSchema
    key: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.schema.names if name not in self.key)

    @property
    def most_ranges(self) -> int:
        return max(FEWEST_RANGES, min(MOST_RANGES, MOST_WORDS // (HEAD + 2 * len(self.columns))))

    @property
    def ordered(self) -> bool:
        """Whether the key is one integer, date or clock, so that its ranges mean something."""
        column = self.schema.column(self.key[0]) if len(self.key) == 1 else None
        return column is not None and counts(column.type)


def measure(schema: TableSchema) -> Measure:
    return Measure(schema, schema.primary_key or schema.names)


@dataclass(frozen=True)
class Hashed:
    """Rows by their hashes: each row's position and k, and v of each column that is not of the key, in its order."""

    position: "npt.NDArray[np.int64]"
    key: "Words"
    values: "tuple[Words, ...]"


def hashed(batch: "pa.RecordBatch", of: Measure) -> Hashed:
    """`batch` has the columns of the measure, by position; its types may be others that hold such values."""
    import numpy as np

    columns = {
        column.name: value_hashes(array, column.type)
        for column, array in zip(of.schema.columns, batch.columns, strict=True)
    }
    key = row_hashes([columns[name] for name in of.key], batch.num_rows)
    place = (key >> np.uint64(1)).view(np.int64)
    if of.ordered:
        (name,) = of.key
        number = of.schema.names.index(name)
        place = position(batch.column(number), of.schema.columns[number].type)
    return Hashed(place, key, tuple(columns[name] for name in of.columns))


class Sums:
    """A running sum: `add` batches, `merge` sums, in any order; the end is the same. `words` as of Checksums.table."""

    def __init__(self, of: Measure, width: int = 0, words: "Words | None" = None) -> None:
        import numpy as np

        self.of = of
        self.width = width
        self.words: Words = np.zeros((0, HEAD + 2 * len(of.columns)), np.uint64) if words is None else words

    def add(self, batch: "pa.RecordBatch") -> None:
        for piece in _pieces(batch):
            self._add(self.width, _summed(hashed(piece, self.of), self.width))

    def at(self, batches: "Iterable[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
        """The same batches, which are summed as they pass."""
        for batch in batches:
            self.add(batch)
            yield batch

    def merge(self, other: "Sums") -> None:
        self._add(other.width, other.words)

    def coarsen(self, width: int) -> None:
        """Make ranges at least 2^width wide."""
        if width > self.width:
            self.width, self.words = width, _joined(_widened(self.words, width - self.width))

    def without(self, names: Collection[str]) -> "Sums":
        """The sums of the other columns; `names` are none of the key."""
        import numpy as np

        columns = tuple(column for column in self.of.schema.columns if column.name not in names)
        kept = [n for n, name in enumerate(self.of.columns) if name not in names]
        places = [*range(HEAD), *(HEAD + 2 * n + half for n in kept for half in (0, 1))]
        of = Measure(replace(self.of.schema, columns=columns), self.of.key)
        return Sums(of, self.width, np.ascontiguousarray(self.words[:, places]))

    def finished(self) -> Checksums:
        self._fit(max(FEWEST_RANGES, min(self.of.most_ranges, self.rows // ROWS_OF_A_RANGE)))
        text = base64.b64encode(self.words.astype("<u8").tobytes()).decode()
        return Checksums(self.of.key, self.of.columns, self.width, text)

    @property
    def rows(self) -> int:
        return int(self.words[:, 1].sum())

    def _add(self, width: int, words: "Words") -> None:
        import numpy as np

        self.coarsen(width)
        self.words = _joined(np.concatenate([self.words, _widened(words, self.width - width)]))
        self._fit(self.of.most_ranges)

    def _fit(self, most: int) -> None:
        while len(self.words) > most and self.width < MOST_WIDTH:
            self.coarsen(self.width + 1)


def restored(checksums: Checksums, schema: TableSchema) -> Sums:
    """Raises ValueError where they are not those of a table of this schema."""
    of = Measure(schema, checksums.key)
    if checksums.columns != of.columns:
        raise ValueError("the checksums are of other columns")
    return Sums(of, checksums.width, _joined(checksums.table()))


def _pieces(batch: "pa.RecordBatch") -> "Iterable[pa.RecordBatch]":
    rows = max(1, min(PIECE_ROWS, batch.num_rows * PIECE_BYTES // max(1, batch.nbytes)))
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)


def _summed(rows: Hashed, width: int) -> "Words":
    import numpy as np

    ranges = rows.position >> width
    order = None if (ranges[1:] >= ranges[:-1]).all() else _order(ranges)
    if order is not None:
        ranges = ranges[order]
    begins = np.flatnonzero(np.concatenate([[True], ranges[1:] != ranges[:-1]]))

    def per_range(words: "Words") -> "Words":
        return np.add.reduceat(words if order is None else words[order], begins)

    result = np.empty((len(begins), HEAD + 2 * len(rows.values)), np.uint64)
    result[:, 0] = ranges[begins].view(np.uint64)
    result[:, 1] = np.diff(begins, append=len(ranges))
    result[:, 2] = per_range(rows.key)
    for number, value in enumerate(rows.values):
        bound = stir(value ^ rows.key)
        result[:, HEAD + 2 * number] = per_range(bound)
        result[:, HEAD + 2 * number + 1] = per_range(bound * rows.key)
    return result


def _order(numbers: "npt.NDArray[np.int64]") -> "npt.NDArray[np.int64]":
    """What sorts them; where they are near each other in 16 bits, which numpy sorts ten times as fast."""
    import numpy as np

    low, high = int(numbers.min()), int(numbers.max())
    return np.argsort((numbers - low).astype(np.uint16) if high - low < 1 << 16 else numbers, kind="stable")


def _widened(words: "Words", by: int) -> "Words":
    """The same lines, their ranges 2^by times as wide; several may be of one range then."""
    import numpy as np

    words = words.copy()
    words[:, 0] = (words[:, 0].view(np.int64) >> by).view(np.uint64)
    return words


def _joined(words: "Words") -> "Words":
    """One line for each range, in the order of their numbers."""
    import numpy as np

    if not len(words):
        return words
    words = words[np.argsort(words[:, 0].view(np.int64), kind="stable")]
    begins = np.flatnonzero(np.concatenate([[True], words[1:, 0] != words[:-1, 0]]))
    joined = np.add.reduceat(words, begins, axis=0)
    joined[:, 0] = words[begins, 0]
    return joined
