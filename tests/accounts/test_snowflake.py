"""The suites against a real account: `make test-account`, with the variables SNOWFLAKE_* set.

Each test makes a schema of its own in SNOWFLAKE_DATABASE, and drops it afterwards.
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest

from landbridge.config.connections import DEFAULTS
from landbridge.connectors.snowflake.connector import Snowflake
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.errors import SourceError
from landbridge.schema.model import Relation
from landbridge.schema.names import quote
from tests.conformance.source import ConcurrentSourceSuite
from tests.conformance.target import ConcurrentTargetSuite
from tests.connectors import test_snowflake as emulated
from tests.connectors.test_snowflake import Folded

pytestmark = pytest.mark.account


class AccountSystem:
    """A schema of its own for each test."""

    def __init__(self, options: SnowflakeOptions, schema: str) -> None:
        self.schema = schema
        self.connector = Folded(Snowflake("it", options))

    def relation(self, table: str) -> Relation:
        return Relation(table, self.schema)

    def execute(self, sql: str) -> Sequence[tuple[Any, ...]]:
        with self.connector.session.cursor(SourceError, sql) as cursor:
            cursor.execute(sql)
            return cursor.fetchall()


@pytest.fixture(scope="session")
def account() -> SnowflakeOptions:
    given = {key: os.environ.get(f"SNOWFLAKE_{key}".upper()) for key in DEFAULTS["snowflake"]}
    numbers = {key: int(text) if text.isdigit() else text for key, text in given.items() if text}
    return SnowflakeOptions.model_validate({"type": "snowflake", **numbers})


@pytest.fixture
def system(account: SnowflakeOptions) -> Iterator[AccountSystem]:
    yield from made(account)


def made(options: SnowflakeOptions) -> Iterator[AccountSystem]:
    found = AccountSystem(options, f"LANDBRIDGE_TEST_{uuid4().hex[:12].upper()}")
    found.execute(f"CREATE SCHEMA {quote(found.schema)}")
    yield found
    found.execute(f"DROP SCHEMA {quote(found.schema)}")
    found.connector.session.close()


class TestSource(emulated.TestSource):
    pass


class TestUnloadedSource(emulated.TestSource):
    @pytest.fixture
    def system(self, account: SnowflakeOptions) -> Iterator[AccountSystem]:
        yield from made(account.model_copy(update={"unload": True}))


class TestConcurrentSource(ConcurrentSourceSuite):
    pass


class TestTarget(emulated.TestTarget):
    pass


class TestConcurrentTarget(ConcurrentTargetSuite):
    pass


class TestCatalog(emulated.TestCatalog):
    pass
