"""Part (b): SIGKILL at random instants, at least so many in each phase, while a reader looks on."""

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial

from landbridge.ledger.phases import PHASES
from landbridge.ledger.runs import Run
from tests.faults.aftermath import misread, newest_run, published_by, wrongs
from tests.faults.rows import Reader
from tests.faults.running import Running
from tests.faults.scenes import SCENES, Trial
from tests.faults.workshop import Case, Workshop

PER_PHASE = 5
MOST_TRIES = 25  # for one phase: short ones are missed sometimes
EVERY_PHASE = "run, swap"
ANYWHERE = ("run, rewrite", "import, swap", "import, rewrite", "export", "run, PostgreSQL to DuckDB")
KILLS_ANYWHERE = 6
NOT_BEGUN, BETWEEN, ENDED = "before the run", "between phases", "after the end"


@dataclass
class Tally:
    """Where the kills fell, and how often a reader looked."""

    fell: Counter[str] = field(default_factory=Counter)
    looks: int = 0
    longest: float = 0.0  # seconds that one look waited


@dataclass(frozen=True)
class Course:
    """How long an undisturbed command takes: each phase, and the whole, in seconds."""

    phases: dict[str, float]
    whole: float


def random_kills(shop: Workshop, seed: int, tally: Tally) -> Iterator[Trial]:
    """First phase by phase until each has its share, then anywhere in a command's life."""
    chance = random.Random(seed)  # noqa: S311  instants, not secrets
    course = _course(shop, EVERY_PHASE)
    for number, name in enumerate(PHASES):
        tries = 0
        while tally.fell[name] < PER_PHASE and tries < MOST_TRIES:
            tries += 1
            delay = chance.random() * course.phases[name]
            act = partial(_kill, shop, EVERY_PHASE, delay, PHASES[number - 1 : number], tally)
            yield Trial(EVERY_PHASE, f"kill -9, {delay:.3f} s into {name}", act)
    for scene in ANYWHERE:
        whole = _course(shop, scene).whole
        for _ in range(KILLS_ANYWHERE):
            delay = chance.random() * whole
            yield Trial(scene, f"kill -9 after {delay:.3f} s", partial(_kill, shop, scene, delay, None, tally))


def _course(shop: Workshop, scene: str) -> Course:
    with shop.case(SCENES[scene]) as case:
        began = time.monotonic()
        code, said = case.again()
        assert code == 0, said
        whole = time.monotonic() - began
        ends = newest_run(case).phases
    return Course(
        {name: (one.end_timestamp - one.start_timestamp).total_seconds() for name, one in ends.items()}, whole
    )


def _kill(
    shop: Workshop, scene: str, delay: float, after: "tuple[str, ...] | None", tally: Tally
) -> tuple[str, list[str]]:
    """Kill `delay` seconds after the phase `after` ended; after the run began if it is (), after the start if None."""
    with shop.case(SCENES[scene]) as case:
        with Reader(case.target) if case.scene.watched else nullcontext() as reader:
            before = newest_run(case)
            running = case.start()
            if after is not None:
                running.wait_for(f"  {after[0]} " if after else "_run")
            time.sleep(delay)
            where = _strike(case, running, before)
            code, said = case.again()  # at once: workers of the dead may be dying still
        found = running.outlived()
        tally.fell[where] += 1
        if reader:
            found += misread(case, reader)
            tally.looks, tally.longest = tally.looks + reader.looks, max(tally.longest, reader.longest)
        found += [f"the rerun ended with {code}: {said}"] if code else wrongs(case)
        how = published_by(case)
    return f"fell {where}  {how}".rstrip(), found


def _strike(case: Case, running: Running, before: Run | None) -> str:
    """Kill, and say in which phase it fell, as the drive table has it."""
    if running.process.poll() is None:
        running.signal(signal.SIGKILL)
    running.wait()
    run = newest_run(case)
    if run is None or (before is not None and run.pipeline_id == before.pipeline_id):
        return NOT_BEGUN
    if run.pipeline_status != "RUNNING":
        return ENDED
    begun = [name for name in run.phases_pending if run.phases[name].start_timestamp]
    return begun[0] if begun else BETWEEN
