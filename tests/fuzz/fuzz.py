"""`make fuzz`: parcels harmed at every layer and read, for an hour; exit code 1 on any finding.

A finding is whatever is not a refusal: a traceback, a dead process, a hang, too much memory, words that are not fit for
a terminal, other rows than were sealed, or a refusal about which `parcel check` and an import differ.
"""

import argparse
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.fuzz.layers import LAYERS, ROWS, Seed, make_seed, read_all

SECONDS_EACH = 60
MOST_MEMORY = 4 << 30  # bytes; a reader may take 2 GiB for one batch


def main() -> None:
    """Print a line for each batch that found something, a line each minute, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--examples", type=int, default=1000, help="in each batch")
    parser.add_argument("--seed", type=int, default=None, help="of the first batch [default: a new one]")
    parser.add_argument("--layer", default=None, help="run one batch of this layer, and of --kind, here")
    parser.add_argument("--kind", default="named")
    asked = parser.parse_args()
    first = asked.seed if asked.seed is not None else time.time_ns() % 10**9
    if asked.layer:
        _batch(asked.layer, asked.kind, first, asked.examples)
        return
    sys.exit(1 if _campaign(first, asked.minutes * 60, asked.processes, asked.examples) else 0)


def _campaign(first: int, seconds: float, processes: int, examples: int) -> int:
    """Batches of every layer in turn until the time is over; how many found something."""
    began, done, findings = time.monotonic(), Counter[str](), 0
    _say(f"seed {first}")

    def batches() -> Iterator[tuple[str, str, int]]:
        for number in count(first):
            for layer, (_, kinds) in LAYERS.items():
                if time.monotonic() - began > seconds:
                    return
                yield layer, kinds[number % len(kinds)], number

    def run(batch: tuple[str, str, int]) -> tuple[str, subprocess.CompletedProcess[str]]:
        layer, kind, number = batch
        what = ["--layer", layer, "--kind", kind, "--seed", str(number), "--examples", str(examples)]
        return layer, subprocess.run([sys.executable, __file__, *what], capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(processes) as pool:
        waiting, told = batches(), time.monotonic()
        running = [pool.submit(run, batch) for _, batch in zip(range(processes), waiting, strict=False)]
        while running:
            layer, ended = running.pop(0).result()
            running += [pool.submit(run, batch) for _, batch in zip(range(1), waiting, strict=False)]
            done[layer] += examples
            if ended.returncode:
                findings += 1
                _say(f"FOUND, code {ended.returncode}: {ended.args[2:]}\n{ended.stderr[-4000:]}")
            if time.monotonic() - told > SECONDS_EACH:
                told = time.monotonic()
                _say(f"{(told - began) / 60:.0f} min, {done.total():,} parcels, {findings} findings")
    _say(", ".join(f"{number:,} by {layer}" for layer, number in done.items()))
    _say(f"{done.total():,} parcels in {(time.monotonic() - began) / 60:.1f} min, {findings} findings")
    return findings


def _batch(layer: str, kind: str, number: int, examples: int) -> None:
    memory = Path("/dev/shm")  # noqa: S108  in a folder of our own
    with tempfile.TemporaryDirectory(prefix="lb-fuzz-", dir=memory if memory.is_dir() else None) as folder:
        harmed(layer, make_seed(Path(folder, "seed"), kind), Path(folder, "harmed"), number, examples)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if most > MOST_MEMORY:
        raise MemoryError(f"{most:,} bytes were taken by a parcel of a few kilobytes")


def harmed(layer: str, made: Seed, place: Path, number: int, examples: int) -> None:
    """Harm copies of a parcel and read them; raises what was found, in its smallest form."""
    harm, _ = LAYERS[layer]

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.randoms(use_true_random=False))
    def once(random: Random) -> None:
        shutil.rmtree(place, ignore_errors=True)
        copy = made.copied(place)
        harm(random, copy)
        with _alarm():
            rows = read_all(copy)
        if layer == "any file":
            assert rows is None or rows.equals(ROWS), "other rows than were sealed"

    once()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _alarm:  # noqa: N801  used as a word
    """A hang is a finding."""

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, self._ring)
        signal.alarm(SECONDS_EACH)

    def __exit__(self, *_: object) -> None:
        signal.alarm(0)

    def _ring(self, *_: object) -> None:
        raise TimeoutError(f"reading took more than {SECONDS_EACH} s")


if __name__ == "__main__":
    main()
