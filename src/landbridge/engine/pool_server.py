"""What the pool's server process imports first: when it ends, it removes the folder of its socket.

A coordinator does that itself, unless it was killed; the server ends when its coordinator and all workers have.
"""

import atexit
import gc
from contextlib import suppress
from multiprocessing import forkserver
from pathlib import Path


def _clean() -> None:
    address: str | None = forkserver._forkserver._forkserver_address  # type: ignore[attr-defined]  # noqa: SLF001
    if address:
        with suppress(OSError):  # the coordinator was alive, and was faster
            Path(address).unlink()
            Path(address).parent.rmdir()


atexit.register(_clean)
gc.disable()  # until a worker begins: what the server imports for all of them is no garbage
