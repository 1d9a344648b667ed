"""Seven phases, one row: what each kind of run records, and what makes a phase fail."""

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import psycopg
import pytest

from landbridge.engine.events import (
    Event,
    PhaseBegan,
    PhaseEnded,
    RowsExpected,
    RowsMoved,
    RunBegan,
    RunEnded,
)
from landbridge.errors import AuditError, LeaseHeld, ParcelMissing, SourceError
from landbridge.ledger import parcels, runs
from landbridge.ledger.phases import PHASES
from landbridge.ledger.runs import Run
from tests.engine.conftest import OpenWorld
from tests.engine.projects import (
    FUNDS,
    MART,
    WAREHOUSE,
    declare,
    export_table,
    import_table,
    in_duckdb,
    introduce,
    make_project,
    run,
    table,
    variables,
)
from tests.ledger.processes import start_holder

TRANSFERRED = {"source_count", "stage_count", "parts", "bytes", "as_of", "sequence", "folder"}


def recorded(row: Run) -> dict[str, str]:
    """Each phase's status, and the reason of those that were skipped."""
    return {
        name: record.status + (f": {record.skip_reason}" if record.skip_reason else "")
        for name, record in row.phases.items()
    }


def one_hop(folder: Path) -> Path:
    """A project with the table funds, from one DuckDB file to another."""
    project = make_project(folder, WAREHOUSE, MART, tables=[table("funds", target="mart")])
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    return project


def test_run(tmp_path: Path, open_world: OpenWorld) -> None:
    """One hop does all there is to do, and of its stage only the manifest is left."""
    world = open_world(one_hop(tmp_path))
    row = run(world, "funds")
    assert recorded(row) == {
        "stale_pipeline_handling": "SKIPPED: nothing stale",
        "pre_validation": "COMPLETED",
        "source_to_stage_transfer": "COMPLETED",
        "stage_to_target_transfer": "COMPLETED",
        "audit": "COMPLETED",
        "stage_cleaning": "COMPLETED",
        "target_cleaning": "SKIPPED: none declared",
    }
    assert (row.pipeline_status, row.job_kind, row.phases_pending, row.phase_failed) == ("SUCCESS", "run", (), None)
    assert row.phases["source_to_stage_transfer"].details.keys() == TRANSFERRED
    audit = row.phases["audit"].details
    assert [audit[f"{place}_count"] for place in ("source", "stage", "target")] == [3, 3, 3]
    assert (audit["validation_status"], audit["stage_to_target_loss_percent"]) == ("PASSED", 0.0)
    assert row.phases["stage_cleaning"].details == {"records_deleted": 3, "parcel_deleted": row.parcel_id}
    left = sorted(
        str(path.relative_to(tmp_path / "stage")) for path in (tmp_path / "stage").rglob("*") if path.is_file()
    )
    assert left == [f"loaded/funds/{row.parcel_id}/{name}" for name in ("index", "manifest.json.age")]
    assert in_duckdb(tmp_path / "mart.duckdb", "FROM funds ORDER BY id") == [(1, "alpha"), (2, "beta"), (3, None)]


def test_two_sides(tmp_path: Path, open_world: OpenWorld) -> None:
    """Each side records the phases of the other as skipped, with the reason; the counts cross with the parcel."""
    entry = table("funds", target="mart")
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=[entry])
    outside = make_project(tmp_path / "outside", MART, tables=[entry])
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", FUNDS)
    exported = export_table(open_world(inside), "funds")
    assert recorded(exported) == {
        "stale_pipeline_handling": "SKIPPED: nothing stale",
        "pre_validation": "COMPLETED",
        "source_to_stage_transfer": "COMPLETED",
        "stage_to_target_transfer": "SKIPPED: other side: the parcel is to be carried there",
        "audit": "SKIPPED: other side: audited where it is loaded",
        "stage_cleaning": "SKIPPED: other side: the parcel stays until it is carried",
        "target_cleaning": "SKIPPED: none declared",
    }
    (inside / "exports").rename(outside / "imports")
    world = open_world(outside)
    imported = import_table(world, "funds")
    assert recorded(imported) == {
        "stale_pipeline_handling": "SKIPPED: nothing stale",
        "pre_validation": "COMPLETED",
        "source_to_stage_transfer": f"SKIPPED: other side: carried in as parcel {exported.parcel_id}",
        "stage_to_target_transfer": "COMPLETED",
        "audit": "COMPLETED",
        "stage_cleaning": "SKIPPED: the carried parcel is kept as a backup",
        "target_cleaning": "SKIPPED: none declared",
    }
    assert imported.parcel_id == exported.parcel_id
    assert imported.phases["source_to_stage_transfer"].details.keys() == TRANSFERRED
    as_of = imported.phases["source_to_stage_transfer"].details["as_of"]
    assert as_of == exported.phases["source_to_stage_transfer"].details["as_of"] == imported.window.start.isoformat()
    loaded = parcels.last_loaded(world.ledger, "funds")
    assert loaded is not None
    assert (loaded.parcel_id, loaded.sequence, loaded.row_count) == (exported.parcel_id, 1, 3)


