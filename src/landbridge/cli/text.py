"""Numbers and tables as people read them."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import typer

from landbridge.windows import Window


def rows(count: int) -> str:
    """`2,000,000 rows`."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def files(count: int) -> str:
    """`12 files`."""
    return f"{count:,} file{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Bytes in decimal units, three digits: `94.1 MB`."""
    amount = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 1000 or unit == "TB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.3g} {unit}"
        amount /= 1000
    raise AssertionError("TB ends the loop")


def never_seen(ranges: Sequence[tuple[int, int]]) -> str:
    """`parcels never seen here: 2 to 3, 5`; empty for none."""
    spans = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in ranges)
    return spans and f"parcels never seen here: {spans}"


def changed(counts: Mapping[str, int]) -> str:
    """`2 inserted, 1 deleted`; empty for none."""
    return ", ".join(f"{count:,} {what}" for what, count in counts.items())


def unsettled(count: int) -> str:
    """What is younger than `settle_delay`, or lies in the future; empty for none."""
    return f"{rows(count)} not settled yet: left for the next time" if count else ""


def lost(accepted: Mapping[str, Sequence[str]]) -> str:
    """`accepted losses: MEMO (nul_bytes), TRADED_AT (nanoseconds)`; empty for none."""
    told = ", ".join(f"{column} ({', '.join(losses)})" for column, losses in accepted.items())
    return told and f"accepted losses: {told}"


def age(span: timedelta) -> str:
    """The largest unit that fits: `3 h`, `2 d`."""
    seconds = int(span.total_seconds())
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def span(window: Window) -> str:
    """`2026-01-31 05:00 to 06:00`, UTC; the end has its date where that is another, seconds where there are any."""
    seconds = any(end.second or end.microsecond for end in (window.start, window.end))
    clock = "%H:%M:%S" if seconds else "%H:%M"
    end = clock if window.end.date() == window.start.date() else f"%Y-%m-%d {clock}"
    return f"{window.start:%Y-%m-%d} {window.start:{clock}} to {window.end:{end}}"


def print_table(headings: Sequence[str], lines: Sequence[Sequence[object]], *, err: bool = False) -> None:
    """Left-aligned columns two spaces apart; None is shown as a dash, numbers are right-aligned."""
    cells = [
        ["-" if cell is None else f"{cell:,}" if type(cell) is int else str(cell) for cell in line] for line in lines
    ]
    widths = [max(len(row[i]) for row in [list(headings), *cells]) for i in range(len(headings))]
    right = [
        bool(lines) and all(cell is None or type(cell) is int for cell in column) for column in zip(*lines, strict=True)
    ]
    right = right or [False] * len(headings)
    for row in [list(headings), *cells]:
        line = "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        typer.echo(line.rstrip(), err=err)


def print_json(data: Any) -> None:  # noqa: ANN401  anything that JSON can say
    """Indented JSON; times as ISO 8601 text."""
    typer.echo(json.dumps(data, indent=2, default=str))
