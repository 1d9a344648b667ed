"""One instant for all tables of an export: what refers to each other at the source does so on the other side."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import psycopg
import pytest

from landbridge.engine.events import Event, PhaseEnded, RunBegan
from landbridge.engine.sync import export_tables, import_tables
from landbridge.engine.world import World
from landbridge.ledger.runs import Run
from tests.engine.conftest import OpenWorld
from tests.engine.projects import MART, WAREHOUSE, in_duckdb, introduce, make_project, variables

NAMES = ("parents", "children")
READ = "source_to_stage_transfer"
CREATE = (
    "CREATE TABLE parents (id BIGINT PRIMARY KEY, name TEXT)",
    "CREATE TABLE children (id BIGINT, parent BIGINT REFERENCES parents)",
    "INSERT INTO parents VALUES (0, 'first')",
    "INSERT INTO children VALUES (0, 0)",
)
ADD = "INSERT INTO parents VALUES ({0}, 'more'); INSERT INTO children VALUES ({0}, {0})"


def entry(name: str, connection: str, source: str | None = None) -> str:
    read = f"{{connection: {connection}, table: {source or name}}}"
    return f"{{name: {name}, source: {read}, target: {{connection: mart, table: {name}}}}}"


def two_sides(folder: Path, *connections: str, source: str, env: str = "", more: str = "") -> tuple[Path, Path]:
    tables = [*([more] if more else []), *(entry(name, source) for name in NAMES)]
    inside = make_project(folder / "inside", *connections, tables=tables)
    (inside / ".env").write_text(env)
    outside = make_project(folder / "outside", MART, tables=tables)
    introduce(inside, outside)
    return inside, outside


def exported(world: World, names: tuple[str, ...] = NAMES, **options: bool) -> dict[str, Run]:
    tables = [world.project.table(name) for name in names]
    results = list(export_tables(world, tables, location=None, **options))
    return {result.table: result.run for result in results if result.run}


def arrived(inside: Path, outside: Path, open_world: OpenWorld) -> tuple[int, int]:
    """Children on the other side, and how many of them have no parent there."""
    world = open_world(outside)
    place = str(inside / "exports")
    tables = [world.project.table(name) for name in NAMES]
    results = list(import_tables(world, tables, location=place, parcel_id=None))
    assert [result.error for result in results] == [None, None]
    ((children, orphans),) = in_duckdb(
        outside / "mart.duckdb",
        "SELECT count(*), count(*) FILTER (parent NOT IN (SELECT id FROM parents)) FROM children",
    )
    return children, orphans


def as_of(found: dict[str, Run]) -> set[str]:
    return {run.phases[READ].details["as_of"] for run in found.values()}


@contextmanager
def writing(add: Callable[[int], None]) -> Iterator[None]:
    """A thread that adds a parent and its child again and again."""
    done = Flag()

    def work() -> None:
        number = 0
        while not done.is_set():
            number += 1
            add(number)

    writer = Thread(target=work)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()


@pytest.fixture
def database(pg_url: str) -> str:
    with psycopg.connect(pg_url) as connection:
        for statement in CREATE:
            connection.execute(statement)
    return pg_url


def test_postgres(tmp_path: Path, open_world: OpenWorld, database: str) -> None:
    """While somebody adds parents and children, no child leaves without its parent, and all say the same time."""
    inside, outside = two_sides(tmp_path, source="postgres", env=variables(database))
    with psycopg.connect(database) as connection:

        def add(number: int) -> None:
            connection.execute(ADD.format(number))
            connection.commit()

        with writing(add):
            found = exported(open_world(inside))
    assert len(as_of(found)) == 1
    children, orphans = arrived(inside, outside, open_world)
    assert (children >= 1, orphans) == (True, 0)


def add_after_parents(database: str) -> Callable[[Event], None]:
    def add(event: Event) -> None:
        done = (
            isinstance(event, PhaseEnded) and event.record.phase_name == READ and event.run.pipeline_name == "parents"
        )
        if done:
            with psycopg.connect(database) as connection:
                connection.execute(ADD.format(1))

    return add


@pytest.mark.parametrize(("separate", "expected"), [(False, (1, 0)), (True, (2, 1))])
def test_between_two_tables(
    tmp_path: Path, open_world: OpenWorld, database: str, *, separate: bool, expected: tuple[int, int]
) -> None:
    """What is committed between them is in neither, unless their instants are asked to be separate."""
    inside, outside = two_sides(tmp_path, source="postgres", env=variables(database))
    found = exported(open_world(inside, add_after_parents(database)), separate_instants=separate)
    assert len(as_of(found)) == 1 + separate
    assert arrived(inside, outside, open_world) == expected


def test_a_table_that_fails_does_not_stop_the_others(tmp_path: Path, open_world: OpenWorld, database: str) -> None:
    """Nor does it end their instant."""
    more = entry("gone", "postgres")
    inside, outside = two_sides(tmp_path, source="postgres", env=variables(database), more=more)
    found = exported(open_world(inside, add_after_parents(database)), ("parents", "gone", "children"))
    assert (list(found), len(as_of(found))) == (["parents", "children"], 1)
    assert arrived(inside, outside, open_world) == (1, 0)


def test_nothing_is_held_afterwards(tmp_path: Path, open_world: OpenWorld, database: str) -> None:
    """The instant ends with the command, also where nobody waits for the last table; the next one has its own."""
    inside, _ = two_sides(tmp_path, source="postgres", env=variables(database))
    world = open_world(inside)
    results = export_tables(world, world.project.tables, location=None)
    next(results)
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'landbridge read' AND datname = %s"
    with psycopg.connect(database, autocommit=True) as connection:
        name = [connection.info.dbname]
        assert connection.execute(ours, name).fetchone() == (1,)
        results.close()
        first = exported(world)
        second = exported(world)
        assert len({*as_of(first), *as_of(second)}) == 2
        assert connection.execute(ours, name).fetchone() == (0,)


def in_another_process(path: Path, statements: str) -> str:
    """Whether they could be executed: DuckDB's lock is between processes."""
    code = f"import duckdb; duckdb.connect({str(path)!r}).execute({statements!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return "kept out" if "Conflicting lock" in done.stderr else "written" if done.returncode == 0 else done.stderr


def test_duckdb(tmp_path: Path, open_world: OpenWorld) -> None:
    """Who writes the file, in another process, is kept out from the first table's read to the last one's."""
    inside, outside = two_sides(tmp_path, WAREHOUSE, source="warehouse")
    warehouse = inside / "warehouse.duckdb"
    in_duckdb(warehouse, *CREATE)
    tried: list[str] = []

    def add(event: Event) -> None:
        begins = isinstance(event, RunBegan) and event.run.pipeline_name == "children"
        if begins or (isinstance(event, PhaseEnded) and event.record.phase_name == READ):
            tried.append(in_another_process(warehouse, ADD.format(len(tried) + 1)))

    found = exported(open_world(inside, add))
    assert tried == ["kept out"] * 3
    assert len(as_of(found)) == 1
    assert arrived(inside, outside, open_world) == (1, 0)
    assert in_another_process(warehouse, ADD.format(9)) == "written"
