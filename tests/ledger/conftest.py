"""A drive database per test, once on SQLite and once on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from landbridge.demo.postgres_server import PostgresServer
from landbridge.ledger.database import Database, open_database


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


@pytest.fixture(scope="session")
def kept_url(postgres: PostgresServer) -> str:
    url = postgres.new_database()
    open_database(url).close()
    return url


@pytest.fixture
def emptied_url(kept_url: str) -> str:
    with psycopg.connect(kept_url) as connection:
        connection.execute("TRUNCATE pipeline_execution_drive, landbridge_leases, landbridge_parcels")
    return kept_url


def _file(folder: Path) -> str:
    return f"sqlite:///{folder}/state/drive.db"
