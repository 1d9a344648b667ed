"""TLS, by both drivers: what is asked for is what happens."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from landbridge.connectors.postgres.connector import Postgres, PostgresOptions
from landbridge.connectors.postgres.session import Server, sslmode
from landbridge.contracts.values import Read
from landbridge.demo.postgres_server import PostgresServer
from landbridge.errors import Unreachable
from landbridge.schema.model import Relation
from tests.servers.tls import TlsFront, tls_front


@pytest.fixture
def front(postgres: PostgresServer, tmp_path: Path) -> Iterator[TlsFront]:
    with tls_front((postgres.host, postgres.port), tmp_path) as front:
        yield front


def connector(server: PostgresServer, port: int, **other: str) -> Postgres:
    options = {"type": "postgres", "host": "localhost", "port": port, "database": "postgres", "user": server.user}
    options |= {"password": server.password, **other}
    return Postgres("it", PostgresOptions.model_validate(options))


def read_one(source: Postgres) -> pa.Table:
    """One row by way of both drivers: psycopg opens the snapshot, asyncpg copies."""
    read = Read("it", Relation("pg_class", "pg_catalog"), query="SELECT 1 AS one")
    with source.snapshot(read) as snapshot:
        return pa.Table.from_batches(source.batches(snapshot.parts[0]))


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_rows_come_over_tls(postgres: PostgresServer, front: TlsFront, mode: str) -> None:
    """Both drivers accept a certificate of the authority that is named, and doctor says that TLS is in use."""
    source = connector(postgres, front.port, sslmode=mode, sslrootcert=str(front.authority))
    assert read_one(source).to_pylist() == [{"one": 1}]


def test_the_wrong_authority_is_refused(postgres: PostgresServer, front: TlsFront, tmp_path: Path) -> None:
    """verify-full with another authority ends before a password is sent."""
    (tmp_path / "other").mkdir()
    with tls_front((postgres.host, postgres.port), tmp_path / "other") as other:
        source = connector(postgres, front.port, sslmode="verify-full", sslrootcert=str(other.authority))
        with pytest.raises(Unreachable, match="certificate"):
            read_one(source)


def test_the_wrong_name_is_refused(postgres: PostgresServer, front: TlsFront) -> None:
    """The certificate is for localhost; 127.0.0.1 is another name to verify-full."""
    by_number = {"host": "127.0.0.1", "sslmode": "verify-full", "sslrootcert": str(front.authority)}
    with pytest.raises(Unreachable, match="certificate"):
        read_one(connector(postgres, front.port, **by_number))


def test_a_server_without_tls_is_refused_where_tls_is_required(postgres: PostgresServer) -> None:
    """`require` never falls back to plain text."""
    with pytest.raises(Unreachable, match="SSL"):
        read_one(connector(postgres, postgres.port, sslmode="require"))


@pytest.mark.parametrize(
    ("host", "mode"),
    [("localhost", "prefer"), ("127.0.0.1", "prefer"), ("/run/postgresql", "prefer"), ("db.example.org", "require")],
)
def test_plain_text_is_for_this_machine_only(host: str, mode: str) -> None:
    """Without sslmode, what never leaves the machine may do without TLS, and nothing else."""
    assert sslmode(Server(host, 5432, "d", "u", None, None, None, 1)) == mode
