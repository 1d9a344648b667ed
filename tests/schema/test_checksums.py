"""Checksums: what docs/parcel.md says, whatever the order and the cutting of the rows, and what they tell of damage."""

import json
import math
import random
import struct
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.schema.arrow import arrow_schema, arrow_type
from landbridge.schema.checksums import MOST_RANGES, Measure, Sums, measure, restored
from landbridge.schema.comparison import compared, differing, located, range_line, rows_of
from landbridge.schema.hashing import FOREIGN, NULL, value_hashes
from landbridge.schema.model import Column, TableSchema, Type
from tests.conformance.every_kind import VALUES

WORD = 2**64
SCHEMA = TableSchema(
    (Column("id", Type("int64")), Column("name", Type("text")), Column("price", Type("decimal", 12, 4))), ("id",)
)


def mix(x: int) -> int:
    """As the page says it, in plain numbers."""
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 % WORD
    x ^= x >> 27
    x = x * 0x94D049BB133111EB % WORD
    return x ^ x >> 31


def stir(x: int) -> int:
    x = x * 0x9E3779B97F4A7C15 % WORD
    return x ^ x >> 32


def of_bytes(data: bytes) -> int:
    words = [int.from_bytes(data[at : at + 8], "little") for at in range(0, len(data), 8)]
    return len(data) ^ sum(stir(word ^ mix(number)) for number, word in enumerate(words, 1)) % WORD


def of_number(value: Decimal, scale: int) -> int:
    low, high = divmod(int(value.scaleb(scale)) % 2**128, WORD)[::-1]
    return (mix(low) + high) % WORD


def of_float(value: float) -> int:
    return 0x7FF8000000000000 if math.isnan(value) else struct.unpack("<Q", struct.pack("<d", value + 0.0))[0]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# docs/parcel.md, "Checksums": who changes one of these changes what everybody's parcels say
HASHES: list[tuple[Type, Any, int]] = [
    (Type("boolean"), True, 1),
    (Type("int16"), -7, WORD - 7),
    (Type("int64"), 2**63 - 1, 2**63 - 1),
    (Type("decimal", 12, 4), Decimal("-1.5"), WORD - 15_000),
    (Type("decimal", 38, 10), Decimal("9" * 28), of_number(Decimal("9" * 28), 10)),
    (Type("decimal"), "1.500", of_bytes(b"1.5")),
    (Type("float64"), 0.1, of_float(0.1)),
    (Type("float64"), -0.0, 0),
    (Type("float64"), math.nan, 0x7FF8000000000000),
    (Type("float32"), 0.5, of_float(0.5)),
    (Type("text"), "", of_bytes(b"")),
    (Type("text"), "é" * 30, of_bytes(("é" * 30).encode())),
    (Type("char", length=5), "a b  ", of_bytes(b"a b")),
    (Type("binary"), bytes(range(17)), of_bytes(bytes(range(17)))),
    (Type("uuid"), bytes(range(16)), of_bytes(bytes(range(16)))),
    (Type("date"), date(1969, 12, 31), WORD - 1),
    (Type("time", 6), time(0, 0, 1), 10**6),
    (Type("timestamp", 9), 1_000_000_001, 1_000_000_001),
    (
        Type("timestamptz", 6),
        datetime(2024, 2, 29, tzinfo=UTC),
        int(datetime(2024, 2, 29, tzinfo=UTC).timestamp()) * 10**6,
    ),
    (Type("json"), '{"b": [1.50, "1.50", -0, null], "a": 1e2}', of_bytes(b'{"a":1e2,"b":[15e-1,"1.50",0,null]}')),
]


@pytest.mark.parametrize(("kind", "value", "word"), HASHES)
def test_the_hash_of_a_value(kind: Type, value: object, word: int):
    """As the specification says; NULL has one of its own, and a slice is hashed as the whole."""
    values = pa.array([None, value, value], arrow_type(kind))
    assert value_hashes(values, kind).tolist() == [NULL, word, word]
    assert value_hashes(values[1:2], kind).tolist() == [word]


