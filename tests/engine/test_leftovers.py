"""What dead attempts leave: unfinished parcels go, whole ones stay, rows are closed, numbers are used again."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import Executor, Future
from pathlib import Path

import pytest

from landbridge.connectors.duckdb.connector import DuckDB
from landbridge.connectors.duckdb.sql import mark
from landbridge.engine.events import Event, Notice, RowsMoved
from landbridge.errors import LeaseLost, TargetError, WorldError
from landbridge.ledger import parcels, runs
from landbridge.schema.model import Relation
from landbridge.stage.location import Store
from tests.engine.conftest import OpenWorld
from tests.engine.projects import FUNDS, MART, WAREHOUSE, export_table, in_duckdb, introduce, make_project, run, table

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


class AtOnce(Executor):
    """A pool of no processes: tasks are run here, where a test can reach them."""

    def submit(self, task, /, *args, **kwargs):
        done = Future()
        done.set_result(task(*args, **kwargs))
        return done


def full(_event: Event) -> None:
    """A disk, as soon as rows have moved."""
    if isinstance(_event, RowsMoved):
        raise WorldError("no space left on device")


def test_a_failed_attempt_leaves_no_files(project: Path, open_world: OpenWorld) -> None:
    """What it wrote is gone at once, and no file of another attempt; the next one uses its number again."""
    other = project / "exports" / "funds" / ("0" * 32) / "part-0a-00000-00000.parquet.age"
    other.parent.mkdir(parents=True)
    other.touch()
    with pytest.raises(WorldError, match="no space"):
        export_table(open_world(project, full), "funds")
    assert exported(project) == {other.parent.name}
    world = open_world(project)
    row = export_table(world, "funds")
    assert exported(project) == {other.parent.name, row.parcel_id}
    assert parcels.list_parcels(world.ledger, "funds", "out")[-1].sequence == 1


@pytest.mark.parametrize("overtaken_at", ["part-", "index"])
def test_an_attempt_that_lost_its_lease_leaves_no_files(
    project: Path, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch, overtaken_at: str
) -> None:
    """It says so, and only the parcel of the attempt that took over is there, also where its own got an index."""
    put, later = Store.put, []

    def overtaken(store: Store, path: str, data: bytes, *, timeless: bool = False) -> None:
        if path.rpartition("/")[2].startswith(overtaken_at) and not later:
            later.append("begun")
            with sqlite3.connect(project / "state" / "drive.db") as connection:
                connection.execute("UPDATE landbridge_leases SET expires_at = '2000-01-01 00:00:00.000000+00:00'")
            connection.close()
            later[0] = export_table(open_world(project), "funds").parcel_id
        put(store, path, data, timeless=timeless)

    monkeypatch.setattr(Store, "put", overtaken)
    world = open_world(project)
    world.pool = AtOnce()
    with pytest.raises(LeaseLost):
        export_table(world, "funds")
    assert exported(project) == set(later)
    kept = [each for each in parcels.list_parcels(world.ledger, "funds", "out") if each.state != "abandoned"]
    assert [(each.parcel_id, each.state, each.sequence) for each in kept] == [(*later, "sealed", 1)]


def landings(project: Path) -> list[tuple]:
    return in_duckdb(project / "mart.duckdb", "SELECT table_name FROM duckdb_tables() WHERE table_name LIKE '_lb%'")


@pytest.fixture
def one_hop(tmp_path: Path) -> Path:
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("funds", target="mart")])
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    return project


@pytest.mark.parametrize("dropped", [True, False])
def test_a_failed_load_drops_its_landing_table(
    one_hop: Path, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch, *, dropped: bool
) -> None:
    """The server's disk has its space back; where even that fails, the user is told what failed first."""

    def broken(*_: object) -> None:
        raise TargetError("the target is gone")

    def full(event: Event) -> None:
        if isinstance(event, RowsMoved) and landings(one_hop):
            monkeypatch.setattr(DuckDB, "drop", DuckDB.drop if dropped else broken)
            raise TargetError("no space left on device")

    with pytest.raises(TargetError, match="no space"):
        run(open_world(one_hop, full), "funds")
    assert (landings(one_hop) == []) is dropped


def test_a_load_that_lost_its_lease_drops_its_own_landing_table(one_hop: Path, open_world: OpenWorld) -> None:
    """And no other: that may be the one of whoever took over."""
    comment = f"COMMENT ON TABLE _lb_other IS '{mark(Relation('funds', 'main'))}another'"

    def oversleep(event: Event) -> None:
        if isinstance(event, RowsMoved) and landings(one_hop):
            in_duckdb(one_hop / "mart.duckdb", "CREATE TABLE _lb_other (id INTEGER)", comment)
            world.lease._deadline = 0.0

    world = open_world(one_hop, oversleep)
    with pytest.raises(LeaseLost):
        run(world, "funds")
    assert landings(one_hop) == [("_lb_other",)]
    row = run(open_world(one_hop), "funds")
    assert row.phases["stale_pipeline_handling"].details["landing_tables_dropped"] == ["_lb_other"]
