"""PhaseRecord: the phase object of a drive row."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.ledger.phases import PHASES, PhaseRecord

FIRST, LAST = datetime(1900, 1, 1), datetime(2200, 1, 1)  # noqa: DTZ001  hypothesis wants bounds without zone
times = st.none() | st.datetimes(FIRST, LAST, timezones=st.timezones())
texts = st.none() | st.text()
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
records = st.builds(
    PhaseRecord,
    phase_name=st.sampled_from(PHASES),
    status=st.sampled_from(["PENDING", "COMPLETED", "FAILED", "SKIPPED"]),
    start_timestamp=times,
    end_timestamp=times,
    actual_run_duration=texts,
    expected_run_duration=texts,
    retry_number=st.integers(0, 9),
    error_message=texts,
    error_type=texts,
    error_class=texts,
    traceback=texts,
    skip_reason=texts,
    details=st.dictionaries(st.text().filter(lambda key: key not in PhaseRecord.__dataclass_fields__), values),
)


@settings(max_examples=150, deadline=None)
@given(records)
def test_json_round_trip(record):
    """A record is the same after it was JSON, whatever its texts and details hold."""
    assert PhaseRecord.from_json(json.loads(json.dumps(record.to_json(), ensure_ascii=False))) == record


def test_details_stand_beside_the_fields():
    """The phase object is flat (seed 002, section 2.3)."""
    began = datetime(2026, 1, 31, 5, tzinfo=UTC)
    document = PhaseRecord(phase_name="audit", start_timestamp=began, details={"source_count": 7}).to_json()
    assert document["start_timestamp"] == "2026-01-31T05:00:00+00:00"
    assert document["source_count"] == 7
    assert "details" not in document
    assert document["skip_reason"] is None


@pytest.mark.parametrize("name", ["status", "error_message", "details"])
def test_details_cannot_hide_a_field(name):
    """A detail that is called like a field is refused, not merged."""
    with pytest.raises(ValueError, match=name):
        PhaseRecord(phase_name="audit", details={name: "x"})


def test_naive_times_are_refused():
    """A time without a zone is refused when the record is made."""
    with pytest.raises(ValueError, match="no time zone"):
        PhaseRecord(phase_name="audit", end_timestamp=datetime(2026, 1, 31))  # noqa: DTZ001  what the test is about
