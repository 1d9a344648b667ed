"""What is wrong with files of pipelines: all of it at once, each with its line, and never a value."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from landbridge.config.document import Document
from landbridge.config.environment import Environment
from landbridge.config.pipelines.reading import read_pipeline
from landbridge.config.problems import Problems
from landbridge.errors import ConfigError
from tests.config.conftest import Lines, Load
from tests.config.pipelines import CONNECTIONS, EVERY_KEY, PAGE, SEED, changed

FILE = "projects/orders/config.yaml"


def of(lines: Lines, text: str, file: str = FILE, environ: dict[str, str] | None = None) -> list[str]:
    """The problems of one file, without its name."""
    told = lines(CONNECTIONS, files={file: text}, environ=environ)
    assert "CANARY" not in "".join(told)
    assert all(line.startswith(f"{file}:") for line in told)
    return [line.removeprefix(f"{file}:").strip() for line in told]


def test_every_section(lines: Lines):
    """Unknown keys with a suggestion, what is missing, what has another type."""
    assert of(
        lines,
        """\
pipeline_metadata: {owner_email: CANARY, notification_emails: [a@b, CANARY], pipeline_naem: x}
dag_schedule: {frequency: CANARY, cron_expression: "60 * * * *", timezone: CANARY, start_date: CANARY, catchup: yep}
query_window: {granularity: 1x, settle_delay: 0s, x_days_back: 7, acceptable_data_fetch_end_time: 2026}
source_system: {connection: shop, tabel: CANARY, filter: 5, source_query: CANARY, query_field_timezone: CANARY}
stage_system: {type: parcel, table: CANARY}
target_system: {connection: reprot, table: orders}
phases:
  audit: {enabled: 1, count_tolerances: {source_to_stage_tolerance_percent: 101, stage_to_target_tolerance: 1}}
  stale_pipeline_handling: {timeout_minutes: 0, expected_run_duration: 0m}
  stage_to_target_transfer: {sql: CANARY, rows: changed}
  stage_cleaning: {archive_before_delete: true, delete_after_days: -1}
  target_cleaning: {sql: []}
  pre_validation: {user_script: ../CANARY.py, custom: [CANARY]}
  adit: {}
