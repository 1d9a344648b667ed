"""Pipelines: what a file of one says, in all the ways in which it may be said."""

import copy
import json
import pickle
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
import yaml
from pydantic import SecretStr

from landbridge.config.pipelines import Monitoring, Pipeline, Retry, Smtp, StageCleaning, Tolerances
from landbridge.config.pipelines.notes import notes
from landbridge.config.project import Project
from landbridge.connectors.postgres.connector import PostgresOptions
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.contracts.values import Merge, Read, Write
from landbridge.errors import UsageError
from landbridge.ledger.phases import PHASES
from landbridge.schema.filters import compose
from landbridge.schema.model import Relation
from tests.config.conftest import Load
from tests.config.pipelines import CONNECTIONS, EVERY_KEY, PAGE, SEED, changed

FILE = "projects/orders/config.yaml"
PASSWORDS = {"SNOWFLAKE_PASSWORD": 'CANARY"\\1', "SMTP_PASSWORD": "CANARY2"}


def only(project: Project) -> Pipeline:
    (pipeline,) = project.pipelines
    return pipeline


def test_the_example_of_the_page(load: Load):
    """What docs/pipelines.md begins with loads, and all that it does not say has its default."""
    pipeline = only(load(CONNECTIONS, files={FILE: PAGE}))
    assert (pipeline.name, pipeline.file, pipeline.owner_email) == ("orders", Path(FILE), "team@company.com")
    assert (pipeline.step, pipeline.zone, pipeline.settle_delay) == ("1h", "UTC", timedelta(minutes=15))
    assert (pipeline.look_back, pipeline.acceptable_start, pipeline.acceptable_end) == (timedelta(days=7), None, None)
    assert (pipeline.schedule, pipeline.cron_expression, pipeline.catchup) == (None, None, True)
    assert pipeline.read == Read("shop", Relation("orders", "public"))
    assert (pipeline.source_kind, pipeline.query_field, pipeline.query_field_timezone) == ("duckdb", "updated_at", None)
    assert (pipeline.stage, pipeline.stage_kind) == (None, "parcel")
    assert pipeline.write == Write("report", Relation("orders", "public"), mode="window")
    assert tuple(pipeline.phases) == PHASES
    assert [name for name, rule in pipeline.phases.items() if not rule.enabled] == ["target_cleaning"]
    assert [rule.expected.total_seconds() / 60 for rule in pipeline.phases.values()] == [1, 1, 10, 5, 2, 3, 5]
    assert pipeline.tolerances == Tolerances(source_to_stage=2.0)
    assert (pipeline.cleaning, pipeline.retry, pipeline.monitoring) == (StageCleaning(), Retry(), Monitoring())
    assert (pipeline.stale_after, pipeline.smtp, pipeline.transform) == (timedelta(hours=2), None, None)


def test_the_example_of_the_seed(load: Load):
    """As it stands, and with the sections that it requires: a source that a script reads, Snowflake at both ends."""
    project = load(files={"projects/p/config.json": json.dumps(SEED, indent=4)}, environ=PASSWORDS)
    pipeline = project.pipeline("my_pipeline")
    assert (pipeline.source_kind, pipeline.read, pipeline.query_field) == ("elasticsearch", None, None)
    account = "my_pipeline.snowflake_connection"
    assert pipeline.stage == Write(account, Relation("STAGE_EVENTS", "STAGE", "ANALYTICS"), mode="window")
    assert pipeline.write == Write(account, Relation("EVENTS", "PROD", "ANALYTICS"), mode="window")
    options = project.connections[account]
    assert isinstance(options, SnowflakeOptions)
    assert options.auth_method == "password"  # who gives one wants to log in by it
    assert options.password == SecretStr(PASSWORDS["SNOWFLAKE_PASSWORD"])
    assert "CANARY" not in repr(project)
    assert pickle.loads(pickle.dumps(project)) == project  # noqa: S301 - our own


