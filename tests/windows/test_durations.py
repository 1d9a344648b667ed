"""Durations: one grammar, and what it refuses."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.windows import format_duration, parse_duration
from landbridge.windows.durations import FORM, LONGEST

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90m", 5400),
        ("090m", 5400),
        ("6h", 21_600),
        ("6 h", 21_600),
        ("1d", 86_400),
        ("2w", 1_209_600),
        ("1h 30m 45s", 5445),
        ("1h30m", 5400),
        ("0h 30m", 1800),
        ("1.5h", 5400),
        ("1h 0.5m", 3630),
        ("1 hour 30 minutes", 5400),
        ("2 days", 172_800),
        ("1week", 604_800),
        ("3hrs 1min 2 secs", 10_862),
        ("250ms", 0.25),
        ("1.5 milliseconds", 0.0015),
        ("PT1H30M", 5400),
        ("PT1.5H", 5400),
        ("PT1,5H", 5400),
        ("P1D", 86_400),
        ("P2W", 1_209_600),
        ("P1DT12H", 129_600),
        ("PT0.000001S", 0.000001),
    ],
)
def test_every_form_is_read(text: str, seconds: float) -> None:
    """Of this grammar and of ISO 8601."""
    assert parse_duration(text) == timedelta(seconds=seconds)


REFUSED = [
    *("", " ", "soon", "weekly", "5", "h", "1 x", "1.h", ".5h", "1h30", " 1h", "1h ", "1h  30m", "1h, 30m", "1\u0661h"),
    *("0m", "0s", "0h 0m", "-1h", "+1h", "1h -30m", "PT0S", "-P1D", "P-1D", "1e3s", "1_0m", "1h\n", "nanh"),
    *("1h 1h", "1h 1 hour", "30m 1h", "1d 1w", "1.5h 30m", "PT1.5H30M", "PT30M1H", "PT1H1H"),
    *("P", "PT", "P1DT", "P1H", "PT1D", "P1", "p1d", "PT1h", "1H", "1M", "1D", "P1D 1h", "1h PT1M"),
    *("1h" * 5000, "1" * 5000 + "h", "1" + " " * 5000 + "h"),
]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:12])
def test_nonsense_is_refused(text: str) -> None:
    """Nothing, zero, signs, units that repeat or do not descend, letters whose meaning depends on their case."""
    with pytest.raises(ValueError, match=f"^{FORM}$"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1mo", "; a month has no fixed length"),
        ("3 months", "; a month has no fixed length"),
        ("P1M", "; a month has no fixed length"),
        ("1 year", "; a year has no fixed length"),
        ("P1Y2M", "; a year has no fixed length"),
        ("0.0001ms", "; nothing is finer than a microsecond"),
        ("0.0000000001h", "; nothing is finer than a microsecond"),
        ("100000w", "; at most 99999w"),
        ("999999999999h", "; at most 99999w"),
    ],
)
def test_what_is_no_duration_says_why(text: str, why: str) -> None:
    """After how durations are written."""
    with pytest.raises(ValueError, match=f"^{FORM}{why}$"):
        parse_duration(text)


@given(st.timedeltas(SECOND, LONGEST))
def test_what_is_printed_is_read(duration: timedelta) -> None:
    """To the second, from one second up to the longest."""
    assert parse_duration(format_duration(duration)) == duration // SECOND * SECOND


@given(st.text("0123456789.,PTYMWDHSmhdwsoin ", max_size=12) | st.text(max_size=8))
def test_any_text_is_a_duration_or_refused(text: str) -> None:
    """Above zero, or a ValueError that begins as all do: never another error."""
    found = read(text)
    assert found.startswith(FORM) if isinstance(found, str) else timedelta() < found <= LONGEST


def read(text: str) -> timedelta | str:
    try:
        return parse_duration(text)
    except ValueError as error:
        return str(error)
