"""A run that failed goes on where it stopped, if that is still worth anything; otherwise the source is read again."""

import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from landbridge.engine.events import Event, Notice
from landbridge.errors import ParcelDamaged, RunError
from landbridge.ledger import runs
from landbridge.ledger.runs import Run
from tests.engine.conftest import OpenWorld
from tests.engine.projects import (
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
)

NUMBERS = "CREATE TABLE numbers AS SELECT unnest([1, 2, 70000])::BIGINT AS id"
ONE_MORE = "INSERT INTO numbers VALUES (4)"
SMALL = "CREATE TABLE numbers (id SMALLINT)"
WIDEN = "ALTER TABLE numbers ALTER id TYPE BIGINT"
READ = "source_to_stage_transfer"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose target column is too small for the last of three numbers."""
    folder = make_project(tmp_path, WAREHOUSE, MART, tables=[table("numbers", target="mart")])
    in_duckdb(folder / "warehouse.duckdb", NUMBERS)
    in_duckdb(folder / "mart.duckdb", SMALL)
    return folder


@pytest.fixture
def failed(project: Path, open_world: OpenWorld) -> Run:
    """An attempt that failed at the target; since then the source has one number more."""
    row = fail(project, open_world)
    assert row.phase_failed == "stage_to_target_transfer"
    in_duckdb(project / "warehouse.duckdb", ONE_MORE)
    return row


def fail(folder: Path, open_world: OpenWorld, error: type[RunError] = RunError) -> Run:
    world = open_world(folder)
    with pytest.raises(error):
        run(world, "numbers")
    row = runs.latest_run(world.ledger, "numbers", "run")
    assert row is not None
    return row


def numbers(folder: Path) -> list[int]:
    """What is in the target."""
    return [row[0] for row in in_duckdb(folder / "mart.duckdb", "FROM numbers ORDER BY id")]


def staged(folder: Path) -> list[str]:
    """Parcels in the stage, finished or not."""
    return sorted({path.parent.name for path in (folder / "stage" / "numbers").rglob("*") if path.is_file()})


def test_goes_on(project: Path, failed: Run, open_world: OpenWorld) -> None:
    """The source is not read again: its counts and the attempt that read it are in the new row, the window is its."""
    in_duckdb(project / "mart.duckdb", WIDEN)
    notices: list[Event] = []
    row = run(open_world(project, notices.append), "numbers")
    assert numbers(project) == [1, 2, 70000]
    assert (row.resumed_from, row.pipeline_retry_number) == (failed.pipeline_id, 1)
    assert (row.window, row.parcel_id) == (failed.window, failed.parcel_id)
    taken = row.phases[READ]
    assert (taken.status, taken.skip_reason) == ("SKIPPED", f"completed by {failed.pipeline_id}")
    assert taken.details == failed.phases[READ].details | {"attempt": failed.pipeline_id}
    assert row.phases["audit"].details["source_count"] == 3
    assert staged(project) == []
    assert any(isinstance(one, Notice) and failed.pipeline_id in one.text for one in notices)


def test_goes_on_again_and_again(project: Path, failed: Run, open_world: OpenWorld) -> None:
    """Over three attempts, what the first one read is still told of the first one."""
    second = fail(project, open_world)
    assert (second.resumed_from, second.pipeline_retry_number) == (failed.pipeline_id, 1)
    in_duckdb(project / "mart.duckdb", WIDEN)
    third = run(open_world(project), "numbers")
    assert (third.resumed_from, third.pipeline_retry_number) == (second.pipeline_id, 2)
    assert third.phases[READ].skip_reason == f"completed by {failed.pipeline_id}"
    assert third.phases[READ].details["attempt"] == failed.pipeline_id
    assert third.phases[READ].details["source_count"] == 3
    assert len({row.pipeline_id for row in (failed, second, third)}) == 3
    assert numbers(project) == [1, 2, 70000]


def reads_again(row: Run, folder: Path, expected: list[int]) -> None:
    assert (row.resumed_from, row.pipeline_retry_number) == (None, 0)
    assert row.phases[READ].status == "COMPLETED"
    assert numbers(folder) == expected
    assert staged(folder) == []  # also not what the earlier attempt had left


@pytest.mark.usefixtures("failed")
def test_fresh(project: Path, open_world: OpenWorld) -> None:
    """Who asks for it gets the source read again."""
    in_duckdb(project / "mart.duckdb", WIDEN)
    reads_again(run(open_world(project), "numbers", fresh=True), project, [1, 2, 4, 70000])


@pytest.mark.usefixtures("failed")
def test_another_plan(project: Path, open_world: OpenWorld) -> None:
    """What was read by another plan is worth nothing to this one."""
    declare(project, table("numbers", source=", filter: id < 70000", target="mart"))
    reads_again(run(open_world(project), "numbers"), project, [1, 2, 4])


def test_too_old(project: Path, open_world: OpenWorld) -> None:
    """What is older than the table's schedule is not loaded any more."""
    declare(project, table("numbers", target="mart", more=", schedule: 90m"))
    failed = fail(project, open_world)
    in_duckdb(project / "warehouse.duckdb", ONE_MORE)
    in_duckdb(project / "mart.duckdb", WIDEN)
    start, end = (datetime.now(UTC) - timedelta(minutes=minutes) for minutes in (91, 90))
    with sqlite3.connect(project / "state" / "drive.db") as connection:
        connection.execute(
            "UPDATE pipeline_execution_drive SET query_window_start_timestamp = ?, query_window_end_timestamp = ?",
            [when.isoformat(sep=" ", timespec="microseconds") for when in (start, end)],
        )
    connection.close()
    notices: list[Event] = []
    reads_again(run(open_world(project, notices.append), "numbers"), project, [1, 2, 4, 70000])
    text = f"{failed.pipeline_id} is too old to go on with: reading the source again"
    assert Notice(text) in notices


