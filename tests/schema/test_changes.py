"""Ranges of a watermark: exact in every type, without a hole between one read and the next."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import SourceError
from landbridge.schema.changes import Changes, Newest, Range, beyond, condition, position, reach, text_at
from landbridge.schema.model import Column, Type

NOW = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
TIME, ZONED, DATE, NUMBER = Type("timestamp"), Type("timestamptz"), Type("date"), Type("int64")
instants = st.datetimes()


def newest(kind: Type, value: str | None = None) -> Newest:
    return Newest(Column("w", kind, native=kind.kind), value, 0)


@given(instants, st.integers(0, 999))
def test_texts_and_positions_are_each_other(instant: datetime, nanoseconds: int) -> None:
    """To the nanosecond, and also before 1970."""
    for kind, zone in ((TIME, ""), (ZONED, "+00")):
        text = f"{instant.isoformat(sep=' ', timespec='microseconds')}{nanoseconds:03d}"
        place = position(text + zone, kind)
        assert position(text_at(place, kind), kind) == place
        assert text_at(place, kind).endswith(zone)


@given(st.dates(), st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_dates_and_numbers(day: date, number: Decimal) -> None:
    """Days count in days, and numbers are exact, without an exponent."""
    assert text_at(position(day.isoformat(), DATE), DATE) == day.isoformat()
    text = text_at(number, Type("decimal", 38, 4))
    assert ("E" in text, Decimal(text)) == (False, number)


@given(st.lists(instants.map(str), min_size=2, max_size=6), st.timedeltas(timedelta(), timedelta(days=9)))
def test_reads_leave_no_hole(values: list[str], overlap: timedelta) -> None:
    """Each range begins where the one before ended, or before that; the mark never goes back."""
    changes = Changes(("id",), "w", overlap=overlap or None)
    mark = None
    for value in values:
        taken = reach(changes, newest(TIME, value), NOW, mark)
        assert taken.until is not None
        if mark is not None:
            assert taken.after is not None
            assert position(taken.after, TIME) <= position(mark, TIME) <= position(taken.until, TIME)
        mark = taken.until


def test_a_value_in_the_future_does_not_take_the_mark_with_it() -> None:
    """A date that somebody mistyped would end all reads; clocks without a zone may be a day ahead."""
    late = "2099-01-01 00:00:00"
    assert reach(Changes((), "w"), newest(ZONED, late + "+00"), NOW, None).until == "2026-03-29 01:30:00.000000+00"
    assert reach(Changes((), "w"), newest(TIME, late), NOW, None).until == "2026-03-30 01:30:00.000000"
    assert reach(Changes((), "w"), newest(NUMBER, "99999"), NOW, None).until == "99999"


def test_an_hour_that_clocks_show_twice_is_not_settled_the_first_time() -> None:
    """Rows of its second pass have the same watermarks: 25 October 2026 in Berlin, 02:00 to 03:00."""
    changes = Changes((), "w", timedelta(minutes=15), "Europe/Berlin")
    mark = None
    untils = []
    for minute in (-30, 40, 55, 75, 100, 160):  # from 00:00 UTC, when clocks show 02:00 for the first time
        as_of = datetime(2026, 10, 25, tzinfo=UTC) + timedelta(minutes=minute)
        mark = reach(changes, newest(TIME, late := "2026-10-25 09:00:00"), as_of, mark).until
        assert late
        untils.append(str(mark)[11:16])
    assert untils == ["01:15", "01:25", "01:40", "02:00", "02:25", "03:25"]


def test_what_is_younger_is_left() -> None:
    """By the watermark's own clock: Berlin has just gone from one hour past UTC to two."""
    for zone, expected in (("UTC", "2026-03-29 01:00:00.000000"), ("Europe/Berlin", "2026-03-29 03:00:00.000000")):
        changes = Changes((), "w", timedelta(minutes=30), zone)
        assert reach(changes, newest(TIME, "2026-03-29 09:00:00"), NOW, None) == Range(None, expected)
    zoned = reach(Changes((), "w", timedelta(minutes=30)), newest(ZONED, "2026-03-29 09:00:00+00"), NOW, None)
    assert zoned == Range(None, "2026-03-29 01:00:00.000000+00")


