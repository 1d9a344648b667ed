"""A pipeline's runs and the alerts that they raise: what its file says is what is told."""

import time
from pathlib import Path
from typing import Any

import pytest

from landbridge.cli.alerting import with_alerts
from tests.engine.conftest import OpenWorld
from tests.engine.pipelines import ask, declare, run, shop, succeeded
from tests.engine.test_windows_scripts import ONE_HOUR, body, scripted, write
from tests.servers.webhook import Webhook, webhook_server


def told(open_world: OpenWorld, project: Path, hook: Webhook) -> list[str]:
    """Run what is due as a command does, with alerts; the titles of what came by it."""
    hook.got.clear()
    world = open_world(project)
    with_alerts(world)
    run(world)
    return hook.titles


def heard(project: Path, hook: Webhook) -> None:
    """A channel for every alert."""
    path = project / "landbridge.yaml"
    path.write_text(f"{path.read_text()}alerts: {{channels: {{hook: {{url: '{hook.url}', severity: info}}}}}}\n")


def test_fault_13_a_pipeline_tells_what_its_file_says(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """A failure once its retries are used up, a gap once, a changed source; nothing that the file switches off."""
    retry = {"max_retries": 1, "backoff_strategy": "none"}
    project = shop(tmp_path, pg_url, query_window=ONE_HOUR, retry_configuration=retry)
    ask(
        pg_url,
        "CREATE SCHEMA mart; CREATE TABLE mart.orders (id INTEGER, state TEXT, amount NUMERIC(12, 4),"
        " placed_at TIMESTAMPTZ, landbridge_load_id TEXT)",
        "CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'x' USING ERRCODE = '40001'; END $$",
        "CREATE TRIGGER busy AFTER INSERT ON mart.orders FOR EACH STATEMENT EXECUTE FUNCTION busy()",
    )
    with webhook_server() as hook:
        heard(project, hook)
        assert told(open_world, project, hook) == ["[ALERT] Pipeline Failure: orders"], "two attempts, one alert"
        assert "landbridge retry orders_20260101_00h_run2" in hook.got[0]["message"]
        ask(pg_url, "DROP TRIGGER busy ON mart.orders")
        assert told(open_world, project, hook) == []
        ask(pg_url, "ALTER TABLE orders ADD COLUMN note TEXT; ALTER TABLE mart.orders ADD COLUMN note TEXT")
        two_hours = {"acceptable_data_fetch_end_time": "2026-01-01T02:00:00Z"}
        declare(project, query_window=two_hours)
        assert told(open_world, project, hook) == ["[ALERT] Pipeline Schema Change: orders"]
        assert "column note is new (text)" in hook.got[0]["message"]
        declare(project, query_window={"x_days_back": "1d"})
        assert told(open_world, project, hook) == ["[ALERT] Pipeline Gap: orders"]
        assert told(open_world, project, hook) == []
        declare(project, query_window={"x_days_back": "1d", **ONE_MORE}, monitoring={"alert_on_gap": False})
        assert told(open_world, project, hook) == []


ONE_MORE = {"acceptable_data_fetch_end_time": "2026-01-01T05:00:00Z"}


@pytest.mark.parametrize(("threshold", "titles"), [(0.1, ["[ALERT] Pipeline Duration: orders"]), (60.0, [])])
def test_a_phase_that_takes_too_long(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, threshold: float, titles: list[str]
) -> None:
    """Longer than it is expected to, times the threshold; the run goes on."""
    phases: dict[str, Any] = {"target_cleaning": {"expected_run_duration": "1s"}}
    text = body("import time; time.sleep(0.2); return {}")
    monitoring = {"duration_multiplier_threshold": threshold}
    project = scripted(tmp_path, pg_url, "target_cleaning", text, phases=phases, monitoring=monitoring)
    with webhook_server() as hook:
        heard(project, hook)
        assert told(open_world, project, hook) == titles


def test_an_alert_never_breaks_a_run(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Nobody takes it: the script's failure is what the run fails by, and the next run succeeds."""
    project = scripted(tmp_path, pg_url, "target_cleaning", body("raise ValueError('x')"))
    with webhook_server() as hook:
        heard(project, hook)
    world = open_world(project)
    with_alerts(world)
    began = time.monotonic()
    (failed,) = run(world)
    assert "raised ValueError: x" in str(failed.error)
    assert time.monotonic() - began < 60
    write(project, "target_cleaning", body("return {}"))
    world = open_world(project)
    with_alerts(world)
    succeeded(run(world))
