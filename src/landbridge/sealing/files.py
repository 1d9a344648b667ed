"""Files of a key folder: whole or not there, readable and writable by whom they should be, and by nobody else."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from landbridge.errors import AccessDenied, ConfigError, WorldError

READ_BY_OTHERS = 0o077
WRITTEN_BY_OTHERS = 0o022
SECRET = 0o600
PUBLIC = 0o644


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Hold the key folder, made if missing, so that two commands never change it at once. Raises WorldError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _refused(folder, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def put(path: Path, data: str | bytes, mode: int) -> None:
    """Write the file whole or not at all, durably; what a killed one left is overwritten. Only while `changing`."""
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise _refused(path, error) from error


def sync(folder: Path) -> None:
    """Make names of the folder as durable as their files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path, refused: int) -> bytes:
    """The content; empty where there is no file. Raises AccessDenied if its mode has a bit of `refused`."""
    try:
        if not path.exists():
            return b""
        _check_mode(path.parent, WRITTEN_BY_OTHERS)
        _check_mode(path, refused)
        return path.read_bytes()
    except PermissionError as error:
        raise AccessDenied(f"{path} cannot be read by this user", hint=f"ls -l {path}") from error


def keys(path: Path, text: str, check: Callable[[str], object]) -> tuple[str, ...]:
    """The keys of a file's text, one a line. Raises ConfigError with the number of a line that is none."""
    found = []
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line and not line.startswith("#"):
            try:
                check(line)
            except ValueError as error:
                raise ConfigError(f"{path}, line {number}: {error}", hint="correct or remove the line") from error
            found.append(line)
    return tuple(found)


def _refused(path: Path, error: OSError) -> WorldError:
    return WorldError(f"{path}: {(error.strerror or str(error)).lower()}", hint=f"ls -ld {path.parent}")


def _check_mode(path: Path, refused: int) -> None:
    mode = path.stat().st_mode & 0o777
    if mode & refused:
        raise AccessDenied(
            f"{path} is open to other users (mode {mode:04o})", hint=f"chmod {mode & ~refused:04o} {path}"
        )
