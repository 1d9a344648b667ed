"""Where tables stand, as far as the drive table knows."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from landbridge.engine.standing import standings
from tests.engine.conftest import OpenWorld
from tests.engine.projects import FUNDS, MART, WAREHOUSE, in_duckdb, make_project, run, table


def test_a_table_is_overdue_by_its_schedule(tmp_path: Path, open_world: OpenWorld) -> None:
    """Never run, it is overdue at once; then when its rows are older than the schedule says; without one never."""
    entries = [table("funds", target="mart", more=", schedule: 6h"), table("prices", target="mart")]
    project = make_project(tmp_path, WAREHOUSE, MART, tables=entries)
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    world = open_world(project)

    def overdue(later: timedelta) -> dict[str, bool]:
        return {one.table: one.overdue for one in standings(world, datetime.now(UTC) + later)}

    assert overdue(timedelta()) == {"funds": True, "prices": False}
    run(world, "funds")
    assert overdue(timedelta(hours=5)) == {"funds": False, "prices": False}
    assert overdue(timedelta(hours=7)) == {"funds": True, "prices": False}
