"""What dead attempts leave: unfinished parcels go, whole ones stay, rows are closed, numbers are used again."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from landbridge.engine.events import Event, Notice
from landbridge.ledger import parcels, runs
from tests.engine.conftest import OpenWorld
from tests.engine.projects import FUNDS, WAREHOUSE, export_table, in_duckdb, introduce, make_project, table

DIES_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from landbridge.config.project import load_project
from landbridge.engine.events import RowsMoved
from landbridge.engine.world import World
from tests.engine.projects import export_table

def die(event):
    if isinstance(event, RowsMoved):
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    export_table(World(load_project(Path(sys.argv[1]), {}), die), "funds")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The inner side of a gap."""
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=[table("funds")])
    introduce(inside, make_project(tmp_path / "outside"))
    in_duckdb(inside / "warehouse.duckdb", FUNDS)
    return inside


def exported(folder: Path) -> set[str]:
    return {path.parent.name for path in (folder / "exports").rglob("*") if path.is_file()}


def test_unfinished(project: Path, tmp_path: Path, open_world: OpenWorld) -> None:
    """The parcel of an attempt that was killed while writing is removed, its row closed, its number used again."""
    program = tmp_path / "dies.py"
    program.write_text(DIES_WHILE_WRITING)
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, program, project], env={"PYTHONPATH": str(root)}, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = exported(project)
    notices: list[Event] = []
    world = open_world(project, notices.append)
    row = export_table(world, "funds")
    stale = row.phases["stale_pipeline_handling"].details
    assert (stale["parcels_removed"], stale["parcels_kept"], stale["records_resolved"]) == ([left], [], 1)
    assert exported(project) == {row.parcel_id}
    dead = runs.list_runs(world.ledger, status="FAILED")[0]
    assert (dead.phase_failed, dead.pipeline_run_duration) == ("source_to_stage_transfer", None)
    assert dead.phases["source_to_stage_transfer"].error_class == "crash"
    assert [type(one) for one in notices[:1]] == [Notice]
    rows = {each.parcel_id: (each.state, each.sequence) for each in parcels.list_parcels(world.ledger, "funds", "out")}
    assert rows == {left: ("abandoned", None), row.parcel_id: ("sealed", 1)}


def test_finished(project: Path, open_world: OpenWorld) -> None:
    """A parcel whose index was written is whole, also where its writer died before it could say so: it is kept."""
    whole = export_table(open_world(project), "funds").parcel_id
    with sqlite3.connect(project / "state" / "drive.db") as connection:
        connection.execute("UPDATE landbridge_parcels SET state = 'writing'")
    connection.close()
    world = open_world(project)
    row = export_table(world, "funds")
    assert row.phases["stale_pipeline_handling"].details["parcels_kept"] == [whole]
    assert exported(project) == {whole, row.parcel_id}
    rows = {each.parcel_id: (each.state, each.sequence) for each in parcels.list_parcels(world.ledger, "funds", "out")}
    assert rows == {whole: ("sealed", 1), row.parcel_id: ("sealed", 2)}
