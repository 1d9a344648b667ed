"""The windows of a pipeline, one after the other or several at once, all under one lease of the pipeline."""

import socket
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from queue import SimpleQueue
from threading import Event, Lock

from landbridge import __version__
from landbridge.config.pipelines import Pipeline
from landbridge.engine import events
from landbridge.engine.events import GapsFound, Notice, Sink
from landbridge.engine.giving_up import give_up
from landbridge.engine.plan import plan_window
from landbridge.engine.walk import attempt, close_dead
from landbridge.engine.windowed.agenda import agenda, windows_of
from landbridge.engine.windowed.retrying import attempts
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, LeaseHeld, RunError, UsageError
from landbridge.ledger import gaps, runs
from landbridge.ledger.runs import Run
from landbridge.windows import Window
from landbridge.windows.cover import missing

MOST_GAPS = 1_000  # rows of one hole; a longer one is one row


@dataclass(frozen=True)
class WindowResult:
    """How one window fared: a run that succeeded, or the error of the last attempt at it; neither: nothing was due."""

    pipeline: str
    window: Window | None = None
    run: Run | None = None
    error: LandbridgeError | None = None


def run_pipelines(
    world: World, pipelines: Iterable[Pipeline], *, limit: int | None = None, parallel: int = 1, fresh: bool = False
) -> Iterator[WindowResult]:
    """All that is due of each; one that fails is reported, and the next one still gets its turn."""
    for pipeline in pipelines:
        count = 0
        try:
            width = at_once(world, pipeline, parallel)
            for result in run_due(world, pipeline, limit=limit, parallel=width, fresh=fresh):
                count += 1
                yield result
        except LandbridgeError as error:
            yield WindowResult(pipeline.name, error=error)
        else:
            if not count:
                yield WindowResult(pipeline.name)


def run_due(
    world: World, pipeline: Pipeline, *, limit: int | None = None, parallel: int = 1, fresh: bool = False
) -> Iterator[WindowResult]:
    """All windows that are due, at most `limit`. Where none is, nothing is opened but the drive database."""
    found = agenda(pipeline, world.ledger, datetime.now(UTC))
    if not found.open and not _new_gaps(found.passed, pipeline, world):
        _close_idle(world, pipeline)
        return
    with world.alone_with(pipeline.name):
        close_dead(pipeline.name, "run", world)
        found = agenda(pipeline, world.ledger, datetime.now(UTC))  # another may have been at work until now
        _record_gaps(_new_gaps(found.passed, pipeline, world), pipeline, world)
        yield from _each(world, pipeline, islice(found.due(), limit), parallel=parallel, fresh=fresh)


def _close_idle(world: World, pipeline: Pipeline) -> None:
    """A window that died in a backfill is covered all the same, and nothing would come to close its row."""
    if runs.list_runs(world.ledger, pipeline_name=pipeline.name, status="RUNNING", limit=1):
        with suppress(LeaseHeld), world.alone_with(pipeline.name):  # held: its process lives
            close_dead(pipeline.name, "run", world)


def run_windows(
    world: World, pipeline: Pipeline, windows: Iterable[Window], *, parallel: int = 1, fresh: bool = False
) -> Iterator[WindowResult]:
    """These windows, whether they were run before or not. Raises UsageError for one that is cut otherwise by now."""
    with world.alone_with(pipeline.name):
        close_dead(pipeline.name, "run", world)
        whole = _still_whole(world, pipeline, windows)
        yield from _each(world, pipeline, whole, parallel=parallel, fresh=fresh)


def _still_whole(world: World, pipeline: Pipeline, windows: Iterable[Window]) -> Iterator[Window]:
    """They were cut before we had the lease: whoever had it may have begun others."""
    for window in windows:
        if list(windows_of(pipeline, window, world.ledger)) != [window]:
            raise UsageError(
                f"{pipeline.name}: window {window} was cut in another way meanwhile",
                hint=f"landbridge gaps {pipeline.name}",
            )
        yield window