def test_every_key_of_the_seed(load: Load):
    """Each is read by something, or told to a script."""
    pipeline = only(load(files={"projects/p/config.json": json.dumps(EVERY_KEY)}, environ=PASSWORDS))
    assert (pipeline.description, pipeline.owner_name) == ("Events of the shop, hour by hour", "Anna")
    assert (pipeline.environment, pipeline.slack_channel) == ("production", "#data")
    assert pipeline.notification_emails == ("oncall@company.com", "data@company.com")
    assert (pipeline.schedule, pipeline.cron_expression, pipeline.catchup) == (timedelta(hours=1), "0 * * * *", False)
    assert pipeline.zone == "Europe/Berlin"
    assert pipeline.acceptable_start == datetime(2025, 11, 14, 23, tzinfo=UTC)  # midnight in Berlin
    assert pipeline.acceptable_end == datetime(2026, 11, 15, tzinfo=UTC)
    assert pipeline.stage is not None
    assert pipeline.stage.relation.table == "STAGE_EVENTS"
    assert pipeline.stale_after == timedelta(minutes=90)
    assert pipeline.phases["source_to_stage_transfer"].expected == timedelta(minutes=12)
    assert pipeline.tolerances == Tolerances(source_to_stage=2.0, stage_to_target=1.0)
    assert pipeline.cleaning == StageCleaning(
        archive_before_delete=True, archive_location="s3://archive/events", delete_after=timedelta(days=14)
    )
    assert pipeline.retry == Retry(max_retries=5, backoff_strategy="linear")
    assert pipeline.monitoring == Monitoring(alert_on_duration_exceed=False, duration_multiplier_threshold=3.0)
    sender = "landbridge@company.com"
    password = SecretStr("CANARY2")
    assert pipeline.smtp == Smtp(
        host="mail.company.com", port=25, user="mailer", password=password, from_email=sender, use_tls=False
    )
    assert pipeline.document["source_system"]["batch_size"] == 5000


def test_yaml_and_json_say_the_same(load: Load, tmp_path: Path):
    """A file of either kind is read alike, the YAML of it with anchors, `x-` keys and comments."""
    told = """\
x-place: &place {schema: public, table: orders}
pipeline_metadata: {pipeline_name: orders, owner_email: a@b}
source_system: {<<: *place, connection: shop, query_field: at, x-note: mine}
stage_system: {connection: report, temp_table_prefix: tmp_}
target_system: {<<: *place, connection: report}
phases:   # nothing special
"""
    one = only(load(CONNECTIONS, files={"projects/p/config.yml": told}))
    place = {"schema": "public", "table": "orders"}
    same = {
        "x-place": place,
        "pipeline_metadata": {"pipeline_name": "orders", "owner_email": "a@b"},
        "source_system": {**place, "connection": "shop", "query_field": "at", "x-note": "mine"},
        "stage_system": {"connection": "report", "temp_table_prefix": "tmp_"},
        "target_system": {**place, "connection": "report"},
        "phases": None,
    }
    (tmp_path / "projects/p/config.yml").unlink()
    other = only(load(CONNECTIONS, files={"projects/p/config.json": json.dumps(same, indent="\t")}))
    assert replace(one, file=other.file) == other
    assert one.document == same
    assert one.stage is not None
    assert one.stage.relation == Relation("tmp_orders")


INLINE = """
pipeline_metadata: {pipeline_name: orders, owner_email: a@b}
source_system:
  type: postgresql
  host: db
  database: sales
  user: reader
  password: "file:secret"
  sslrootcert: ca.pem
  port: ${PGPORT}
  schema: public
  table: orders
  filter: ["status = 'OPEN'", "AND id > 0"]
  query_field: at
  query_field_timezone: Europe/Berlin
stage_system: {type: duckdb, path: stage.duckdb}
target_system: {type: snowflake, account: a, user: u, token: "cmd:echo CANARY", auth_method: pat, warehouse: w,
                database: D, schema: S, table: T}
phases: {}
"""


