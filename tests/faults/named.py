"""Part (a): dies at a named point, then one rerun."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import nullcontext

from tests.faults.aftermath import misread, standing, still_old, wrongs
from tests.faults.points import POINTS, Point
from tests.faults.rows import Reader
from tests.faults.scenes import LAUNCHER, SCENES, Case, Running, Scene, Workshop

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


def pairs() -> Iterator[tuple[Scene, str]]:
    """Every scene with every point that lies on its way."""
    for scene in SCENES.values():
        for name, point in POINTS.items():
            if scene.passes(point):
                yield scene, name


def die_and_rerun(shop: Workshop, scene: Scene, *points: str) -> list[str]:
    """Kill at each point in turn, rerun once, and return all that is wrong."""
    with shop.case(scene) as case:
        with Reader(case.target) if scene.watched else nullcontext() as reader:
            found = [wrong for name in points for wrong in _death(case, POINTS[name], name)]
            if scene.loads and not scene.watched and not found:
                found += standing(case)
            code, said = case.again()
        found += misread(case, reader) if reader else []
        return found + ([f"the rerun ended with {code}: {said}"] if code else wrongs(case))


def _death(case: Case, point: Point, name: str) -> list[str]:
    running = case.start(LB_FAULT=name)
    code = running.wait()
    if point.victim == "coordinator":
        return [] if code == -signal.SIGKILL else [f"it ended with {code} and came not past {name}: {running.said}"]
    return _bereaved(case, running, code)


def _bereaved(case: Case, running: Running, code: int) -> list[str]:
    """A coordinator that lost a worker says so, fails, and publishes nothing."""
    found = [] if code == 1 else [f"it ended with {code} when a worker died"]
    found += [] if WORKER_LOST in running.said else [f"it did not say that a worker died: {running.said}"]
    found += [] if "FAILED" in running.said else ["the run was not recorded as failed"]
    return found + (still_old(case) if case.scene.loads else [])


def keys_die_and_rerun(shop: Workshop, point: str) -> list[str]:
    """`keys generate` dies; the same command, once more, leaves a whole pair."""
    folder = shop.folder / "keyless"
    shop.project_without_keys(folder)
    words = [sys.executable, str(LAUNCHER), "keys", "generate", "--project", str(folder)]
    environment = shop.environment(LB_FAULT=point)
    died = subprocess.run(words, env=environment, capture_output=True, check=False).returncode
    again = subprocess.run(words, env=shop.environment(), capture_output=True, text=True, check=False)
    shown = subprocess.run([*words[:3], "show", *words[4:]], env=shop.environment(), capture_output=True, check=False)
    found = [] if died == -signal.SIGKILL else [f"it ended with {died} and came not past {point}"]
    if shown.returncode:
        found.append(f"after the rerun the keys cannot be shown; the rerun said: {again.stderr.strip()}")
    return found
