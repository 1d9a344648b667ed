"""What the engine tells while it works; progress bars, logs and alerts are sinks that a door passes in."""

from collections.abc import Callable
from dataclasses import dataclass

from landbridge.errors import LandbridgeError
from landbridge.ledger.runs import PhaseRecord, Run
from landbridge.windows import Window


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
class RunGivenUp:
    """A table or pipeline failed, and no retry follows; `run` is its last attempt, None where none is known."""

    pipeline_name: str
    run: Run | None
    error: LandbridgeError


@dataclass(frozen=True)
class GapsFound:
    """Windows that no run will fill by itself; each is told once."""

    pipeline_name: str
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class SchemaChanged:
    """The source's columns are not those of the run before; `changes` are lines for people."""

    pipeline_name: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Notice:
    """Something that a person should read: what was resumed, recovered, swept."""

    text: str


Event = (
    RunBegan
    | PhaseBegan
    | RowsExpected
    | RowsMoved
    | PhaseEnded
    | RunEnded
    | RunGivenUp
    | GapsFound
    | SchemaChanged
    | Notice
)
Sink = Callable[[Event], None]
