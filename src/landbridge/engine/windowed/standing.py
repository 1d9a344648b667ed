"""Where each pipeline stands, as far as the drive table knows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice

from landbridge.config.pipelines import Pipeline
from landbridge.engine.windowed.agenda import agenda, grid_of
from landbridge.engine.world import World
from landbridge.ledger import coverage, runs
from landbridge.ledger.runs import Run
from landbridge.windows import Window

RATED = timedelta(days=7)
MOST = 1_000  # windows that are counted
GOAL, ALARM = 95, 90  # percent of attempts that succeed (seed 002, section 2.13)


@dataclass(frozen=True)
class PipelineStanding:
    """`covered_until`: the end of the newest window that was loaded; `due` and `gaps` count windows, at most MOST.

    `rate`: successes and attempts that ended in the last seven days, of the newest thousand at most.
    """

    pipeline: str
    run: Run | None
    covered_until: datetime | None
    due: int
    gaps: int
    rate: tuple[int, int]
    overdue: bool

    @property
    def status(self) -> str:
        state = self.run.pipeline_status if self.run else "never run"
        return f"{state}, overdue" if self.overdue else state

    @property
    def percent(self) -> float | None:
        """Of attempts that succeeded; None where none has ended."""
        successes, ended = self.rate
        return 100 * successes / ended if ended else None


def pipeline_standings(world: World, now: datetime) -> list[PipelineStanding]:
    return [_standing(world, pipeline, now) for pipeline in world.project.pipelines]


def _standing(world: World, pipeline: Pipeline, now: datetime) -> PipelineStanding:
    found = agenda(pipeline, world.ledger, now)
    covered = coverage.covered(world.ledger, pipeline.name)
    until = covered[-1].end if covered else None
    late = pipeline.schedule is not None and (until is None or now - until > pipeline.schedule + pipeline.settle_delay)
    return PipelineStanding(
        pipeline=pipeline.name,
        run=runs.latest_run(world.ledger, pipeline.name, "run"),
        covered_until=until,
        due=_count(pipeline, found.open),
        gaps=_count(pipeline, found.passed),
        rate=runs.rate(world.ledger, pipeline.name, now - RATED),
        overdue=late,
    )


def _count(pipeline: Pipeline, spans: Iterable[Window]) -> int:
    """On the grid: what was begun on another one is not asked for, hole by hole."""
    return sum(1 for _ in islice(chain.from_iterable(map(grid_of(pipeline).cut, spans)), MOST))
