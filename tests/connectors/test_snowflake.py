"""The suites of sources, targets and catalogs against the emulated Snowflake, and what only this connector has."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import snowflake.connector

from landbridge.connectors.snowflake.connector import Snowflake
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.contracts.values import Instant, Load, Published, Read, Snapshot, Write
from landbridge.schema.changes import Newest
from landbridge.schema.metadata import Extracted, TableMetadata
from landbridge.schema.model import Relation, TableSchema, Type
from landbridge.schema.names import fold, folded, unfold
from tests.conformance.catalog import CatalogSuite
from tests.conformance.keyed import KeyedSuite
from tests.conformance.merging import MergeSuite
from tests.conformance.source import SourceSuite
from tests.conformance.system import NUMBERS, load_of
from tests.conformance.target import TargetSuite
from tests.conformance.windowed import ConcurrentWindowSuite, WindowSuite
from tests.servers.snowflake.process import SnowflakeServer


class Folded:
    """The connector as the suites, which write columns in lower case, expect one: upper-case columns are folded."""

    def __init__(self, connector: Snowflake) -> None:
        self.inner = connector

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    @contextmanager
    def snapshot(self, read: Read, instant: Instant | None = None) -> Iterator[Snapshot]:
        with self.inner.snapshot(_unfolded(read), instant) as shot:
            parts = tuple(replace(part, schema=folded(part.schema)) for part in shot.parts)
            yield replace(shot, schema=folded(shot.schema), parts=parts)

    def publish_from(self, write: Write, read: Read, load: Load, version: int) -> Published:
        return self.inner.publish_from(write, _unfolded(read), load, version)

    def newest(self, read: Read, column: str, instant: Instant) -> Newest:
        return self.inner.newest(read, unfold(column), instant)

    def describe(self, relations: Sequence[Relation]) -> dict[Relation, TableSchema | None]:
        return {key: schema and folded(schema) for key, schema in self.inner.describe(relations).items()}

    def metadata(self, reads: Sequence[Read]) -> list[Extracted | None]:
        return [found and replace(found, table=_folded(found.table)) for found in self.inner.metadata(reads)]


def _unfolded(read: Read) -> Read:
    picks = tuple(replace(pick, name=unfold(pick.name)) for pick in read.columns.picks)
    return replace(read, columns=replace(read.columns, picks=picks, exclude=tuple(map(unfold, read.columns.exclude))))


def _folded(table: TableMetadata) -> TableMetadata:
    return replace(
        table,
        columns=tuple(replace(column, name=fold(column.name)) for column in table.columns),
        primary_key=tuple(map(fold, table.primary_key)),
        unique_keys=tuple(sorted(tuple(map(fold, key)) for key in table.unique_keys)),
        foreign_keys=tuple(
            replace(
                key, columns=tuple(map(fold, key.columns)), referenced_columns=tuple(map(fold, key.referenced_columns))
            )
            for key in table.foreign_keys
        ),
    )


class SnowflakeSystem:
    """A database of its own for each test."""

    def __init__(self, server: SnowflakeServer, database: str, **more: Any) -> None:
        self.server, self.database = server, database
        self.connector = Folded(Snowflake("it", options(server, database, **more)))

    def relation(self, table: str) -> Relation:
        return Relation(table, "Test")

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with snowflake.connector.connect(**self.server.connection(database=self.database, schema='"Test"')) as session:
            cursor = session.cursor()
            cursor.execute(sql)
            return cursor.fetchall()


def settings(server: SnowflakeServer, database: str) -> dict[str, Any]:
    """The keys of a connection to the server, without the password."""
    return {
        "type": "snowflake",
        "account": "landbridge_test",
        "user": server.user,
        "auth_method": "password",
        "warehouse": "COMPUTE_WH",
        "database": database,
        "schema": "PUBLIC",
        "host": server.host,
        "port": server.port,
        "protocol": "http",
        "login_timeout": 20,
    }


def options(server: SnowflakeServer, database: str, **more: Any) -> SnowflakeOptions:
    return SnowflakeOptions.model_validate({**settings(server, database), "password": server.password, **more})


@pytest.fixture
def system(snowflake: SnowflakeServer, sf_database: str) -> Iterator[SnowflakeSystem]:
    found = SnowflakeSystem(snowflake, sf_database)
    snowflake.run(f'CREATE SCHEMA {sf_database}."Test"')
    yield found
    found.connector.session.close()


# what Snowflake has no type of its own for
KINDS = {
    "int16": Type("decimal", 5, 0),
    "int32": Type("decimal", 10, 0),
    "int64": Type("decimal", 19, 0),
    "float32": Type("float64"),
    "char": Type("text", length=5),
    "uuid": Type("text", length=36),
}


class TestSource(SourceSuite):
    kinds = KINDS
    hashed_otherwise = ("document", "fixed")  # 2.50 is 2.5; what was padded is a text with its blanks


class TestTarget(TargetSuite):
    kinds = KINDS
    rewritten = ("document",)


class TestMerge(MergeSuite):
    pass


class TestWindows(WindowSuite, ConcurrentWindowSuite):
    cut = ("'2026-01-01 00:00:00.123456789'", "TIMESTAMP_NTZ(9)", "TIMESTAMP_NTZ(6)")


class TestKeys(KeyedSuite):
    """Not several windows of one key at once: the emulator takes such transactions apart."""


class TestCatalog(CatalogSuite):
    kinds = KINDS

    def test_what_is_created_is_verified(self, system: SnowflakeSystem) -> None:
        """As of every catalog, under the names that are the account's own."""
        system.connector = system.connector.inner
        super().test_what_is_created_is_verified(system)


def test_names_may_have_percent_signs(snowflake: SnowflakeServer, sf_database: str) -> None:
    """Those before letters that make them places for values, too. Without rows: the emulator loses files there."""
    connector = Snowflake("it", options(snowflake, sf_database))
    write, load = Write("it", Relation("100 %s", "%d")), load_of(0)
    landing = connector.prepare(write, NUMBERS, load)
    assert connector.sweep(write, keep=load.attempt) == []
    assert connector.publish(landing).how == "rewrite"
    assert connector.loaded(write, load.load_id) == 0
    assert connector.describe([write.relation])[write.relation] is not None
    connector.session.close()