def at_once(world: World, pipeline: Pipeline, wanted: int) -> int:
    """How many windows may run beside each other: one, where a file takes part that one process writes,
    and where windows have keys: between publish and audit of one, another would take over its rows.
    """
    if wanted == 1:
        return 1
    plan = plan_window(world.project, pipeline, Window.at(datetime.now(UTC)))
    files = [name for name in sorted(plan.connections) if world.project.connections[name].type == "duckdb"]
    if files:
        world.emit(Notice(f"{pipeline.name}: one window at a time: one process writes the DuckDB file of {files[0]}"))
        return 1
    if plan.keyed:
        world.emit(Notice(f"{pipeline.name}: one window at a time: with merge_keys one takes over rows of another"))
        return 1
    return wanted


def _each(
    world: World, pipeline: Pipeline, windows: Iterable[Window], *, parallel: int, fresh: bool
) -> Iterator[WindowResult]:
    if parallel > 1:
        yield from _beside_each_other(world, pipeline, windows, parallel=parallel, fresh=fresh)
        return
    for window in windows:
        result = _tried(world, pipeline, window, fresh=fresh)
        yield result
        if result.error:
            return  # later windows may build on this one


def _beside_each_other(
    world: World, pipeline: Pipeline, windows: Iterable[Window], *, parallel: int, fresh: bool
) -> Iterator[WindowResult]:
    """Each thread has a world of its own; one that fails stops no other. Submission is bounded."""
    world.warm_up(plan_window(world.project, pipeline, Window.at(datetime.now(UTC))).connections)
    free: SimpleQueue[World] = SimpleQueue()
    stopped = Event()
    emit = _one_by_one(world.emit, stopped)
    for _ in range(parallel):
        free.put(world.beside(emit))

    def run(window: Window) -> WindowResult:
        one = free.get()
        try:
            return _tried(one, pipeline, window, fresh=fresh)
        finally:
            free.put(one)

    waiting = iter(windows)
    with ThreadPoolExecutor(parallel) as threads, _stopping(stopped):
        running: set[Future[WindowResult]] = {threads.submit(run, window) for window in islice(waiting, parallel)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
            running |= {threads.submit(run, window) for window in islice(waiting, len(done))}


def _one_by_one(sink: Sink, stopped: Event) -> Sink:
    """For many threads; once it is `stopped`, the next word that a thread has to say ends its run."""
    lock = Lock()

    def emit(event: events.Event) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        with lock:
            sink(event)

    return emit


@contextmanager
def _stopping(stopped: Event) -> Iterator[None]:
    """Who is interrupted does not wait for whole windows."""
    try:
        yield
    except BaseException:
        stopped.set()
        raise


def _tried(world: World, pipeline: Pipeline, window: Window, *, fresh: bool) -> WindowResult:
    """Attempts until one succeeds, or its failure would not pass; each is a row of its own."""
    assert world.lease is not None, "the caller is alone with the pipeline"  # noqa: S101
    fence = world.lease.fence
    try:
        plan = plan_window(world.project, pipeline, window)
        run = attempts(pipeline.retry, lambda again: attempt(plan, world, fence, fresh=fresh and not again), world.emit)
    except LandbridgeError as error:
        give_up(world, pipeline.name, error)
        return WindowResult(pipeline.name, window, error=error)
    except Exception as error:  # noqa: BLE001  a fault of ours is this window's failure, not the others'
        told = RunError(f"{type(error).__name__}: a fault of landbridge", hint="the run's row has the traceback")
        give_up(world, pipeline.name, told)
        return WindowResult(pipeline.name, window, error=told)
    return WindowResult(pipeline.name, window, run=run)


def _new_gaps(passed: Sequence[Window], pipeline: Pipeline, world: World) -> list[Window]:
    """Windows that nobody will run by itself, and that no row tells yet, however it was cut; a long hole is one."""
    if not passed:
        return []
    domain = Window(passed[0].start, passed[-1].end)
    known = [*gaps.told(world.ledger, pipeline.name), *missing(domain, passed)]
    found: list[Window] = []
    for hole in missing(domain, known):
        steps = list(islice(windows_of(pipeline, hole, world.ledger), MOST_GAPS + 1))
        found += steps if len(steps) <= MOST_GAPS else [hole]
    return found


def _record_gaps(found: Iterable[Window], pipeline: Pipeline, world: World) -> None:
    """A row for each, and one word for all of them."""
    told = [
        window
        for window in found
        if gaps.record_gap(world.ledger, pipeline.name, window, host=socket.gethostname(), version=__version__)
    ]
    if told:
        world.emit(GapsFound(pipeline.name, tuple(told)))