@pytest.mark.usefixtures("failed")
def test_the_parcel_vanished(project: Path, open_world: OpenWorld) -> None:
    """Without its parcel there is nothing to go on with."""
    in_duckdb(project / "mart.duckdb", WIDEN)
    shutil.rmtree(project / "stage")
    reads_again(run(open_world(project), "numbers"), project, [1, 2, 4, 70000])


@pytest.mark.usefixtures("failed")
def test_the_parcel_was_refused(project: Path, open_world: OpenWorld) -> None:
    """A parcel that turned out to be damaged is not tried for ever: the run after it reads the source again."""
    in_duckdb(project / "mart.duckdb", WIDEN)
    (part,) = (project / "stage").rglob("part-*")
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    refused = fail(project, open_world, ParcelDamaged)
    assert (refused.phase_failed, refused.phases["stage_to_target_transfer"].error_class) == (
        "stage_to_target_transfer",
        "ParcelError",
    )
    reads_again(run(open_world(project), "numbers"), project, [1, 2, 4, 70000])


def test_import_goes_on(tmp_path: Path, open_world: OpenWorld) -> None:
    """An import that failed at the target is taken up too: same window, same parcel, next attempt."""
    entry = table("numbers", target="mart")
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=[entry])
    outside = make_project(tmp_path / "outside", MART, tables=[entry], settings=f"imports: {inside / 'exports'}")
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", NUMBERS)
    in_duckdb(outside / "mart.duckdb", SMALL)
    export_table(open_world(inside), "numbers")
    world = open_world(outside)
    with pytest.raises(RunError):
        import_table(world, "numbers")
    in_duckdb(outside / "mart.duckdb", WIDEN)
    row = import_table(open_world(outside), "numbers")
    assert (row.pipeline_retry_number, row.pipeline_status) == (1, "SUCCESS")
    earlier = runs.get_run(world.ledger, str(row.resumed_from))
    assert (earlier.window, earlier.parcel_id) == (row.window, row.parcel_id)
    assert numbers(outside) == [1, 2, 70000]
