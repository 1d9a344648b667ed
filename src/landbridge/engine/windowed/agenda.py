"""Which windows are due, and which holes nobody will fill (docs/pipelines.md, "Windows", "Gaps")."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from landbridge.config.pipelines import Pipeline
from landbridge.errors import UsageError
from landbridge.ledger import coverage, runs
from landbridge.ledger.database import Database
from landbridge.windows import INSTANT, Window
from landbridge.windows.cover import missing, pieces
from landbridge.windows.grid import Grid, parse_step


@dataclass(frozen=True)
class Agenda:
    """Spans that no successful run covers: `open` are run by themselves, `passed` by nobody; both ascending."""

    pipeline: Pipeline
    open: tuple[Window, ...]
    passed: tuple[Window, ...]
    ledger: Database

    def due(self) -> Iterator[Window]:
        """The windows of `open`, oldest first; cut as they are asked for."""
        return self._cut(self.open)

    def gaps(self) -> Iterator[Window]:
        """The windows of `passed`, oldest first."""
        return self._cut(self.passed)

    def _cut(self, spans: Iterable[Window]) -> Iterator[Window]:
        return chain.from_iterable(windows_of(self.pipeline, span, self.ledger) for span in spans)


def agenda(pipeline: Pipeline, ledger: Database, now: datetime) -> Agenda:
    """As of `now`; asks the drive database, and nothing else."""
    grid = grid_of(pipeline)
    end = _uncut(_last_end(pipeline, ledger, now), pipeline, ledger)
    start = _uncut(_origin(pipeline, ledger, grid, end, now), pipeline, ledger)
    if start >= end:
        return Agenda(pipeline, (), (), ledger)
    domain = Window(start, end)
    holes = missing(domain, coverage.covered(ledger, pipeline.name, domain))
    limit = _uncut(_limit(pipeline, ledger, grid, now) or start, pipeline, ledger)
    if not pipeline.catchup:
        *_, newest = windows_of(pipeline, _last_cell(domain, grid), ledger)
        limit = max(limit, newest.start)
    return Agenda(pipeline, tuple(_after(holes, limit)), tuple(_before(holes, limit)), ledger)


def grid_of(pipeline: Pipeline) -> Grid:
    return Grid(parse_step(pipeline.step), pipeline.zone)


def horizon(pipeline: Pipeline, now: datetime) -> datetime:
    """Until when windows have settled."""
    settled = grid_of(pipeline).floor(now - pipeline.settle_delay)
    return min(settled, pipeline.acceptable_end) if pipeline.acceptable_end else settled


def windows_of(pipeline: Pipeline, span: Window, ledger: Database) -> Iterator[Window]:
    """The span in windows: those that were begun as they are, what is left on the grid."""
    return pieces(span, runs.attempted(ledger, pipeline.name, span), grid_of(pipeline))


def asked_for(pipeline: Pipeline, span: Window, ledger: Database, now: datetime) -> list[Window]:
    """The windows of a span that somebody names. Raises UsageError for one that is not settled, or cuts a window."""
    end = horizon(pipeline, now)
    if span.end > end:
        raise UsageError(
            f"{pipeline.name}: {span.end.isoformat()} has not settled yet: windows are read up to {end.isoformat()}",
            hint=f"--to {end.isoformat()}",
        )
    if pipeline.acceptable_start and span.start < pipeline.acceptable_start:
        raise UsageError(
            f"{pipeline.name}: no window begins before {pipeline.acceptable_start.isoformat()}",
            hint="acceptable_data_fetch_start_time in query_window of its file",
        )
    for begun in runs.attempted(ledger, pipeline.name, span):
        if begun.start < span.start or begun.end > span.end:
            raise UsageError(
                f"{pipeline.name}: {span} cuts through window {begun}, which was run as one",
                hint=f"--from {min(begun.start, span.start).isoformat()} --to {max(begun.end, span.end).isoformat()}",
            )
    return list(windows_of(pipeline, span, ledger))


def _origin(pipeline: Pipeline, ledger: Database, grid: Grid, end: datetime, now: datetime) -> datetime:
    if pipeline.acceptable_start:
        return pipeline.acceptable_start
    first = runs.first_window(ledger, pipeline.name)
    back = grid.floor(now - pipeline.look_back) if pipeline.look_back else None
    return min(filter(None, (first, back)), default=grid.floor(end - INSTANT))


def _last_end(pipeline: Pipeline, ledger: Database, now: datetime) -> datetime:
    """The horizon, or the end of a window beyond it that was begun on another grid, and has settled."""
    end, settled = horizon(pipeline, now), now - pipeline.settle_delay
    if settled <= end or pipeline.acceptable_end:
        return end
    return max([end, *(w.end for w in runs.attempted(ledger, pipeline.name, Window(end, settled)) if w.end <= settled)])


def _uncut(instant: datetime, pipeline: Pipeline, ledger: Database) -> datetime:
    """The beginning of a window that was begun and that the instant would cut: its rows may be at the target."""
    around = Window(instant - INSTANT, instant + INSTANT)
    cut = [w.start for w in runs.attempted(ledger, pipeline.name, around) if w.start < instant < w.end]
    return min(cut, default=instant)


def _limit(pipeline: Pipeline, ledger: Database, grid: Grid, now: datetime) -> datetime | None:
    """What lies before it is run by nobody; None for no limit.

    A pipeline that nothing tells where to begin began with its first run: an older day that somebody loads is that day.
    """
    if pipeline.look_back:
        return grid.floor(now - pipeline.look_back)
    return None if pipeline.acceptable_start else runs.first_begun(ledger, pipeline.name)


def _last_cell(span: Window, grid: Grid) -> Window:
    return Window(max(span.start, grid.floor(span.end - INSTANT)), span.end)


def _after(holes: Iterable[Window], limit: datetime) -> Iterator[Window]:
    for hole in holes:
        if hole.end > limit:
            yield Window(max(hole.start, limit), hole.end)


def _before(holes: Iterable[Window], limit: datetime) -> Iterator[Window]:
    for hole in holes:
        if hole.start < limit:
            yield Window(hole.start, min(hole.end, limit))
