"""Clocks: shown times only go forward, and windows next to each other are next to each other on the clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.windows.clock import first_shown, shown
from tests.windows.times import instants, zones

INSTANT = timedelta(microseconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "instant", "time"),
    [
        ("UTC", "2026-03-29T01:30Z", "2026-03-29 01:30"),
        ("Asia/Kolkata", "2026-03-29T01:30Z", "2026-03-29 07:00"),
        ("Europe/Berlin", "2026-03-29T00:59:59Z", "2026-03-29 01:59:59"),
        ("Europe/Berlin", "2026-03-29T01:00Z", "2026-03-29 03:00"),
        ("Europe/Berlin", "2026-10-24T23:59Z", "2026-10-25 01:59"),
        ("Europe/Berlin", "2026-10-25T00:00Z", "2026-10-25 02:00"),
        ("Europe/Berlin", "2026-10-25T00:59Z", "2026-10-25 02:00"),
        ("Europe/Berlin", "2026-10-25T01:00Z", "2026-10-25 02:00"),
        ("Europe/Berlin", "2026-10-25T01:30Z", "2026-10-25 02:30"),
        ("Europe/Berlin", "2026-10-25T02:00Z", "2026-10-25 03:00"),
        ("Australia/Lord_Howe", "2026-04-04T14:45Z", "2026-04-05 01:30"),
        ("Australia/Lord_Howe", "2026-04-04T15:10Z", "2026-04-05 01:40"),
        ("America/St_Johns", "2006-10-29T02:30:30Z", "2006-10-28 23:01"),
        ("America/Sao_Paulo", "2018-11-04T03:00Z", "2018-11-04 01:00"),
    ],
)
def test_what_is_shown(zone: str, instant: str, time: str) -> None:
    """While an hour runs for the first of two times, its beginning."""
    assert shown(at(instant), zone) == at(time)


@given(st.data(), zones)
def test_shown_never_goes_back(data: st.DataObject, zone: str) -> None:
    """It is what the clock shows, or earlier, where that comes again."""
    instant, other = sorted((data.draw(instants(zone)), data.draw(instants(zone))))
    assert shown(instant, zone) <= shown(other, zone)
    local = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert shown(instant, zone) <= local
    assert shown(instant, zone) == local or local.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC) > instant


@given(st.data(), zones)
def test_a_time_is_first_shown_once(data: st.DataObject, zone: str) -> None:
    """There and not an instant before."""
    time = data.draw(instants(zone)).replace(tzinfo=None) + timedelta(hours=data.draw(st.integers(-12, 12)))
    first = first_shown(time, zone)
    assert shown(first - INSTANT, zone) < time <= shown(first, zone)


@given(st.data(), zones)
def test_every_time_falls_in_one_window(data: st.DataObject, zone: str) -> None:
    """Also those that clocks leave out, and those that they show twice: in the window of their second pass."""
    bounds = sorted({data.draw(instants(zone)) for _ in range(6)} | {at("1800-01-01T00Z"), at("2200-01-01T00Z")})
    second = data.draw(instants(zone))
    time = second.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    held = [(start, end) for start, end in pairwise(bounds) if shown(start, zone) <= time < shown(end, zone)]
    last = time.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC)
    assert held == [(start, end) for start, end in pairwise(bounds) if start <= last < end]


def test_naive_instants_and_zoned_clocks_are_refused() -> None:
    """Nothing takes the zone of the machine."""
    with pytest.raises(ValueError, match="no instant without a time zone"):
        shown(at("2026-01-01"), "UTC")
    with pytest.raises(ValueError, match="a clock shows no zone"):
        first_shown(at("2026-01-01T00Z"), "UTC")
    with pytest.raises(KeyError):
        shown(at("2026-01-01T00Z"), "Mars/Olympus")
