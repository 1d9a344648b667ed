"""What lies between source and target: how long it stays, what an archive is, and the user's own SQL."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from landbridge.engine.plan import plan_window, window_load_id
from landbridge.engine.windowed import landing
from landbridge.engine.windowed.cleaning import clean_stages
from landbridge.engine.windowed.landing import moved
from landbridge.engine.windowed.running import run_windows
from landbridge.errors import RunError, TargetError, ValueDoesNotFit
from landbridge.ledger import runs, stages
from landbridge.sealing.note import Signers
from landbridge.stage.location import Store, open_store
from landbridge.stage.reading import open_parcel
from tests.engine.conftest import OpenWorld
from tests.engine.pipelines import PARCEL, TABLE, ask, declare, hour, hours, run, shop, source, succeeded, target
from tests.servers.s3 import S3Server

ONE_HOUR = {"acceptable_data_fetch_end_time": "2026-01-01T01:00:00Z"}
STAGED = "SELECT landbridge_load_id, count(*)::int FROM stage.orders_stage GROUP BY 1"


def cleaning(**keys: Any) -> dict[str, Any]:
    return {"stage_cleaning": {"delete_after_days": 0, **keys}}


def test_a_stage_stays_as_long_as_it_is_to(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """For seven days unless the file says otherwise; then exactly the loads whose time has come go."""
    project = shop(tmp_path, pg_url, stage_system=TABLE)
    succeeded(run(open_world(project)))
    assert sum(rows for _, rows in ask(pg_url, STAGED)) == 24
    declare(project, stage_system=TABLE, phases=cleaning())
    world = open_world(project)
    ask(pg_url, "INSERT INTO stage.orders_stage VALUES (1, 'somebody else''s', 1, now(), 'x'), (2, '', 1, now(), NULL)")
    (done,) = succeeded(run_windows(world, world.project.pipeline("orders"), [hour(3)]))
    assert done.phases["stage_cleaning"].details["records_deleted"] == 24
    assert dict(ask(pg_url, STAGED)) == {"x": 1, None: 1}
    assert {
        one.state for window in hours(0, 4) for one in stages.of_load(world.ledger, "orders", load(window))
    } == set()


def load(window: Any) -> str:
    return window_load_id("orders", window)


def test_without_our_audit_a_stage_has_its_time_too(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Where the audit is off, what was loaded is loaded; stages would stay for ever."""
    phases = {**cleaning(), "audit": {"enabled": False}}
    for stage in (PARCEL, TABLE):
        project = shop(
            tmp_path / stage["type" if stage is PARCEL else "table"],
            pg_url,
            stage_system=stage,
            query_window=ONE_HOUR,
            phases=phases,
        )
        (done,) = succeeded(run(open_world(project)))
        assert done.phases["stage_cleaning"].details["records_deleted"] == 6
        ask(pg_url, "DROP TABLE orders")