def test_a_day_that_goes_on_is_left() -> None:
    """A date is read when its day has ended: more rows of it may come."""
    changes = Changes((), "w", timedelta(hours=1), "UTC")
    assert reach(changes, newest(DATE, "2026-03-29"), NOW, "2026-03-20") == Range("2026-03-20", "2026-03-28")


def test_an_overlap_reads_again() -> None:
    """Durations of times, whole days of dates, numbers of numbers; not before the first year."""
    hour = Changes(("id",), "w", overlap=timedelta(hours=1))
    assert (
        reach(hour, newest(TIME, "2026-01-01 00:30:00"), NOW, "2026-01-01 00:30:00").after
        == "2025-12-31 23:30:00.000000"
    )
    assert reach(hour, newest(DATE, "2026-01-02"), NOW, "2026-01-02").after == "2026-01-01"
    tens = Changes(("id",), "w", overlap=Decimal(10))
    assert reach(tens, newest(NUMBER, "105"), NOW, "100") == Range("90", "105")
    assert reach(hour, newest(DATE, "0001-01-01"), NOW, "0001-01-01").after == "0001-01-01"


def test_a_source_that_is_empty_or_older_keeps_the_mark() -> None:
    """What was deleted at its end does not move it back; without one there is no range yet."""
    changes = Changes((), "w")
    assert reach(changes, newest(NUMBER, "5"), NOW, "7") == Range("7", "7")
    assert reach(changes, newest(NUMBER), NOW, "7") == Range("7", "7")
    assert reach(changes, newest(NUMBER), NOW, None) == Range(None, None)


@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        (Changes((), "w", timedelta(hours=1)), NUMBER, "it knows no time"),
        (Changes(("id",), "w", overlap=timedelta(hours=1)), NUMBER, "it knows no time"),
        (Changes(("id",), "w", overlap=Decimal(1)), TIME, "its overlap is a duration"),
        (Changes((), "w", timedelta(hours=1)), TIME, "which zone its clock shows"),
        (Changes((), "w", timedelta(hours=1)), DATE, "which zone its clock shows"),
        (Changes((), "w"), DATE, "rows of a day come as long as it lasts"),
        (Changes((), "w"), Type("text"), "no order that all agree on"),
        (Changes((), "w"), Type("float64"), "no order that all agree on"),
        (Changes((), "w"), Type("decimal"), "no order that all agree on"),
    ],
)
def test_what_cannot_be_ordered_is_refused(changes: Changes, kind: Type, told: str) -> None:
    """With the line to write instead."""
    with pytest.raises(SourceError, match=told) as caught:
        reach(changes, newest(kind, "1"), NOW, None)
    assert caught.value.hint


@pytest.mark.parametrize("value", ["infinity", "0044-03-15 00:00:00 BC", "294276-01-01 00:00:00"])
def test_times_beyond_the_calendar_are_refused(value: str) -> None:
    """They would stop the mark for ever."""
    with pytest.raises(SourceError, match="no date of the years 1 to 9999"):
        position(value, TIME)


def test_predicates() -> None:
    """Values are typed as the column is; NULL only where it is asked for; an empty source has nothing to give."""
    column = Column('w"x', Type("timestamp"), native="timestamp(3) without time zone")
    taken = Range("2026-01-01 00:00:00", "2026-01-02 00:00:00")
    cast = "CAST('2026-01-0{} 00:00:00' AS timestamp(3) without time zone)"
    assert condition(column, taken, "exclude") == f'("w""x" > {cast.format(1)} AND "w""x" <= {cast.format(2)})'
    assert condition(column, taken, "include").endswith(' OR "w""x" IS NULL)')
    assert condition(column, Range(None, None), "refuse") == '("w""x" IS NOT NULL)'
    assert beyond(column, taken) == f'"w""x" > {cast.format(2)}'
    assert beyond(column, Range(None, None)) is None
