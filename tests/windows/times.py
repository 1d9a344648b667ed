"""Instants where clocks do what they do, and grids of all kinds."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from landbridge.windows import Window
from landbridge.windows.grid import Grid, Step

TURNS = {
    "UTC": (datetime(2024, 2, 29, tzinfo=UTC),),
    "Asia/Kolkata": (datetime(2025, 12, 31, 18, 30, tzinfo=UTC),),
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 4, 4, 15, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    "Africa/Casablanca": (datetime(2026, 2, 15, 2, tzinfo=UTC), datetime(2026, 3, 22, 2, tzinfo=UTC)),
    "America/Sao_Paulo": (datetime(2018, 11, 4, 3, tzinfo=UTC), datetime(2019, 2, 17, 2, tzinfo=UTC)),  # at 00:00
    "America/Havana": (datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)),  # to 00:00 and 01:00
    "America/St_Johns": (
        datetime(2006, 4, 2, 3, 31, tzinfo=UTC),
        datetime(2006, 10, 29, 2, 31, tzinfo=UTC),
    ),  # at 00:01
    "Pacific/Apia": (datetime(2011, 12, 30, 10, tzinfo=UTC),),  # left out a day
    "Pacific/Kwajalein": (
        datetime(1969, 9, 30, 13, tzinfo=UTC),
        datetime(1993, 8, 21, 12, tzinfo=UTC),
    ),  # had one twice
}
SPANS = tuple(timedelta(minutes=n) for n in (1, 7, 15, 60, 90, 24 * 60, 36 * 60))
STEPS = (
    *(Step(span=span) for span in (timedelta(microseconds=3), timedelta(seconds=11), *SPANS)),
    *(Step(days=n) for n in (1, 2, 7, 10, 14)),
    *(Step(months=n) for n in (1, 3, 5, 12)),
)

zones = st.sampled_from(tuple(TURNS))
steps = st.sampled_from(STEPS)
anywhere = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones


@st.composite
def instants(draw: st.DrawFn, zone: str) -> datetime:
    """Most of them near a turn of the zone's clocks, to the second or not; others in any year."""
    if draw(st.integers(0, 3)) == 0:
        return draw(anywhere)
    near = timedelta(minutes=draw(st.integers(-2000, 2000)), seconds=draw(st.sampled_from((0, 0, 1, -1))))
    return draw(st.sampled_from(TURNS[zone])) + near + timedelta(microseconds=draw(st.sampled_from((0, 0, 1, -1))))


@st.composite
def places(draw: st.DrawFn) -> tuple[Grid, datetime]:
    """A grid, and an instant that its zone makes interesting."""
    zone = draw(zones)
    return Grid(draw(steps), zone), draw(instants(zone))


def union(windows: list[Window]) -> Window:
    """The window that consecutive ones make. Fails where two of them leave a hole, or overlap."""
    assert all(one.end == other.start for one, other in pairwise(windows)), windows
    return Window(windows[0].start, windows[-1].end)
