"""Other processes that work on the same drive database, and a server that does not answer."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from landbridge.demo.postgres_server import PostgresServer

WAIT = """
import sys, time
from pathlib import Path
from datetime import UTC, datetime, timedelta
from landbridge.errors import LandbridgeError
from landbridge.ledger import leases, runs
from landbridge.ledger.database import open_database
from landbridge.windows import Window
url, ready, go = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
ready.touch()
while not go.exists():
    time.sleep(0.005)
"""


def at_once(code: str, *, url: str, folder: Path, processes: int) -> list[str]:
    """Run `code` (which finds `url`) in so many processes that all start it together; what each printed."""
    go = folder / "go"
    ready = [folder / f"ready-{n}" for n in range(processes)]
    command = [sys.executable, "-c", WAIT + code, url]
    children = [
        subprocess.Popen([*command, flag, go], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for flag in ready
    ]
    until = time.monotonic() + 30
    while not all(flag.exists() for flag in ready) and time.monotonic() < until:
        time.sleep(0.01)
    go.touch()
    said = [child.communicate(timeout=60)[0].strip() for child in children]
    assert [child.returncode for child in children] == [0] * processes, said
    return said


def start_holder(url: str, resource: str) -> subprocess.Popen[str]:
    """A process that took the lease, and does nothing more until it is killed."""
    code = f"""
import sys, time
from landbridge.ledger import leases
from landbridge.ledger.database import open_database
leases.acquire(open_database(sys.argv[1]), {resource!r})
print("holds", flush=True)
time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "holds\n"
    return holder


@contextmanager
def outage(server: PostgresServer, url: str) -> Iterator[None]:
    """The database at `url` ends every session and lets nobody in, until the block ends."""
    name = url.rpartition("/")[2]
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        connection.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


def wait_until(condition: Callable[[], bool], *, seconds: float = 10) -> None:
    """Fails the test if it does not become true."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
