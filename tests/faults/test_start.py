"""A command that is stopped while it starts: in silence, and nothing of it stays."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest

from tests.engine.projects import FUNDS, MART, WAREHOUSE, in_duckdb, make_project, table
from tests.faults.running import Running, wait_until


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Where a command's temporary files go; a socket among them allows no long path, as pytest's are."""
    with TemporaryDirectory(prefix="lb-") as folder:
        yield Path(folder)


@pytest.fixture
def started(tmp_path: Path, temporary: Path) -> Running:
    """A run that has just started the server of its worker processes."""
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("funds", target="mart")])
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    process = subprocess.Popen(
        [sys.executable, "-m", "landbridge", "run", "--all", "--project", project],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    running = Running(process)
    assert wait_until(lambda: is_served(process.pid), unless=lambda: running.ended), running.said
    return running


def is_served(pid: int) -> bool:
    return any("forkserver" in " ".join(one.cmdline()) for one in children(pid))


def children(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def test_an_interrupt_prints_no_traceback(started: Running) -> None:
    """Ctrl-C reaches the workers' server as well, which still imports: neither it nor the command shows its inside."""
    started.signal_all(signal.SIGINT)
    assert (started.wait(), started.outlived()) == (130, [])
    assert "Traceback" not in started.said


def test_nothing_stays_of_what_is_killed(started: Running, temporary: Path) -> None:
    """The server ends when its coordinator has, and takes the folder of its socket along."""
    family = children(started.process.pid)
    started.signal(signal.SIGKILL)
    started.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert list(temporary.iterdir()) == []
