"""Windows: half-open UTC intervals `[start, end)` that runs are about."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

INSTANT = timedelta(microseconds=1)


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
