"""Servers that every room's tests may ask for: started once per test process, on free ports, gone afterwards."""

from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from landbridge.demo.postgres_server import PostgresServer, postgres_server
from tests.servers.s3 import S3Server, s3_server

FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "128MB"}

# a busy machine is no failure: what is fast enough is for the benchmarks to say
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server, one per test process; nothing on it outlives the session."""
    with postgres_server(settings=FAST) as server:
        yield server


@pytest.fixture
def pg_url(postgres: PostgresServer) -> Iterator[str]:
    """URL of a fresh, empty database, dropped after the test whoever is still connected."""
    url = postgres.new_database()
    yield url
    name = sql.Identifier(url.rpartition("/")[2])
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """An S3 server in memory, one per test process; make a bucket of your own with `new_bucket`."""
    with s3_server() as server:
        yield server
