"""Time, as runs know it: windows and durations; in the rooms beside, grids, cover and clocks (docs/pipelines.md).

Nothing here reads a clock, a file or a database, and nothing of ours is imported but this.
"""

from landbridge.windows.durations import format_duration, parse_duration
from landbridge.windows.window import INSTANT, Window

__all__ = ["INSTANT", "Window", "format_duration", "parse_duration"]