def test_the_row_can_be_asked_by_hand(tmp_path: Path, open_world: OpenWorld) -> None:
    """What the documentation promises can be asked of the SQLite file itself."""
    row = run(open_world(one_hop(tmp_path)), "funds")
    with sqlite3.connect(tmp_path / "state" / "drive.db") as connection:
        found = connection.execute(
            "SELECT pipeline_status, phases_completed, audit_phase ->> 'target_count', audit_phase ->> 'status'"
            " FROM pipeline_execution_drive WHERE pipeline_id = ?",
            [row.pipeline_id],
        ).fetchone()
    connection.close()
    assert (found[0], json.loads(found[1]), *found[2:]) == ("SUCCESS", list(row.phases_completed), 3, "COMPLETED")


def test_events(tmp_path: Path, open_world: OpenWorld) -> None:
    """A sink hears of the run, of every phase that is executed, and of all rows, in this order."""
    events: list[Event] = []
    run(open_world(one_hop(tmp_path), events.append), "funds")
    moving = [RowsExpected, RowsMoved]
    phases = [[PhaseBegan, *(moving if name.endswith("transfer") else []), PhaseEnded] for name in PHASES]
    assert [type(event) for event in events] == [RunBegan, *(kind for kinds in phases for kind in kinds), RunEnded]
    assert sum(event.rows for event in events if isinstance(event, RowsMoved)) == 6


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (", filter: [WHERE id = 1, OR id = 3]", [1, 3]),
        (", filter: \"id = 1 OR name = 'beta'\"", [1, 2]),
        (', filter: ["id = 1 OR id = 2", "AND id > 1"]', [2]),
        (", source_query: 'SELECT id + 10 AS id, name FROM {table} WHERE id < 3'", [11, 12]),
        (", source_query: 'SELECT id, name FROM {table} WHERE id < 3 OR id = 3', filter: id > 2", [3]),
        (", filter: id > 100", []),
        (", filter: 'QUALIFY row_number() OVER (ORDER BY id DESC) = 1'", [3]),
    ],
)
def test_what_is_read(tmp_path: Path, open_world: OpenWorld, source: str, expected: list[int]) -> None:
    """Filters, joined as they are written, and queries decide which rows arrive."""
    project = one_hop(tmp_path)
    declare(project, table("funds", source=source, target="mart"))
    row = run(open_world(project), "funds")
    assert in_duckdb(project / "mart.duckdb", "SELECT id FROM funds ORDER BY id") == [(number,) for number in expected]
    assert row.phases["audit"].details["source_count"] == len(expected)


def test_no_schema(tmp_path: Path, open_world: OpenWorld) -> None:
    """Where no schema is declared, the connection's own is meant, of the source and of the target."""
    project = one_hop(tmp_path)
    source, target = (f"{{connection: {name}, table: funds}}" for name in ("warehouse", "mart"))
    declare(project, f"{{name: funds, source: {source}, target: {target}}}")
    run(open_world(project), "funds")
    assert in_duckdb(project / "mart.duckdb", "SELECT count(*) FROM main.funds") == [(3,)]


