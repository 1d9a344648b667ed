"""The user's own phases: what they are given, what their results mean, and that they can run alone."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from landbridge.config.project import load_project
from landbridge.engine.plan import window_load_id
from landbridge.engine.windowed.alone import run_phase
from landbridge.errors import AuditError, ConfigError, LandbridgeError, RunError, ScriptFailed, UsageError
from landbridge.ledger import runs
from tests.engine.conftest import OpenWorld
from tests.engine.pipelines import TABLE, ask, declaration, hour, run, shop, source, succeeded, target

# seed 002, "Example: source_to_stage_transfer.py", with what it leaves to the reader
SEED = '''
import psycopg

def extract_and_load(config, start, end, load_id):
    with psycopg.connect(config["phases"]["source_to_stage_transfer"]["custom"]["url"]) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS stage")
        connection.execute("CREATE TABLE IF NOT EXISTS stage.orders_stage AS"
                           " SELECT *, ''::text AS landbridge_load_id FROM orders LIMIT 0")
        connection.execute("DELETE FROM stage.orders_stage WHERE landbridge_load_id = %%s", [load_id])
        return connection.execute(
            "INSERT INTO stage.orders_stage SELECT *, %%s FROM orders WHERE placed_at >= %%s AND placed_at < %%s",
            [load_id, start, end]).rowcount

def source_to_stage_transfer(config, record):
    """Extract from source and load to stage."""

    # 1. Connect to source
    source_type = config['source_system']['type']

    # 2. Extract data for query window
    query_window_start = record['query_window_start_timestamp']
    query_window_end = record['query_window_end_timestamp']

    # 3. Validate and load to stage
    records_loaded = extract_and_load(config, query_window_start, query_window_end, record['load_id'])

    # 4. Return result
    return {
        'skip_dag_run': False,
        'error_message': None,
        'transfer_completed': True,
        'stage_count': records_loaded%s
    }
'''
ONE_HOUR = {"acceptable_data_fetch_end_time": "2026-01-01T01:00:00Z"}


def scripted(folder: Path, url: str, phase: str, text: str, **sections: Any) -> Path:
    """The shop, with one phase done by a script of that text."""
    phases = {**sections.pop("phases", {})}
    phases[phase] = {"enabled": True, **phases.get(phase, {}), "user_script": f"user_scripts/{phase}.py"}
    project = shop(folder, url, query_window=ONE_HOUR, phases=phases, **sections)
    write(project, phase, text)
    return project


def write(project: Path, phase: str, text: str) -> None:
    (project / "user_scripts").mkdir(exist_ok=True)
    (project / "user_scripts" / f"{phase}.py").write_text(text)


def body(lines: str, phase: str = "target_cleaning") -> str:
    return f"def {phase}(config, record):\n    {lines}\n"


@pytest.mark.parametrize("counted", [True, False])
def test_the_seeds_example(tmp_path: Path, pg_url: str, open_world: OpenWorld, *, counted: bool) -> None:
    """It loads a stage that no connector reads for; the audit passes only if somebody counted the source."""
    more = ",\n        'source_count': records_loaded" if counted else ""
    project = scripted(tmp_path, pg_url, "source_to_stage_transfer", SEED % more, stage_system=TABLE)
    whole = declaration(
        query_window=ONE_HOUR,
        stage_system=TABLE,
        phases={
            "source_to_stage_transfer": {
                "user_script": "user_scripts/source_to_stage_transfer.py",
                "custom": {"url": pg_url},
            }
        },
    ) | {"source_system": {"type": "api"}}
    (project / "projects" / "orders" / "config.json").write_text(json.dumps(whole))
    (result,) = run(open_world(project))
    if counted:
        (done,) = succeeded([result])
        assert done.phases["source_to_stage_transfer"].details == {
            "transfer_completed": True,
            "stage_count": 6,
            "source_count": 6,
        }
        assert target(pg_url) == source(pg_url, "2026-01-01 01:00+00")
    else:
        assert isinstance(result.error, AuditError)
        assert "nobody counted the source" in result.error.message


@pytest.mark.parametrize(
    ("lines", "error", "said"),
    [
        ("return {'error_message': 'the view is locked'}", RunError, "the view is locked"),
        ("return {'skip_dag_run': True, 'error_message': None}", RunError, "it says skip_dag_run"),
        ("return {'cleaning_completed': False}", RunError, "it says cleaning_completed: false"),
        ("return None", RunError, "returned NoneType, not a dict"),
        ("return {'error_message': ''}", RunError, "its error_message is '', and None where nothing failed"),
        ("return {'share': float('nan')}", RunError, "returned what JSON does not hold: Out of range float values"),
        ("config = {}; config['self'] = config; return config", RunError, "returned what JSON does not hold"),
        ("return {'phases_to_skip': 'audit'}", RunError, "returned phases_to_skip that are no list of phases"),
        ("raise KeyError('no such view')", ScriptFailed, "raised KeyError: 'no such view'"),
        ("raise SystemExit(0)", ScriptFailed, "raised SystemExit: 0"),
    ],
)
def test_fault_13_whatever_a_script_says_is_heard(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, lines: str, error: type[LandbridgeError], said: str
) -> None:
    """An error message alone fails the phase, as any other way to fail; the run is FAILED, the window not done."""
    world = open_world(scripted(tmp_path, pg_url, "target_cleaning", body(lines)))
    (result,) = run(world)
    assert isinstance(result.error, error)
    assert said in result.error.message
    row = runs.get_run(world.ledger, str(result.error.pipeline_id))
    assert (row.pipeline_status, row.phase_failed) == ("FAILED", "target_cleaning")
    assert row.phases["target_cleaning"].details["error_category"] == "permanent"
    write(world.project.folder, "target_cleaning", body("return {'records_affected': 3}"))
    (done,) = succeeded(run(open_world(world.project.folder)))
    assert done.phases["audit"].status == "SKIPPED", "it goes on at the phase that failed"
    assert done.phases["target_cleaning"].details == {"records_affected": 3}


def test_fault_8_what_a_script_is_given(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Config with values put in, read-only; the row with lower-case names and zone-aware times."""
    lines = """config['phases']['target_cleaning']['custom']['view'] == 'daily' or 1 / 0
    took = record['created_at'] - record['query_window_end_timestamp']
    try:
        config['x'] = 1
    except TypeError:
        return {'keys': sorted(record), 'seconds': took.total_seconds(), 'load_id': record['load_id'],
                'audited': record['audit_phase']['target_count'], 'at': record['created_at']}"""
    phases = {"target_cleaning": {"custom": {"view": "daily"}}}
    project = scripted(tmp_path, pg_url, "target_cleaning", body(lines), phases=phases)
    (done,) = succeeded(run(open_world(project)))
    told = done.phases["target_cleaning"].details
    assert {"pipeline_id", "phases_completed", "stale_pipeline_handling_phase"} < set(told["keys"])
    assert (told["load_id"], told["audited"]) == (window_load_id("orders", hour(0)), 6)
    assert told["seconds"] > 0


