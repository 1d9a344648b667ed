"""A drive database per test, once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from landbridge.demo.postgres_server import PostgresServer
from landbridge.ledger import runs
from landbridge.ledger.database import Database, open_database
from landbridge.windows import Window


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a drive database that nobody has opened yet."""
    return str(request.getfixturevalue("pg_url")) if request.param == "postgresql" else _file(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty drive database; on PostgreSQL its tables stay for the next test, which is quicker."""
    return str(request.getfixturevalue("emptied_url")) if request.param == "postgresql" else _file(tmp_path)


@pytest.fixture
def db(url: str) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.close()


@pytest.fixture
def run_id(db: Database) -> str:
    """A run that parcels can belong to."""
    run = runs.start_run(
        db,
        pipeline_name="orders",
        job_kind="run",
        window=Window.at(datetime(2026, 1, 31, 5, tzinfo=UTC)),
        plan_hash="",
        fence=1,
        resumed_from=None,
        host="",
        version="",
    )
    return run.pipeline_id


@pytest.fixture(scope="session")
def kept_url(postgres: PostgresServer) -> str:
    url = postgres.new_database()
    open_database(url).close()
    return url


@pytest.fixture
def emptied_url(kept_url: str) -> str:
    with psycopg.connect(kept_url) as connection:
        tables = (
            "pipeline_execution_drive, landbridge_leases, landbridge_parcels, landbridge_custody, landbridge_marks,"
            " landbridge_alerts"
        )
        connection.execute(f"TRUNCATE {tables}")
    return kept_url


def _file(folder: Path) -> str:
    return f"sqlite:///{folder}/state/drive.db"
