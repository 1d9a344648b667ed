"""Grids: cells part all time, whatever clocks and calendars do."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.windows import Window
from landbridge.windows.clock import shown
from landbridge.windows.durations import FORM
from landbridge.windows.grid import Grid, Step, parse_step
from tests.windows.times import places, steps, union

HOUR = timedelta(hours=1)
ITEMS = 40


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("1h", Step(span=HOUR)),
        ("90m", Step(span=1.5 * HOUR)),
        ("1d", Step(days=1)),
        ("P1D", Step(days=1)),
        ("2 weeks", Step(days=14)),
        ("1w 1d", Step(days=8)),
        ("24h", Step(span=24 * HOUR)),
        ("PT24H", Step(span=24 * HOUR)),
        ("1d 12h", Step(span=36 * HOUR)),
        ("0.5d", Step(span=12 * HOUR)),
        ("1mo", Step(months=1)),
        ("3 months", Step(months=3)),
        ("P1M", Step(months=1)),
    ],
)
def test_steps_are_read(text: str, step: Step) -> None:
    """Days and weeks are those of a calendar, hours are hours, however many."""
    assert parse_step(text) == step
    assert parse_step(str(step)) == step


@given(steps | st.builds(Step, span=st.timedeltas(timedelta(microseconds=1), timedelta(days=900))))
def test_a_step_is_printed_as_it_is_read(step: Step) -> None:
    """To the microsecond."""
    assert parse_step(str(step)) == step


@pytest.mark.parametrize("text", ["", "0d", "0mo", "1.5mo", "1mo 1d", "1201mo", "1y", "P1Y", "1m 1mo", "hourly", "1M"])
def test_what_is_no_step(text: str) -> None:
    """Months stand alone, and are whole."""
    with pytest.raises(ValueError, match=f"^{FORM}"):
        parse_step(text)


@pytest.mark.parametrize("kinds", [{}, {"months": 1, "days": 1}, {"days": -1}, {"days": 1, "span": HOUR}])
def test_a_step_is_of_one_kind_and_goes_forward(kinds: dict[str, int]) -> None:
    """What is not cannot be made."""
    with pytest.raises(ValueError, match="a step"):
        Step(**kinds)


@pytest.mark.parametrize(
    ("step", "zone", "instant", "cells"),
    [
        ("1h", "Asia/Kolkata", "2026-01-01T00:10Z", ["2026-01-01T00:00Z", "2026-01-01T01:00Z"]),
        ("36h", "UTC", "1969-12-31T00:00Z", ["1969-12-30T12:00Z", "1970-01-01T00:00Z"]),
        ("1d", "Europe/Berlin", "2026-03-29T12:00Z", ["2026-03-28T23:00Z", "2026-03-29T22:00Z"]),
        ("1d", "Europe/Berlin", "2026-10-25T12:00Z", ["2026-10-24T22:00Z", "2026-10-25T23:00Z"]),
        ("1w", "Europe/Berlin", "2026-01-01T00:00Z", ["2025-12-28T23:00Z", "2026-01-04T23:00Z"]),
        ("2w", "UTC", "1970-01-04T23:59Z", ["1969-12-22T00:00Z", "1970-01-05T00:00Z"]),
        ("10d", "UTC", "1970-01-11T00:00Z", ["1970-01-11T00:00Z", "1970-01-21T00:00Z"]),
        ("1mo", "UTC", "2024-02-29T23:59Z", ["2024-02-01T00:00Z", "2024-03-01T00:00Z"]),
        ("3mo", "America/New_York", "2026-03-31T12:00Z", ["2026-01-01T05:00Z", "2026-04-01T04:00Z"]),
        ("12mo", "UTC", "1969-06-01T00:00Z", ["1969-01-01T00:00Z", "1970-01-01T00:00Z"]),
        # no midnight: the day begins at 01:00; midnight twice: it begins at the first; 00:00 runs, then 23:01 again
        ("1d", "America/Sao_Paulo", "2018-11-04T12:00Z", ["2018-11-04T03:00Z", "2018-11-05T02:00Z"]),
        ("1d", "America/Sao_Paulo", "2019-02-17T02:30Z", ["2019-02-16T02:00Z", "2019-02-17T03:00Z"]),
        ("1d", "America/Havana", "2026-11-01T12:00Z", ["2026-11-01T04:00Z", "2026-11-02T05:00Z"]),
        ("1d", "America/St_Johns", "2006-10-29T02:30:30Z", ["2006-10-28T02:30Z", "2006-10-29T03:30Z"]),
        ("1d", "Pacific/Apia", "2011-12-30T09:59Z", ["2011-12-29T10:00Z", "2011-12-30T10:00Z"]),
        ("1d", "Pacific/Apia", "2011-12-30T10:00Z", ["2011-12-30T10:00Z", "2011-12-31T10:00Z"]),
    ],
)
def test_where_cells_lie(step: str, zone: str, instant: str, cells: list[str]) -> None:
    """Days last 23 or 25 hours where clocks change, and an island may leave one out."""
    grid = Grid(parse_step(step), zone)
    floor = grid.floor(at(instant))
    assert [floor, grid.after(at(instant))] == [at(cell) for cell in cells]
    assert floor.tzinfo is UTC


@given(places())
def test_cells_part_time(place: tuple[Grid, datetime]) -> None:
    """Every instant lies in one cell; boundaries are their own floor and ceiling, and go forward."""
    grid, instant = place
    floor, after = grid.floor(instant), grid.after(instant)
    assert floor <= instant < after
    assert grid.ceil(instant) == (floor if floor == instant else after)
    assert (grid.floor(floor), grid.ceil(floor), grid.after(floor)) == (floor, floor, after)
    last = after - timedelta(microseconds=1)
    assert (grid.floor(last), grid.ceil(last), grid.after(last)) == (floor, after, after)


@given(places())
def test_days_begin_as_the_clock_passes_midnight(place: tuple[Grid, datetime]) -> None:
    """And weeks on Monday, months on the 1st."""
    grid, instant = place
    start = grid.floor(instant)
    before, time = (shown(at, grid.zone).date() for at in (start - timedelta(microseconds=1), start))
    if grid.step.span:
        assert (start - datetime(1970, 1, 1, tzinfo=UTC)) % grid.step.span == timedelta()
    else:
        days = [before + timedelta(days=n + 1) for n in range((time - before).days)]  # several where one is left out
        assert any(day.day == 1 for day in days) if grid.step.months else days
        assert grid.step.days % 7 or grid.step.months or any(day.weekday() == 0 for day in days)


@given(places(), st.timedeltas(timedelta(microseconds=1), timedelta(days=40)))
def test_pieces_are_the_window(place: tuple[Grid, datetime], length: timedelta) -> None:
    """Cut at every boundary within, nowhere else."""
    grid, start = place
    window = Window(start, min(start + length, start + 30 * max(grid.step.span, HOUR)))
    pieces = list(islice(grid.cut(window), ITEMS))
    whole = union(pieces)
    assert whole.start == window.start
    assert whole.end == window.end or (len(pieces) == ITEMS and whole.end < window.end)
    assert all(grid.floor(one.end) == one.end == other.start for one, other in pairwise(pieces))
    assert all(grid.after(piece.start) >= piece.end for piece in pieces)


def test_many_years_of_days_and_months() -> None:
    """As many cells as the calendar has, leap days too."""
    years = Window(at("2000-01-01T00:00+01:00"), at("2031-01-01T00:00+01:00"))
    days = list(Grid(Step(days=1), "Europe/Berlin").cut(years))
    assert (len(days), union(days)) == (31 * 365 + 8, years)
    assert {day.duration for day in days} == {23 * HOUR, 24 * HOUR, 25 * HOUR}
    months = list(Grid(Step(months=1), "Europe/Berlin").cut(years))
    assert (len(months), union(months)) == (31 * 12, years)


def test_a_cut_costs_nothing_until_it_is_asked() -> None:
    """Ten thousand years of microseconds, of which two are taken."""
    window = Window(at("0002-01-01T00:00Z"), at("9998-01-01T00:00Z"))
    assert len(list(islice(Grid(parse_step("0.000001s")).cut(window), 2))) == 2


def test_naive_instants_are_refused() -> None:
    """Nothing takes the zone of the machine."""
    for step in ("1h", "1d", "1mo"):
        with pytest.raises(ValueError, match="no instant without a time zone"):
            Grid(parse_step(step)).floor(at("2026-01-01"))
