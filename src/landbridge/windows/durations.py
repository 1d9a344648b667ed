"""Durations: one grammar for all of them (docs/pipelines.md, "Durations")."""

import re
from datetime import timedelta
from fractions import Fraction

FORM = "must be like 90m, 6h, 1d, 2w"
LONGEST = timedelta(weeks=99_999)  # so that any time of ours less a duration still is a time
MICROSECOND = timedelta(microseconds=1)
UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
UNMEASURED = {"y": "year", "mo": "month"}
ORDER = (*UNMEASURED, *UNITS)
WORDS = {
    **{unit: unit for unit in ORDER},
    **dict.fromkeys(("year", "years"), "y"),
    **dict.fromkeys(("month", "months"), "mo"),
    **dict.fromkeys(("week", "weeks"), "w"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("millisec", "millisecs", "millisecond", "milliseconds"), "ms"),
}
DATES = {"Y": "y", "M": "mo", "W": "w", "D": "d"}  # the designators of ISO 8601 before "T", and those after it
TIMES = {"H": "h", "M": "m", "S": "s"}
NUMBER = r"([0-9]{1,12}(?:[.][0-9]{1,12})?)"


def format_duration(duration: timedelta) -> str:
    """`1h 30m 45s`; zero parts are left out, less than a second reads `0s` (seed 002, section 2.7)."""
    seconds = int(duration.total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n]
    return " ".join(parts) or "0s"


def parse_duration(text: str) -> timedelta:
    """`1h 30m 45s`, `90m`, `1.5 hours`, `1d`, `2w`, `PT1H30M`; above zero, at most 99,999 weeks.

    Raises ValueError for anything else; its message begins with FORM.
    """
    amounts = read_amounts(text)
    for unit, word in UNMEASURED.items():
        if unit in amounts:
            raise ValueError(f"{FORM}; a {word} has no fixed length")
    total = sum((number * (UNITS[unit] // MICROSECOND) for unit, number in amounts.items()), Fraction())
    if total.denominator != 1:
        raise ValueError(f"{FORM}; nothing is finer than a microsecond")
    if total > LONGEST // MICROSECOND:
        raise ValueError(f"{FORM}; at most 99999w")
    return timedelta(microseconds=int(total))


def read_amounts(text: str) -> dict[str, Fraction]:
    """What is written, by units of ORDER: `1 hour 30m` is `{"h": 1, "m": 30}`, `P1M` is `{"mo": 1}`.

    Raises ValueError for nonsense, for zero, for units that repeat or do not descend, and for decimals before the end.
    """
    written = _iso(text) if text.startswith("P") else _plain(text)
    ranks = [ORDER.index(unit) for _, unit in written]
    if ranks != sorted(set(ranks)) or any("." in number for number, _ in written[:-1]):
        raise ValueError(FORM)
    amounts = {unit: Fraction(number) for number, unit in written}
    if not any(amounts.values()):
        raise ValueError(FORM)
    return amounts


def _plain(text: str) -> list[tuple[str, str]]:
    part = NUMBER + " ?([a-z]+)"
    found: list[tuple[str, str]] = re.findall(part, text) if re.fullmatch(f"{part}(?: ?{part})*", text) else []
    if any(word not in WORDS for _, word in found):
        raise ValueError(FORM)
    return [(number, WORDS[word]) for number, word in found]


def _iso(text: str) -> list[tuple[str, str]]:
    days, mark, times = text.removeprefix("P").replace(",", ".").partition("T")
    if mark and not times:
        raise ValueError(FORM)
    return _designated(days, DATES) + _designated(times, TIMES)


def _designated(text: str, units: dict[str, str]) -> list[tuple[str, str]]:
    part = f"{NUMBER}([{''.join(units)}])"
    if re.fullmatch(f"(?:{part})*", text) is None:
        raise ValueError(FORM)
    return [(number, units[letter]) for number, letter in re.findall(part, text)]
