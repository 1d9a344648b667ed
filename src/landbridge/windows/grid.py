"""The grid that windows lie on: how long they are, and where they begin (docs/pipelines.md, "Windows")."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from landbridge.windows.clock import first_shown, in_utc, shown
from landbridge.windows.durations import FORM, parse_duration, read_amounts
from landbridge.windows.window import Window

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MONDAY = date(1970, 1, 5)
WEEK = 7
MOST_MONTHS = 1200


@dataclass(frozen=True)
class Step:
    """How long cells of a grid are: one of months, days of a calendar (a week is 7), and a `span` of time."""

    months: int = 0
    days: int = 0
    span: timedelta = timedelta()

    def __post_init__(self) -> None:
        if sum(map(bool, (self.months, self.days, self.span))) != 1:
            raise ValueError("a step is months, days or a span: one of the three")
        if self.months < 0 or self.days < 0 or self.span < timedelta():
            raise ValueError("a step goes forward")

    def __str__(self) -> str:
        """As `parse_step` reads it: `3mo`, `2w`, `10d`, `1h 30m`, `24h`, `0.25s`."""
        if self.months:
            return f"{self.months}mo"
        if self.days:
            return f"{self.days}d" if self.days % WEEK else f"{self.days // WEEK}w"
        hours, rest = divmod(self.span, timedelta(hours=1))
        minutes, rest = divmod(rest, timedelta(minutes=1))
        seconds = f"{rest.total_seconds():.6f}".rstrip("0").rstrip(".")
        parts = ((str(hours), "h"), (str(minutes), "m"), (seconds, "s"))
        return " ".join(number + unit for number, unit in parts if number != "0")


def parse_step(text: str) -> Step:
    """A duration, or whole months: `1mo`, `3 months`, `P1M`.

    Whole days and weeks are days of a calendar: `1d`, `2w`, `P1D`. All else is a span, `24h` and `1.5d` too. Raises
    ValueError as `parse_duration` does.
    """
    amounts = read_amounts(text)
    whole = all(number.denominator == 1 for number in amounts.values())
    if "mo" in amounts:
        if not whole or set(amounts) != {"mo"} or amounts["mo"] > MOST_MONTHS:
            raise ValueError(f"{FORM} or 1mo; months are whole ones, alone, at most {MOST_MONTHS}")
        return Step(months=int(amounts["mo"]))
    duration = parse_duration(text)
    return Step(days=duration.days) if whole and set(amounts) <= {"w", "d"} else Step(span=duration)


@dataclass(frozen=True)
class Grid:
    """Cells `[boundary, next boundary)` that part all time, boundaries in UTC.

    Spans are counted from 1970-01-01 00:00 UTC. Days begin where the clock of `zone` passes midnight: those of whole
    weeks are counted from Monday 1970-01-05, others from 1970-01-01, months from 1970-01. What methods are given has a
    zone, else they raise ValueError; KeyError for an unknown `zone`. Cells lie wholly in the years 2 to 9998.
    """

    step: Step
    zone: str = "UTC"

    def floor(self, instant: datetime) -> datetime:
        """The newest boundary that is not after `instant`."""
        return self._boundary(self._cell(instant))

    def ceil(self, instant: datetime) -> datetime:
        """The first boundary that is not before `instant`."""
        floor = self.floor(instant)
        return floor if floor == instant else self.after(instant)

    def after(self, boundary: datetime) -> datetime:
        """The first boundary after `boundary`, which may be any instant."""
        return self._boundary(self._cell(boundary) + 1)

    def cut(self, window: Window) -> Iterator[Window]:
        """`window` in pieces, in order, one as soon as it is asked for; the first and the last may be short."""
        start = window.start
        while start < window.end:
            end = min(self.after(start), window.end)
            yield Window(start, end)
            start = end

    def _cell(self, instant: datetime) -> int:
        """The number of the cell that holds `instant`; 0 begins where counting does."""
        if self.step.span:
            return (in_utc(instant) - EPOCH) // self.step.span
        day = shown(instant, self.zone).date()
        if self.step.months:
            return ((day.year - EPOCH.year) * 12 + day.month - 1) // self.step.months
        return (day - self._first_day).days // self.step.days

    def _boundary(self, cell: int) -> datetime:
        """Where the cell begins; none after that whose days clocks leave out (an island that changes its date)."""
        if self.step.span:
            return EPOCH + cell * self.step.span
        if self.step.months:
            years, month = divmod(cell * self.step.months, 12)
            midnight = datetime(EPOCH.year + years, month + 1, 1)  # noqa: DTZ001 - a clock's
        else:
            day = self._first_day + timedelta(days=cell * self.step.days)
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the same
        return first_shown(midnight, self.zone)

    @property
    def _first_day(self) -> date:
        return EPOCH.date() if self.step.days % WEEK else MONDAY
