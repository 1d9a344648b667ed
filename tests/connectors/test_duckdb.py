"""The suites of sources, targets and catalogs against a DuckDB file."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from landbridge.connectors.duckdb.connector import DuckDB
from landbridge.connectors.duckdb.options import DuckDBOptions
from landbridge.contracts.values import Read, Write
from landbridge.errors import SourceError, Unreachable
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.model import Relation
from tests.conformance.catalog import CatalogSuite
from tests.conformance.keyed import KeyedSuite
from tests.conformance.merging import MergeSuite
from tests.conformance.source import SourceSuite
from tests.conformance.target import TargetSuite
from tests.conformance.windowed import WindowSuite


class DuckDBSystem:
    """A file of its own for each test."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "it.duckdb"
        self.connector = DuckDB("it", DuckDBOptions.model_validate({"type": "duckdb", "path": str(self.path)}))

    def relation(self, table: str) -> Relation:
        return Relation(table, "Test")

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(self.path) as connection:
            connection.execute('SET search_path = "Test"')
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def system(tmp_path: Path) -> DuckDBSystem:
    with duckdb.connect(tmp_path / "it.duckdb") as connection:
        connection.execute('CREATE SCHEMA "Test"')
    return DuckDBSystem(tmp_path)


class TestSource(SourceSuite):
    def test_every_native_type_travels(self, system: DuckDBSystem) -> None:
        """What DuckDB alone has arrives as the nearest kind, exactly; nested values as JSON."""
        system.execute(
            "CREATE TABLE t AS SELECT 1::UTINYINT a, 18446744073709551615::UBIGINT b, "
            "170141183460469231731687303715884105727::HUGEINT c, 'x'::ENUM('x', 'y') d, INTERVAL 3 DAY e, "
            "[1, NULL]::INTEGER[] f, {'k': 12345678901234567890.123456789::DECIMAL(38,9)} g, '101'::BIT h, "
            "TIMESTAMP_S '2024-01-02 03:04:05' i, 'b1e55ed0-0000-4000-8000-000000000001'::UUID j"
        )
        row = _read(system, "t").to_pylist()[0]
        assert row["a"] == 1
        assert row["b"] == 18446744073709551615
        assert (row["c"], row["d"], row["e"], row["h"]) == (
            "170141183460469231731687303715884105727",
            "x",
            "3 days",
            "101",
        )
        assert (row["f"], row["g"]) == ("[1,null]", '{"k":12345678901234567890.123456789}')
        assert row["i"].isoformat() == "2024-01-02T03:04:05"
        assert row["j"].hex() == "b1e55ed0000040008000000000000001"

    @pytest.mark.parametrize("value", ["'infinity'::DATE", "'-infinity'::TIMESTAMP", "'infinity'::TIMESTAMPTZ"])
    def test_infinity_is_refused(self, system: DuckDBSystem, value: str) -> None:
        """It would be some day of the year 294247 anywhere else; the error names the column."""
        system.execute(f"CREATE TABLE t AS SELECT {value} AS late")
        with pytest.raises(SourceError, match="column late holds infinity"):
            _read(system, "t")

    def test_the_end_of_the_day_is_refused(self, system: DuckDBSystem) -> None:
        """24:00:00 is a time to DuckDB alone: who reads it elsewhere would find a broken file."""
        system.execute("CREATE TABLE t AS SELECT TIME '24:00:00' AS closing")
        with pytest.raises(SourceError, match="column closing holds 24:00:00"):
            _read(system, "t")

    def test_rows_that_were_deleted_leave_no_hole_in_the_parts(self, system: DuckDBSystem) -> None:
        """Row ids go on after deletes; the ranges still hold every row once."""
        system.execute("CREATE TABLE t AS SELECT i AS id FROM range(600000) r(i)")
        system.execute("DELETE FROM t WHERE id % 3 = 0")
        found = _read(system, "t")["id"].to_pylist()
        assert sorted(found) == [i for i in range(600000) if i % 3]

    def test_nobody_writes_while_an_instant_is_held(self, system: DuckDBSystem) -> None:
        """Whatever else this process reads of the file meanwhile; afterwards it can be written again."""
        system.execute("CREATE TABLE t AS SELECT 1 AS id")
        with system.connector.instant() as instant:
            with system.connector.snapshot(Read("it", system.relation("t")), instant) as snapshot:
                list(system.connector.batches(snapshot.parts[0]))
            system.connector.describe([system.relation("t")])
            assert not _can_be_written(system.path)
            with system.connector.snapshot(Read("it", system.relation("t")), instant) as snapshot:
                assert snapshot.rows == 1
        assert _can_be_written(system.path)

    def test_a_file_that_is_not_there_is_not_made(self, tmp_path: Path) -> None:
        """Reading never creates a database."""
        gone = DuckDB("it", DuckDBOptions.model_validate({"type": "duckdb", "path": str(tmp_path / "gone.duckdb")}))
        assert gone.describe([Relation("t")]) == {Relation("t"): None}
        with pytest.raises(Unreachable, match=r"no file at .*gone\.duckdb"), gone.snapshot(Read("it", Relation("t"))):
            pass
        assert not (tmp_path / "gone.duckdb").exists()


class TestTarget(TargetSuite):
    pass


class TestMerge(MergeSuite):
    pass


class TestWindows(WindowSuite):
    cut = ("TIMESTAMP_NS '2026-01-01 00:00:00.123456789'", "TIMESTAMP_NS", "TIMESTAMP")


class TestKeys(KeyedSuite):
    pass


class TestCatalog(CatalogSuite):
    pass


def test_a_file_that_another_process_has_open_is_told_by_code(system: DuckDBSystem) -> None:
    """DuckDB has no SQLSTATE: it is that of an object in use, which may pass."""
    holding = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holding, system.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Unreachable, match="another process has the file open") as caught:
            system.connector.newest_load(Write("it", system.relation("t")))
        other.communicate("")
    assert caught.value.code == "55006"


def _can_be_written(path: Path) -> bool:
    """Asked of another process, as the lock is between processes."""
    writing = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('CREATE TABLE IF NOT EXISTS u (id INTEGER)')"
    done = subprocess.run([sys.executable, "-c", writing, path], capture_output=True, check=False)
    return done.returncode == 0


def _read(system: DuckDBSystem, table: str) -> pa.Table:
    with system.connector.snapshot(Read("it", system.relation(table))) as snapshot:
        batches = [batch for part in snapshot.parts for batch in system.connector.batches(part)]
    return pa.Table.from_batches(batches, arrow_schema(snapshot.schema))


def test_an_interrupt_is_one(system: DuckDBSystem) -> None:
    """Ctrl-C while DuckDB computes ends the command; it is no failure of one table, after which the next is begun."""
    bell = threading.Timer(0.1, signal.pthread_kill, [threading.get_ident(), signal.SIGINT])

    def compute() -> None:
        with system.connector._open(SourceError) as connection:
            bell.start()
            connection.execute("SELECT count(*) FROM range(300000000) numbers(i) WHERE hash(i) % 7 = 3")
        bell.join()

    with pytest.raises(KeyboardInterrupt):
        compute()
