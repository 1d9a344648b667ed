"""What users' scripts print goes to standard error: standard output is the command's own, and may be JSON."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock, local
from typing import Any, TextIO

_threads, _putting = local(), Lock()


class _Aside:
    """Standard output, but for threads in which a script runs: other windows may tell something at the same time."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever a file has
        return getattr(sys.stderr if getattr(_threads, "aside", 0) else self._out, name)


@contextmanager
def printing_aside() -> Iterator[None]:
    """What this thread prints until the context ends goes to standard error."""
    with _putting:
        if not isinstance(sys.stdout, _Aside):
            sys.stdout = _Aside(sys.stdout)
    _threads.aside = getattr(_threads, "aside", 0) + 1
    try:
        yield
    finally:
        _threads.aside -= 1
