"""The walk: one plan, seven phases, one row of the drive table per attempt."""

import socket
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from landbridge import __version__
from landbridge.engine.carrying.arrivals import note_refused
from landbridge.engine.events import Notice, PhaseBegan, PhaseEnded, RunBegan, RunEnded
from landbridge.engine.phases import (
    audit,
    pre_validation,
    source_to_stage_transfer,
    stage_cleaning,
    stage_to_target_transfer,
    stale_pipeline_handling,
    target_cleaning,
)
from landbridge.engine.phases.outcome import Outcome, skipped
from landbridge.engine.plan import JobKind, Plan
from landbridge.engine.resume import completed_by, resumable
from landbridge.engine.windowed.failures import category
from landbridge.engine.windowed.scripts import scripted
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError, ParcelError, ScriptFailed
from landbridge.ledger import runs
from landbridge.ledger.runs import PhaseRecord, Run
from landbridge.windows import Window, format_duration

Phase = Callable[[Plan, Run, World], Outcome]

WALK: Mapping[str, Phase] = {
    "stale_pipeline_handling": stale_pipeline_handling.stale_pipeline_handling,
    "pre_validation": pre_validation.pre_validation,
    "source_to_stage_transfer": source_to_stage_transfer.source_to_stage_transfer,
    "stage_to_target_transfer": stage_to_target_transfer.stage_to_target_transfer,
    "audit": audit.audit,
    "stage_cleaning": stage_cleaning.stage_cleaning,
    "target_cleaning": target_cleaning.target_cleaning,
}
ALWAYS_ANEW = ("stale_pipeline_handling", "pre_validation")


def walk(plan: Plan, world: World, *, fresh: bool = False) -> Run:
    """Walk the plan's phases under a lease, and return the row of this attempt.

    An earlier attempt at the same plan that failed is taken up at its failed phase, unless `fresh`.
    Whatever a phase raises is written into the row, and raised on.
    """
    with world.alone_with(plan.pipeline_name) as lease:
        close_dead(plan.pipeline_name, plan.job_kind, world)
        return attempt(plan, world, lease.fence, fresh=fresh)


def close_dead(pipeline_name: str, job_kind: JobKind, world: World) -> None:
    """Close the rows of attempts that still say RUNNING. The caller has the lease, so their processes are dead."""
    for dead in runs.close_crashed(world.ledger, pipeline_name, job_kind):
        world.emit(Notice(f"closed {dead.pipeline_id}: its process ended without a word in {dead.phase_failed}"))


def recorded(plan: Plan, world: World, fence: int, phases: Mapping[str, Phase]) -> Run:
    """The row of an attempt that does `phases` only: what is there is written down. The caller has the lease."""

    def nothing(_plan: Plan, _row: Run, _world: World) -> Outcome:
        return skipped("what is there is written down, nothing is moved")

    return _phases(plan, world, _start(plan, world, fence, None), None, {**dict.fromkeys(WALK, nothing), **phases})


def attempt(plan: Plan, world: World, fence: int, *, fresh: bool) -> Run:
    """One row, its phases walked. The caller has the lease; raises what a phase does."""
    world.warm_up(plan.connections)
    earlier = None if fresh else resumable(plan, world)
    return _phases(plan, world, _start(plan, world, fence, earlier), earlier, phases_of(plan))


def phases_of(plan: Plan) -> Mapping[str, Phase]:
    """The seven, of which a pipeline may leave some out, and do some itself."""
    if plan.windowed is None:
        return WALK
    enabled = {name: phase for name, phase in WALK.items() if name not in plan.windowed.disabled}
    return enabled | {name: scripted(name) for name in plan.windowed.scripts if name in enabled}


def _phases(plan: Plan, world: World, run: Run, earlier: Run | None, phases: Mapping[str, Phase]) -> Run:
    try:
        return _one_by_one(plan, world, run, earlier, phases)
    except BaseException:
        with suppress(LandbridgeError):  # closed already, where a phase failed
            runs.finish_run(world.ledger, run, "FAILED")
        raise


def _one_by_one(plan: Plan, world: World, run: Run, earlier: Run | None, phases: Mapping[str, Phase]) -> Run:
    world.emit(RunBegan(run))
    for name, phase in phases.items():
        if earlier and name not in ALWAYS_ANEW and completed_by(earlier, name):
            run = _taken_over(run, earlier, name, world)
        elif name in run.phases["pre_validation"].details.get("phases_to_skip", ()):
            run = _step(name, _passed_over, plan, run, world)
        else:
            run = _step(name, phase, plan, run, world)
    run = runs.finish_run(world.ledger, run, _ended_as(run), covers=plan.windowed is not None)
    world.emit(RunEnded(run))
    return run


