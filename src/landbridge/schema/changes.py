"""Changes: which rows of a source a read brings that goes on where an earlier one stopped (docs/sync-modes.md)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

from landbridge.errors import SourceError
from landbridge.schema.ddl import literal
from landbridge.schema.model import Column, Kind, TableSchema, Type
from landbridge.schema.names import did_you_mean, quote

Mode = Literal["full", "incremental", "upsert", "scd2"]
Nulls = Literal["refuse", "exclude", "include"]
Deletes = Literal["by_keys", "by_column", "ignored"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 10**9  # nanoseconds
CLOCKS: tuple[Kind, ...] = ("timestamp", "timestamptz")
NUMBERS: tuple[Kind, ...] = ("int16", "int32", "int64", "decimal")


@dataclass(frozen=True)
class Changes:
    """How a table's changes are found; columns by their names at the source.

    `watermark_column` None: every read brings all rows. `overlap` is a duration for times and dates, else a number.
    `brings_keys`: all keys of the source come with the rows.
    """

    merge_keys: tuple[str, ...] = ()
    watermark_column: str | None = None
    settle_delay: timedelta = timedelta()
    watermark_timezone: str | None = None
    overlap: timedelta | Decimal | None = None
    null_watermark: Nulls = "refuse"
    brings_keys: bool = False


@dataclass(frozen=True)
class Newest:
    """What a source says of a watermark: its column, the highest value as text, and how many rows have none."""

    column: Column
    value: str | None
    nulls: int


@dataclass(frozen=True)
class Range:
    """What one read takes: `after < watermark <= until`, values as text; None has no bound."""

    after: str | None
    until: str | None


def reach(changes: Changes, newest: Newest, as_of: datetime, mark: str | None) -> Range:
    """The range of a read as of `as_of`, where the read before it went to `mark`.

    Raises SourceError for a column that cannot be a watermark, and a delay or an overlap that does not go with it.
    """
    kind = newest.column.type
    _refuse_unordered(changes, kind)
    until = _settled(changes, kind, as_of) if changes.settle_delay else _not_in_future(newest.value, kind, as_of)
    if mark is not None and (until is None or position(until, kind) < position(mark, kind)):
        until = mark  # it never goes back, whatever clocks and deletes do
    return Range(_less(mark, changes.overlap, kind) if mark is not None else None, until)


def condition(column: Column, taken: Range, nulls: Nulls, *, above: bool = False) -> str:
    """A predicate for the rows of a range, which can be joined to another with AND as it stands.

    `above`: also those above it, which come again the next time.
    """
    name = quote(column.name)
    bounds = [(">", taken.after), ("<=", None if above else taken.until)]
    terms = [f"{name} {sign} {typed(value, column)}" for sign, value in bounds if value is not None]
    terms = terms or [f"{name} IS NOT NULL"]
    within = " AND ".join(terms)
    return f"({within} OR {name} IS NULL)" if nulls == "include" else f"({within})"


def beyond(column: Column, taken: Range) -> str | None:
    """A predicate for the rows that are left for the next time; None where no row can be."""
    return None if taken.until is None else f"{quote(column.name)} > {typed(taken.until, column)}"


def asked(column: str) -> str:
    """What a source is asked about a watermark, as standard SQL has it: see Newest."""
    return f"CAST(max({quote(column)}) AS VARCHAR), count(*) - count({quote(column)})"


def watermark(schema: TableSchema, column: str) -> Column:
    """The column of that name. Raises SourceError where there is none."""
    found = schema.column(column)
    if found is None:
        raise SourceError(
            f"the source has no column {column!r}{did_you_mean(column, schema.names)}",
            hint="see watermark_column of the table in config/tables.yaml",
        )
    return found


def position(text: str, kind: Type) -> Decimal:
    """Where a value stands among those of its kind: numbers as they are, days, nanoseconds since 1970.

    Raises SourceError for what is beyond the years 1 to 9999.
    """
    if kind.kind in NUMBERS:
        return Decimal(text)
    try:
        if kind.kind == "date":
            return Decimal(date.fromisoformat(text).toordinal())
        seconds, _, digits = text.removesuffix("Z").partition("+")[0].partition(".")
        whole = datetime.fromisoformat(seconds).replace(tzinfo=UTC) - EPOCH
    except ValueError:
        raise SourceError(
            "the watermark's highest value is no date of the years 1 to 9999",
            hint="leave such rows out: filter of the table in config/tables.yaml",
        ) from None
    return Decimal((whole.days * 86_400 + whole.seconds) * SECOND + int(digits.ljust(9, "0") or 0))


def text_at(place: Decimal, kind: Type) -> str:
    """The value at a position, as a source takes it."""
    if kind.kind in NUMBERS:
        return format(place, "f")
    if kind.kind == "date":
        return date.fromordinal(int(place)).isoformat()
    seconds, nanoseconds = divmod(int(place), SECOND)
    digits = f"{nanoseconds:09d}".rstrip("0").ljust(6, "0")
    zone = "+00" if kind.kind == "timestamptz" else ""
    return f"{(EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(sep=' ')}.{digits}{zone}"


def _settled(changes: Changes, kind: Type, as_of: datetime) -> str:
    """What is as old as the delay, by the watermark's own clock; of dates the last that had ended by then."""
    zone = UTC if kind.kind == "timestamptz" else ZoneInfo(changes.watermark_timezone or "UTC")
    local = (as_of - changes.settle_delay).astimezone(zone)
    again = (local.utcoffset() or timedelta()) - (local.replace(fold=1).utcoffset() or timedelta())
    if local.fold == 0 and again:  # clocks will show this hour once more: nothing of it is settled
        local = (local.replace(tzinfo=None) - again).replace(tzinfo=zone)
    if kind.kind == "date":
        return (local.date() - timedelta(days=1)).isoformat()
    return local.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds") + (
        "+00" if kind.kind == "timestamptz" else ""
    )


