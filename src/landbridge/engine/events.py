"""What the engine tells while it works; progress bars, logs and alerts are sinks that a door passes in."""

from collections.abc import Callable
from dataclasses import dataclass

from landbridge.ledger.runs import PhaseRecord, Run


@dataclass(frozen=True)
class RunBegan:
    run: Run


@dataclass(frozen=True)
class PhaseBegan:
    run: Run
    phase: str


@dataclass(frozen=True)
class RowsExpected:
    """A transfer knows how much there is to move."""

    rows: int


@dataclass(frozen=True)
class RowsMoved:
    """One more piece of a transfer is done; `size` in bytes as stored in the parcel."""

    rows: int
    size: int


@dataclass(frozen=True)
class PhaseEnded:
    run: Run
    record: PhaseRecord


@dataclass(frozen=True)
class RunEnded:
    run: Run


@dataclass(frozen=True)
class Notice:
    """Something that a person should read: what was resumed, recovered, swept."""

    text: str


Event = RunBegan | PhaseBegan | RowsExpected | RowsMoved | PhaseEnded | RunEnded | Notice
Sink = Callable[[Event], None]
