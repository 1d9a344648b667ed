"""Cover: holes and covered time part the domain, and pieces fill a hole exactly."""

from datetime import UTC, datetime, timedelta
from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from landbridge.windows import Window
from landbridge.windows.cover import merged, missing, pieces
from landbridge.windows.grid import Grid, Step
from tests.windows.times import union

ZERO = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def window(start: int, end: int) -> Window:
    """By hours of a day."""
    return Window(ZERO + start * HOUR, ZERO + end * HOUR)


def hours(windows: list[Window]) -> list[int]:
    """The hours that windows hold, as often as they do."""
    return [n for w in windows for n in range((w.start - ZERO) // HOUR, (w.end - ZERO) // HOUR)]


windows = st.tuples(st.integers(-5, 30), st.integers(1, 12)).map(lambda at: window(at[0], sum(at)))
many = st.lists(windows, max_size=8)


def test_holes() -> None:
    """Between what is covered, before it and after it, each in one piece."""
    covered = [window(10, 12), window(2, 4), window(3, 5), window(5, 6), window(-9, 1), window(40, 41)]
    assert missing(window(0, 20), covered) == [window(1, 2), window(6, 10), window(12, 20)]
    assert missing(window(0, 20), []) == [window(0, 20)]
    assert missing(window(0, 20), [window(-1, 30)]) == []
    assert merged(covered) == [window(-9, 1), window(2, 6), window(10, 12), window(40, 41)]


@given(windows, many)
def test_holes_and_what_is_covered_part_the_domain(domain: Window, covered: list[Window]) -> None:
    """Each hour of it is in one hole or in what is covered; holes are as long as they can be, and ascend."""
    holes = missing(domain, covered)
    assert hours(holes) == [n for n in hours([domain]) if n not in hours(covered)]
    assert merged(holes) == holes


@given(many)
def test_merged_windows_cover_the_same(found: list[Window]) -> None:
    """Every hour once, in any order of the windows; nothing is left to merge."""
    assert hours(merged(found)) == sorted(set(hours(found)))
    assert merged(reversed(found)) == merged(merged(found)) == merged(found)


def test_begun_windows_stay_as_they_are() -> None:
    """What is left is cut on the grid; of overlapping ones the first stays, of those the longest."""
    begun = [window(6, 9), window(4, 7), window(4, 5), window(8, 10), window(11, 13), window(0, 2), window(12, 99)]
    grid = Grid(Step(span=3 * HOUR))
    expected = [(1, 3), (3, 4), (4, 7), (7, 8), (8, 10), (10, 11), (11, 13), (13, 14)]
    assert list(pieces(window(1, 14), begun, grid)) == [window(*at) for at in expected]
    assert list(pieces(window(1, 14), begun[::-1], grid)) == [window(*at) for at in expected]


@given(windows, many, st.integers(1, 7))
def test_pieces_fill_the_hole(hole: Window, begun: list[Window], step: int) -> None:
    """Ascending, without a hole and an overlap; each begun window within it is there, or another in its way."""
    found = list(pieces(hole, begun, Grid(Step(span=step * HOUR))))
    assert union(found) == hole
    for one in begun:
        if hole.start <= one.start and one.end <= hole.end and one not in found:
            assert any(other in begun and other.start < one.end and one.start < other.end for other in found)


def test_ten_years_of_minutes_cost_nothing_until_they_are_asked() -> None:
    """Before the first begun window and after it."""
    years = Window(ZERO, ZERO.replace(year=2036))
    begun = [Window(ZERO + timedelta(seconds=90), ZERO + 2 * HOUR)]
    found = list(islice(pieces(years, begun, Grid(Step(span=timedelta(minutes=1)))), 4))
    assert [piece.duration.total_seconds() for piece in found] == [60, 30, 7110, 60]
