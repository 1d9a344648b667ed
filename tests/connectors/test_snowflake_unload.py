"""Reading by files: the suite of sources once more, what is left nowhere, and what a killed read leaves."""

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import snowflake.connector

from landbridge.connectors.snowflake import memory, unloading
from landbridge.connectors.snowflake.connector import Snowflake
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.contracts.values import Part, Read, Snapshot
from landbridge.errors import SourceError, Unreachable, WorldError
from landbridge.schema.model import Relation
from tests.connectors import test_snowflake as by_batches
from tests.connectors.test_snowflake import SnowflakeSystem, options
from tests.engine.inotify import watching
from tests.servers.snowflake.process import SnowflakeServer

T = Relation("T", "PUBLIC")
CANARY = b"canary-in-the-coal-mine"


class TestUnloadedSource(by_batches.TestSource):
    """All that is owed by result batches is owed by files; what a predicate takes hangs on neither."""

    test_a_watermark_cuts_without_a_hole = None

    @pytest.fixture
    def system(self, snowflake: SnowflakeServer, sf_database: str) -> Iterator[SnowflakeSystem]:
        snowflake.set(unload_rows=400)
        found = SnowflakeSystem(snowflake, sf_database, unload=True)
        snowflake.run(f'CREATE SCHEMA {sf_database}."Test"')
        yield found
        found.connector.session.close()
        assert stages(snowflake, sf_database) == []


@pytest.fixture
def given(snowflake: SnowflakeServer, sf_database: str) -> SnowflakeOptions:
    """A table T of 1000 rows, unloaded into ten files."""
    snowflake.set(unload_rows=100)
    text = f"'{CANARY.decode()} ' || SEQ4()"
    made = f"CREATE TABLE T AS SELECT SEQ4() AS ID, {text} AS NOTE FROM TABLE(GENERATOR(ROWCOUNT => 1000))"
    snowflake.run(f"USE SCHEMA {sf_database}.PUBLIC", made)
    return options(snowflake, sf_database, unload=True)


@pytest.fixture
def connector(given: SnowflakeOptions) -> Iterator[Snowflake]:
    found = Snowflake("it", given)
    yield found
    found.session.close()


def stages(server: SnowflakeServer, database: str) -> list[str]:
    """Names of the stages that stand in the schema of the connection."""
    with snowflake.connector.connect(**server.connection()) as session:
        found = session.cursor().execute(f"SHOW STAGES IN SCHEMA {database}.PUBLIC").fetchall()
    return [row[1] for row in found]


def folder_of(stage: str) -> Path:
    """Where the files of a stage lie for a moment."""
    return memory.MEMORY / f"{memory.PREFIX}{stage.rpartition('_')[2]}"


def table_of(connector: Snowflake, shot: Snapshot) -> pa.Table:
    return pa.Table.from_batches([batch for part in shot.parts for batch in connector.batches(part)])


def read_elsewhere(given: tuple[SnowflakeOptions, Part]) -> int:
    """In a process that logs in by itself."""
    found = Snowflake("it", given[0])
    rows = sum(batch.num_rows for batch in found.batches(given[1]))
    found.session.close()
    return rows


def test_files_are_read_by_other_processes(given: SnowflakeOptions, connector: Snowflake) -> None:
    """Each file is a part, and can be fetched by any process while the snapshot is open."""
    with connector.snapshot(Read("it", T)) as shot, ProcessPoolExecutor(2, get_context("spawn")) as pool:
        assert list(pool.map(read_elsewhere, [(given, part) for part in shot.parts])) == [100] * 10


def test_time_comes_with_all_its_digits(snowflake: SnowflakeServer, sf_database: str) -> None:
    """TIME is unloaded as a whole number, of nanoseconds where it has nine digits."""
    found = Snowflake("it", options(snowflake, sf_database, unload=True))
    found.execute(
        [
            "CREATE TABLE T (A TIME, B TIME(6), C TIME(0))",
            "INSERT INTO T SELECT '23:59:59.999999', '00:00:00.000001', '12:00:00'",
            "INSERT INTO T SELECT NULL, '12:00:00', NULL",
        ]
    )
    with found.snapshot(Read("it", T)) as shot:
        rows = table_of(found, shot).cast(pa.schema([(name, pa.time64("us")) for name in "ABC"])).to_pylist()
    found.session.close()
    assert rows == [
        {"A": time(23, 59, 59, 999999), "B": time(0, 0, 0, 1), "C": time(12)},
        {"A": None, "B": time(12), "C": None},
    ]