def test_audit(tmp_path: Path, open_world: OpenWorld) -> None:
    """Rows that somebody adds between publish and audit are noticed: exit code 4; the run after it loads anew."""
    project = one_hop(tmp_path)

    def meddle(event: Event) -> None:
        if isinstance(event, PhaseEnded) and event.record.phase_name == "stage_to_target_transfer":
            in_duckdb(project / "mart.duckdb", "INSERT INTO funds VALUES (4, 'delta')")

    world = open_world(project, meddle)
    with pytest.raises(AuditError, match="the parcel holds 3 rows, the target has 4") as raised:
        run(world, "funds")
    assert raised.value.exit_code == 4
    failed = runs.latest_run(world.ledger, "funds", "run")
    assert failed is not None
    assert (failed.pipeline_status, failed.phase_failed) == ("FAILED", "audit")
    assert failed.phases["audit"].error_class == "AuditError"
    healed = run(open_world(project), "funds")
    assert recorded(healed)["source_to_stage_transfer"] == f"SKIPPED: completed by {failed.pipeline_id}"
    assert recorded(healed)["stage_to_target_transfer"] == "COMPLETED"
    assert in_duckdb(project / "mart.duckdb", "SELECT id FROM funds ORDER BY id") == [(1,), (2,), (3,)]


def test_not_audited_is_not_loaded(tmp_path: Path, open_world: OpenWorld) -> None:
    """A carried parcel counts as loaded only after the audit; until then it stays new."""
    entry = table("funds", target="mart")
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=[entry])
    outside = make_project(tmp_path / "outside", MART, tables=[entry], settings=f"imports: {inside / 'exports'}")
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", FUNDS)
    export_table(open_world(inside), "funds")

    def meddle(event: Event) -> None:
        if isinstance(event, PhaseEnded) and event.record.phase_name == "stage_to_target_transfer":
            in_duckdb(outside / "mart.duckdb", "DELETE FROM funds WHERE id = 1")

    world = open_world(outside, meddle)
    with pytest.raises(AuditError, match="the parcel holds 3 rows, the target has 2"):
        import_table(world, "funds")
    assert parcels.last_loaded(world.ledger, "funds") is None


def test_refused_parcels_are_noted(tmp_path: Path, open_world: OpenWorld) -> None:
    """A carried parcel that lacks a part is refused, and landbridge_parcels says so."""
    entry = table("funds", target="mart")
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=[entry])
    outside = make_project(tmp_path / "outside", MART, tables=[entry])
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", FUNDS)
    export_table(open_world(inside), "funds")
    shutil.copytree(inside / "exports", outside / "imports")
    for part in (outside / "imports").rglob("part-*"):
        part.unlink()
    world = open_world(outside)
    with pytest.raises(ParcelMissing, match=r"part-.* is missing"):
        import_table(world, "funds")
    assert [parcel.state for parcel in parcels.list_parcels(world.ledger, "funds", "in")] == ["refused"]


def test_lease(tmp_path: Path, open_world: OpenWorld) -> None:
    """While another process works on a table nobody else does; once it is dead, the table is free at once."""
    project = one_hop(tmp_path)
    world = open_world(project)
    runs.list_runs(world.ledger)
    holder = start_holder(f"sqlite:///{project}/state/drive.db", "table:funds")
    with pytest.raises(LeaseHeld, match=f"pid {holder.pid} on "):
        run(world, "funds")
    assert runs.list_runs(world.ledger) == []
    holder.kill()
    holder.communicate()
    assert run(world, "funds").pipeline_status == "SUCCESS"


def test_the_source_contradicts_itself(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """A query that gives other rows each time it is asked is refused: what was counted is not what was read."""
    query = "SELECT id FROM {table} WHERE id <= pg_backend_pid() % 10000"
    read = f'{{connection: postgres, schema: public, table: numbers, source_query: "{query}"}}'
    entry = f"{{name: numbers, source: {read}, target: {{connection: mart, table: numbers}}}}"
    project = make_project(tmp_path, MART, tables=[entry])
    (project / ".env").write_text(variables(pg_url))
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE numbers AS SELECT generate_series(1, 10000) AS id")
    world = open_world(project)
    with pytest.raises(SourceError, match=r"the source counts \d+ rows, and \d+ were read from the same instant"):
        run(world, "numbers")
    failed: Any = runs.latest_run(world.ledger, "numbers", "run")
    assert (failed.phase_failed, failed.parcel_id) == ("source_to_stage_transfer", None)
    assert not (project / "mart.duckdb").exists()
