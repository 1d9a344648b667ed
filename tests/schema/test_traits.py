"""Traits: seen piece by piece they are those of the whole, and those that the values have."""

from itertools import pairwise

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from landbridge.schema.traits import Look, Traits, merged, traits_of

DAY = 86_400 * 10**9
INT64 = st.integers(1 - 2**63, 2**63 - 1) | st.integers(-3, 3).map(lambda n: n * 1000)
TYPES = {
    "text": (pa.string(), st.text(st.sampled_from("a\0é"), max_size=3)),
    "ns": (pa.timestamp("ns"), INT64),
    "us": (pa.timestamp("us", "UTC"), INT64),
    "time": (pa.time64("ns"), st.integers(0, DAY - 1) | st.integers(0, DAY // 1000 - 1).map(lambda n: n * 1000)),
    "day": (pa.date32(), st.integers(-(2**31), 2**31 - 1)),
    "n": (pa.int64(), INT64),
}


def arrays(kind: pa.DataType, values: list) -> pa.Array:
    if pa.types.is_string(kind):
        return pa.array(values, kind)
    bare = pa.int32() if pa.types.is_date32(kind) else pa.int64()
    return pa.array(values, bare).view(kind)


@st.composite
def columns(draw: st.DrawFn) -> dict[str, list]:
    """Values by column, as Arrow counts them; NULL is among them."""
    rows = draw(st.integers(0, 12))
    drawn = {name: st.lists(st.none() | value, min_size=rows, max_size=rows) for name, (_, value) in TYPES.items()}
    return {name: draw(values) for name, values in drawn.items()}


def batch_of(values: dict[str, list]) -> pa.RecordBatch:
    return pa.record_batch({name: arrays(TYPES[name][0], given) for name, given in values.items()})


@given(columns(), st.lists(st.integers(0, 12), max_size=4))
def test_cut_anyhow_they_are_those_of_the_whole(values: dict[str, list], cuts: list[int]) -> None:
    """Batches and parts of any size, empty ones too, in any order."""
    whole = batch_of(values)
    ends = sorted({0, whole.num_rows, *(min(cut, whole.num_rows) for cut in cuts)})
    pieces = [whole.slice(start, stop - start) for start, stop in pairwise(ends)]
    look = Look()
    assert list(look.at(pieces)) == pieces
    assert look.traits == merged(traits_of(whole))
    assert merged(each for piece in reversed(pieces) for each in traits_of(piece)) == look.traits


@given(columns())
def test_they_are_what_the_values_have(values: dict[str, list]) -> None:
    """Computed by Arrow over whole columns, the same as asked of one value after the other."""
    there = {name: [value for value in given if value is not None] for name, given in values.items()}
    expected = {
        Traits("text", nul_bytes=any("\0" in text for text in there["text"])),
        Traits("time", nanoseconds=any(time % 1000 for time in there["time"])),
    }
    for name in ("ns", "us", "day"):
        ends = (min(there[name], default=None), max(there[name], default=None))
        expected.add(Traits(name, name == "ns" and any(time % 1000 for time in there["ns"]), False, *ends))
    assert set(traits_of(batch_of(values))) == {each for each in expected if each != Traits(each.column)}


def test_what_lies_under_a_null_is_no_value() -> None:
    """A NULL whose place in the bytes holds a NUL."""
    text, offsets = pa.py_buffer(b"a\0b"), pa.array([0, 1, 2, 3], pa.int32()).buffers()[1]
    hidden = pa.StringArray.from_buffers(3, offsets, text, pa.py_buffer(b"\x05"))
    assert hidden.to_pylist() == ["a", None, "b"]
    assert traits_of(pa.record_batch({"text": hidden})) == ()
    shown = pa.StringArray.from_buffers(3, offsets, text)
    assert traits_of(pa.record_batch({"text": shown})) == (Traits("text", nul_bytes=True),)