@pytest.mark.parametrize("name", VALUES)
def test_different_values_have_different_hashes(name: str):
    """Of every kind, NULL included; equal ones have equal hashes."""
    kind, given_values = VALUES[name]
    values = pa.array(given_values, arrow_type(kind))
    words: dict[int, set[str]] = {}
    for value, word in zip(values, value_hashes(values, kind).tolist(), strict=True):
        words.setdefault(word, set()).add(str(value).rstrip() if kind.kind == "char" else str(value).lstrip("-"))
    assert len(words) >= len({repr(value.as_py()) for value in values.unique()}) - 1  # minus zero is zero


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        (Type("decimal", 12, 4), pa.array([15, None], pa.int32())),
        (Type("int32"), pa.array([Decimal("15.00"), None], pa.decimal128(10, 2))),
        (Type("decimal", 12, 4), pa.array(["15.0", None])),
        (Type("timestamp", 6), pa.array([15_000, None], pa.int64()).cast(pa.timestamp("ns"))),
        (Type("float32"), pa.array([15.0, None], pa.float64())),
    ],
)
def test_a_wider_type_changes_no_hash(kind: Type, values: pa.Array):
    """What comes back from a target that holds the values in another type is hashed as what was loaded."""
    (fifteen,) = {"timestamp": [datetime(1970, 1, 1, 0, 0, 0, 15)]}.get(kind.kind, [Decimal(15)])  # noqa: DTZ001
    as_loaded = fifteen if kind.kind != "float32" else 15.0
    wanted = pa.array([as_loaded, None], pa.float64() if kind.kind == "float32" else arrow_type(kind))
    assert value_hashes(values, kind).tolist() == value_hashes(wanted, kind).tolist()


def test_what_a_type_cannot_hold_differs():
    """A digit too many, in the middle of others, is equal to nothing; its neighbours are as they were."""
    kind = Type("decimal", 12, 2)
    given_values = [Decimal(1), Decimal("1.005"), None, Decimal(3), Decimal("0.001")]
    words = value_hashes(pa.array(given_values, pa.decimal128(20, 3)), kind).tolist()
    clean = value_hashes(pa.array([1, None, 3], pa.int64()), kind).tolist()
    assert words == [clean[0], FOREIGN, clean[1], clean[2], FOREIGN]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_spacing_and_order_of_a_document_do_not_count(document: object):
    """Nor how its characters are escaped."""
    forms = [json.dumps(document), json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True)]
    one, other = value_hashes(pa.array(forms), Type("json")).tolist()
    assert one == other


@pytest.mark.parametrize("depth", [10, 150, 250, 400, 3000])
def test_no_depth_of_a_document_is_too_deep(depth: int):
    """Blanks do not count, however deep; nor does what the call stack looks like."""
    inner = '{"a": 1, "b": [ 2 ]}'
    spaced, tight = (before * depth + text + "]" * depth for before, text in (("[ ", inner), ("[", '{"a":1,"b":[2]}')))
    one, other = value_hashes(pa.array([spaced, tight]), Type("json")).tolist()
    assert one == other


@pytest.mark.parametrize("text", ["1e1000000000000000000", "[1e-999999999999]", "not json", ""])
def test_odd_documents_have_hashes(text: str):
    """What one database takes for JSON may be a number to nobody."""
    one, other = value_hashes(pa.array([text, text]), Type("json")).tolist()
    assert one == other


rows = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1),
        st.none() | st.text(max_size=20),
        st.none() | st.decimals(-1000, 1000, places=4),
    ),
    max_size=60,
    unique_by=lambda row: row[0],
)


def batch(found: list[tuple[Any, ...]], schema: TableSchema = SCHEMA) -> pa.RecordBatch:
    wire = arrow_schema(schema)
    columns = list(zip(*found, strict=True)) or [()] * len(wire)
    return pa.RecordBatch.from_arrays([pa.array(c, f.type) for c, f in zip(columns, wire, strict=True)], schema=wire)


def summed(found: list[tuple[Any, ...]], of: Measure | None = None) -> Sums:
    sums = Sums(of or measure(SCHEMA))
    sums.add(batch(found))
    return sums


