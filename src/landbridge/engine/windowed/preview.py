"""What running some windows would mean, asked of drive database, source and target; nothing is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from landbridge.config.pipelines import Pipeline
from landbridge.engine.plan import Plan, plan_window
from landbridge.engine.windowed.checks import check_keys, check_write
from landbridge.engine.windowed.rows import field_of, of_window, source_schema
from landbridge.engine.windowed.strangers import look_for_strangers
from landbridge.engine.world import World
from landbridge.ledger import coverage, runs
from landbridge.windows import Window
from landbridge.windows.cover import merged, missing

LATEST = 20  # runs whose median tells how long one takes


@dataclass(frozen=True)
class Preview:
    """`again` are those of `windows` that are loaded; `rows` None where no connector counts; `time` None: never run."""

    pipeline: str
    windows: tuple[Window, ...]
    again: frozenset[Window]
    facts: dict[str, str]
    rows: int | None
    time: timedelta | None


def preview(world: World, pipeline: Pipeline, windows: Sequence[Window], *, parallel: int = 1) -> Preview:
    """Raises what pre-validation would."""
    facts: dict[str, str] = {}
    rows, covered = None, coverage.covered(world.ledger, pipeline.name)
    if windows:
        facts = _facts(plan_window(world.project, pipeline, windows[0]), world)
        rows = _rows(world, pipeline, windows)
        if not (covered or pipeline.acceptable_start or pipeline.look_back):
            facts["begins"] = "with the newest window: neither acceptable_data_fetch_start_time nor x_days_back is set"
    return Preview(
        pipeline=pipeline.name,
        windows=tuple(windows),
        again=frozenset(window for window in windows if not missing(window, covered)),
        facts=facts,
        rows=rows,
        time=_time(world, pipeline, len(windows), parallel),
    )


def _facts(plan: Plan, world: World) -> dict[str, str]:
    assert plan.windowed is not None, "plan_window sets it"  # noqa: S101
    facts, incoming = {}, None
    if plan.read:
        incoming = source_schema(plan.read, world)
        field = field_of(incoming, plan.windowed)
        facts["source"] = f"{plan.read.connection}: {plan.read.relation}, by {field.name} ({field.type})"
    if plan.stage:
        facts["stage"] = f"{plan.stage.connection}: {plan.stage.relation} ({check_write(plan.stage, incoming, world)})"
    elif plan.packing:
        facts["stage"] = f"{plan.location}: sealed parcels"
    if plan.write:
        comes = None if plan.windowed.transform else incoming
        standing = world.connector(plan.write.connection).describe([plan.write.relation])[plan.write.relation]
        look_for_strangers(plan, plan.windowed, standing, world)
        facts["target"] = f"{plan.write.connection}: {plan.write.relation} ({check_write(plan.write, comes, world)})"
    if found := check_keys(plan, plan.windowed, incoming, world):
        facts["keys"] = found[0].removeprefix("keys ")
    facts |= {f"script {phase}": path for phase, path in plan.windowed.scripts.items()}
    if off := [name for name in plan.windowed.disabled if name != "target_cleaning"]:
        facts["off"] = ", ".join(off)
    return facts


def _rows(world: World, pipeline: Pipeline, windows: Sequence[Window]) -> int | None:
    """Of all windows, by one question for each span of them."""
    if pipeline.read is None:
        return None
    source, rows = world.connector(pipeline.read.connection), 0
    with source.instant() as instant:
        for span in merged(windows):
            rows += source.count_rows(of_window(plan_window(world.project, pipeline, span), world), instant)
    return rows


def _time(world: World, pipeline: Pipeline, windows: int, parallel: int) -> timedelta | None:
    done = runs.list_runs(world.ledger, pipeline_name=pipeline.name, status="SUCCESS", limit=LATEST)
    took = [run.pipeline_end_timestamp - run.pipeline_start_timestamp for run in done if run.pipeline_end_timestamp]
    return median(took) * windows / parallel if took else None  # type: ignore[type-var]
