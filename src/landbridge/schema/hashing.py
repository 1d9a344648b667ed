"""Hashes of values, the same wherever a value comes from: 64-bit words that add up (docs/parcel.md, "Checksums")."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from landbridge.schema.arrow import arrow_type, travels_as_text
from landbridge.schema.canonical import to_text
from landbridge.schema.documents import canonical_document
from landbridge.schema.model import Kind, Type
from landbridge.schema.words import mix, of_bytes, stir

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Words = npt.NDArray[np.uint64]

NULL = 0x9E3779B97F4A7C15
FOREIGN = 0xD1B54A32D192ED03  # of what a column of this type cannot hold: equal to no value's but by chance
NAN = 0x7FF8000000000000
MOST_DIGITS_OF_INT64 = 19
MOST_SHOWN = 60  # characters

COUNTED: tuple[Kind, ...] = ("int16", "int32", "int64", "date", "time", "timestamp", "timestamptz")


def value_hashes(array: "pa.Array", kind: Type) -> "Words":
    """The hash of each value of a column of `kind`; `array` may be of another type that holds such values."""
    import numpy as np

    wanted, foreign = _brought_back(array, kind)
    hashes = _of_valid(wanted, kind)
    if wanted.null_count:
        hashes[wanted.is_null().to_numpy(zero_copy_only=False)] = np.uint64(NULL)
    if foreign:
        hashes[foreign] = np.uint64(FOREIGN)
    return hashes


def counts(kind: Type) -> bool:
    """Whether values of this kind are one integer each, in their order."""
    whole = kind.kind == "decimal" and not travels_as_text(kind) and not kind.scale
    return kind.kind in COUNTED or (whole and (kind.precision or 0) < MOST_DIGITS_OF_INT64)


def position(array: "pa.Array", kind: Type) -> "npt.NDArray[np.int64]":
    """The integer of each value of a kind that `counts`; of NULL, and of what is none of that kind, 0."""
    import numpy as np

    wanted, _ = _brought_back(array, kind)
    return (_decimal(wanted)[0] if kind.kind == "decimal" else _fixed(wanted, kind)).view(np.int64)


def value_texts(array: "pa.Array", kind: Type) -> list[str]:
    """The values for people, each on one line and not endless; what is none of that kind is `?`."""
    wanted, foreign = _brought_back(array, kind)
    found = [text if text is None else _short(text, kind) for text in to_text(wanted, kind).to_pylist()]
    return ["?" if place in foreign else text or "NULL" for place, text in enumerate(found)]


def word_text(word: int, kind: Type) -> str:
    """What `position` made this word of; the bare number where it is beyond what the kind can write."""
    import pyarrow as pa

    try:
        wire = arrow_type(kind)
        number = pa.array([word], pa.int64())
        if kind.kind == "decimal":
            return str(word)
        narrow = number.cast(pa.int32()) if kind.kind == "date" else number
        return value_texts(narrow.cast(wire), kind)[0]
    except (pa.ArrowInvalid, OverflowError, ValueError):
        return str(word)


def _short(text: str, kind: Type) -> str:
    shown = json.dumps(text, ensure_ascii=False) if kind.kind in ("text", "char", "json", "binary") else text
    return shown if len(shown) <= MOST_SHOWN else shown[:MOST_SHOWN] + "…"


def _brought_back(array: "pa.Array", kind: Type) -> "tuple[pa.Array, list[int]]":
    """The values in the Arrow type of `kind`, and the places of those that it cannot hold: NULL stands there."""
    import pyarrow as pa

    wire = pa.float64() if kind.kind in ("float32", "float64") else arrow_type(kind)
    if array.type == wire:
        return array, []
    try:
        return _cast(array, wire), []
    except pa.ArrowInvalid:
        return _one_by_one(array, wire)


def _cast(array: "pa.Array", wire: "pa.DataType") -> "pa.Array":
    """Raises ArrowInvalid where a value would change."""
    import pyarrow as pa

    if pa.types.is_fixed_size_binary(wire) and pa.types.is_string(array.type):
        return _uuids(array)
    if pa.types.is_integer(array.type) and pa.types.is_decimal(wire):
        array = array.cast(pa.decimal128(MOST_DIGITS_OF_INT64, 0))
    if pa.types.is_string(array.type) and pa.types.is_integer(wire):
        array = array.cast(pa.decimal128(38, MOST_DIGITS_OF_INT64))  # of a number without bounds
    return array.cast(wire)


def _uuids(texts: "pa.Array") -> "pa.Array":
    """Of a target that keeps a uuid as its text. Raises ArrowInvalid for what is none."""
    import pyarrow as pa

    try:
        values = [None if text is None else UUID(text).bytes for text in texts.to_pylist()]
    except ValueError as error:
        raise pa.ArrowInvalid("no uuid") from error
    return pa.array(values, pa.binary(16))


def _one_by_one(array: "pa.Array", wire: "pa.DataType") -> "tuple[pa.Array, list[int]]":
    import pyarrow as pa

    if len(array) > 1:
        half = len(array) // 2
        pieces = []
        foreign: list[int] = []
        for start, piece in ((0, array[:half]), (half, array[half:])):
            try:
                pieces.append(_cast(piece, wire))
            except pa.ArrowInvalid:
                found, places = _one_by_one(piece, wire)
                pieces.append(found)
                foreign += [start + place for place in places]
        return pa.concat_arrays(pieces), foreign
    return pa.nulls(1, wire), [0]


def _of_valid(array: "pa.Array", kind: Type) -> "Words":
    """Of NULL any word."""
    if kind.kind == "decimal" and not travels_as_text(kind):
        low, high = _decimal(array)
        return low.copy() if (kind.precision or 0) < MOST_DIGITS_OF_INT64 else mix(low) + high
    if kind.kind in (*COUNTED, "boolean", "float32", "float64"):
        return _fixed(array, kind)
    if kind.kind in ("decimal", "char", "json"):
        array = _canonical(array, kind)
    return of_bytes(array)


def _fixed(array: "pa.Array", kind: Type) -> "Words":
    import numpy as np
    import pyarrow as pa
    from pyarrow import compute

    if kind.kind == "boolean":
        array = array.cast(pa.uint8())
    elif kind.kind == "date":
        array = array.view(pa.int32())
    elif kind.kind in ("time", "timestamp", "timestamptz"):
        array = array.view(pa.int64())
    numbers: npt.NDArray[Any] = (compute.fill_null(array, 0) if array.null_count else array).to_numpy(
        zero_copy_only=False
    )
    if kind.kind not in ("float32", "float64"):
        return numbers.astype(np.int64).view(np.uint64)
    words = (numbers + 0.0).view(np.uint64)  # minus zero becomes zero
    words[np.isnan(numbers)] = NAN
    return words


def _decimal(array: "pa.Array") -> "tuple[Words, Words]":
    """The lower and the upper half of each unscaled number."""
    import numpy as np

    data = array.buffers()[1]
    if data is None:
        return np.zeros(len(array), np.uint64), np.zeros(len(array), np.uint64)
    halves = np.frombuffer(data, "<u8")[2 * array.offset : 2 * (array.offset + len(array))]
    if not array.null_count:
        return halves[::2], halves[1::2]
    valid = array.is_valid().to_numpy(zero_copy_only=False).astype(np.uint64)  # under a NULL lies anything
    return halves[::2] * valid, halves[1::2] * valid


def _canonical(array: "pa.Array", kind: Type) -> "pa.Array":
    """Each distinct value is rewritten once: this takes a Python call each."""
    import pyarrow as pa

    values = array.dictionary_encode()
    if kind.kind == "json":
        texts = pa.array([canonical_document(text) for text in values.dictionary.to_pylist()], pa.string())
    else:
        texts = to_text(values.dictionary, kind)
    return texts.take(values.indices)


def row_hashes(words: "Sequence[Words]", rows: int) -> "Words":
    """One hash for each row, of the words of its key's values."""
    import numpy as np

    key = np.zeros(rows, np.uint64)
    for of_column in words:
        key = stir(key ^ of_column)
    return mix(key)
