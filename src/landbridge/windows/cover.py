"""What windows cover, what they leave open, and the windows that would fill it (docs/pipelines.md, "Windows")."""

from collections.abc import Iterable, Iterator, Sequence

from landbridge.windows.grid import Grid
from landbridge.windows.window import Window


def merged(windows: Iterable[Window]) -> list[Window]:
    """The same time as as few windows as can be, ascending; neighbours become one."""
    found: list[Window] = []
    for window in sorted(windows):
        if found and window.start <= found[-1].end:
            found[-1] = Window(found[-1].start, max(found[-1].end, window.end))
        else:
            found.append(window)
    return found


def missing(domain: Window, covered: Sequence[Window]) -> list[Window]:
    """The holes of `domain`, each as long as it can be, ascending; `covered` as it comes, also beyond the domain."""
    holes, reached = [], domain.start
    for window in merged(covered):
        if reached < (start := min(window.start, domain.end)):
            holes.append(Window(reached, start))
        reached = max(reached, window.end)
    if reached < domain.end:
        holes.append(Window(reached, domain.end))
    return holes


def pieces(hole: Window, begun: Sequence[Window], grid: Grid) -> Iterator[Window]:
    """The windows that fill `hole`, ascending, one as soon as it is asked for: disjoint, and together the hole.

    Windows of `begun` that lie wholly in the hole stay as they are: where some overlap, the one that begins first; of
    those the longest. What is left is cut on the grid.
    """
    start = hole.start
    for window in _apart(hole, begun):
        if start < window.start:
            yield from grid.cut(Window(start, window.start))
        yield window
        start = window.end
    if start < hole.end:
        yield from grid.cut(Window(start, hole.end))


def _apart(hole: Window, begun: Sequence[Window]) -> Iterator[Window]:
    inside = [window for window in begun if hole.start <= window.start and window.end <= hole.end]
    reached = hole.start
    for window in sorted(inside, key=lambda window: (window.start, -window.duration)):
        if window.start >= reached:
            yield window
            reached = window.end
