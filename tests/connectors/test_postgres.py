"""The suites of sources, targets and catalogs against a real server."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg
import pytest

from landbridge.connectors.postgres import Postgres, PostgresOptions
from landbridge.demo.postgres_server import PostgresServer
from landbridge.schema.model import Relation
from landbridge.schema.names import quote
from tests.conformance.catalog import CatalogSuite
from tests.conformance.source import ConcurrentSourceSuite, SourceSuite
from tests.conformance.target import ConcurrentTargetSuite, TargetSuite


class PostgresSystem:
    """A schema of its own for each test, in one database."""

    numbers = count()

    def __init__(self, url: str) -> None:
        self.url = url
        self.schema = f"Test_{next(self.numbers)}"
        self.connector = self.login()

    def login(self, **other: str) -> Postgres:
        info = psycopg.conninfo.conninfo_to_dict(self.url)
        options = {
            "type": "postgres",
            "host": info["host"],
            "port": int(info["port"]),
            "database": info["dbname"],
            "user": info["user"],
            "password": info["password"],
        }
        return Postgres("it", PostgresOptions.model_validate({**options, **other}, strict=False))

    def relation(self, table: str) -> Relation:
        return Relation(table, self.schema)

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Autocommit, and the test's schema on the search path."""
        return psycopg.connect(self.url, autocommit=True, options=f'-c search_path="{self.schema}"')


@pytest.fixture(scope="module")
def url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def system(url: str) -> Iterator[PostgresSystem]:
    system = PostgresSystem(url)
    yield system
    system.execute(f"DROP SCHEMA IF EXISTS {quote(system.schema)} CASCADE")


class TestSource(SourceSuite, ConcurrentSourceSuite):
    pass


class TestTarget(TargetSuite, ConcurrentTargetSuite):
    pass


class TestCatalog(CatalogSuite):
    pass
