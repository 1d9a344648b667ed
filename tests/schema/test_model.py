"""The table model as JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st

from landbridge.schema.model import Column, TableSchema, Type, schema_from_json, schema_to_json

TYPES = st.one_of(
    st.sampled_from(["boolean", "int16", "float64", "json", "uuid", "text", "decimal"]).map(Type),
    st.builds(Type, st.just("decimal"), precision=st.integers(1, 50), scale=st.integers(0, 10)),
    st.builds(Type, st.sampled_from(["char", "text"]), length=st.integers(1, 100)),
    st.builds(Type, st.sampled_from(["time", "timestamp", "timestamptz"]), precision=st.integers(0, 9)),
)
COLUMNS = st.builds(Column, st.text(), TYPES, st.booleans(), st.none() | st.text(), st.booleans())


@given(st.builds(TableSchema, st.lists(COLUMNS).map(tuple), st.lists(st.text()).map(tuple)))
def test_schema_survives_json(schema):
    """What is written as JSON text reads back as the equal schema."""
    assert schema_from_json(json.loads(json.dumps(schema_to_json(schema)))) == schema


def test_a_clock_says_its_digits_unless_they_are_six():
    """Problem lists tell timestamp(3) from timestamp."""
    assert [str(Type("timestamp", precision=p)) for p in (0, 3, 6, 9, None)] == [
        "timestamp(0)",
        "timestamp(3)",
        "timestamp",
        "timestamp(9)",
        "timestamp",
    ]
