"""Attempts that died: leases that they hold, rows that say RUNNING. Asked only where nobody works on the table."""

from collections.abc import Iterator
from functools import partial

from landbridge.config.tables import Table
from landbridge.engine.checking.finding import Finding
from landbridge.engine.world import World
from landbridge.ledger import runs
from landbridge.ledger.leases import Held


def dead_lease(table: Table, held: Held) -> Finding:
    return Finding(
        kind="dead_lease",
        table=table.name,
        where=f"table:{table.name}",
        what=f"{held.holder} holds the lease, and is dead or has not renewed it",
        mend=_taken_over,
    )


def _taken_over() -> None:
    """Whoever repairs has taken the lease, and gives it back."""


def dead_runs(world: World, table: Table) -> Iterator[Finding]:
    for run in runs.list_runs(world.ledger, pipeline_name=table.name, status="RUNNING"):
        yield Finding(
            kind="dead_run",
            table=table.name,
            where=run.pipeline_id,
            what=f"says RUNNING in {runs.stopped_at(run)}, and its process is dead",
            mend=partial(runs.close_crashed, world.ledger, table.name, run.job_kind),
        )
