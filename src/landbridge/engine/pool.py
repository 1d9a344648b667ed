"""One pool of worker processes for the parts of all runs of a command.

Processes, not threads: sealing and encoding hold the GIL for whole calls. Workers are forked from a clean
server process that has imported what every part needs, once for all of them. They ignore Ctrl-C (the
coordinator decides), die with the coordinator, and see the environment as it was when the server started.
"""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from multiprocessing import forkserver, get_context, parent_process, resource_tracker, set_forkserver_preload
from multiprocessing.connection import wait as wait_for
from multiprocessing.util import Finalize
from tempfile import gettempdir
from threading import Thread
from typing import TypeVar

from landbridge.errors import RunError, WorldError
from landbridge.sealing.passphrase import take_over, unlocked

Result = TypeVar("Result")

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h

EVERY_PART_NEEDS = ("landbridge.engine.work", "pyarrow.compute", "pyarrow.parquet", "pyrage", "obstore")
MOST_LOADS_NEED = ("psycopg", "pgpq")  # where PostgreSQL's extras are not installed, these are passed over


def get_ready() -> None:
    """Start the server process now, so that its imports run beside the coordinator's own.

    It and its workers inherit that Ctrl-C is blocked, and so never print a traceback of it. Raises WorldError where
    it cannot be started.
    """
    set_forkserver_preload(["landbridge.engine.pool_server", *EVERY_PART_NEEDS, *MOST_LOADS_NEED])
    resource_tracker.ensure_running()  # before the signal is blocked: this would unblock it
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        forkserver.ensure_running()
    except OSError as error:
        raise WorldError(
            f"no worker process can be started, with temporary files in {gettempdir()}: {str(error).lower()}",
            hint="TMPDIR=/tmp landbridge …: a short path, and a disk that has room",
        ) from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def open_pool(processes: int, kinds: Collection[str] = ()) -> Executor:
    """A pool whose processes start at once, and know what a passphrase has unlocked until now.

    `kinds` are those of the connections that they get ready for.
    """
    get_ready()
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context("forkserver"), initializer=_begin, initargs=(unlocked(), kinds)
    )
    pool.submit(int)
    return pool


def each(pool: Executor, tasks: Iterable[Callable[[], Result]], *, at_once: int) -> Generator[Result]:
    """Run tasks in the pool, at most `at_once` of them submitted, and yield results as they come.

    The first failure is raised after all that were running have ended, and so does `close` wait for them:
    nothing of ours still works on the target when the caller cleans up. Tasks are picklable.
    """
    waiting = iter(tasks)
    running: set[Future[Result]] = set()
    try:
        running |= {pool.submit(task) for task in islice(waiting, at_once)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
            running |= {pool.submit(task) for task in islice(waiting, len(done))}
    except BrokenProcessPool as broken:
        raise RunError(
            "a worker process ended without a word; nothing was published",
            hint="look for the kernel's out-of-memory killer (dmesg), or lower `processes` in landbridge.yaml",
        ) from broken
    finally:
        for future in running:
            future.cancel()
        wait(running)


def _begin(unlocked: Mapping[str, str], kinds: Collection[str]) -> None:
    from landbridge.connectors import registry

    for kind in kinds:
        registry.get_ready(kind)
    gc.freeze()
    gc.enable()  # the server has switched it off
    take_over(unlocked)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_follow, daemon=True).start()
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())  # as fast as its own here, and gives back what is free: 120 MB less
    if hasattr(libc := ctypes.CDLL(None), "mallopt"):  # glibc raises these by itself, and memory grew with the rows
        for option in (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD):
            libc.mallopt(option, 32 << 20)
    # taking apart an interpreter full of libraries can last a second, and the coordinator would wait for it
    Finalize(None, _leave, exitpriority=-1)


def _follow() -> None:
    """A worker whose coordinator was killed must not go on, not even with the part at hand."""
    coordinator = parent_process()
    if coordinator is not None:
        wait_for([coordinator.sentinel])
    os._exit(1)


def _leave() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
