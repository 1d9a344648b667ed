"""Windows: half-open UTC intervals `[start, end)` that runs are about."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

INSTANT = timedelta(microseconds=1)
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, order=True)
class Window:
    """Half-open interval `[start, end)`; both ends zone-aware, kept in UTC, `end > start`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            value = getattr(self, name)
            if value.tzinfo is None:
                raise ValueError(f"window {name} has no time zone: {value.isoformat()}")
            object.__setattr__(self, name, value.astimezone(UTC))
        if self.end <= self.start:
            raise ValueError(f"window ends at {self.end.isoformat()}, before it starts at {self.start.isoformat()}")

    @classmethod
    def at(cls, instant: datetime) -> "Window":
        """The smallest window that holds `instant`: what a full table sync is about, its as-of instant."""
        return cls(instant, instant + INSTANT)

    @property
    def duration(self) -> timedelta:
        return self.end - self.start

    @property
    def target_date(self) -> date:
        """UTC date of the window's start (seed 002, section 2.3)."""
        return self.start.date()

    def __str__(self) -> str:
        return f"[{self.start.isoformat()}, {self.end.isoformat()})"


def format_duration(duration: timedelta) -> str:
    """`1h 30m 45s`; zero parts are left out, less than a second reads `0s` (seed 002, section 2.7)."""
    seconds = int(duration.total_seconds())
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{n}{unit}" for n, unit in ((hours, "h"), (minutes, "m"), (seconds, "s")) if n]
    return " ".join(parts) or "0s"


def parse_duration(text: str) -> timedelta:
    """`90m`, `6h`, `1d`, `2w`. Raises ValueError for anything else, and for nothing at all."""
    found = re.fullmatch(r"0*([1-9][0-9]{0,4}) ?([mhdw])", text)
    if found is None:
        raise ValueError("must be like 90m, 6h, 1d, 2w")
    return timedelta(**{UNITS[found[2]]: int(found[1])})
