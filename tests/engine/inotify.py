"""What is written to disk while a block runs, by any process: Linux' own inotify, by ctypes."""

import ctypes
import os
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

IN_MODIFY, IN_CLOSE_WRITE, IN_MOVED_TO, IN_CREATE = 0x2, 0x8, 0x80, 0x100
IN_NONBLOCK = 0o4000


class Watch:
    """Every path that was made or written, and what could be read there in that moment."""

    def __init__(self) -> None:
        self.seen: dict[Path, bytes] = {}
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._inotify = self._libc.inotify_init1(IN_NONBLOCK)
        self._folders: dict[int, tuple[Path, bool]] = {}

    def add(self, folder: Path, *, deep: bool) -> None:
        """Watch a folder; `deep`: also those that are in it now or later, and what is in these by then."""
        mask = IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE
        number = self._libc.inotify_add_watch(self._inotify, os.fsencode(folder), mask)
        if number >= 0 and number not in self._folders:
            self._folders[number] = folder, deep
            for path in folder.iterdir() if deep else ():
                self._see(path, deep=True)

    def take(self) -> None:
        """Handle what happened since the last call."""
        try:
            data = os.read(self._inotify, 1 << 20)
        except BlockingIOError:
            return
        while data:
            number, _, _, length = struct.unpack_from("iIII", data)
            name, data = data[16 : 16 + length].rstrip(b"\0"), data[16 + length :]
            if number in self._folders:
                folder, deep = self._folders[number]
                self._see(folder / os.fsdecode(name), deep=deep)

    def _see(self, path: Path, *, deep: bool) -> None:
        try:
            if not path.is_dir():
                self.seen[path] = self.seen.get(path, b"") + (path.read_bytes() if path.is_file() else b"")
            elif deep:
                self.add(path, deep=True)
        except OSError:  # gone again; that it was there is remembered
            self.seen.setdefault(path, b"")

    def close(self) -> None:
        os.close(self._inotify)


@contextmanager
def watching(*, deep: Sequence[Path], flat: Sequence[Path]) -> Iterator[Watch]:
    """Watch folders, some of them with all below, until the block ends; only what happens in the block is seen."""
    watch, done = Watch(), threading.Event()
    for folder in (*deep, *flat):
        watch.add(folder, deep=folder in deep)
    watch.seen.clear()

    def follow() -> None:
        while not done.wait(0.001):
            watch.take()

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        yield watch
    finally:
        done.set()
        thread.join()
        watch.take()
        watch.close()
