"""Histories: whatever happens to a pipeline, what its successful runs cover has no hole and no overlap in the end."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.windows import Window
from landbridge.windows.clock import shown
from landbridge.windows.cover import merged, missing, pieces
from landbridge.windows.grid import Grid, Step, parse_step
from tests.windows.times import TURNS, union, zones

DAY = timedelta(days=1)
STEPS = tuple(map(parse_step, ("6h", "1d", "1w", "1mo", "24h", "7h", "3d")))


@dataclass
class Pipeline:
    """What a drive table would hold: windows that were begun, those of them that succeeded, and where it all began."""

    origin: datetime
    grid: Grid
    begun: list[Window] = field(default_factory=list)
    done: list[Window] = field(default_factory=list)

    def open(self, until: datetime) -> list[Window]:
        """All windows that no successful run covers, oldest first; the newest has ended."""
        end = max([self.grid.floor(until), *(window.end for window in self.begun if window.end <= until)])
        if end <= self.origin:
            return []
        holes = missing(Window(self.origin, end), self.done)
        return [piece for hole in holes for piece in islice(pieces(hole, self.begun, self.grid), 400)]

    def run(self, window: Window, *, fails: bool) -> None:
        """An attempt."""
        self.begun.append(window)
        if not fails:
            assert not any(window.start < other.end and other.start < window.end for other in self.done), window
            self.done.append(window)


@given(st.data(), zones)
@settings(max_examples=60)
def test_no_hole_and_no_overlap(data: st.DataObject, zone: str) -> None:
    """Through outages, failures in parallel, look-back, backfills, retries, and other grids than before."""
    now = data.draw(st.sampled_from(TURNS[zone])) - timedelta(hours=data.draw(st.integers(0, 300)))
    pipeline = Pipeline(now, Grid(data.draw(st.sampled_from(STEPS)), zone))
    for _ in range(data.draw(st.integers(1, 8))):
        now += timedelta(hours=data.draw(st.integers(1, 240)))  # an outage is many of them
        if data.draw(st.booleans()):
            pipeline.grid = Grid(data.draw(st.sampled_from(STEPS)), data.draw(st.sampled_from((zone, "UTC"))))
        back = now - timedelta(days=data.draw(st.sampled_from((1, 7, 400))))
        due = [window for window in pipeline.open(now) if window.end > back]
        gaps = [window for window in pipeline.open(now) if window.end <= back]
        chosen = due[: data.draw(st.integers(0, 20))] + gaps[: data.draw(st.sampled_from((0, 0, 2)))]
        failing = data.draw(st.sets(st.integers(0, 12), max_size=4))
        for number, window in enumerate(chosen):
            pipeline.run(window, fails=number in failing)
    kept = list(pipeline.done)
    while left := pipeline.open(now):
        for window in left:
            pipeline.run(window, fails=False)
    assert set(kept) <= set(pipeline.done)
    done = sorted(pipeline.done)
    if done:
        assert union(done).start == pipeline.origin
        assert merged(done) == [union(done)]
        assert pipeline.grid.after(done[-1].end) > now
        _clocks_agree(done, zone, data)


def _clocks_agree(done: list[Window], zone: str, data: st.DataObject) -> None:
    """A row's time without a zone belongs to one of the windows, whatever time it is."""
    start, end = shown(done[0].start, zone), shown(done[-1].end, zone)
    assert all(shown(one.end, zone) == shown(other.start, zone) for one, other in pairwise(done))
    if start < end:
        time = data.draw(st.datetimes(start, end - timedelta(microseconds=1)))
        assert sum(shown(window.start, zone) <= time < shown(window.end, zone) for window in done) == 1


def test_a_failed_window_keeps_its_bounds_when_days_become_hours() -> None:
    """The day that failed is tried again as a day; the next one is cut by hours."""
    start = datetime(2026, 10, 24, tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC)
    pipeline = Pipeline(start, Grid(Step(days=1), "Europe/Berlin"))
    (day,) = pipeline.open(start + DAY)
    pipeline.run(day, fails=True)
    pipeline.grid = Grid(parse_step("1h"))
    found = pipeline.open(start + 2 * DAY + timedelta(hours=1))
    assert (found[0], len(found)) == (day, 26)
