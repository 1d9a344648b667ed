"""What is accepted to be lost is lost, and nothing else of the values."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.connectors.conform import conform
from landbridge.connectors.postgres.connector import Postgres
from landbridge.errors import ValueDoesNotFit
from landbridge.schema.arrow import arrow_type
from landbridge.schema.fidelity import Accepted, Holds
from landbridge.schema.fit import Pairing, fit
from landbridge.schema.model import Column, Type

NARROW = Holds(digits=6, nul_bytes=False, bounds={"date": (-5, 5), "timestamp": (-5, 5)})
NS, US = Type("timestamp", 9), Type("timestamp", 6)


def conformed(array: pa.Array, incoming: Type, target: Column, accepted: Accepted, holds: Holds = NARROW) -> pa.Array:
    one = Pairing(Column("C", incoming), target, fit(incoming, target.type))
    batch = pa.record_batch({"C": array})
    (made,) = conform([batch], [one], table="t", first_row=0, holds=holds, accepted=accepted)
    return made.column(0)


def numbers(kind: Type, values: list) -> pa.Array:
    wire = arrow_type(kind)
    return pa.array(values, pa.int32() if pa.types.is_date32(wire) else pa.int64()).view(wire)


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3000, 3000), min_size=1))
def test_digits_are_cut_towards_the_earlier(values: list) -> None:
    """Over the whole range of 64 bits, before and after 1970."""
    cut = conformed(numbers(NS, values), NS, Column("c", US), {"C": ["nanoseconds"]}, Postgres.holds)
    assert cut.type == pa.timestamp("us")
    assert cut.view(pa.int64()).to_pylist() == [None if value is None else value // 1000 for value in values]


@pytest.mark.parametrize(
    ("kind", "unit"), [(NS, pa.timestamp("us")), (Type("timestamptz", 9), pa.timestamp("us", "UTC"))]
)
def test_zones_stay(kind: Type, unit: pa.DataType) -> None:
    """An instant stays one, in UTC."""
    target = Column("c", Type(kind.kind, 6))
    assert conformed(numbers(kind, [1999]), kind, target, {"C": ["nanoseconds"]}, Postgres.holds).type == unit


def test_a_time_of_day_is_cut() -> None:
    """The last nanosecond of a day does not become the next day."""
    kind = Type("time", 9)
    last = 86_400 * 10**9 - 1
    cut = conformed(numbers(kind, [last, None]), kind, Column("c", Type("time", 6)), {"C": ["nanoseconds"]})
    assert cut.view(pa.int64()).to_pylist() == [last // 1000, None]


def test_nul_is_removed_before_lengths_are_compared() -> None:
    """The rest of the text stays, and what fits without its NULs fits."""
    text = pa.array(["\0a\0\0b\0", "", None, "é\0"])
    found = conformed(text, Type("text"), Column("c", Type("text", length=2)), {"C": ["nul_bytes"]})
    assert found.to_pylist() == ["ab", "", None, "é"]


@pytest.mark.parametrize("kind", [Type("date"), US])
def test_what_is_out_of_range_becomes_null(kind: Type) -> None:
    """First and last that the target holds stay."""
    values = numbers(kind, [-6, -5, None, 5, 6])
    found = conformed(values, kind, Column("c", kind), {"C": ["out_of_range"]})
    assert found.equals(numbers(kind, [None, -5, None, 5, None]))


def test_both_for_one_clock() -> None:
    """The range is that of what is left once digits are cut."""
    found = conformed(
        numbers(NS, [-5001, -5000, 5999, 6000]), NS, Column("c", US), {"C": ["nanoseconds", "out_of_range"]}
    )
    assert found.view(pa.int64()).to_pylist() == [None, -5, 5, None]


@pytest.mark.parametrize(
    ("kind", "target", "value", "accepted"),
    [
        (NS, Column("c", US), 1, {}),
        (NS, Column("c", US), 1, {"C": ["nul_bytes", "out_of_range"]}),
        (NS, Column("c", US), 1, {"c": ["nanoseconds"]}),
        (Type("date"), Column("c", Type("date")), 6, {"C": ["nanoseconds"]}),
        (Type("date"), Column("c", Type("date"), nullable=False), 6, {"C": ["out_of_range"]}),
    ],
)
def test_what_is_not_accepted_names_its_row(kind: Type, target: Column, value: int, accepted: Accepted) -> None:
    """Also another loss, another column's, and a NULL where the target's column cannot be it."""
    with pytest.raises(ValueDoesNotFit, match=f"t, column c, row 1: this {kind.kind}".replace("(", r"\(")):
        conformed(numbers(kind, [0, value]), kind, target, accepted)


def test_nothing_is_taken_that_the_target_holds() -> None:
    """Accepted is what cannot be helped: a database that takes NUL in text gets it."""
    takes = Holds(digits=9, nul_bytes=True, bounds={})
    text = conformed(pa.array(["a\0b"]), Type("text"), Column("c", Type("text")), {"C": ["nul_bytes"]}, takes)
    assert text.to_pylist() == ["a\0b"]
    clock = conformed(numbers(NS, [1]), NS, Column("c", NS), {"C": ["nanoseconds"]}, takes)
    assert clock.view(pa.int64()).to_pylist() == [1]