@given(rows, st.randoms(use_true_random=False), st.sampled_from([("id",), ()]))
def test_order_and_cutting_do_not_count(found: list[tuple[Any, ...]], chance: random.Random, key: tuple[str, ...]):
    """Rows shuffled, cut anywhere, summed apart and merged in any order add up to the same, with and without a key."""
    of, shuffled = measure(TableSchema(SCHEMA.columns, key)), chance.sample(found, len(found))
    cut = chance.randint(0, len(found))
    pieces = [summed(piece, of) for piece in (shuffled[:cut], shuffled[cut:])]
    chance.shuffle(pieces)
    merged = Sums(of)
    for piece in pieces:
        merged.merge(piece)
    assert merged.rows == len(found)
    assert merged.finished() == summed(found, of).finished()


@given(st.integers(2000, 6000), st.integers(1, 10**12), st.integers(1, 4))
def test_ranges_stay_few(count: int, step: int, parts: int):
    """However many rows and however far apart; parts that were cut otherwise give the same ranges."""
    ids = range(-count // 2 * step, -count // 2 * step + count * step, step)
    schema = TableSchema(SCHEMA.columns[:1], ("id",))
    of, whole, merged = measure(schema), Sums(measure(schema)), Sums(measure(schema))
    whole.add(batch([(number,) for number in ids], schema))
    for part in range(parts):
        piece = Sums(of)
        piece.add(batch([(number,) for number in ids[part::parts]], schema))
        merged.merge(piece)
    assert len(whole.words) <= MOST_RANGES
    assert merged.finished() == whole.finished()
    assert 16 <= len(whole.words) <= max(16, count // 64)


@given(rows.filter(bool), st.data())
def test_any_damage_is_found_and_told(found: list[tuple[Any, ...]], data: st.DataObject):
    """One value changed, one row gone, one row too many, two values exchanged: with the rows at hand each is named."""
    place = data.draw(st.integers(0, len(found) - 1))
    key, name, price = found[place]
    damage = data.draw(st.sampled_from(["value", "null", "gone", "extra"]))
    harmed = {
        "value": [*found[:place], (key, name, (price or 0) + 1), *found[place + 1 :]],
        "null": [*found[:place], (key, "" if name is None else None, price), *found[place + 1 :]],
        "gone": [*found[:place], *found[place + 1 :]],
        "extra": [*found, (key, name, price)],
    }[damage]
    told = {
        "value": f"id = {key}: price differs",
        "null": f"id = {key}: name differs",
        "gone": f"id = {key} is missing",
        "extra": f"id = {key} is there 2 times, not 1",
    }[damage]
    before = summed(found).finished()
    loaded, there = restored(before, SCHEMA), summed(harmed)
    (one,) = differing(loaded, there)
    of, width, ranges = loaded.of, loaded.width, {one.number}
    was, now = (rows_of(batch(some), of, width, ranges) for some in (found, harmed))
    assert list(compared(was, now, of)) == [told]
    by_sums = list(located(one, now, of))
    assert by_sums == ([told] if damage in ("value", "null") else [])
    assert range_line(one, of, width).startswith("rows with id ")
    if harmed:
        assert differing(restored(before, SCHEMA), summed(found)) == []


def test_the_only_row_too_many_is_named_without_the_parcel():
    """By the sum of the keys alone."""
    found = [(number, str(number), Decimal(number)) for number in range(1000)]
    loaded, there = restored(summed(found).finished(), SCHEMA), summed([*found, (5000, None, None)])
    (one,) = differing(loaded, there)
    now = rows_of(batch([(5000, None, None)]), loaded.of, loaded.width, {one.number})
    assert list(located(one, now, loaded.of)) == ["id = 5000 is too many"]
    assert range_line(one, loaded.of, loaded.width) == "rows with id from 4992 to 5055: 1 row too many"


def test_exchanged_values_are_found():
    """The sum of a column is bound to the rows: values that changed places do not even out."""
    loaded = summed([(1, "a", Decimal(1)), (2, "b", Decimal(2))])
    there = summed([(1, "b", Decimal(1)), (2, "a", Decimal(2))])
    found = differing(loaded, there)
    assert [range_line(one, loaded.of, loaded.width) for one in found] == [
        "rows with id = 1: name differs",
        "rows with id = 2: name differs",
    ]
