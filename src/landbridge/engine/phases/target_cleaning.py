"""Phase 7: a user's own SQL on the target, after everything else. Tables declare none."""

from landbridge.engine.phases.outcome import Outcome, skipped
from landbridge.engine.plan import Plan
from landbridge.engine.windowed.sql import clean_target
from landbridge.engine.world import World
from landbridge.ledger.runs import Run


def target_cleaning(plan: Plan, row: Run, world: World) -> Outcome:  # noqa: ARG001  the phase contract
    return clean_target(plan, plan.windowed, world) if plan.windowed else skipped("none declared")
