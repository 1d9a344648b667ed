"""The servers of the test suite do what the tests take for granted."""

import subprocess
import sys

import obstore
import psycopg
import pytest
from obstore.exceptions import AlreadyExistsError
from obstore.store import S3Store

from landbridge.demo.postgres_server import PostgresServer
from tests.servers.s3 import S3Server


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    return s3.new_bucket()


def test_s3_takes_gives_and_lists(bucket: str) -> None:
    """What obstore puts comes back byte for byte, and is listed under its prefix only; AWS_* alone leads there."""
    store = S3Store(bucket)
    obstore.put(store, "parcels/a/part-0", b"one")
    obstore.put(store, "other", b"two")
    assert bytes(obstore.get(store, "parcels/a/part-0").bytes()) == b"one"
    assert [x["path"] for x in obstore.list(store, prefix="parcels").collect()] == ["parcels/a/part-0"]


def test_s3_takes_large_objects_in_parts(bucket: str) -> None:
    """A multipart upload arrives whole."""
    store, data = S3Store(bucket), bytes(range(256)) * 48 * 1024
    obstore.put(store, "big", data, use_multipart=True, chunk_size=5 << 20)
    assert bytes(obstore.get(store, "big").bytes()) == data


def test_s3_puts_only_once_when_asked(bucket: str) -> None:
    """A conditional put does not replace what is there."""
    store = S3Store(bucket)
    obstore.put(store, "index", b"first", mode="create")
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "index", b"second", mode="create")
    assert bytes(obstore.get(store, "index").bytes()) == b"first"


def test_s3_buckets_are_apart(s3: S3Server, bucket: str) -> None:
    """Each bucket is new and sees nothing of another."""
    obstore.put(S3Store(bucket), "a", b"")
    assert obstore.list(S3Store(s3.new_bucket())).collect() == []


def test_s3_is_reached_from_another_process(bucket: str) -> None:
    """A worker that inherits the environment reaches the same bucket."""
    program = "import sys, obstore; obstore.put(obstore.store.S3Store(sys.argv[1]), 'a', b'from afar')"
    subprocess.run([sys.executable, "-c", program, bucket], check=True)
    assert bytes(obstore.get(S3Store(bucket), "a").bytes()) == b"from afar"


def test_pg_url_is_a_fresh_database(postgres: PostgresServer, pg_url: str) -> None:
    """The database of a test is its own, empty, and on the session's server."""
    with psycopg.connect(pg_url) as connection:
        tables = connection.execute("SELECT 1 FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert tables == []
        assert connection.info.port == postgres.port
        assert connection.info.dbname == pg_url.rpartition("/")[2]