def test_fault_5_what_is_deleted_was_archived_and_compared(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """The archive of a landing table is Parquet that anything reads, with a count; only then the rows go."""
    phases = cleaning(archive_before_delete=True, archive_location=str(tmp_path / "archive"))
    (done,) = succeeded(
        run(open_world(shop(tmp_path, pg_url, stage_system=TABLE, phases=phases, query_window=ONE_HOUR)))
    )
    told = done.phases["stage_cleaning"].details
    assert (told["records_archived"], told["records_deleted"]) == (6, 6)
    folder = tmp_path / "archive" / "orders" / "2026-01-01" / load(hour(0))
    manifest = json.loads((folder / "manifest.json").read_text())
    rows = [row for entry in manifest["files"] for row in pq.read_table(folder / entry["file"]).to_pylist()]
    assert manifest["rows"] == 6
    assert sorted(tuple(row.values()) for row in rows) == source(pg_url, "2026-01-01 01:00+00")
    assert ask(pg_url, STAGED) == []


def test_a_parcel_is_archived_as_it_is(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, s3: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sealed, in an object store: whoever has the keys opens it there."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    place = f"s3://{s3.new_bucket()}/archive"
    phases = cleaning(archive_before_delete=True, archive_location=place)
    world = open_world(shop(tmp_path, pg_url, phases=phases, query_window=ONE_HOUR))
    (done,) = succeeded(run(world))
    told = done.phases["stage_cleaning"].details
    assert (told["records_archived"], told["records_deleted"], told["archive_location"]) == (6, 6, place)
    signers = Signers(world.keyring.own_verifiers())
    folder = f"orders/2026-01-01/{load(hour(0))}"
    archived = open_parcel(open_store(place), folder, signers=signers, identities=world.identities)
    assert archived.manifest.row_count == 6
    assert not [path for path in (tmp_path / "stage" / "orders").rglob("*") if path.is_file()]


def test_an_archive_that_is_not_like_its_stage_deletes_nothing(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place that gives back other bytes than were put there is found out; the next run archives again."""
    phases = cleaning(archive_before_delete=True, archive_location=str(tmp_path / "archive"))
    project = shop(tmp_path, pg_url, phases=phases, query_window=ONE_HOUR)
    put = Store.put

    def rot(self: Store, path: str, data: bytes, *, timeless: bool = False) -> None:
        put(self, path, data[:-1] + b"x" if self.location.endswith("archive") else data, timeless=timeless)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "put", rot)
        (failed,) = run(open_world(project))
    assert isinstance(failed.error, RunError)
    assert "does not hold what the stage of orders" in failed.error.message
    world = open_world(project)
    assert [one.state for one in stages.of_load(world.ledger, "orders", load(hour(0)))] == ["loaded"]
    (done,) = succeeded(run(world))
    assert done.phases["stage_cleaning"].details["records_archived"] == 6
    assert done.phases["audit"].status == "SKIPPED", "only the cleaning is done again"


def test_sql_is_pushed_down(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """The user's SELECT over the stage is what is loaded; where it changes the number of rows, what it gave counts."""
    transfer = {"sql": "SELECT date_trunc('hour', placed_at) AS hour, sum(amount) AS amount FROM {stage} GROUP BY 1"}
    phases = {"stage_to_target_transfer": {**transfer, "rows": "changed"}}
    project = shop(tmp_path, pg_url, stage_system=TABLE, target_system={"table": "hourly"}, phases=phases)
    done = succeeded(run(open_world(project)))
    assert ask(pg_url, "SELECT hour, amount FROM mart.hourly ORDER BY 1") == ask(
        pg_url, "SELECT date_trunc('hour', placed_at), sum(amount) FROM orders GROUP BY 1 ORDER BY 1"
    )
    audit = done[0].phases["audit"].details
    assert [audit[f"{place}_count"] for place in ("source", "stage", "target")] == [6, 6, 1]
    declare(
        project, stage_system=TABLE, target_system={"table": "hourly"}, phases={"stage_to_target_transfer": transfer}
    )
    world = open_world(project)
    (failed,) = run_windows(world, world.project.pipeline("orders"), [hour(0)])
    assert "stage to target: 6 rows, then 1: 83.33 % lost" in str(failed.error), "rows: preserved is the default"


def test_a_stage_in_another_database(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """From PostgreSQL through a landing table in a DuckDB file, with SQL of that, back into PostgreSQL, by parts."""
    stage = {"connection": "lake", "schema": "main", "table": "orders_stage"}
    sql = "SELECT id, coalesce(state, 'none') AS state, amount, placed_at FROM {stage} ORDER BY id"
    project = shop(
        tmp_path,
        pg_url,
        "lake: {type: duckdb, path: lake.duckdb}",
        stage_system=stage,
        phases={"stage_to_target_transfer": {"sql": sql}},
    )
    succeeded(run(open_world(project)))
    expected = [(number, state or ("none" if state is None else ""), *more) for number, state, *more in source(pg_url)]
    assert target(pg_url) == expected


def test_stale_rows_of_the_stage_are_pending_again(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Those that a worker took two hours ago and never finished; not those that are at work."""
    project = shop(tmp_path, pg_url, stage_system=TABLE, query_window=ONE_HOUR)
    ask(
        pg_url,
        "CREATE SCHEMA stage; CREATE TABLE stage.orders_stage (id INTEGER, state TEXT, amount NUMERIC(12, 4),"
        " placed_at TIMESTAMPTZ, landbridge_load_id TEXT, status TEXT, modified_timestamp TIMESTAMPTZ)",
        "INSERT INTO stage.orders_stage (id, status, modified_timestamp) VALUES"
        " (1, 'in_progress', now() - interval '3 h'), (2, 'in_progress', now()), (3, 'done', now() - interval '3 h')",
    )
    (done,) = succeeded(run(open_world(project)))
    told = done.phases["stale_pipeline_handling"].details
    assert (told["stage_rows_reset"], told["records_resolved"], told["timeout_minutes"]) == (1, 1, 120)
    states = ask(pg_url, "SELECT id, status FROM stage.orders_stage WHERE status IS NOT NULL ORDER BY id")
    assert states == [(1, "pending"), (2, "in_progress"), (3, "done")]


def test_columns_of_the_source_are_no_business_of_ours(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """An order that has been in progress since yesterday arrives as that, also where an attempt failed in between."""
    project = shop(tmp_path, pg_url, stage_system=TABLE, query_window=ONE_HOUR)
    ask(
        pg_url,
        "ALTER TABLE orders ADD status TEXT DEFAULT 'in_progress'",
        "ALTER TABLE orders ADD modified_timestamp TIMESTAMPTZ DEFAULT '2026-01-01'",
        "CREATE SCHEMA mart; CREATE TABLE mart.orders (LIKE orders, landbridge_load_id TEXT, CHECK (id < 0))",
    )
    (failed,) = run(open_world(project))
    assert isinstance(failed.error, TargetError | ValueDoesNotFit)
    ask(pg_url, "ALTER TABLE mart.orders DROP CONSTRAINT orders_id_check")
    succeeded(run(open_world(project)))
    assert ask(pg_url, "SELECT status, count(*) FROM mart.orders GROUP BY 1") == [("in_progress", 6)]


@pytest.mark.parametrize("loaded", [True, False])
def test_no_window_cleans_what_another_one_stages(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch, *, loaded: bool
) -> None:
    """A window whose stage has had its time is staged again, and just then a window beside it cleans."""
    project = shop(tmp_path, pg_url, stage_system=TABLE, query_window=ONE_HOUR)
    if loaded:
        succeeded(run(open_world(project)))
    declare(project, stage_system=TABLE, query_window=ONE_HOUR, phases=cleaning())
    world = open_world(project)
    pipeline = world.project.pipeline("orders")
    beside = open_world(project).beside(world.emit)

    def moved_beside(*arguments: Any) -> Any:
        done = moved(*arguments)
        start, end = hour(1).start, hour(1).end
        row = replace(  # of the hour beside
            runs.list_runs(world.ledger, limit=1)[0], query_window_start_timestamp=start, query_window_end_timestamp=end
        )
        clean_stages(plan_window(world.project, pipeline, hour(1)), row, beside)
        return done

    monkeypatch.setattr(landing, "moved", moved_beside)
    (done,) = succeeded(run_windows(world, pipeline, [hour(0)]))
    assert done.phases["audit"].details["target_count"] == 6
    assert len(target(pg_url)) == 6


def test_target_cleaning_is_all_or_nothing(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """The user's statements are one transaction, and know the window and its load."""
    ask(pg_url, "CREATE TABLE log (load_id TEXT, start TIMESTAMPTZ, stop TIMESTAMPTZ)")
    log = "INSERT INTO public.log VALUES ({load_id}, {window_start}, {window_end})"
    phases: dict[str, Any] = {"target_cleaning": {"enabled": True, "sql": [log, "DELETE FROM mart.nowhere"]}}
    project = shop(tmp_path, pg_url, query_window=ONE_HOUR, phases=phases)
    (failed,) = run(open_world(project))
    assert isinstance(failed.error, TargetError)
    assert ask(pg_url, "SELECT count(*) FROM log") == [(0,)]
    phases["target_cleaning"]["sql"] = [log, "DELETE FROM mart.orders WHERE state = ''"]
    declare(project, query_window=ONE_HOUR, phases=phases)
    (done,) = succeeded(run(open_world(project)))
    assert done.phases["target_cleaning"].details["records_affected"] == 3
    assert ask(pg_url, "SELECT * FROM log") == [(load(hour(0)), hour(0).start, hour(0).end)]
