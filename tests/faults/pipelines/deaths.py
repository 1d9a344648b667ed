"""Parts (p) and (q): a pipeline's command dies at each point, and at random instants of each phase; then one rerun."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from landbridge.ledger.phases import PHASES
from landbridge.ledger.runs import Run
from tests.faults.pipelines.aftermath import newest_runs, whole_states, wrongs
from tests.faults.pipelines.points import POINTS_OF_PIPELINES, WINDOW
from tests.faults.pipelines.reader import WindowReader
from tests.faults.pipelines.scenes import SCENES_OF_PIPELINES, PipelineScene
from tests.faults.pipelines.workshop import PipelineCase, PipelineWorkshop
from tests.faults.running import Running
from tests.faults.scenes import Trial

WORKER_LOST = "a worker process ended without a word"
# the rerun dies as well, while it settles what the first death left
TWICE = (
    (
        "parcel, backfill",
        "pipelines, parcel: after the parcel is sealed in the ledger",
        "pipelines, window: before stale_pipeline_handling is recorded as ended",
    ),
    (
        "parcel, backfill",
        "pipelines, parcel: after the stage is noted",
        "pipelines, window: before stale_pipeline_handling is recorded as ended",
    ),
    (
        "landing table, backfill",
        "pipelines, table: before the target is published",
        "pipelines, postgres: before the load is published",
    ),
    (
        "archived table, backfill",
        "pipelines, cleaning: after the stage's rows are deleted",
        "pipelines, cleaning: before the stage is noted as deleted",
    ),
    (
        "archived parcel, backfill",
        "pipelines, cleaning: before the archive is noted",
        "pipelines, cleaning: after the index of the stage's parcel is deleted",
    ),
)
AT_RANDOM = ("archived parcel, backfill", "archived table, backfill")  # all seven phases have something to do
PER_PHASE = 4
MOST_TRIES = 12  # for one phase: short ones are missed sometimes
ANYWHERE = ("parcel, in parallel", "pushed down, backfill", "DuckDB, backfill", "drive table in PostgreSQL")
KILLS_ANYWHERE = 2
BETWEEN, NOT_BEGUN, ENDED = "between windows", "before the first window", "after the end"


@dataclass
class Falls:
    """Where the random kills fell, by scene and phase, and how often a reader looked."""

    fell: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    longest: float = 0.0  # seconds that one look waited


def named_deaths(shop: PipelineWorkshop, falls: Falls) -> Iterator[Trial]:
    """Every scene with every point that lies on its way; some reruns die as well."""
    for scene in SCENES_OF_PIPELINES.values():
        for name, point in POINTS_OF_PIPELINES.items():
            if scene.passes(point):
                yield Trial(scene.name, name, partial(die_and_rerun, shop, scene, name, falls=falls))
    for scene_name, first, second in TWICE:
        scene = SCENES_OF_PIPELINES[scene_name]
        act = partial(die_and_rerun, shop, scene, first, second, falls=falls)
        yield Trial(scene_name, f"{first}; again {second}", act)


def die_and_rerun(
    shop: PipelineWorkshop, scene: PipelineScene, *points: str, falls: Falls | None = None
) -> tuple[str, list[str]]:
    """Kill at each point in turn, rerun once, and return all that is wrong."""
    with shop.case(scene) as case, ExitStack() as looking:
        reader = looking.enter_context(WindowReader(case.place("mart"))) if scene.watched else None
        found: list[str] = []
        dead: list[Running] = []
        for number, name in enumerate(points):
            late = scene.late if number == 0 else 0
            running, wrong = _death(case, name, late)
            dead.append(running)
            found += wrong
        return "", found + _rerun(case, dead, reader, looking, falls)


def _rerun(
    case: PipelineCase, dead: list[Running], reader: WindowReader | None, looking: ExitStack, falls: Falls | None
) -> list[str]:
    """The same command once more, at once: workers and sessions of the dead may be dying still."""
    code, said = case.again()
    looking.close()
    found = [wrong for running in dead for wrong in running.outlived()]
    if reader:
        found += reader.misread(whole_states(case))
        if falls:
            falls.looks, falls.longest = falls.looks + reader.looks, max(falls.longest, reader.longest)
    return found + ([f"the rerun ended with {code}: {said}"] if code else wrongs(case))


def _death(case: PipelineCase, name: str, late: int) -> tuple[Running, list[str]]:
    point = POINTS_OF_PIPELINES[name]
    running = case.start(LB_FAULT=name, LB_FAULT_CALL=str(point.call + (late if point in WINDOW else 0)))
    code = running.wait()
    if point.victim == "worker":
        return running, _bereaved(case, running, code)
    return running, [] if code == -signal.SIGKILL else [f"it ended with {code}, not at {name}: {running.said}"]


def _bereaved(case: PipelineCase, running: Running, code: int) -> list[str]:
    """A coordinator that lost a worker says so, and fails."""
    found = [] if code == 1 else [f"it ended with {code} when a worker died"]
    found += [] if WORKER_LOST in running.said else [f"it did not say that a worker died: {running.said}"]
    failed = [run for run in newest_runs(case) if run.pipeline_status == "FAILED"]
    return found + ([] if failed else ["the run was not recorded as failed"])


def random_kills(shop: PipelineWorkshop, seed: int, falls: Falls) -> Iterator[Trial]:
    """From outside: in each phase of a window, of parcels and of landing tables; then anywhere in a command's life."""
    chance = random.Random(seed)  # noqa: S311  instants, not secrets
    for name in AT_RANDOM:
        course = _course(shop, name)
        for phase in PHASES:
            for _ in range(MOST_TRIES):
                if falls.fell[f"{phase} ({name})"] >= PER_PHASE:
                    break
                window = chance.randrange(len(course.windows))
                delay = chance.random() * course.windows[window][phase]
                act = partial(_kill_within, shop, name, phase, delay, window + 1, falls)
                yield Trial(name, f"kill -9, {delay:.3f} s into {phase} of window {window}", act)
    for name in ANYWHERE:
        whole = _course(shop, name).whole
        for _ in range(KILLS_ANYWHERE):
            delay = chance.random() * whole
            yield Trial(name, f"kill -9 after {delay:.3f} s", partial(_kill_after, shop, name, delay, falls))