def _not_in_future(newest: str | None, kind: Type, as_of: datetime) -> str | None:
    """The highest value, but not beyond now: a date that somebody mistyped must not take the mark with it.

    Which zone a clock without one shows is not known; none is more than a day ahead.
    """
    if newest is None or kind.kind in NUMBERS:
        return newest
    limit = as_of if kind.kind == "timestamptz" else as_of + timedelta(days=1)
    text = limit.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    latest = text[:10] if kind.kind == "date" else text + ("+00" if kind.kind == "timestamptz" else "")
    return min(newest, latest, key=lambda value: position(value, kind))


def _less(mark: str, overlap: timedelta | Decimal | None, kind: Type) -> str:
    if overlap is None:
        return mark
    step = STEPS[kind.kind](overlap) if isinstance(overlap, timedelta) else overlap
    least = (
        Decimal(1) if kind.kind == "date" else position("0001-01-01 00:00:00", kind) if kind.kind in CLOCKS else None
    )
    place = position(mark, kind) - step
    return text_at(place if least is None else max(place, least), kind)


def _nanoseconds(duration: timedelta) -> Decimal:
    return Decimal((duration.days * 86_400 + duration.seconds) * SECOND + duration.microseconds * 1000)


STEPS: dict[Kind, Callable[[timedelta], Decimal]] = {
    "date": lambda duration: Decimal(-(-duration // timedelta(days=1))),
    **dict.fromkeys(CLOCKS, _nanoseconds),
}


def _refuse_unordered(changes: Changes, kind: Type) -> None:
    if kind.kind in NUMBERS and (kind.kind != "decimal" or kind.precision is not None):
        if changes.settle_delay or isinstance(changes.overlap, timedelta):
            raise SourceError(
                f"watermark {changes.watermark_column} is {kind}: it knows no time",
                hint="settle_delay: 0m where values are committed in their order, or overlap: NUMBER with merge_keys",
            )
        return
    if kind.kind == "date" and not changes.settle_delay and changes.overlap is None:
        raise SourceError(
            f"watermark {changes.watermark_column} is a date: rows of a day come as long as it lasts",
            hint="settle_delay: 1h, with watermark_timezone, to wait for its end; or overlap: 1d with merge_keys",
        )
    if kind.kind != "date" and kind.kind not in CLOCKS:
        raise SourceError(
            f"watermark {changes.watermark_column} is {kind}: values of that type have no order that all agree on",
            hint="name an integer, a decimal with bounds, a date or a timestamp",
        )
    if isinstance(changes.overlap, Decimal):
        raise SourceError(
            f"watermark {changes.watermark_column} is {kind}: its overlap is a duration", hint="overlap: 2h, or 3d"
        )
    if changes.settle_delay and kind.kind != "timestamptz" and changes.watermark_timezone is None:
        raise SourceError(
            f"watermark {changes.watermark_column} is {kind}: which zone its clock shows cannot be seen",
            hint="watermark_timezone: UTC, or Europe/Berlin, in config/tables.yaml",
        )


def typed(value: str, column: Column) -> str:
    return f"CAST({literal(value)} AS {column.native or column.type})"
