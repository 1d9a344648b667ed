"""64-bit words: how they are mixed, and how bytes become one (docs/parcel.md, "Checksums")."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Words = npt.NDArray[np.uint64]

ODD = 0x9E3779B97F4A7C15  # 2^64 divided by the golden ratio
FIRST_NUMBERS = 1 << 12
SHORT = 256  # bytes: longer values are hashed one by one
WORD = 8  # bytes


def mix(words: "Words") -> "Words":
    """SplitMix64's finaliser (Steele, Lea and Flood, 2014, doi 10.1145/2660193.2660195; Stafford's constants)."""
    import numpy as np

    mixed = words ^ (words >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def stir(words: "Words") -> "Words":
    """A step that no two words share the result of, of half the cost; `words` are not kept."""
    import numpy as np

    words *= np.uint64(ODD)
    words ^= words >> np.uint64(32)
    return words


def of_bytes(array: "pa.Array") -> "Words":
    """The length ^ the sum of stir(word ^ mix(its number, from 1)) of each value's bytes, in words filled up with 0."""
    import numpy as np

    data, starts, lengths = _spans(array)
    padded = np.concatenate([data, np.zeros(WORD, np.uint8)])
    at = np.ndarray((len(data) + 1,), "<u8", padded, strides=(1,))  # the word that begins at each byte
    sums = lengths.astype(np.uint64)
    if len(lengths) and lengths.max() > SHORT:
        for place in np.flatnonzero(lengths > SHORT):
            begin, length = int(starts[place]), int(lengths[place])
            sums[place] ^= _stirred(at[begin : begin + length : WORD], np.array([length % WORD or WORD])).sum()
        lengths = np.where(lengths > SHORT, 0, lengths)
    totals = np.zeros(len(lengths), np.uint64)
    for number in range(int(lengths.max() + WORD - 1) // WORD if len(lengths) else 0):
        long_enough = lengths > WORD * number
        rows = slice(None) if long_enough.all() else np.flatnonzero(long_enough)
        left = np.minimum(lengths[rows] - WORD * number, WORD)
        found = (at[starts[rows] + WORD * number] & _masks()[left]) ^ _mixed_numbers(number + 1)[number]
        totals[rows] += stir(found)
    return sums ^ totals


def _stirred(words: "Words", rest: "npt.NDArray[np.int64]") -> "Words":
    """Of one long value, whose last word has `rest` bytes."""
    found = words.copy()
    found[-1:] &= _masks()[rest]
    return stir(found ^ _mixed_numbers(len(found))[: len(found)])


@cache
def _masks() -> "Words":
    """By how many bytes of a word count."""
    import numpy as np

    return np.array([(1 << 8 * count) - 1 for count in range(WORD + 1)], np.uint64)


@cache
def _first_numbers() -> "Words":
    import numpy as np

    return mix(np.arange(1, FIRST_NUMBERS + 1, dtype=np.uint64))


def _mixed_numbers(most: int) -> "Words":
    """mix(1), mix(2), … at least so many; made once for all but very long values."""
    import numpy as np

    return _first_numbers() if most <= FIRST_NUMBERS else mix(np.arange(1, most + 1, dtype=np.uint64))


def _spans(array: "pa.Array") -> "tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]":
    """The bytes of all values, and where each begins and how long it is; NULL is as empty."""
    import numpy as np
    import pyarrow as pa

    if pa.types.is_fixed_size_binary(array.type):
        width = array.type.byte_width
        data = array.buffers()[1]
        raw = np.frombuffer(data, np.uint8) if data else np.zeros(0, np.uint8)
        starts = (array.offset + np.arange(len(array))) * width
        lengths = np.full(len(array), width)
    else:
        _, offsets, data = array.buffers()
        ends = np.frombuffer(offsets, np.int32)[array.offset : array.offset + len(array) + 1].astype(np.int64)
        raw = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]] if data else np.zeros(0, np.uint8)
        starts, lengths = ends[:-1] - ends[0], np.diff(ends)
    if array.null_count:
        lengths = lengths * array.is_valid().to_numpy(zero_copy_only=False)
    return raw, starts, lengths
