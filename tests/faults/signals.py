"""Parts (c) and (d): a run that is asked to stop, and a coordinator that sleeps through its lease."""

import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from tests.faults.aftermath import LANDING_LEFT, ask, fingerprint, misread, newest_run, rerun, wrongs
from tests.faults.rows import Reader
from tests.faults.running import Running
from tests.faults.scenes import SCENES, Trial
from tests.faults.workshop import Case, Workshop

TTL = 3  # seconds that the lease of a sleeping coordinator lives
EXITS = {signal.SIGTERM: 143, signal.SIGINT: 130}
ASKED_TO_STOP = (
    ("export", "sealing: before parts are counted by the coordinator"),
    ("import, swap", "loading: before parts are counted as loaded"),
    ("import, rewrite", "postgres: after the old rows are deleted"),
    ("import, DuckDB", "duckdb: before the load is published"),
    ("run, swap", "postgres: after the old table is dropped"),
    ("run, swap", "cleaning: after the stage's index is deleted"),
)
ASLEEP = (
    ("import, swap", "loading: before parts are counted as loaded"),
    ("import, swap", "loading: after the lease is asked before publishing"),
    ("export", "sealing: after the parcel is reserved"),
    ("export", "sealing: before the index is stored"),
    ("run, swap", "sealing: before the manifest is stored"),
    ("run, swap", "loading: before parts are counted as loaded"),
    ("run, swap", "postgres: before the load is published"),
    ("run, rewrite", "postgres: before the load is published"),
    ("run, PostgreSQL to DuckDB", "duckdb: before the load is published"),
)


def asked(shop: Workshop) -> Iterator[Trial]:
    """Part (c): a run that is asked to stop is recorded as failed, and its exit code says by which signal."""
    for which, code in EXITS.items():
        for scene, point in ASKED_TO_STOP:
            yield Trial(scene, f"{which.name} {point}", partial(asked_to_stop, shop, scene, point, which, code))
    for moment in ("_run", "stale_pipeline_handling", "pre_validation"):
        act = partial(_interrupted_all, shop, moment)
        yield Trial("run, swap", f"SIGINT to coordinator and workers alike, just after {moment}", act)


def asked_to_stop(shop: Workshop, scene: str, point: str, which: int, code: int) -> tuple[str, list[str]]:
    with shop.case(SCENES[scene]) as case:
        ended = case.start(LB_FAULT=point, LB_FAULT_SIGNAL=str(int(which)))
        found = _recorded_as_failed(case, ended, code)
        return "", found + rerun(case)


def _interrupted_all(shop: Workshop, moment: str) -> tuple[str, list[str]]:
    with shop.case(SCENES["run, swap"]) as case:
        running = case.start()
        running.wait_for(moment)
        running.signal_all(signal.SIGINT)
        return "", _recorded_as_failed(case, running, EXITS[signal.SIGINT]) + rerun(case)


def _recorded_as_failed(case: Case, running: Running, code: int) -> list[str]:
    ended, run = running.wait(), newest_run(case)
    found = [] if ended == code else [f"it ended with {ended}, not {code}: {running.said}"]
    found += [] if run and run.pipeline_status == "FAILED" else ["the run is not recorded as failed"]
    return found + (["it printed a traceback"] if "Traceback" in running.said else [])


def asleep(shop: Workshop) -> Iterator[Trial]:
    """Part (d): a coordinator stopped beyond its lease; another publishes; the first wakes up and changes nothing."""
    for scene, point in ASLEEP:
        yield Trial(scene, f"SIGSTOP {point}", partial(overslept, shop, scene, point))


def overslept(shop: Workshop, scene: str, point: str) -> tuple[str, list[str]]:
    with shop.case(SCENES[scene]) as case:
        with ExitStack() as stack:
            reader = stack.enter_context(Reader(case.target)) if case.scene.watched else None
            first = case.start(LB_FAULT=point, LB_FAULT_SIGNAL=str(int(signal.SIGSTOP)), LB_FAULT_TTL=str(TTL))
            found = [] if first.wait_stopped() else [f"it came not past {point}: {first.said}"]
            time.sleep(TTL + 0.5)
            second, said = case.again()
            found += [f"the second run ended with {second}: {said}"] if second else []
            # the server sees that the sleeper lives, so its landing table is its own to drop
            found += [] if second else [wrong for wrong in wrongs(case) if wrong != LANDING_LEFT]
            before = _state(case)
            first.signal(signal.SIGCONT)
            code = first.wait()
        found += [f"the sleeper ended with {code}"] if code in (0, -signal.SIGKILL) else []
        found += [] if "LeaseLost" in first.said else [f"the sleeper did not say LeaseLost: {first.said}"]
        found += [] if _state(case) == before else ["the sleeper changed something"]
        found += misread(case, reader) if reader else []
        return "", found + wrongs(case)


def _state(case: Case) -> tuple[object, ...]:
    files = sorted(path.name for path in case.parcels.rglob("*"))
    if not case.scene.loads:
        return (files,)
    loads = ask(case.target, "SELECT version, load_id FROM landbridge_loads ORDER BY version")
    return files, fingerprint(case.target), loads
