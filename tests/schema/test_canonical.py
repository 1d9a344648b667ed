"""Values as text: one for each value, the same from everywhere, and back again."""

import math
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.schema.arrow import arrow_type
from landbridge.schema.canonical import from_text, to_text
from landbridge.schema.model import Type
from tests.conformance.every_kind import VALUES

# docs/types.md, "Values as text": who changes one of these changes the hashes in everybody's targets
TEXTS: list[tuple[Type, Any, str]] = [
    (Type("boolean"), True, "true"),
    (Type("int16"), -7, "-7"),
    (Type("int64"), 2**63 - 1, "9223372036854775807"),
    (Type("decimal", 18, 4), Decimal("1.5"), "1.5"),
    (Type("decimal", 18, 4), Decimal(500), "500"),
    (Type("decimal", 9, 0), Decimal(500), "500"),
    (Type("decimal", 38, 10), Decimal("-1e-10"), "-0.0000000001"),
    (Type("decimal", 38, 38), Decimal("1e-38"), f"0.{'0' * 37}1"),
    (Type("decimal", 38, 10), Decimal("9" * 28 + "." + "9" * 10), "9" * 28 + "." + "9" * 10),
    (Type("decimal", 18, 4), Decimal(0), "0"),
    (Type("decimal"), "0.100", "0.1"),
    (Type("decimal"), "-" + "1" * 60 + ".0", "-" + "1" * 60),
    (Type("float32"), 0.5, "0.5"),
    (Type("float32"), 0.10000000149011612, "0.10000000149011612"),
    (Type("float64"), 0.1, "0.1"),
    (Type("float64"), 1e22, "1e+22"),
    (Type("float64"), -0.0, "0.0"),
    (Type("float64"), math.nan, "nan"),
    (Type("float64"), -math.inf, "-inf"),
    (Type("char", length=5), "a b  ", "a b"),
    (Type("text"), " a \n", " a \n"),
    (Type("json"), '{"a": 1}', '{"a": 1}'),
    (Type("binary"), b"\x00\xff", "00ff"),
    (Type("date"), date(1, 1, 1), "0001-01-01"),
    (Type("time", 6), time(0), "00:00:00"),
    (Type("time", 6), time(10, 20, 30, 120), "10:20:30.00012"),
    (Type("timestamp", 0), datetime(2024, 2, 29, 10), "2024-02-29 10:00:00"),  # noqa: DTZ001 - a wall clock
    (Type("timestamp", 9), 1_000_000_001, "1970-01-01 00:00:01.000000001"),
    (Type("timestamptz", 6), datetime(9999, 12, 31, 23, 59, 59, 999999, UTC), "9999-12-31 23:59:59.999999Z"),
    (Type("timestamptz", 6), datetime(2024, 2, 29, 10, tzinfo=UTC), "2024-02-29 10:00:00Z"),
    (Type("uuid"), UUID("b1e55ed0-0000-4000-8000-000000000001").bytes, "b1e55ed0-0000-4000-8000-000000000001"),
]


@pytest.mark.parametrize(("kind", "value", "text"), TEXTS)
def test_the_text_of_a_value(kind: Type, value: object, text: str):
    """As the specification says, NULL left out of it."""
    assert to_text(pa.array([value, None], arrow_type(kind)), kind).to_pylist() == [text, None]


@pytest.mark.parametrize("name", VALUES)
def test_a_text_means_its_value(name: str):
    """Of every kind: what was written is read again as it was, minus zero as zero."""
    kind, given = VALUES[name]
    values = pa.array([value for value in given if value is not None], arrow_type(kind))
    for value, text in zip(values, to_text(values, kind).to_pylist(), strict=True):
        again = from_text(text, kind)
        assert again.type == value.type
        assert again.equals(value) or again.as_py() == value.as_py() or math.isnan(again.as_py())


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20))
def test_equal_numbers_have_equal_texts(number: Decimal):
    """Whatever their scale, and whether they travel as a number or as digits."""
    texts = {
        to_text(pa.array([value], arrow_type(kind)), kind)[0].as_py()
        for kind, value in (
            (Type("decimal", 38, 6), number),
            (Type("decimal", 38, 10), number),
            (Type("decimal"), format(number, "f")),
        )
    }
    assert len(texts) == 1
    assert Decimal(texts.pop()) == number


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Type("decimal", 10, 2), "1.500", Decimal("1.50")),
        (Type("timestamptz", 6), "2024-01-31T23:59:59+01:00", datetime(2024, 1, 31, 22, 59, 59, tzinfo=UTC)),
        (Type("char", length=5), "XX", "XX   "),
        (Type("text"), "", ""),
        (Type("uuid"), "B1E55ED000004000800000000000000F", UUID("b1e55ed0-0000-4000-8000-00000000000f").bytes),
    ],
)
def test_what_people_may_write_as_well(kind: Type, text: str, value: object):
    """Other texts that can mean only one value."""
    assert from_text(text, kind).as_py() == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Type("boolean"), "1"),
        (Type("int16"), "32768"),
        (Type("int32"), "1.0"),
        (Type("int32"), ""),
        (Type("decimal", 4, 2), "1.505"),
        (Type("decimal", 4, 2), "100"),
        (Type("decimal"), "many"),
        (Type("decimal", 4, 2), "1e1"),
        (Type("float64"), "1,5"),
        (Type("char", length=2), "abc"),
        (Type("text", length=2), "abc"),
        (Type("json"), "{"),
        (Type("binary"), "0"),
        (Type("date"), "31.1.2024"),
        (Type("date"), "2023-02-29"),
        (Type("time", 6), "25:00:00"),
        (Type("time", 6), "10:00:00.0000001"),
        (Type("timestamp", 6), "2024-01-31 10:00:00Z"),
        (Type("timestamptz", 6), "2024-01-31 10:00:00"),
        (Type("uuid"), "1"),
    ],
)
def test_what_means_no_value(kind: Type, text: str):
    """Nothing is rounded, cut, or taken for something near."""
    with pytest.raises(ValueError):  # noqa: PT011 - the words are Arrow's, Python's or ours
        from_text(text, kind)


def test_a_year_without_a_text_is_refused():
    """Arrow has a stand-in for it, and a hash of that would change with Arrow's words."""
    for kind, number in ((Type("date"), 2_145_042_905), (Type("timestamp", 6), 2**63 - 2)):
        with pytest.raises(ValueError, match="year"):
            to_text(
                pa.array([number]).cast(pa.int32() if kind.kind == "date" else pa.int64()).cast(arrow_type(kind)), kind
            )
    assert to_text(pa.array([-719528], pa.int32()).cast(pa.date32()), Type("date")).to_pylist() == ["0000-01-01"]