@dataclass(frozen=True)
class Course:
    """How long an undisturbed command takes, in seconds: the phases of each window in turn, and the whole."""

    windows: list[dict[str, float]]
    whole: float


def _course(shop: PipelineWorkshop, name: str) -> Course:
    with shop.case(SCENES_OF_PIPELINES[name]) as case:
        began = time.monotonic()
        code, said = case.again()
        whole = time.monotonic() - began
        assert code == 0, said
        runs = newest_runs(case)[: len(case.scene.moves)]
    return Course([_lasting(run) for run in sorted(runs, key=lambda run: run.window)], whole)


def _lasting(run: Run) -> dict[str, float]:
    return {
        name: (one.end_timestamp - one.start_timestamp).total_seconds()
        for name, one in run.phases.items()
        if one.start_timestamp and one.end_timestamp
    }


def _kill_within(
    shop: PipelineWorkshop, name: str, phase: str, delay: float, window: int, falls: Falls
) -> tuple[str, list[str]]:
    """Stopped as the phase of that window begins, let go, and killed `delay` seconds later."""
    with shop.case(SCENES_OF_PIPELINES[name]) as case, ExitStack() as looking:
        reader = looking.enter_context(WindowReader(case.place("mart"))) if case.scene.watched else None
        running = case.start(
            LB_FAULT=f"pipelines, window: after {phase} is recorded as begun",
            LB_FAULT_CALL=str(window),
            LB_FAULT_SIGNAL=str(int(signal.SIGSTOP)),
        )
        found = [] if running.wait_stopped() else [f"it came not so far: {running.said}"]
        running.signal(signal.SIGCONT)
        time.sleep(delay)
        where = _strike(case, running)
        falls.fell[f"{where} ({name})"] += 1
        return f"fell {where}", found + _rerun(case, [running], reader, looking, falls)


def _kill_after(shop: PipelineWorkshop, name: str, delay: float, falls: Falls) -> tuple[str, list[str]]:
    with shop.case(SCENES_OF_PIPELINES[name]) as case, ExitStack() as looking:
        reader = looking.enter_context(WindowReader(case.place("mart"))) if case.scene.watched else None
        running = case.start()
        time.sleep(delay)
        where = _strike(case, running)
        falls.fell[f"{where} ({name})"] += 1
        return f"fell {where}", _rerun(case, [running], reader, looking, falls)


def _strike(case: PipelineCase, running: Running) -> str:
    """Kill, and say in which phase it fell, as the drive table has it."""
    if running.process.poll() is None:
        running.signal(signal.SIGKILL)
    if running.wait() >= 0:
        return ENDED
    runs = newest_runs(case)
    for run in (run for run in runs if run.pipeline_status == "RUNNING"):
        begun = [phase for phase in run.phases_pending if run.phases[phase].start_timestamp]
        return begun[0] if begun else "between phases"
    return BETWEEN if len(runs) > len(case.scene.loaded) else NOT_BEGUN