def test_no_secret_of_the_config_is_told(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """A script's error that quotes a password is recorded without it."""
    lines = "raise ValueError('cannot log in with ' + config['phases']['target_cleaning']['custom']['password'])"
    project = scripted(
        tmp_path,
        pg_url,
        "target_cleaning",
        body(lines),
        phases={"target_cleaning": {"custom": {"password": "hunter2-hunter2"}}},
    )
    world = open_world(project)
    (result,) = run(world)
    assert result.error is not None
    assert result.error.message.endswith("raised ValueError: cannot log in with ***")
    row = runs.get_run(world.ledger, str(result.error.pipeline_id))
    assert "hunter2" not in str(row)
    assert "target_cleaning.py" in str(row.phases["target_cleaning"].traceback)


def test_no_secret_of_the_config_is_a_detail(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """A script that returns what it was given does not write passwords into the drive table."""
    lines = "return {'config': config, 'said': ['as ' + config['phases']['target_cleaning']['custom']['password']]}"
    phases = {"target_cleaning": {"custom": {"password": "hunter2-hunter2"}}}
    (done,) = succeeded(run(open_world(scripted(tmp_path, pg_url, "target_cleaning", body(lines), phases=phases))))
    details = done.phases["target_cleaning"].details
    assert "hunter2" not in str(done)
    assert details["said"] == ["as ***"]
    assert details["config"]["phases"]["target_cleaning"]["custom"] == {"password": "***"}


def test_what_a_script_prints_is_no_output_of_the_command(
    tmp_path: Path, pg_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Also while it is imported: standard output may be JSON."""
    text = "print('imported')\n" + body("print('called'); return {}")
    project = load_project(scripted(tmp_path, pg_url, "target_cleaning", text), {})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sys.stdout", sys.stdout)  # put back what is put in its place
        run_phase(project, "orders", "target_cleaning", hour(0))
        sys.stdout.write("ours\n")
    told = capfd.readouterr()
    assert told.out == "ours\n"
    assert told.err == "imported\ncalled\n"


def test_phases_to_skip(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """What the user's pre_validation says is skipped is skipped, and told so."""
    text = body("return {'is_fresh_run': True, 'phases_to_skip': ['stage_cleaning']}", "pre_validation")
    (done,) = succeeded(run(open_world(scripted(tmp_path, pg_url, "pre_validation", text))))
    assert done.phases["stage_cleaning"].skip_reason == "pre_validation: phases_to_skip"


def test_a_phase_runs_alone(tmp_path: Path, pg_url: str) -> None:
    """No row, nothing else moves; earlier phases' words can be given; landbridge's own phases cannot."""
    text = body("return {'doubled': record['audit_phase']['target_count'] * 2}")
    project = load_project(scripted(tmp_path, pg_url, "target_cleaning", text), {})
    said = run_phase(project, "orders", "target_cleaning", hour(0), details={"audit": {"target_count": 21}})
    assert said == {"doubled": 42}
    assert not (tmp_path / "state").exists()
    with pytest.raises(UsageError, match="done by landbridge itself"):
        run_phase(project, "orders", "audit", hour(0))
    with pytest.raises(UsageError, match="no phase is called 'audits'; did you mean 'audit'"):
        run_phase(project, "orders", "audits", hour(0))


def test_a_script_that_cannot_be_called(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """No function of the phase's name, no Python, no file: each is said."""
    project = scripted(tmp_path, pg_url, "target_cleaning", "x = 1\n")
    assert [type(result.error) for result in run(open_world(project))] == [ConfigError]
    write(project, "target_cleaning", "def broken(:\n")
    (result,) = run(open_world(project))
    assert "target_cleaning.py cannot be imported: SyntaxError" in str(result.error)
    (project / "user_scripts" / "target_cleaning.py").unlink()
    (result,) = run(open_world(project))
    assert "no script at" in str(result.error)


def test_disabled_phases(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """They are skipped, with the reason, and their window counts as done."""
    project = shop(tmp_path, pg_url, query_window=ONE_HOUR, phases={"audit": {"enabled": False}})
    (done,) = succeeded(run(open_world(project)))
    assert done.phases["audit"].skip_reason == "disabled in the configuration"
    assert run(open_world(project)) == []
    assert ask(pg_url, "SELECT count(*) FROM mart.orders") == [(6,)]
