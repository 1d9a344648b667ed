"""Servers that every room's tests may ask for: started once per test process, on free ports, gone afterwards."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg import sql

from landbridge.demo.postgres_server import PostgresServer, postgres_server
from tests.servers.s3 import S3Server, s3_server
from tests.servers.snowflake.process import SnowflakeServer, snowflake_server

FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "shared_buffers": "128MB"}
FAST |= {"max_wal_size": "256MB"}  # it may lie in memory

MEMORY = Path("/dev/shm")  # noqa: S108  in a folder of our own
ROOM = 4 << 30  # bytes; each process has a server of PostgreSQL there with its log, the rest is little


def into_memory() -> None:
    """Temporary files go where waiting for the disk takes no time, if there is room and nobody chose another place.

    What the tests claim of kill and restart needs no disk, and what they claim of fsync is that it is called.
    """
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        return
    folder = MEMORY / f"lb-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    tempfile.tempdir = os.environ["TMPDIR"] = str(folder)


into_memory()

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


@pytest.fixture(scope="session")
def snowflake_process() -> Iterator[SnowflakeServer]:
    """An emulated Snowflake, one per test process; ask for `snowflake` or `sf_database`, which begin anew."""
    with snowflake_server() as server:
        yield server


@pytest.fixture
def snowflake(snowflake_process: SnowflakeServer) -> Iterator[SnowflakeServer]:
    """The server as it is at first: default settings, an empty log. What it wrote is shown where the test fails."""
    seen = snowflake_process.log.stat().st_size
    snowflake_process.start_test()
    yield snowflake_process
    sys.stdout.write(snowflake_process.log.read_text()[seen:])


@pytest.fixture
def sf_database(snowflake: SnowflakeServer) -> str:
    """Name of a fresh database, empty but for its schema PUBLIC."""
    return snowflake.new_database()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on the emulated Snowflake are marked: `make test-all` runs them with both majors of the connector."""
    for item in items:
        if "snowflake_process" in getattr(item, "fixturenames", ()):
            item.add_marker("snowflake")
