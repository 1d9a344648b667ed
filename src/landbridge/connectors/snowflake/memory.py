"""A folder in memory, for what the driver writes into files only, and must never write to a disk."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from landbridge.errors import WorldError

MEMORY = Path("/dev/shm")  # noqa: S108 - what is made there is ours alone
MOUNTS = Path("/proc/self/mounts")
BOOT = Path("/proc/sys/kernel/random/boot_id")
KINDS = ("tmpfs", "ramfs")
PREFIX = "landbridge-unload-"


def refuse_disk() -> None:
    """Raises WorldError where MEMORY is no memory."""
    lines = MOUNTS.read_text().splitlines() if MOUNTS.exists() else []
    kinds = {place: kind for _, place, kind, *_ in map(str.split, lines)}  # of several mounts at one place the last
    kind = kinds.get(str(MEMORY), "no memory")
    if kind not in KINDS or not os.access(MEMORY, os.W_OK):
        raise WorldError(
            f"unload needs a folder in memory, for GET writes rows in clear: {MEMORY} is {kind}, or cannot be written",
            hint=f"mount -t tmpfs -o mode=1777 tmpfs {MEMORY}; or set unload: false of the connection",
        )


@contextmanager
def folder(token: str) -> Iterator[Path]:
    """A folder of this user alone, locked until the context ends, and gone with it. Raises WorldError.

    What processes left that were killed is deleted: their locks are gone. A folder gets its name when it is locked.
    """
    refuse_disk()
    _sweep()
    path = Path(tempfile.mkdtemp(prefix=".landbridge-", dir=MEMORY))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        path = path.rename(_path(token))
        yield path
    finally:
        shutil.rmtree(path)
        os.close(descriptor)


def is_abandoned(token: str) -> bool:
    """Whether the process has ended that held the folder of this token, in this very memory."""
    return not _is_locked(_path(token))


def place() -> str:
    """Names this memory, until the machine starts again: only here locks can be seen. Another container has another."""
    return hashlib.sha256(f"{BOOT.read_text()}{MEMORY.stat().st_dev}".encode()).hexdigest()[:8]


@contextmanager
def instead_of_disk(path: Path) -> Iterator[None]:
    """Connector 4 decrypts into Python's folder for temporary files, wherever GET is told to write to."""
    before, tempfile.tempdir = tempfile.tempdir, str(path)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _path(token: str) -> Path:
    return MEMORY / f"{PREFIX}{token}"


def _sweep() -> None:
    for path in MEMORY.glob(f"{PREFIX}*"):
        if path.lstat().st_uid == os.getuid() and not _is_locked(path):
            shutil.rmtree(path, ignore_errors=True)  # another of our processes may be at it


def _is_locked(path: Path) -> bool:
    """Also where that cannot be asked, since the folder is another user's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except PermissionError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)