retry_configuration: {max_retries: many, backoff_strategy: CANARY}
monitoring: {duration_multiplier_threshold: .inf, alert_on_gaps: true}
smtp_config: {host: CANARY, password: CANARY}
snowflake_conection: {}
""",
    ) == [
        "1: pipeline_metadata.pipeline_name: missing",
        "1: pipeline_metadata.owner_email: must be an e-mail address, like team@company.com",
        "1: pipeline_metadata.notification_emails[1]: must be an e-mail address, like team@company.com",
        "1: pipeline_metadata.pipeline_naem: unknown key; did you mean 'pipeline_name'?",
        "2: dag_schedule.frequency: must be hourly, daily, weekly, monthly, or like 90m, 6h, 1d, 2w",
        "2: dag_schedule.cron_expression: must be five fields as cron reads them, like '0 * * * *'",
        "2: dag_schedule.timezone: no time zone is called that; like UTC, Europe/Berlin",
        "2: dag_schedule.start_date: must be ISO 8601, like 2026-01-01 or 2026-01-01T00:00:00Z",
        "2: dag_schedule.catchup: must be true or false",
        "3: query_window.granularity: must be like 15m, 1h, 1d, 1w, or months like 1mo",
        "3: query_window.settle_delay: must be like 15m, 6h, 1d; 0m where values are committed in their order",
        "3: query_window.x_days_back: must be like 90m, 6h, 1d, 2w",
        "3: query_window.acceptable_data_fetch_end_time: must be text, but YAML reads this as a number; quote it",
        "4: source_system.table: missing",
        "4: source_system.filter: must be text or a list of texts",
        "4: source_system.source_query: must hold {table} where the table's name belongs",
        "4: source_system.query_field_timezone: no time zone is called that; like UTC, Europe/Berlin",
        "4: source_system.tabel: unknown key; did you mean 'table'?",
        "5: stage_system.table: unknown key; known: type",
        "6: target_system.connection: no connection is called 'reprot'; did you mean 'report'?",
        "8: phases.audit.enabled: must be true or false",
        "8: phases.audit.count_tolerances.source_to_stage_tolerance_percent: must be at most 100",
        (
            "8: phases.audit.count_tolerances.stage_to_target_tolerance: unknown key; did you mean"
            " 'stage_to_target_tolerance_percent'?"
        ),
        "9: phases.stale_pipeline_handling.expected_run_duration: must be like 90m, 6h, 1d, 2w",
        "9: phases.stale_pipeline_handling.timeout_minutes: must be at least 1",
        "10: phases.stage_to_target_transfer.sql: must hold {stage} where the name of the stage's table belongs",
        "11: phases.stage_cleaning.delete_after_days: must be at least 0",
        "12: phases.target_cleaning.sql: must be a statement, or a list of them",
        "13: phases.pre_validation.user_script: must be a file below the project, like user_scripts/audit.py",
        "13: phases.pre_validation.custom: must be a mapping of keys to values",
        "14: phases.adit: unknown key; did you mean 'audit'?",
        "15: retry_configuration.max_retries: must be a whole number",
        "15: retry_configuration.backoff_strategy: must be 'exponential', 'linear' or 'none'",
        "16: monitoring.duration_multiplier_threshold: must be a number",
        "16: monitoring.alert_on_gaps: unknown key; did you mean 'alert_on_gap'?",
        "17: smtp_config.from_email: missing; user is no address that mails could be from",
        "18: snowflake_conection: unknown key; did you mean 'snowflake_connection'?",
    ]


POSTGRES = {"type": "postgres", "host": "h", "database": "d", "user": "u", "table": "t", "query_field": "at"}
REPORT = {"connection": "report", "table": "orders"}
CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    ({"source_system": {"connection": "shop", "table": "t"}}, "query_field: missing; the column by whose time"),
    ({"source_system": {"connection": "shop", "type": "duckdb"}}, "source_system.connection: beside 'type'"),
    ({"source_system": {"table": "t"}}, "source_system.connection: missing; a name from landbridge.yaml, or 'type'"),
    ({"source_system": {**POSTGRES, "host": 5}}, "source_system.host: must be text, but YAML reads this as a number"),
    ({"source_system": {"type": "mysqll"}}, "source_system.type: unknown type; did you mean 'mysql'?"),
    ({"source_system": {"type": "parcel"}}, "source_system.type: unknown type; "),
    ({"source_system": {"type": None}}, "source_system.type: no text; one of duckdb, "),
    ({"source_system": {**POSTGRES, "batch_size": 5}}, "source_system.batch_size: read by no connector; in `custom`"),
    ({"source_system": None}, "source_system: missing"),
    ({"stage_system": []}, "stage_system: must be a mapping"),
    ({"stage_system": {"connection": "shop", "schema": "public", "table": "orders"}}, "is the table of source_system"),
    ({"stage_system": {"type": "snowflake", "table": "t"}}, "snowflake_connection: missing; stage_system is of type"),
    ({"snowflake_connection": {"user": "u"}}, "snowflake_connection.account: missing"),
    ({"target_system": {**REPORT, "merge_keys": []}}, "target_system.merge_keys: "),
    ({"target_system": {**REPORT, "merge_keys": "id"}}, "target_system.merge_keys: must be a list"),
    ({"target_system": {**REPORT, "merge_keys": ["id", "id"]}}, "target_system.merge_keys: names a column twice"),
    ({"target_system": {**REPORT, "merge_keys": [""]}}, "target_system.merge_keys[0]: must not be empty"),
    (
        {"source_system": {"type": "mysql"}, "target_system": {**REPORT, "merge_keys": ["id"]}},
        "target_system.merge_keys: goes with query_field of source_system",
    ),
    ({"query_window": {"granularity": "1h", "duration": "1d"}}, "query_window.duration: another length"),
    (
        {
            "dag_schedule": {"start_date": "2026-01-02"},
            "query_window": {"acceptable_data_fetch_end_time": "2026-01-02"},
        },
        "query_window.acceptable_data_fetch_end_time: not after the start",
    ),
    ({"dag_schedule": {"start_date": "0001-01-01", "timezone": "Asia/Tokyo"}}, "dag_schedule.start_date: outside"),
    ({"phases": {"stage_to_target_transfer": {"rows": "changed"}}}, "transfer.rows: goes with sql only"),
    ({"phases": {"stage_to_target_transfer": {"sql": "TABLE {stage}"}}}, "sql: needs a landing table"),
    ({"phases": {"stage_cleaning": {"archive_before_delete": True}}}, "archive_location: missing; archive_before"),
    (
        {"phases": {"stage_cleaning": {"archive_location": "s3://CANARY:b@c/d"}}},
        "archive_location: no credentials here",
    ),
    (
        {"phases": {"audit": {"count_tolerances": {"by_time": [{"from": "6:00"}]}}}},
        "by_time[0].from: must be a time of",
    ),
    (
        {"phases": {"audit": {"count_tolerances": {"by_time": [{"from": "06:00", "to": "06:00"}]}}}},
        "by_time[0].to: is the time of 'from'",
    ),
    ({"phases": {"audit": {"count_tolerances": {"by_time": [{"weekdays": ["sun", "sun"]}]}}}}, "names a column twice"),
    ({"smtp_config": {"from_email": "a@b", "password": "CANARY"}}, "smtp_config.user: missing; password needs it"),
    ({"x-a": "${MISSING}"}, "x-a: variable MISSING is not set"),
]


@pytest.mark.parametrize(("sections", "problem"), CONTRADICTIONS, ids=lambda value: str(value)[:60])
def test_one_mistake(lines: Lines, sections: dict[str, Any], problem: str):
    """One mistake is one problem, told where it is made."""
    config = changed(yaml.safe_load(PAGE), **sections)
    told = of(lines, json.dumps(config), "projects/p/config.json")
    assert problem in told[0]
    assert len(told) == (1 if "account: missing" not in problem else 4)


def test_all_files_at_once(lines: Lines):
    """landbridge.yaml, tables.yaml and every pipeline; two files of one folder, names in any case, shared targets."""
    table = "{name: Returns, source: {connection: shop, table: r}, target: {connection: report, table: r}}"
    other = PAGE.replace("orders}", "r}").replace("schema: public, ", "")
    assert lines(
        CONNECTIONS + "\nprocesses: 0",
        f"tables: [{table}]",
        files={
            FILE: PAGE,
            "projects/orders/config.json": "{}",
            "projects/a/config.yaml": other.replace("pipeline_name: orders", "pipeline_name: returns"),
            "projects/b/config.yaml": PAGE.replace("orders", "ORDERS"),
            "projects/c/config.yml": "",
            "projects/d/config.json": "[1]",
        },
    ) == [
        "landbridge.yaml:2: processes: must be at least 1",
        (
            "projects/a/config.yaml:1: pipeline_metadata.pipeline_name: also the name of table Returns; case makes no"
            " difference"
        ),
        "projects/a/config.yaml:5: target_system.table: is the target of table Returns, which would be overwritten",
        "projects/c/config.yml: empty; `landbridge new pipeline NAME` writes one",
        "projects/d/config.json:1: must be a mapping of keys to values; `landbridge new pipeline NAME` writes one",
        "projects/orders/config.json: beside config.yaml; keep one of them",
        (
            "projects/orders/config.yaml:1: pipeline_metadata.pipeline_name: also the name of the pipeline of"
            " projects/b/config.yaml; case makes no difference"
        ),
    ]


def test_hints_name_the_page(load: Load):
    """That of pipelines, that of the project, or both."""
    for processes, files, hint in [
        (1, {FILE: "{}"}, "docs/pipelines.md says"),
        (0, {FILE: PAGE}, "docs/configuration.md says"),
        (0, {FILE: "{}"}, "docs/configuration.md and docs/pipelines.md say"),
    ]:
        with pytest.raises(ConfigError) as caught:
            load(f"{CONNECTIONS}\nprocesses: {processes}", files=files)
        assert caught.value.hint == f"correct the lines named above; {hint} what each key takes"


def test_connections_cannot_be_made_twice(lines: Lines):
    """What a section makes has a name of its own; a script that is not there is told where that is asked."""
    config = changed(yaml.safe_load(PAGE), stage_system={"type": "duckdb", "path": "s"})
    connections = CONNECTIONS.replace("{shop:", "{orders.stage_system: {type: duckdb, path: x}, shop:")
    assert lines(connections, files={FILE: json.dumps(config)}) == [
        f"{FILE}:1: stage_system: a connection is called 'orders.stage_system'; rename that one"
    ]
    scripted = PAGE + "  pre_validation: {user_script: s/look.py}\n"
    assert lines(CONNECTIONS, files={FILE: scripted}, with_scripts=True) == [
        f"{FILE}:8: phases.pre_validation.user_script: no such file below the project"
    ]


def test_tables_are_not_kept_in_step_by_windows(lines: Lines):
    """`window` is how pipelines write, and no mode of a table."""
    table = "{name: t, source: {connection: shop, table: t}, target: {connection: report, table: t}, sync_mode: window}"
    (told,) = lines(CONNECTIONS, f"tables: [{table}]")
    assert "sync_mode: must be 'full', 'incremental', 'upsert' or 'scd2'" in told


NAMES = st.sampled_from([*EVERY_KEY, *(key for section in EVERY_KEY.values() for key in section), "x-a", "by_time"])
SCALARS = st.none() | st.booleans() | st.integers(-2, 99) | st.floats() | st.text(max_size=5)
WORDS = st.sampled_from(
    ["${A}", "file:x", "cmd:", "1h", "a@b", "parcel", "snowflake", "shop", "* * * * *", "2026-01-01"]
)
VALUES = st.recursive(
    SCALARS | WORDS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3)
)


@given(
    base=st.sampled_from([SEED, EVERY_KEY, yaml.safe_load(PAGE)]),
    section=st.sampled_from([*EVERY_KEY]),
    key=NAMES,
    value=VALUES,
    whole=st.booleans(),
)
def test_nothing_but_problems(
    tmp_path_factory: pytest.TempPathFactory, base: dict[str, Any], section: str, key: str, value: Any, *, whole: bool
):
    """Whatever a section or a key of it holds, reading gives a pipeline or problems, and never anything else."""
    config = changed(base, **{section: value if whole else {**base.get(section, {}), key: value}})
    folder = tmp_path_factory.getbasetemp()
    (folder / "p.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    problems = Problems()
    known = {"shop": "duckdb", "report": "duckdb"}
    document, pipeline, _ = read_pipeline(folder, "p.yaml", Environment({"A": "1"}, {}), known, problems)
    assert isinstance(document, Document)
    try:
        problems.raise_if_any()
    except ConfigError as error:
        assert error.hint  # noqa: PT017 - either is right
    else:
        assert pipeline is not None
        assert repr(pipeline)
        assert Path(pipeline.file) == Path("p.yaml")
