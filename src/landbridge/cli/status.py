"""`landbridge status`."""

from datetime import UTC, datetime
from typing import Any

from landbridge.cli.options import AsJson, ProjectFolder, open_world
from landbridge.cli.text import age, never_seen, print_json, print_table
from landbridge.engine.standing import Standing, standings


def status_command(*, as_json: AsJson = False, project: ProjectFolder = None) -> None:
    """Each table's last run of each kind, how old its data is, and whether its schedule has passed."""
    with open_world(project, changing=False) as world:
        found = standings(world, datetime.now(UTC))
    if as_json:
        print_json([_entry(one) for one in found])
        return
    print_table(
        ("table", "kind", "status", "rows", "as of", "age", "run"),
        [
            (
                one.table,
                one.run.job_kind if one.run else None,
                "; ".join(filter(None, (one.status, never_seen(one.never_seen)))),
                one.rows,
                f"{one.as_of:%Y-%m-%d %H:%M:%S}" if one.as_of else None,
                age(one.age) if one.age else None,
                one.run.pipeline_id if one.run else None,
            )
            for one in found
        ],
    )


def _entry(one: Standing) -> dict[str, Any]:
    return {
        "table": one.table,
        "job_kind": one.run.job_kind if one.run else None,
        "status": one.status,
        "row_count": one.rows,
        "as_of": one.as_of,
        "overdue": one.overdue,
        "never_seen": one.never_seen,
        "pipeline_id": one.run.pipeline_id if one.run else None,
    }