def test_a_double_is_no_number(snowflake: SnowflakeServer, connector: Snowflake) -> None:
    """Where a file has doubles for a NUMBER, digits are lost already: an error that names the column."""
    with connector.snapshot(Read("it", T)) as shot:
        file = shot.parts[0].payload
        assert isinstance(file, unloading.File)
        connector.execute(
            [
                f"COPY INTO @{stage_of(file)}/doubles FROM (SELECT 0.5::FLOAT AS ID, 'x' AS NOTE) {unloading.FORMAT}",
            ]
        )
        doubles = unloading.File(file.stage, "doubles_0_0_0.snappy.parquet", file.folder)
        part = Part("it", 0, "", shot.schema, payload=doubles)
        with pytest.raises(SourceError, match=r"column ID .* holds a value that"):
            list(connector.batches(part))


def stage_of(file: unloading.File) -> str:
    return f'"{file.stage.database}"."{file.stage.schema}"."{file.stage.table}"'


def test_a_count_that_differs_is_an_error(
    snowflake: SnowflakeServer, sf_database: str, connector: Snowflake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that COPY INTO reports are compared with the count, before one is read; nothing is left."""
    copied, seen = unloading._copied, []

    def late(*asked: Any) -> list[str]:
        seen.append(folder_of(asked[2].table))
        snowflake.run(f"DELETE FROM {sf_database}.PUBLIC.T WHERE ID = 7")
        return copied(*asked)

    monkeypatch.setattr(unloading, "_copied", late)
    with (
        pytest.raises(SourceError, match="the source counts 1000 rows, and 999 were unloaded"),
        connector.snapshot(Read("it", T)),
    ):
        raise AssertionError("it opened")
    assert (stages(snowflake, sf_database), [path.exists() for path in seen]) == ([], [False])


def test_a_read_that_fails_leaves_nothing(snowflake: SnowflakeServer, sf_database: str, connector: Snowflake) -> None:
    """Neither a stage in the account nor a folder in memory; a part that is read then says that it cannot be had."""
    with suppress(ZeroDivisionError), connector.snapshot(Read("it", T)) as shot:
        (stage,) = stages(snowflake, sf_database)
        assert folder_of(stage).is_dir()
        next(connector.batches(shot.parts[0]))
        1 / 0  # noqa: B018
    assert (stages(snowflake, sf_database), folder_of(stage).exists()) == ([], False)
    with pytest.raises(Unreachable, match=r"part 0 of it could not be fetched: \w+$"):
        list(connector.batches(shot.parts[0]))


def test_rows_are_on_no_disk(
    snowflake: SnowflakeServer,
    sf_database: str,
    connector: Snowflake,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """GET writes into memory, for its user alone, and that is gone before a row is handed out; nothing else is written.

    The files are encrypted in the stage, and connector 4 decrypts into a folder for temporary files.
    """
    for name in ("temporary", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(tmp_path)
    control = tmp_path / "control"
    with (
        watching(deep=[tmp_path], flat=[Path("/tmp"), Path("/var/tmp"), memory.MEMORY]) as watch,  # noqa: S108
        connector.snapshot(Read("it", T)) as shot,
    ):
        control.write_bytes(CANARY)
        (folder,) = map(folder_of, stages(snowflake, sf_database))
        assert (folder.stat().st_mode & 0o777, folder.stat().st_uid) == (0o700, os.getuid())
        for part in shot.parts:
            for batch in connector.batches(part):
                assert CANARY in batch["NOTE"][0].as_py().encode()
                assert list(folder.iterdir()) == []
    assert not folder.exists()
    assert CANARY in watch.seen.pop(control)
    assert [path for path, content in watch.seen.items() if CANARY in content or b"PAR1" in content[:4]] == []
    assert [path for path in watch.seen if path.is_relative_to(tmp_path)] == []


KILLED = """
import os, pickle, signal, sys
from landbridge.connectors.snowflake.connector import Snowflake
from landbridge.contracts.values import Read
from landbridge.schema.model import Relation
with Snowflake("it", pickle.load(sys.stdin.buffer)).snapshot(Read("it", Relation("T", "PUBLIC"))) as shot:
    (shot.parts[0].payload.folder / "clear").write_text("rows")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(given: SnowflakeOptions) -> Callable[[], None]:
    """Kill a process amid a read of T."""

    def kill() -> None:
        done = subprocess.run(
            [sys.executable, "-c", KILLED], input=pickle.dumps(given), capture_output=True, check=False
        )
        assert done.returncode == -9, done.stderr.decode()

    return kill


def test_what_a_kill_leaves_is_swept(
    snowflake: SnowflakeServer, sf_database: str, connector: Snowflake, killed: Callable[[], None]
) -> None:
    """The next read of the table drops the stage, and deletes the folder; that of one that still reads stays."""
    killed()
    (left,) = stages(snowflake, sf_database)
    with connector.snapshot(Read("it", T)) as first:
        (own,) = stages(snowflake, sf_database)
        assert (left != own, folder_of(left).exists(), folder_of(own).is_dir()) == (True, False, True)
        with connector.snapshot(Read("it", T)) as second:
            assert [folder_of(stage).is_dir() for stage in stages(snowflake, sf_database)] == [True, True]
            assert table_of(connector, first).num_rows == table_of(connector, second).num_rows == 1000
    assert stages(snowflake, sf_database) == []


def test_a_stage_of_another_machine_stays_for_a_day(
    snowflake: SnowflakeServer,
    sf_database: str,
    connector: Snowflake,
    killed: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether its read still runs cannot be told from here; after a day it is dropped."""
    killed()
    (stage,) = stages(snowflake, sf_database)
    monkeypatch.setattr(memory, "place", lambda: "elsewhere")
    with connector.snapshot(Read("it", T)):
        assert stage in stages(snowflake, sf_database)
    monkeypatch.setattr(unloading, "LEFT_FOR", -unloading.LEFT_FOR)
    with connector.snapshot(Read("it", T)):
        assert stage not in stages(snowflake, sf_database)


def test_a_disk_is_refused(
    snowflake: SnowflakeServer, connector: Snowflake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no memory to write to, before the account is asked to unload; doctor says so too."""
    monkeypatch.setattr(memory, "MEMORY", tmp_path)
    with pytest.raises(WorldError, match=f"{tmp_path} is no memory") as caught, connector.snapshot(Read("it", T)):
        raise AssertionError("it opened")
    assert "unload: false" in str(caught.value.hint)
    assert not [one for one in snowflake.statements() if "STAGE" in str(one["sql"])]
    assert [check.ok for check in connector.check([T], []) if check.name == "memory"] == [False]


def test_doctor_tries_a_stage(snowflake: SnowflakeServer, sf_database: str, given: SnowflakeOptions) -> None:
    """And names the grant that is needed, only where tables are unloaded."""
    found = Snowflake("it", given)
    checks = {check.name: check for check in found.check([T], [])}
    found.session.close()
    assert (checks["memory"].ok, checks["unload"].ok) == (True, True)
    assert f'GRANT CREATE STAGE ON SCHEMA "{sf_database}"."PUBLIC" TO ROLE' in str(checks["grants"].hint)
    assert stages(snowflake, sf_database) == []
    elsewhere = Snowflake("it", given.model_copy(update={"schema_": "NOWHERE"}))
    checks = {check.name: check for check in elsewhere.check([T], [])}
    elsewhere.session.close()
    assert (checks["unload"].ok, "NOWHERE" in checks["unload"].detail) == (False, True)
    plain = Snowflake("it", given.model_copy(update={"unload": False}))
    checks = {check.name: check for check in plain.check([T], [])}
    plain.session.close()
    assert "unload" not in checks
    assert "CREATE STAGE" not in str(checks["grants"].hint)
