"""A bound on memory: what decompresses may promise anything, and even a signer's mistake must not fill a host."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAGES = Path("/proc/self/statm")  # the first number: address space now, in pages


@contextmanager
def bounded(most: int) -> Iterator[None]:
    """What runs inside gets at most `most` bytes beyond what the process has, else a MemoryError.

    Libraries that cannot be refused memory end the process instead. Only Linux can do it; elsewhere nothing is bounded.
    """
    if not _PAGES.exists():
        yield
        return
    import resource

    kept = resource.getrlimit(resource.RLIMIT_AS)
    now = int(_PAGES.read_text().split()[0]) * resource.getpagesize()
    lowest = min(limit for limit in (*kept, now + most) if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_AS, (lowest, kept[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, kept)
