"""Where each table stands, as far as this side's drive table knows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from landbridge.config.tables import Table
from landbridge.engine.carrying.board import Listed, outgoing
from landbridge.engine.world import World
from landbridge.ledger import runs
from landbridge.ledger.runs import Run


@dataclass(frozen=True)
class Standing:
    """The newest run of one kind; `as_of`, `age`, `rows`, `never_seen` are of the last one that succeeded.

    `overdue`: the last success is older than the table's schedule, or there is none. Of exports: the parcels of which
    nothing was heard since, oldest first, and the last one that is known to have arrived.
    """

    table: str
    run: Run | None
    as_of: datetime | None
    age: timedelta | None
    rows: int | None
    overdue: bool
    never_seen: Sequence[tuple[int, int]] = ()  # first and last number of parcels
    on_the_way: Sequence[Listed] = ()
    confirmed: Listed | None = None

    @property
    def status(self) -> str:
        state = self.run.pipeline_status if self.run else "never run"
        return f"{state}, overdue" if self.overdue else state


def standings(world: World, now: datetime) -> list[Standing]:
    """One entry for each kind of run that a table has had; one without a run for a table that never ran."""
    found = []
    for table in world.project.tables:
        newest = [runs.latest_run(world.ledger, table.name, kind) for kind in ("run", "export", "import")]
        found += [_standing(table, run, world, now) for run in newest if run] or [_never(table)]
    sent = outgoing(world)
    return [_carried(one, sent) if one.run and one.run.job_kind == "export" else one for one in found]


def _carried(one: Standing, sent: Sequence[Listed]) -> Standing:
    ours = [parcel for parcel in sent if parcel.table == one.table]
    confirmed = max((p for p in ours if p.state == "loaded"), key=lambda p: p.sequence or 0, default=None)
    return replace(one, on_the_way=[p for p in ours if p.state == "on the way"], confirmed=confirmed)


def _never(table: Table) -> Standing:
    return Standing(table.name, None, None, None, None, overdue=table.schedule is not None)


def _standing(table: Table, run: Run, world: World, now: datetime) -> Standing:
    success = _last_success(world, run)
    as_of = _as_of(success) if success else None
    age = now - as_of if as_of else None
    late = table.schedule is not None and (age is None or age > table.schedule)
    rows = success.phases["source_to_stage_transfer"].details.get("stage_count") if success else None
    missed = success.phases["pre_validation"].details.get("never_seen", ()) if success else ()
    return Standing(table.name, run, as_of, age, rows, late, missed)


def _as_of(success: Run) -> datetime:
    """By the source's clock; a run's window is by ours, and begins before the source is asked."""
    return datetime.fromisoformat(success.phases["source_to_stage_transfer"].details["as_of"])


def _last_success(world: World, run: Run) -> Run | None:
    if run.pipeline_status == "SUCCESS":
        return run
    done: Sequence[Run] = runs.list_runs(world.ledger, pipeline_name=run.pipeline_name, status="SUCCESS", limit=50)
    return next((one for one in done if one.job_kind == run.job_kind), None)
