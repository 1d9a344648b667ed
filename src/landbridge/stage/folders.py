"""Local folders of parcels: writes that survive a pulled plug, and reads that nothing planted there can turn.

obstore's local files would do neither: it renames without a sync, and follows links into pipes and devices.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from landbridge.errors import ParcelDamaged, WorldError

NO_TIME = 946_684_800  # 2000-01-01T00:00:00Z: FAT knows nothing before 1980
DEEPEST = 4  # volume, table, parcel, file
PLAIN = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # a pipe is not waited for


def write(path: Path, data: bytes, *, timeless: bool, below: Path | None = None) -> None:
    """Whole or not at all, and durable, whatever happens to the power. Raises OSError.

    Raises WorldError where a folder on the way from `below` to it is a link: it would be written somewhere else.
    """
    if below is not None:
        refuse_links(path.parent, below)
    _make(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            if timeless:
                os.utime(file.fileno(), (NO_TIME, NO_TIME))
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if timeless:
        forget_time(path.parent)
    _sync(path.parent)


def refuse_links(folder: Path, below: Path) -> None:
    """Raise WorldError where `folder`, or one that holds it, is a link; `below` itself may be one."""
    for level in (folder, *folder.parents):
        if level == below:
            return
        if level.is_symlink():
            raise WorldError(f"{level} is a link, and nothing is written or deleted through it", hint=f"rm {level}")


def forget_time(path: Path) -> None:
    """Let `path` show NO_TIME. Raises OSError."""
    if path.stat().st_mtime != NO_TIME:
        os.utime(path, (NO_TIME, NO_TIME))


def read(path: Path, most: int) -> bytes:
    """Raises OSError; ParcelDamaged for more than `most` bytes, and for what is no file."""
    try:
        descriptor = os.open(path, PLAIN)
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENXIO):  # a link; a pipe or socket that nobody holds
            raise
        raise _no_file(path) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise _no_file(path)
        if found.st_size > most:
            raise ParcelDamaged(f"{path} has more than {most} bytes")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(descriptor)


def _no_file(path: Path) -> ParcelDamaged:
    return ParcelDamaged(f"{path} is no file, but a link, a folder, a pipe or a device")


def walk(root: Path, folder: str, levels: int = DEEPEST) -> Iterator[tuple[str, int]]:
    """Every plain file in `folder` and in folders of it, `levels` deep, as its path below `root` and its size.

    What others put deeper may have no end. Nothing where there is no folder. Links are not followed.
    """
    for entry in [] if folder and (root / folder).is_symlink() else _entries(root / folder):
        path = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_dir(follow_symlinks=False):
            if levels > 1:
                yield from walk(root, path, levels - 1)
        elif entry.is_file(follow_symlinks=False):
            yield path, entry.stat(follow_symlinks=False).st_size


def names(root: Path) -> list[str]:
    """Of the folders in `root`, links among them; none where there is no `root`."""
    return [entry.name for entry in _entries(root) if entry.is_dir()]


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """What lies in `folder`, by name; none where it is not there. Names that are no text are passed over."""
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []
    return [entry for entry in found if entry.name.isprintable()]  # bytes that are no UTF-8 are lone surrogates


def delete(path: Path) -> None:
    """Delete one file, durably. Raises OSError."""
    path.unlink()
    _sync(path.parent)


def _make(folder: Path) -> None:
    if not folder.is_dir():
        _make(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # some network and FUSE mounts cannot sync a folder; their rename is as durable as they can make it
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
