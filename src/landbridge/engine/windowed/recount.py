"""Loaded windows counted again: rows that came too late, and rows that are gone from the target, are seen."""

from collections.abc import Iterator
from dataclasses import dataclass

from landbridge.config.pipelines import Pipeline
from landbridge.engine.plan import Plan, plan_window, window_load_id
from landbridge.engine.windowed.rows import of_window
from landbridge.engine.world import World
from landbridge.ledger import runs
from landbridge.windows import Window


@dataclass(frozen=True)
class Differs:
    """A window whose counts are not those of its last audit: each pair is then and now; None where nobody counts."""

    window: Window
    source: tuple[int | None, int | None]
    target: tuple[int | None, int | None]


def recount(world: World, pipeline: Pipeline, span: Window) -> Iterator[Differs]:
    """Those of the windows within the span that were loaded, oldest first; changes nothing."""
    for window in runs.attempted(world.ledger, pipeline.name, span):
        run = runs.latest_of_window(world.ledger, pipeline.name, window)
        if run is None or run.pipeline_status != "SUCCESS":
            continue  # it is due, or a gap
        audit = run.phases["audit"].details
        found = Differs(
            window,
            (audit.get("source_count"), _source(world, pipeline, window)),
            (audit.get("target_count"), _target(world, pipeline, window)),
        )
        plan = plan_window(world.project, pipeline, window)
        if _with_keys(found, plan) if plan.keyed else _differs(found):
            yield found


def _differs(found: Differs) -> bool:
    return any(None not in pair and pair[0] != pair[1] for pair in (found.source, found.target))


def _with_keys(found: Differs, plan: Plan) -> bool:
    """Rows that changed have moved on to later windows: fewer are no loss, neither at the source nor at the target.

    Where the source has lost some, it keeps one row of each key: then the target has lost as many, or still has those
    whose window is not loaded yet. If it has lost more than the source, others have come there late.
    """
    gained, gained_there = (0 if None in pair else _gained(pair) for pair in (found.source, found.target))
    comparable = plan.windowed is not None and plan.windowed.transform is None
    return gained > 0 or (comparable and gained < 0 and gained > gained_there)


def _gained(pair: tuple[int | None, int | None]) -> int:
    then, now = pair
    return (now or 0) - (then or 0)


def _source(world: World, pipeline: Pipeline, window: Window) -> int | None:
    if pipeline.read is None:
        return None
    source = world.connector(pipeline.read.connection)
    read = of_window(plan_window(world.project, pipeline, window), world)
    with source.instant() as instant:
        return source.count_rows(read, instant)


def _target(world: World, pipeline: Pipeline, window: Window) -> int | None:
    if pipeline.write is None:
        return None
    return world.connector(pipeline.write.connection).count(pipeline.write, window_load_id(pipeline.name, window))
