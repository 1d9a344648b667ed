"""A real PostgreSQL as the suites ask for it."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import psycopg
import pytest

from landbridge.connectors.postgres.connector import Postgres, PostgresOptions
from landbridge.demo.postgres_server import PostgresServer
from landbridge.schema.model import Relation
from landbridge.schema.names import quote

SCHEMAS = count()


class PostgresSystem:
    """A schema of its own for each test, in one database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.schema = f"Test_{next(SCHEMAS)}"
        self.connector = self.login()

    def login(self, **other: object) -> Postgres:
        """A connector, with other options than the superuser's."""
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


@pytest.fixture(scope="session")
def postgres_database(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture
def pg(postgres_database: str) -> Iterator[PostgresSystem]:
    """A fresh schema, created empty."""
    system = PostgresSystem(postgres_database)
    system.execute(f"CREATE SCHEMA {quote(system.schema)}")
    yield system
    system.execute(f"DROP SCHEMA {quote(system.schema)} CASCADE")