def _passed_over(_plan: Plan, _row: Run, _world: World) -> Outcome:
    return skipped("pre_validation: phases_to_skip")


def _ended_as(run: Run) -> Literal["SUCCESS", "SKIPPED"]:
    return "SUCCESS" if run.phases_completed else "SKIPPED"


def _start(plan: Plan, world: World, fence: int, earlier: Run | None) -> Run:
    if earlier:
        as_of = earlier.query_window_start_timestamp
        what = f"window {earlier.window}" if plan.windowed else f"as of {as_of:%Y-%m-%d %H:%M:%S} UTC"
        world.emit(Notice(f"resuming {earlier.pipeline_id} at {earlier.phase_failed}, {what}"))
    return runs.start_run(
        world.ledger,
        pipeline_name=plan.pipeline_name,
        job_kind=plan.job_kind,
        window=earlier.window if earlier else _window(plan),
        phases_enabled=tuple(phases_of(plan)),
        plan_hash=plan.digest(),
        fence=fence,
        resumed_from=earlier,
        retry_number=earlier.pipeline_retry_number + 1 if earlier else 0,
        host=socket.gethostname(),
        version=__version__,
    )


def _window(plan: Plan) -> Window:
    return plan.windowed.window if plan.windowed else Window.at(plan.as_of or datetime.now(UTC))


def _taken_over(run: Run, earlier: Run, name: str, world: World) -> Run:
    """Record a phase that an earlier attempt completed, with its counts, so that the audit still sees them."""
    attempt, record = completed_by(earlier, name), earlier.phases[name]
    details = {**record.details, "attempt": attempt}
    record = replace(record, status="SKIPPED", skip_reason=f"completed by {attempt}", details=details)
    run = runs.phase_ended(world.ledger, run, record, parcel_id=earlier.parcel_id, load_id=earlier.load_id)
    world.emit(PhaseEnded(run, record))
    return run


def _step(name: str, phase: Phase, plan: Plan, run: Run, world: World) -> Run:
    began = datetime.now(UTC)
    run = runs.phase_began(world.ledger, run, name)
    world.emit(PhaseBegan(run, name))
    try:
        outcome = phase(plan, run, world)
    except BaseException as failure:
        if isinstance(failure, ParcelError):
            note_refused(plan, run, world, failure)
        _fail(name, began, failure, plan, run, world)
        raise
    record = _ended(
        name,
        began,
        status=outcome.status,
        skip_reason=outcome.reason,
        details=outcome.details,
        expected_run_duration=_expected(name, plan, world),
    )
    run = runs.phase_ended(world.ledger, run, record, parcel_id=outcome.parcel_id, load_id=outcome.load_id)
    world.emit(PhaseEnded(run, record))
    return run


def _fail(name: str, began: datetime, failure: BaseException, plan: Plan, run: Run, world: World) -> None:
    ours = failure if isinstance(failure, LandbridgeError) else None
    if ours:
        ours.pipeline_id = run.pipeline_id
    theirs = failure.__cause__ if isinstance(failure, ScriptFailed) else None
    details = {"error_category": category(failure)} | ({"hint": ours.hint} if ours and ours.hint else {})
    record = _ended(
        name,
        began,
        status="FAILED",
        error_message=ours.message if ours else type(failure).__name__,  # any other may quote a value
        error_type=type(failure).__name__,
        error_class=_family(failure),
        traceback=None if ours and not theirs else "".join(traceback.format_tb((theirs or failure).__traceback__)),
        details=details,
        expected_run_duration=_expected(name, plan, world),
    )
    with suppress(LandbridgeError):  # what failed matters more than that it cannot be written down
        run = runs.finish_run(world.ledger, runs.phase_ended(world.ledger, run, record), "FAILED")
    world.emit(PhaseEnded(run, record))
    world.emit(RunEnded(run))


def _expected(name: str, plan: Plan, world: World) -> str | None:
    """How long a pipeline's phase is declared to take."""
    if plan.windowed is None:
        return None
    return format_duration(world.project.pipeline(plan.pipeline_name).phases[name].expected)


def _family(failure: BaseException) -> str:
    """The branch of the error tree: ConfigError, WorldError, RunError, ParcelError, AuditError."""
    branches = [kind.__name__ for kind in type(failure).__mro__ if kind.__base__ is LandbridgeError]
    return branches[0] if branches else "unexpected"


def _ended(name: str, began: datetime, **fields: object) -> PhaseRecord:
    ended = datetime.now(UTC)
    return PhaseRecord(
        phase_name=name,
        start_timestamp=began,
        end_timestamp=ended,
        actual_run_duration=format_duration(ended - began),
        **fields,  # type: ignore[arg-type]
    )
