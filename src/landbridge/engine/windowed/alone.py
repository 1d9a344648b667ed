"""One phase of a user's script by itself: no row in the drive table, nothing else moves."""

import socket
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from landbridge import __version__
from landbridge.config.project import Project
from landbridge.engine.plan import plan_window
from landbridge.engine.windowed.scripts import call
from landbridge.errors import UsageError
from landbridge.ledger.phases import PHASES, PhaseRecord
from landbridge.ledger.runs import Run
from landbridge.schema.names import did_you_mean
from landbridge.windows import Window, format_duration


def run_phase(
    project: Project, name: str, phase: str, window: Window, *, details: dict[str, dict[str, Any]] | None = None
) -> dict[str, Any]:
    """What the script of `phase` says of the window. `details`: what earlier phases are to have said.

    Raises UsageError for a phase that has no script, and whatever the script's failure means in a run.
    """
    pipeline = project.pipeline(name)
    if phase not in PHASES:
        raise UsageError(f"no phase is called {phase!r}{did_you_mean(phase, PHASES)}")
    script = pipeline.phases[phase].user_script
    if script is None:
        raise UsageError(
            f"{phase} of {name} is done by landbridge itself; a script can be run alone",
            hint=f"phases.{phase}.user_script in {pipeline.file}",
        )
    return call(
        script,
        phase,
        pipeline.document,
        _row(name, window, plan_window(project, pipeline, window).digest(), details or {}),
    )


def _row(name: str, window: Window, plan_hash: str, details: dict[str, dict[str, Any]]) -> Run:
    now = datetime.now(UTC)
    records = {phase: PhaseRecord(phase_name=phase) for phase in PHASES}
    for phase, told in details.items():
        records[phase] = replace(records[phase], status="COMPLETED", details=told)
    return Run(
        pipeline_id=f"{name}_alone",
        pipeline_name=name,
        pipeline_status="RUNNING",
        pipeline_retry_number=0,
        pipeline_start_timestamp=now,
        pipeline_end_timestamp=None,
        pipeline_run_duration=None,
        query_window_start_timestamp=window.start,
        query_window_end_timestamp=window.end,
        target_date=window.target_date,
        query_window_duration=format_duration(window.duration),
        phases=records,
        phases_completed=tuple(details),
        phases_skipped=(),
        phases_pending=tuple(phase for phase in PHASES if phase not in details),
        phase_failed=None,
        created_at=now,
        updated_at=now,
        job_kind="run",
        plan_hash=plan_hash,
        parcel_id=None,
        load_id=None,
        fence=0,
        resumed_from=None,
        host=socket.gethostname(),
        landbridge_version=__version__,
    )
