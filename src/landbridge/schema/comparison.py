"""What differs between the rows that were loaded and those that are there, told by their checksums and hashes
(docs/metadata-change-tracking.md, "Contents").
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from landbridge.schema.checksums import HEAD, Measure, Sums, hashed
from landbridge.schema.hashing import value_texts, word_text
from landbridge.schema.names import plain

if TYPE_CHECKING:
    import pyarrow as pa

WORD = 2**64


@dataclass(frozen=True)
class Difference:
    """One range: its number, how many rows were loaded and are there, and by how much each word of its sums differs."""

    number: int
    loaded: int
    there: int
    delta: tuple[int, ...]  # there - loaded, modulo 2^64, as the words of Checksums.table

    def of_column(self, number: int) -> tuple[int, int]:
        """Of the sums of h and of h·k."""
        return self.delta[HEAD + 2 * number], self.delta[HEAD + 2 * number + 1]

    @property
    def same_keys(self) -> bool:
        return self.loaded == self.there and not self.delta[2]


@dataclass(frozen=True)
class Row:
    """A row of a range: its hash k, each value's v in the order of the measure's columns, and its key for people."""

    range: int
    k: int
    values: tuple[int, ...]
    key: str


def differing(loaded: Sums, there: Sums) -> list[Difference]:
    """The ranges that differ, ascending. Both sums are of one measure; they get ranges of one width."""
    loaded.coarsen(there.width)
    there.coarsen(loaded.width)
    before, after = _lines(loaded), _lines(there)
    nothing = [0] * (HEAD + 2 * len(loaded.of.columns))
    found = []
    for number in sorted(before.keys() | after.keys()):
        was, now = before.get(number, nothing), after.get(number, nothing)
        if was[1:] != now[1:]:
            delta = tuple((new - old) % WORD for old, new in zip(was, now, strict=True))
            found.append(Difference(number, was[1], now[1], delta))
    return found


def _lines(sums: Sums) -> dict[int, list[int]]:
    numbers = sums.words[:, 0].view("int64").tolist()
    return dict(zip(numbers, sums.words.tolist(), strict=True))


def rows_of(batch: "pa.RecordBatch", of: Measure, width: int, ranges: Collection[int]) -> list[Row]:
    """Those rows of a batch (as `hashed` takes it) that are in one of the ranges."""
    import numpy as np
    import pyarrow as pa

    found = hashed(batch, of)
    numbers = found.position >> width
    at = np.flatnonzero(np.isin(numbers, list(ranges)))
    if not len(at):
        return []
    keys = []
    for name in of.key:
        place = of.schema.names.index(name)
        texts = value_texts(batch.column(place).take(pa.array(at)), of.schema.columns[place].type)
        keys.append([f"{plain(name)} = {text}" for text in texts])
    values = [value[at].tolist() for value in found.values]
    return [
        Row(number, k, tuple(column[n] for column in values), ", ".join(key))
        for n, (number, k, key) in enumerate(
            zip(numbers[at].tolist(), found.key[at].tolist(), zip(*keys, strict=True), strict=True)
        )
    ]


def range_line(one: Difference, of: Measure, width: int) -> str:
    """Where the range is, and all that its sums tell of it."""
    told = []
    if one.there != one.loaded:
        count = abs(one.there - one.loaded)
        told.append(f"{count} row{'s' * (count > 1)} {'missing' if one.there < one.loaded else 'too many'}")
    elif one.delta[2]:
        told.append("other rows than were loaded")
    if one.same_keys:
        told.append(_differ(name for number, name in enumerate(of.columns) if any(one.of_column(number))))
    return f"{_place(one.number, of, width)}: {', '.join(told)}"


def _place(number: int, of: Measure, width: int) -> str:
    if not of.ordered:
        return "a share of the rows"
    kind = of.schema.columns[of.schema.names.index(of.key[0])].type
    first, last = (word_text(word, kind) for word in (number << width, ((number + 1) << width) - 1))
    name = plain(of.key[0])
    return f"rows with {name} = {first}" if first == last else f"rows with {name} from {first} to {last}"


def compared(loaded: Iterable[Row], there: Iterable[Row], of: Measure) -> Iterator[str]:
    """A line for each row that differs; both are all rows of the same ranges."""
    before, after = _by_key(loaded), _by_key(there)
    for k in dict.fromkeys([*before, *after]):
        was, now = before.get(k, []), after.get(k, [])
        name = (was or now)[0].key
        if not was or not now:
            yield f"{name} is {'missing' if was else 'too many'}"
        elif len(was) != len(now):
            yield f"{name} is there {len(now)} times, not {len(was)}"
        elif changed := [
            column
            for number, column in enumerate(of.columns)
            if sorted(row.values[number] for row in was) != sorted(row.values[number] for row in now)
        ]:
            yield f"{name}: {_differ(changed)}"


def located(one: Difference, there: Sequence[Row], of: Measure) -> Iterator[str]:
    """A line for each row that the sums alone tell: the only one too many, the only one changed in a column."""
    own = [row for row in there if row.range == one.number]
    if one.there - one.loaded == 1:
        extra = [row for row in own if row.k == one.delta[2]]
        yield from (f"{row.key} is too many" for row in extra if len(extra) == 1)
    if not one.same_keys:
        return
    changed: dict[int, list[str]] = defaultdict(list)
    for number, column in enumerate(of.columns):
        by_value, by_row = one.of_column(number)
        alike = [n for n, row in enumerate(own) if by_value and (row.k * by_value - by_row) % WORD == 0]
        if len(alike) == 1:
            changed[alike[0]].append(column)
    yield from (f"{own[n].key}: {_differ(columns)}" for n, columns in sorted(changed.items()))


def _by_key(rows: Iterable[Row]) -> Mapping[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.k].append(row)
    return found


def _differ(names: Iterable[str]) -> str:
    shown = [plain(name) for name in names]
    return f"{', '.join(shown)} differ{'s' * (len(shown) == 1)}"
