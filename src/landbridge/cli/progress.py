"""What a person sees of a run while it works: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import typer

from landbridge.cli.text import rows, size, span
from landbridge.engine.events import (
    Event,
    GapsFound,
    Notice,
    PhaseBegan,
    PhaseEnded,
    RowsExpected,
    RowsMoved,
    RunBegan,
    RunEnded,
    SchemaChanged,
)
from landbridge.ledger.runs import PhaseRecord
from landbridge.windows import Window

TRANSFERS = {"source_to_stage_transfer": "reading", "stage_to_target_transfer": "loading"}


@dataclass
class Progress:
    """A sink for the engine's events. All of it goes to stderr: stdout is for results."""

    several: bool = False  # windows at once: a line when one begins, no bars, no phases
    began: float = 0.0
    expected: int = 0
    moved: int = 0
    bytes_moved: int = 0
    bar: "Any | None" = field(default=None)

    def __call__(self, event: Event) -> None:
        """Failures that are given up are reported by the door."""
        if text := _told(event):
            _say(text)
        elif not self.several:
            self._follow(event)

    def _follow(self, event: Event) -> None:
        match event:
            case PhaseBegan():
                self.began, self.expected, self.moved, self.bytes_moved = time.monotonic(), 0, 0, 0
            case RowsExpected(count):
                self.expected = count
                self.bar = _open_bar(count) if sys.stderr.isatty() else None
            case RowsMoved(count, amount):
                self.moved += count
                self.bytes_moved += amount
                if self.bar:
                    self.bar.update(self.bar.task_ids[0], completed=self.moved, pace=self._pace())
            case PhaseEnded(_, record):
                self._close_bar()
                self._ended(record)
            case RunEnded(run):
                _say(f"  {run.pipeline_status} in {run.pipeline_run_duration}")

    def _ended(self, record: PhaseRecord) -> None:
        name = f"  {record.phase_name:<26}"
        if record.status == "SKIPPED":
            _say(f"{name}skipped: {record.skip_reason}")
        elif record.status == "FAILED":
            _say(f"{name}FAILED")
        elif record.phase_name in TRANSFERS and self.moved:
            _say(f"{name}{rows(self.moved)}, {self._pace()}")
        else:
            _say(f"{name}ok")

    def _pace(self) -> str:
        seconds = max(time.monotonic() - self.began, 1e-6)
        return f"{size(self.bytes_moved)} in {seconds:.1f} s, {self.moved / seconds:,.0f} rows/s"

    def _close_bar(self) -> None:
        if self.bar:
            self.bar.stop()
            self.bar = None


def _told(event: Event) -> str | None:
    """What stands by itself, whatever else is at work."""
    match event:
        case RunBegan(run):
            return f"{run.pipeline_name}: {run.pipeline_id}"
        case Notice(text):
            return text
        case GapsFound(name, windows):
            return f"{name}: {_gaps(windows)}"
        case SchemaChanged(name, changes):
            return f"{name}: the source has changed: {'; '.join(changes)}"
        case _:
            return None


def _gaps(windows: Sequence[Window]) -> str:
    spans = ", ".join(map(span, windows[:3])) + (", …" if len(windows) > 3 else "")
    count = f"{len(windows)} window{'' if len(windows) == 1 else 's'}"
    return f"gap: {count} that nobody will run by itself: {spans}; `landbridge gaps` lists them"


def _say(line: str) -> None:
    with suppress(OSError):  # nobody listens any more, and that must not stop a run
        typer.echo(line, err=True)


def _open_bar(expected: int) -> "Any":  # noqa: ANN401  rich is imported only where it draws
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("   "),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("rows  {task.fields[pace]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    bar.add_task("", total=expected, pace="")
    bar.start()
    return bar
