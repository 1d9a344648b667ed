"""Runs in Snowflake: what is published is what the drive table says, and nothing is sent twice."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import snowflake.connector

from landbridge.config.project import load_project
from landbridge.engine.publishing import Place, publish_runs
from landbridge.engine.world import World
from landbridge.errors import TargetError, UsageError
from landbridge.ledger import publication, runs
from landbridge.ledger.phases import PhaseRecord
from landbridge.ledger.tables import drive
from landbridge.windows import Window
from tests.engine.projects import WAREHOUSE, make_project
from tests.servers.snowflake.process import SnowflakeServer

FAILED_IN_24_HOURS = """
-- Find failed pipelines in last 24 hours
SELECT pipeline_name, phase_failed, created_at
FROM pipeline_execution_drive
WHERE pipeline_status = 'FAILED'
  AND created_at > DATEADD(hour, -24, CURRENT_TIMESTAMP());
"""
AUDIT_DETAILS = """
-- Get audit details for a specific run
SELECT audit_phase:source_count,
       audit_phase:stage_count,
       audit_phase:target_count,
       audit_phase:validation_status
FROM pipeline_execution_drive
WHERE pipeline_id = 'my_pipeline_20251115_10h_run1';
"""
TEN = datetime(2025, 11, 15, 10, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOSTILE = 'it\'s 100 %s \\ "quoted"\nand \u540d\u524d; --'
ACCOUNT = Place(connection="snowflake")


@pytest.fixture
def world(snowflake: SnowflakeServer, sf_database: str, tmp_path: Path) -> Iterator[World]:
    """A project whose connection `snowflake` is the emulated account."""
    folder = make_project(tmp_path / "project", WAREHOUSE)
    (folder / ".env").write_text("\n".join(snowflake.variables(sf_database)) + "\n")
    opened = World(load_project(folder), lambda _event: None)
    yield opened
    opened.close()


def asked(server: SnowflakeServer, database: str, sql: str, schema: str = "PUBLIC") -> list[tuple]:
    with (
        snowflake.connector.connect(**server.connection(database=database, schema=schema)) as session,
        session.cursor() as cursor,
    ):
        return cursor.execute(sql).fetchall()


def started(world: World, name: str = "my_pipeline") -> runs.Run:
    return runs.start_run(
        world.ledger,
        pipeline_name=name,
        job_kind="run",
        window=Window(TEN, TEN + timedelta(hours=1)),
        plan_hash="",
        fence=2**62,
        resumed_from=None,
        host="here",
        version="0.1.0",
    )


def failed_audit(world: World, run: runs.Run) -> None:
    details = {"source_count": 10000, "stage_count": 9800, "target_count": 9795, "validation_status": "FAILED"}
    record = PhaseRecord(phase_name="audit", status="FAILED", error_message=HOSTILE, details=details)
    runs.phase_ended(world.ledger, run, record)
    runs.finish_run(world.ledger, run, "FAILED")


def merges(server: SnowflakeServer) -> int:
    return sum(str(seen["sql"]).startswith("MERGE") for seen in server.statements())


def published(world: World, **options) -> tuple[int, int]:
    done = publish_runs(world, ACCOUNT, since=options.pop("since", LONG_AGO), **options)
    return done.written, done.unchanged


def test_the_queries_of_the_seed_run_unchanged(world, snowflake, sf_database):
    """What seed 002 lets people ask of the drive table is answered by what was published."""
    failed_audit(world, started(world))
    runs.phase_began(world.ledger, started(world), "audit")
    assert published(world) == (2, 0)
    [(name, phase, created)] = asked(snowflake, sf_database, FAILED_IN_24_HOURS)
    assert (name, phase) == ("my_pipeline", "audit")
    assert created == runs.get_run(world.ledger, "my_pipeline_20251115_10h_run1").created_at
    assert asked(snowflake, sf_database, AUDIT_DETAILS) == [("10000", "9800", "9795", '"FAILED"')]


def test_every_column_arrives(world, snowflake, sf_database):
    """Each column of the drive table is there with its value: times, big numbers, lists, documents, hostile text."""
    run = started(world)
    failed_audit(world, run)
    published(world)
    names = [column.name for column in drive.columns]
    [row] = asked(snowflake, sf_database, f"SELECT {', '.join(names)} FROM pipeline_execution_drive")
    with world.ledger.read() as connection:
        ours = dict(connection.execute(drive.select()).mappings().one())
    for name, theirs in zip(names, row, strict=True):
        is_document = isinstance(ours[name], dict | list)
        assert (json.loads(theirs) if is_document else theirs) == ours[name], name


def test_publishing_twice_sends_nothing(world, snowflake):
    """Rows that are there as they are are not sent again; one that went on is, and is there once."""
    done, running = started(world), started(world)
    failed_audit(world, done)
    assert published(world) == (2, 0)
    before = merges(snowflake)
    assert published(world) == (0, 2)
    assert merges(snowflake) == before
    failed_audit(world, running)
    assert published(world) == (1, 1)
    assert published(world) == (0, 2)


def test_what_ran_before_is_updated(world, snowflake, sf_database):
    """What was published as RUNNING is updated when it has ended, however long ago it began; rows of others stay."""
    run = started(world)
    published(world)
    failed_audit(world, run)
    foreign = (
        "INSERT INTO pipeline_execution_drive SELECT * REPLACE ('other' AS pipeline_id, 'RUNNING' AS pipeline_status)"
    )
    asked(snowflake, sf_database, f"{foreign} FROM pipeline_execution_drive")
    later = datetime.now(UTC) + timedelta(days=1)
    assert published(world, since=later) == (1, 0)
    assert published(world, since=later) == (0, 0)
    told = asked(snowflake, sf_database, "SELECT pipeline_id, pipeline_status FROM pipeline_execution_drive ORDER BY 1")
    assert told == [("my_pipeline_20251115_10h_run1", "FAILED"), ("other", "RUNNING")]


def test_by_pages_and_by_name(world, snowflake, sf_database, monkeypatch):
    """More rows than a page or a statement holds arrive all, once; with a name only those of that pipeline."""
    monkeypatch.setattr(publication, "PAGE", 2)
    monkeypatch.setattr("landbridge.engine.publishing.MOST_BYTES", 5000)
    for _ in range(5):
        started(world)
    started(world, "customers")
    assert published(world, pipeline_name="customers") == (1, 0)
    assert published(world) == (5, 1)
    assert asked(
        snowflake, sf_database, "SELECT count(*), count(DISTINCT pipeline_id) FROM pipeline_execution_drive"
    ) == [(6, 6)]
    assert merges(snowflake) > 3


def test_another_schema(world, snowflake, sf_database):
    """The table is made in the schema that is named, whatever its name; where there is none, that is an error."""
    snowflake.run(f'CREATE SCHEMA {sf_database}."runs of %s"')
    started(world)
    done = publish_runs(world, Place(connection="snowflake", schema="runs of %s"), since=LONG_AGO)
    assert (done.written, done.relation.schema) == (1, "runs of %s")
    with pytest.raises(TargetError, match="NOWHERE"):
        publish_runs(world, Place(connection="snowflake", schema="NOWHERE"), since=LONG_AGO)


def test_a_connection_that_holds_no_runs(world):
    """Other databases are refused, with what to name instead."""
    with pytest.raises(UsageError, match="'warehouse' cannot hold runs") as refused:
        publish_runs(world, Place(connection="warehouse"), since=LONG_AGO)
    assert "Snowflake" in (refused.value.hint or "")


def test_fault_7_the_ddl_is_that_of_the_drive_table():
    """It has the columns of the drive table, in order and as nullable, and no word that destroys, or that fails."""
    ddl = publication.ddl()
    assert Path("database_schemas/drive_table_ddl.sql").read_text() == ddl, "where seed 002 looks for it"
    lines = re.findall(r"^    (\w+) (\w+(?:\(\d+\))?)( NOT NULL)?", ddl, re.MULTILINE)
    assert [(name, not needed) for name, _, needed in lines] == [(c.name, c.nullable) for c in drive.columns]
    statement = " ".join(line for line in ddl.splitlines() if not line.startswith("--"))
    assert statement.startswith("CREATE TABLE IF NOT EXISTS pipeline_execution_drive (")
    assert statement.count(";") == 1
    assert not re.search(r"REPLACE|DROP|TRUNCATE|CHECK|INDEX|JSONB?\b", statement)
