"""Phase 5: the law of conservation, on counts taken afresh. Only after it does the parcel count as loaded."""

from dataclasses import dataclass

from landbridge.engine.carrying.custody import imported
from landbridge.engine.carrying.receipts import issue
from landbridge.engine.phases.outcome import Outcome, completed, skipped
from landbridge.engine.plan import Plan
from landbridge.engine.staged import nothing_staged, open_staged
from landbridge.engine.tables.kept import keep
from landbridge.engine.windowed.audit import audit_window
from landbridge.engine.world import World
from landbridge.errors import AuditError
from landbridge.ledger import marks, parcels
from landbridge.ledger.runs import Run


@dataclass(frozen=True)
class Counts:
    """Rows at each station: counted by the source, held by the parcel, in the target now.

    `left`: what the load left in the target, where it did not replace all that was there.
    """

    source: int
    stage: int
    target: int
    left: int | None = None

    def broken(self) -> list[str]:
        """Every law that does not hold."""
        held = f"the parcel holds {self.stage} rows" if self.left is None else f"the load left {self.left} rows"
        laws = [
            (self.source == self.stage, f"the source counted {self.source} rows, the parcel holds {self.stage}"),
            (self.target == (self.stage if self.left is None else self.left), f"{held}, the target has {self.target}"),
        ]
        return [text for holds, text in laws if not holds]


def loss_percent(before: int, after: int) -> float:
    """(before - after) / before, in percent to two digits; 0 where there was nothing (seed 002, section 2.11)."""
    return round((before - after) / before * 100, 2) if before else 0.0


def audit(plan: Plan, row: Run, world: World) -> Outcome:
    """Raises AuditError (exit code 4) when rows are missing or too many."""
    if plan.windowed:
        return audit_window(plan, plan.windowed, row, world)
    if plan.write is None:
        return skipped("other side: audited where it is loaded")
    if nothing_staged(row):
        return skipped("nothing changed")
    parcel = open_staged(plan, row, world)
    manifest = parcel.manifest
    full = plan.write.mode == "full"
    counts = Counts(
        source=manifest.row_count,
        stage=sum(part.rows for part in manifest.parts),
        left=None if full else row.phases["stage_to_target_transfer"].details["target_count"],
        target=world.connector(plan.write.connection).count(plan.write),
    )
    broken = counts.broken()
    if broken:
        raise AuditError(
            f"{plan.write.relation}: " + "; ".join(broken),
            hint="has something else written to the target since? `landbridge show` has the counts of each phase",
        )
    if plan.job_kind == "run":
        marks.confirm(world.ledger, manifest.parcel_id, "audit")
    keep(world, plan.pipeline_name, plan.location, parcel)
    told = {}
    if plan.job_kind == "import":
        told["receipt"] = issue(world, parcel)
        parcels.record_in(
            world.ledger,
            pipeline_name=plan.pipeline_name,
            parcel_id=manifest.parcel_id,
            sequence=manifest.sequence,
            location=plan.location,
            folder=parcel.folder,
            as_of=manifest.as_of,
            row_count=manifest.row_count,
            byte_count=sum(part.sealed_bytes for part in manifest.parts),
            state="loaded",
            pipeline_id=row.pipeline_id,
            event=imported(world, plan, row, manifest, told["receipt"]),
        )
    return completed(
        source_count=counts.source,
        stage_count=counts.stage,
        target_count=counts.target,
        source_to_stage_loss_percent=loss_percent(counts.source, counts.stage),
        stage_to_target_loss_percent=loss_percent(counts.stage, counts.target) if full else 0.0,
        validation_status="PASSED",
        **told,
    )