def test_systems_with_options_of_their_own(load: Load, tmp_path: Path):
    """Each makes a connection, named after pipeline and section; secrets may come from files and commands."""
    (tmp_path / "secret").write_text("CANARY\n")
    project = load(files={FILE: INLINE}, environ={"PGPORT": "5433"})
    pipeline = only(project)
    assert pipeline.read == Read(
        "orders.source_system", Relation("orders", "public"), filter=compose(["status = 'OPEN'", "AND id > 0"])
    )
    assert (pipeline.source_kind, pipeline.query_field_timezone) == ("postgres", "Europe/Berlin")
    assert pipeline.stage == Write("orders.stage_system", Relation("stage_orders"), mode="window")
    assert pipeline.write == Write("orders.target_system", Relation("T", "S", "D"), mode="window")
    assert [*project.connections] == ["orders.source_system", "orders.stage_system", "orders.target_system"]
    source, stage, target = project.connections.values()
    assert isinstance(source, PostgresOptions)
    assert isinstance(target, SnowflakeOptions)
    assert (source.port, source.database, source.sslrootcert) == (5433, "sales", str(tmp_path / "ca.pem"))
    assert source.password == target.token == SecretStr("CANARY")
    assert stage.path == str(tmp_path / "stage.duckdb")
    assert pipeline.document["source_system"]["port"] == 5433


def test_numbers_from_variables(load: Load):
    """Where a number, a percentage, a boolean is asked for, a variable may give it; the script gets it as such."""
    told = PAGE.replace("2.0", "'${PERCENT}'") + "monitoring: {alert_on_gap: '${TELL:-false}'}\nsmtp_config:\n"
    told += "retry_configuration: {max_retries: '${RETRIES}'}\nsnowflake_connection:\n"
    pipeline = only(load(CONNECTIONS, files={FILE: told}, environ={"PERCENT": "2.5", "RETRIES": "7"}))
    assert (pipeline.tolerances.source_to_stage, pipeline.monitoring.alert_on_gap) == (2.5, False)
    assert (pipeline.retry.max_retries, pipeline.smtp) == (7, None)
    assert pipeline.document["retry_configuration"]["max_retries"] == 7
    assert pipeline.document["monitoring"] == {"alert_on_gap": False}


def test_what_scripts_are_given(load: Load):
    """The whole file with its values, a dict that nobody can change; nothing secret shows in its repr."""
    own = "custom: {a: [1, {b: '${A}'}], url: '${A}', api_key: CANARY}"
    told = f"""{PAGE}
  pre_validation: {{user_script: scripts/look.py, {own}}}
x-mine: {{list: ['${{A}}'], plain: shown}}
"""
    pipeline = only(load(CONNECTIONS, files={FILE: told}, environ={"A": "CANARY"}))
    config = pipeline.document
    rule = pipeline.phases["pre_validation"]
    assert rule.user_script is not None
    assert rule.user_script.is_absolute()
    assert rule.custom is config["phases"]["pre_validation"]["custom"]
    assert rule.custom["a"][1]["b"] == rule.custom["url"] == config["x-mine"]["list"][0] == "CANARY"
    assert isinstance(config, dict)
    assert "phases" in config
    assert config.get("nothing", 1) == 1
    assert json.loads(json.dumps(config))["x-mine"] == {"list": ["CANARY"], "plain": "shown"}
    assert "CANARY" not in f"{config} {config!r} {pipeline!r} {rule!r}"
    assert "'plain': 'shown'" in str(config)
    assert copy.deepcopy(config) == pickle.loads(pickle.dumps(config)) == config  # noqa: S301 - our own
    for change in (
        lambda: config.update(a=1),
        lambda: config.__setitem__("a", 1),
        lambda: config["phases"].pop("audit"),
        lambda: config["x-mine"].setdefault("b", 1),
        config.clear,
        lambda: config.__delitem__("phases"),
        lambda: config.__ior__({"a": 1}),
    ):
        with pytest.raises(TypeError, match="read-only"):
            change()


