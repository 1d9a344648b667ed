"""The audit of a window: three counts, taken afresh, within the tolerances (docs/pipelines.md, "Audit")."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from landbridge.config.pipelines import Tolerances
from landbridge.engine.phases.outcome import Outcome, completed
from landbridge.engine.plan import Plan, Windowed, window_load_id
from landbridge.engine.staged import open_staged
from landbridge.engine.windowed.rows import of_window
from landbridge.engine.world import World
from landbridge.errors import AuditError
from landbridge.ledger.runs import Run


@dataclass(frozen=True)
class Step:
    """Rows before and after one step of the way; None where nobody could count them."""

    name: str
    before: int | None
    after: int | None
    tolerance: float  # of loss, percent
    duplicates: float  # of rows too many, percent

    @property
    def loss_percent(self) -> float:
        """(before - after) / before, to two digits; negative for rows too many; 0 where there was nothing before.

        As seed 002, section 2.11.
        """
        return (
            round((self.before - self.after) / self.before * 100, 2) if self.before and self.after is not None else 0.0
        )

    def broken(self) -> str | None:
        """What is wrong, in words."""
        if self.before is None or self.after is None:
            where = self.name.split("_to_")[0 if self.before is None else 1]
            return f"nobody counted the {where}: a script that does the transfer has to return {where}_count"
        told = f"{self.name.replace('_', ' ')}: {self.before:,} rows, then {self.after:,}"
        # compared unrounded: 0.004 percent is not within a tolerance of 0
        if self.after < self.before and (self.before - self.after) * 100 > self.tolerance * self.before:
            return f"{told}: {self.loss_percent} % lost, {self.tolerance} % are tolerated"
        if self.after > self.before and (self.after - self.before) * 100 > self.duplicates * self.before:
            return f"{told}: {self.after - self.before:,} too many, {self.duplicates} % are tolerated"
        return None


def audit_window(plan: Plan, windowed: Windowed, row: Run, world: World) -> Outcome:
    """Raises AuditError (exit code 4) for rows that are missing or too many, and for counts that nobody can take."""
    rules = world.project.pipeline(plan.pipeline_name)
    allowed = rules.tolerances.at(windowed.window.start.astimezone(ZoneInfo(rules.zone)))
    source, stage, target = (count(plan, row, world) for count in (_source, _stage, _target))
    steps = [
        Step("source_to_stage", source, stage, allowed.source_to_stage, allowed.duplicates),
        _loading(plan, row, stage, target, allowed),
    ]
    broken = [text for step in steps if (text := step.broken())]
    if broken:
        raise AuditError(
            f"window {windowed.window}: " + "; ".join(broken),
            hint=f"landbridge retry {row.pipeline_id} reads the window again; or count_tolerances of phases.audit",
        )
    return completed(**_told(steps, allowed, source, stage, target))


def _told(steps: list[Step], allowed: Tolerances, *counts: int | None) -> dict[str, Any]:
    source, stage, target = counts
    notes = [
        f"{step.name.replace('_', ' ')}: {step.after - step.before:,} rows too many, within the tolerance"
        for step in steps
        if step.before is not None and step.after is not None and step.after > step.before
    ]
    return {
        "source_count": source,
        "stage_count": stage,
        "target_count": target,
        "source_to_stage_loss_percent": steps[0].loss_percent,
        "stage_to_target_loss_percent": steps[1].loss_percent,
        "source_to_stage_tolerance_percent": allowed.source_to_stage,
        "stage_to_target_tolerance_percent": allowed.stage_to_target,
        "duplicates_tolerance_percent": allowed.duplicates,
        "validation_status": "PASSED",
        "validation_results": notes,
    }


def _source(plan: Plan, row: Run, world: World) -> int | None:
    if plan.read is None:
        return _said(row, "source_to_stage_transfer", "source_count")
    source = world.connector(plan.read.connection)
    read = of_window(plan, world)
    with source.instant() as instant:
        return source.count_rows(read, instant)


def _stage(plan: Plan, row: Run, world: World) -> int | None:
    if plan.packing is not None:
        return sum(part.rows for part in open_staged(plan, row, world).manifest.parts)
    if plan.stage is None:
        return _said(row, "source_to_stage_transfer", "stage_count")
    return world.connector(plan.stage.connection).count(plan.stage, window_load_id(row.pipeline_name, row.window))


def _target(plan: Plan, row: Run, world: World) -> int | None:
    if plan.write is None:
        return _said(row, "stage_to_target_transfer", "target_count")
    return world.connector(plan.write.connection).count(plan.write, window_load_id(row.pipeline_name, row.window))


def _loading(plan: Plan, row: Run, stage: int | None, target: int | None, allowed: Tolerances) -> Step:
    """The target is compared with the stage, or with what the user's SQL made of it; rows that were left out, being
    older than those of their keys, count as arrived.
    """
    phase = "stage_to_target_transfer"
    before, older = stage, 0
    if plan.keyed:
        older = row.phases[phase].details.get("rows_changed", {}).get("older", 0)
    elsewhere = plan.keyed and row.phases[phase].details.get("published_by") == "already"  # and what it left out, too
    if elsewhere or (plan.windowed and plan.windowed.rows_change):
        before = _said(row, phase, "rows_out")
        before = None if before is None else before + older
    after = None if target is None else target + older
    return Step("stage_to_target", before, after, allowed.stage_to_target, allowed.duplicates)


def _said(row: Run, phase: str, name: str) -> int | None:
    said = row.phases[phase].details.get(name)
    return said if isinstance(said, int) and not isinstance(said, bool) else None
