"""What an alert says: made from facts, by functions that ask nobody."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from landbridge.config.alerts import Kind, Severity
from landbridge.errors import AuditError, LandbridgeError
from landbridge.ledger.phases import PhaseRecord
from landbridge.ledger.runs import Run
from landbridge.windows import INSTANT, Window, format_duration, parse_duration

MOST_LINES = 50  # of gaps and changes; what is left out is counted


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that a person should know; `key` is the same where the same happens again."""

    kind: Kind | Literal["test"]
    severity: Severity
    pipeline_name: str
    subject: str
    text: str
    key: str


def failure(
    pipeline_name: str,
    error: LandbridgeError | None,
    run: Run | None,
    *,
    pipeline: bool = False,
    environment: str | None = None,
) -> Alert:
    """A run failed, or none could be begun (`run` None); `pipeline`: it is one, and no table of tables.yaml."""
    record = run.phases[run.phase_failed] if run and run.phase_failed else None
    recorded = (record.error_type, record.error_message, record.details.get("hint")) if record else (None, None, None)
    kind, said, hint = (type(error).__name__, error.message, error.hint) if error else recorded
    facts: dict[str, str | None] = {
        "env": environment,
        **(_of_run(run) if run else {}),
        "error": kind,
        "message": said,
        "hint": hint,
    }
    return Alert(
        kind="failure",
        severity="critical" if isinstance(error, AuditError) else "error",
        pipeline_name=pipeline_name,
        subject=f"[ALERT] Pipeline Failure: {pipeline_name}",
        text=f"{_listed(facts)}\n\n{_to_type(pipeline_name, run, pipeline=pipeline)}",
        key=f"failure/{pipeline_name}/{run.phase_failed if run else '-'}/{kind}",
    )


def duration(run: Run, record: PhaseRecord, threshold: float) -> Alert | None:
    """A phase took more than its expected duration times `threshold`; None where it did not, or none is expected."""
    expected = span(record.expected_run_duration or "")
    if expected is None or record.status == "SKIPPED" or not record.start_timestamp or not record.end_timestamp:
        return None
    actual = record.end_timestamp - record.start_timestamp
    if actual <= expected * threshold:
        return None
    facts = {
        **_of_run(run),
        "phase": record.phase_name,
        "took": format_duration(actual),
        "expected": f"{format_duration(expected)}; told above {threshold:g} times that",
    }
    return Alert(
        kind="duration",
        severity="warning",
        pipeline_name=run.pipeline_name,
        subject=f"[ALERT] Pipeline Duration: {run.pipeline_name}",
        text=f"{_listed(facts)}\n\nlandbridge show {run.pipeline_id}",
        key=f"duration/{run.pipeline_name}/{record.phase_name}",
    )


def gaps(pipeline_name: str, windows: Sequence[Window]) -> Alert:
    """Windows that no run will fill by itself: one alert for all of them."""
    lines = [str(window) for window in windows]
    return Alert(
        kind="gap",
        severity="warning",
        pipeline_name=pipeline_name,
        subject=f"[ALERT] Pipeline Gap: {pipeline_name}",
        text=f"{_counted(lines, 'window')} that no run will fill by itself\n\n{_cut(lines)}\n\n"
        f"landbridge gaps {pipeline_name}\nlandbridge gaps {pipeline_name} --fill",
        key=f"gap/{pipeline_name}/{_digest(lines)}",
    )


def schema_change(pipeline_name: str, changes: Sequence[str]) -> Alert:
    """The source's columns are not those of the run before; `changes` are lines for people."""
    return Alert(
        kind="schema_change",
        severity="warning",
        pipeline_name=pipeline_name,
        subject=f"[ALERT] Pipeline Schema Change: {pipeline_name}",
        text=f"{_counted(changes, 'change')} at the source\n\n{_cut(changes)}",
        key=f"schema_change/{pipeline_name}/{_digest(changes)}",
    )


def trial(channel: str, host: str) -> Alert:
    """What `landbridge alerts test` sends."""
    return Alert(
        kind="test",
        severity="info",
        pipeline_name=channel,
        subject=f"[TEST] Landbridge: {channel}",
        text=f"Alerts of landbridge on {host} arrive here.",
        key=f"test/{channel}",
    )


def span(text: str) -> timedelta | None:
    """A duration as phase objects have it, `1h 30m 45s`; None for none."""
    try:
        return parse_duration(text)
    except ValueError:  # `0s`, or nothing
        return None


def _of_run(run: Run) -> dict[str, str | None]:
    window = run.window
    return {
        "run": run.pipeline_id,
        "window": str(window) if window.duration > INSTANT else f"as of {window.start.isoformat()}",
        "phase": run.phase_failed,
        "attempt": str(run.pipeline_retry_number + 1),
        "host": run.host,
    }


def _to_type(name: str, run: Run | None, *, pipeline: bool) -> str:
    """The next commands: a pipeline's run is tried again by its id, a table by its name."""
    if run is None:
        return "landbridge doctor\nlandbridge status"
    command = {"run": "run", "export": "export-data", "import": "import-data"}[run.job_kind]
    again = f"retry {run.pipeline_id}" if pipeline else f"{command} --table {name}"
    return f"landbridge show {run.pipeline_id}\nlandbridge {again}"


def _listed(facts: dict[str, str | None]) -> str:
    """`name     text` lines; the second and later lines of a text are indented as the first."""
    return "\n".join(f"{name:<9}{text.replace(chr(10), chr(10) + ' ' * 9)}" for name, text in facts.items() if text)


def _counted(lines: Sequence[str], what: str) -> str:
    return f"{len(lines)} {what}{'' if len(lines) == 1 else 's'}"


def _cut(lines: Sequence[str]) -> str:
    more = [f"… and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else []
    return "\n".join([*lines[:MOST_LINES], *more])


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]