def test_tolerances_by_time(load: Load):
    """The first rule whose days and hours fit the window's start; a night belongs to the day on which it began."""
    told = (
        PAGE.partition("  audit:")[0]
        + """\
  audit:
    count_tolerances:
      source_to_stage_tolerance_percent: 2
      stage_to_target_tolerance_percent: 1
      by_time:
        - {weekdays: [fri], from: "22:00", to: "06:00", source_to_stage_tolerance_percent: 10}
        - {weekdays: [sat, sun], duplicates_tolerance_percent: 3}
        - {from: "12:00", to: "24:00", stage_to_target_tolerance_percent: 0}
"""
    )
    tolerances = only(load(CONNECTIONS, files={FILE: told})).tolerances
    night, weekend, noon = tolerances.by_time
    assert (night.weekdays, night.start, night.end) == ({4}, time(22), time(6))
    friday = datetime(2026, 1, 2, tzinfo=UTC)

    def at(hours: int, minutes: int = 0) -> tuple[float, float, float]:
        found = tolerances.at(friday + timedelta(hours=hours, minutes=minutes))
        return found.source_to_stage, found.stage_to_target, found.duplicates

    assert at(5) == (2, 1, 0)  # the night of Thursday
    assert at(11, 59) == (2, 1, 0)
    assert at(12) == at(21, 59) == (2, 0, 0)
    assert at(22) == at(24) == at(24 + 5, 59) == (10, 1, 0)
    assert at(24 + 6) == at(24 + 22) == at(48 + 23, 59) == (2, 1, 3)
    assert at(72) == (2, 1, 0)
    assert (weekend.weekdays, noon.end) == ({5, 6}, time())


def test_two_pipelines_share_a_target(load: Load):
    """Rows carry load ids, so each pipeline finds its own again."""
    other = PAGE.replace("pipeline_name: orders", "pipeline_name: returns")
    project = load(CONNECTIONS, files={FILE: PAGE, "projects/b/config.yaml": other, "projects/c/readme.txt": ""})
    assert [pipeline.name for pipeline in project.pipelines] == ["returns", "orders"]
    assert project.pipeline("orders").write == project.pipeline("returns").write
    with pytest.raises(UsageError) as caught:
        project.pipeline("order")
    assert (caught.value.message, caught.value.hint) == ("no pipeline is called 'order'", "did you mean 'orders'?")


def test_keys_of_a_target(load: Load):
    """They go with the field that tells windows: of two rows of one key the newer one by it stays."""
    target = {"target_system": {"connection": "report", "table": "orders", "merge_keys": ["shop", "id"]}}
    text = json.dumps(changed(yaml.safe_load(PAGE), **target))
    pipeline = only(load(CONNECTIONS, files={"projects/p/config.json": text}))
    assert pipeline.write == Write(
        "report", Relation("orders"), mode="window", merge=Merge(("shop", "id"), newest_by="updated_at")
    )
    assert list(notes(pipeline)) == []
    script = {"phases": {"stage_to_target_transfer": {"user_script": "x.py"}}}
    text = json.dumps(changed(yaml.safe_load(PAGE), **target, **script))
    scripted = only(load(CONNECTIONS, files={"projects/p/config.json": text}))
    assert any("merge_keys are for that to heed" in note for note in notes(scripted))


def test_months_own_words_and_scripts(load: Load, tmp_path: Path):
    """Windows of months, a script where no connector reads, SQL between stage and target and at the target."""
    config = changed(
        SEED,
        query_window={"duration": "1mo", "settle_delay": "0m", "timezone": "Asia/Tokyo"},
        stage_system={"type": "snowflake", "table": "S"},
        phases={
            "source_to_stage_transfer": {"user_script": "user_scripts/read.py"},
            "stage_to_target_transfer": {"sql": "SELECT DISTINCT * FROM {stage}", "rows": "changed"},
            "stage_cleaning": {"archive_before_delete": True, "archive_location": "archive"},
            "target_cleaning": {"enabled": True, "sql": ["DELETE FROM t", "DELETE FROM u"]},
        },
    )
    pipeline = only(load(files={"projects/p/config.json": json.dumps(config)}, environ=PASSWORDS))
    assert (pipeline.step, pipeline.zone, pipeline.settle_delay) == ("1mo", "Asia/Tokyo", timedelta())
    assert pipeline.phases["source_to_stage_transfer"].user_script == tmp_path / "user_scripts/read.py"
    assert (pipeline.transform, pipeline.rows_change) == ("SELECT DISTINCT * FROM {stage}", True)
    assert pipeline.cleaning.archive_location == str(tmp_path / "archive")
    assert pipeline.target_cleaning == ("DELETE FROM t", "DELETE FROM u")
    assert pipeline.stage is not None
    assert pipeline.stage.relation == Relation("S")
