"""Part (a): dies at a named point, then one rerun."""

import shutil
import signal
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from tests.faults.aftermath import misread, published_by, standing, still_old, wrongs
from tests.faults.points import POINTS
from tests.faults.rows import Reader
from tests.faults.running import Running
from tests.faults.scenes import SCENES, Scene, Trial
from tests.faults.workshop import Case, Workshop

WORKER_LOST = "a worker process ended without a word"
# the rerun dies as well, while it settles what the first death left
TWICE = (
    ("import, swap", "postgres: before the load is published", "beginning: after dead attempts are closed"),
    ("import, swap", "postgres: after the load is published", "loading: before the parcel is recorded as loaded"),
    ("run, swap", "sealing: after the index is stored", "phase: before stale_pipeline_handling is recorded as ended"),
    ("run, swap", "postgres: after the load is published", "phase: after audit is recorded as begun"),
    ("run, swap", "phase: after audit is recorded as ended", "cleaning: after the stage's index is deleted"),
    ("export", "sealing: before the index is stored", "beginning: after the run's row is made"),
)


def deaths(shop: Workshop) -> Iterator[Trial]:
    """Every scene with every point that lies on its way; some reruns die as well; and the keys."""
    for scene in SCENES.values():
        for name, point in POINTS.items():
            if scene.passes(point):
                yield Trial(scene.name, name, partial(die_and_rerun, shop, scene, name))
    for kind, first, second in TWICE:
        yield Trial(kind, f"{first}; again {second}", partial(die_and_rerun, shop, SCENES[kind], first, second))
    for name in POINTS:
        if name.startswith("keys: "):
            yield Trial("keys generate", name, partial(keys_die_and_rerun, shop, name))


def die_and_rerun(shop: Workshop, scene: Scene, *points: str) -> tuple[str, list[str]]:
    """Kill at each point in turn, rerun once, and return all that is wrong."""
    with shop.case(scene) as case:
        with Reader(case.target) if scene.watched else nullcontext() as reader:
            deaths = [_death(case, name) for name in points]
            found = [wrong for _, wrongs_then in deaths for wrong in wrongs_then]
            if scene.loads and not scene.watched:
                found += deaths[-1][0].outlived() + standing(case)
            code, said = case.again()  # at once: workers of the dead may be dying still
        found += [wrong for running, _ in deaths for wrong in running.outlived()]
        found += misread(case, reader) if reader else []
        return published_by(case), found + ([f"the rerun ended with {code}: {said}"] if code else wrongs(case))


def _death(case: Case, name: str) -> tuple[Running, list[str]]:
    running = case.start(LB_FAULT=name)
    code = running.wait()
    if POINTS[name].victim == "worker":
        return running, _bereaved(case, running, code)
    return running, [] if code == -signal.SIGKILL else [f"it ended with {code}, not at {name}: {running.said}"]


def _bereaved(case: Case, running: Running, code: int) -> list[str]:
    """A coordinator that lost a worker says so, fails, and publishes nothing."""
    found = [] if code == 1 else [f"it ended with {code} when a worker died"]
    found += [] if WORKER_LOST in running.said else [f"it did not say that a worker died: {running.said}"]
    found += [] if "FAILED" in running.said else ["the run was not recorded as failed"]
    return found + (still_old(case) if case.scene.loads else [])


def keys_die_and_rerun(shop: Workshop, point: str) -> tuple[str, list[str]]:
    """`keys generate` dies; the same command, once more, leaves a whole pair."""
    with shop.case(SCENES["import, first"]) as case:
        shutil.rmtree(case.folder / "keys")
        generate = replace(case, command=("keys", "generate"))
        code = generate.start(LB_FAULT=point).wait()
        found = [] if code == -signal.SIGKILL else [f"it ended with {code} and came not past {point}"]
        _, said = generate.again()
        shown, _ = replace(case, command=("keys", "show")).again()
        return "", found + ([f"after the rerun there are no keys: {said}"] if shown else [])
