"""`make fault-campaign`: every way to die that we know, each followed by one rerun; exit code 1 on any mismatch,
and where a trial could not be run.

`--only` takes letters: a named points, b random instants, c signals, d lost leases, e servers that die, f full disks,
p named points of pipelines, q random instants of pipelines.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from landbridge.demo.postgres_server import postgres_server
from tests.faults import disasters, instants, named, signals
from tests.faults.instants import Tally
from tests.faults.pipelines import deaths
from tests.faults.pipelines.deaths import Falls
from tests.faults.pipelines.workshop import PipelineWorkshop
from tests.faults.scenes import NotRun, Trial
from tests.faults.workshop import Workshop

SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB", "max_wal_size": "4GB"}
SMALL = {"rows": 20_000, "width": 6}  # several parts, a second or two
LARGE = {"rows": 300_000, "width": 3}  # phases that last


def main() -> None:
    """Print a line for each trial as it ends, then the sum of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="abcdefpq", help="letters of the parts [default: all]")
    parser.add_argument("--seed", type=int, default=None, help="of the random instants [default: a new one]")
    parser.add_argument("--scene", default="", help="only scenes and trials that contain this text")
    asked = parser.parse_args()
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # what is started in the background ignores it, and so would we
    seed = asked.seed if asked.seed is not None else time.time_ns() % 10**6
    _say(f"seed {seed}")
    began, tally, falls, verdicts = time.monotonic(), Tally(), Falls(), Counter[str]()
    with tempfile.TemporaryDirectory(prefix="lb-faults-") as folder, postgres_server(settings=SETTINGS) as server:
        Path(folder).chmod(0o755)  # servers of other accounts have their folders in it
        small = Workshop(server, Path(folder, "small"), **SMALL)
        large = Workshop(server, Path(folder, "large"), **LARGE)
        windows = PipelineWorkshop(server, Path(folder, "windows"))
        parts: dict[str, Callable[[], Iterator[Trial]]] = {
            "a": lambda: named.deaths(small),
            "b": lambda: instants.random_kills(large, seed, tally),
            "c": lambda: signals.asked(small),
            "d": lambda: signals.asleep(small),
            "e": lambda: disasters.server_deaths(small, Path(folder)),
            "f": lambda: disasters.full_disks(small),
            "p": lambda: deaths.named_deaths(windows, falls),
            "q": lambda: deaths.random_kills(windows, seed, falls),
        }
        for letter in asked.only:
            for trial in parts[letter]():
                if asked.scene in f"{trial.scene} | {trial.what}":
                    verdicts[judge(letter, trial)] += 1
    _sum_up(tally, falls, verdicts, time.monotonic() - began)
    sys.exit(0 if verdicts.total() == verdicts["ok"] else 1)


def judge(letter: str, trial: Trial) -> str:
    """Try it, and print and return how it went: ok, WRONG, or not run where this machine cannot try it."""
    began = time.monotonic()
    try:
        remark, wrong = trial.act()
    except NotRun as reason:
        _say(f"{letter}  not run          {trial.scene:<34} {trial.what}: {reason}")
        return "not run"
    except (AssertionError, TimeoutError, subprocess.TimeoutExpired) as error:
        remark, wrong = "", [f"{type(error).__name__}: {error}"]
    seconds = time.monotonic() - began
    verdict = "ok" if not wrong else "WRONG"
    _say(f"{letter}  {verdict:<5}  {seconds:5.1f} s  {trial.scene:<34} {trial.what}  {remark}".rstrip())
    for each in wrong:
        _say("          " + each.replace("\n", "\n            "))
    return verdict


def _sum_up(tally: Tally, falls: Falls, verdicts: Counter[str], seconds: float) -> None:
    for told in (tally, falls):
        if told.fell:
            _say("random kills fell: " + ", ".join(f"{count} {where}" for where, count in told.fell.most_common()))
        if told.looks:
            _say(f"{told.looks} looks of a reader at the target meanwhile; the longest waited {told.longest:.2f} s")
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in ("ok", "WRONG", "not run"))
    _say(f"{verdicts.total()} trials, {counts}, in {seconds / 60:.0f} min")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  this is the program's output


if __name__ == "__main__":
    main()
