"""PostgreSQL as source, target and catalog."""

import pytest

from tests.conformance.catalog import CatalogSuite
from tests.conformance.keyed import ConcurrentKeyedSuite, KeyedSuite
from tests.conformance.merging import MergeSuite
from tests.conformance.source import ConcurrentSourceSuite, SourceSuite
from tests.conformance.target import ConcurrentTargetSuite, TargetSuite
from tests.conformance.windowed import ConcurrentWindowSuite, WindowSuite
from tests.connectors.conftest import PostgresSystem


@pytest.fixture
def system(pg: PostgresSystem) -> PostgresSystem:
    return pg


class TestSource(SourceSuite, ConcurrentSourceSuite):
    pass


class TestTarget(TargetSuite, ConcurrentTargetSuite):
    pass


class TestMerge(MergeSuite):
    pass


class TestWindows(WindowSuite, ConcurrentWindowSuite):
    cut = ("'abc  '", "text", "varchar(3)")


class TestKeys(KeyedSuite, ConcurrentKeyedSuite):
    pass


class TestCatalog(CatalogSuite):
    pass
