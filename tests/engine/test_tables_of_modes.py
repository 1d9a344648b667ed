"""Targets of the modes that merge, made, verified and migrated by hand: as a load makes them, and nothing else."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from landbridge.engine.sync import run_tables
from landbridge.engine.tables.creation import Created, create_tables
from landbridge.engine.tables.extraction import extract
from landbridge.engine.tables.migration import migrate_tables
from landbridge.engine.tables.verification import Verified, verify_tables
from landbridge.engine.world import World
from landbridge.errors import UsageError
from landbridge.schema.model import TableSchema
from tests.engine.conftest import OpenWorld
from tests.engine.projects import MART, WAREHOUSE, in_duckdb, make_project, table, variables

STAFF = (
    "CREATE TABLE staff (badge INTEGER PRIMARY KEY, ID BIGINT, email VARCHAR UNIQUE, changed TIMESTAMP)",
    "INSERT INTO staff VALUES (1, 10, 'a', TIMESTAMP '2024-01-01'), (2, 20, 'b', TIMESTAMP '2024-01-02')",
)
WATERMARK = "watermark_column: changed, settle_delay: 0m"
MODES = {
    "incremental": f", sync_mode: incremental, merge_keys: [ID], {WATERMARK}",
    "upsert": f", sync_mode: upsert, merge_keys: [ID], deletes: by_keys, {WATERMARK}",
    "scd2": ", sync_mode: scd2, merge_keys: [ID], deletes: by_keys, temporal: {month_ends: view, as_of: true}",
}
Sql = Callable[[str], list[tuple]]


@pytest.fixture(params=["postgres", "mart"])
def target(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def folder(tmp_path: Path, pg_url: str, target: str, mode: str) -> Path:
    project = make_project(tmp_path / "it", WAREHOUSE, MART, tables=[table("staff", target=target, more=MODES[mode])])
    (project / ".env").write_text(variables(pg_url))
    in_duckdb(project / "warehouse.duckdb", *STAFF)
    return project


@pytest.fixture
def sql(folder: Path, pg_url: str, target: str) -> Sql:
    """Runs a statement on the target."""

    def execute(text: str) -> list[tuple]:
        if target == "mart":
            return in_duckdb(folder / "mart.duckdb", text)
        with psycopg.connect(pg_url, autocommit=True) as connection:
            cursor = connection.execute(text)
            return cursor.fetchall() if cursor.description else []

    return execute


@pytest.fixture
def world(folder: Path, open_world: OpenWorld) -> World:
    return open_world(folder)


def create(world: World, *, temporal: bool = False, dry_run: bool = False) -> Created:
    (made,) = create_tables(world, world.project.tables, location=None, dry_run=dry_run, temporal=temporal)
    if made.error:
        raise made.error
    return made


def load(world: World) -> None:
    (result,) = run_tables(world, world.project.tables, fresh=False)
    if result.error:
        raise result.error


def verify(world: World, *, data: bool = False) -> Verified:
    (found,) = verify_tables(world, world.project.tables, location=None, data=data)
    return found


def look(world: World, *, create: bool) -> None:
    (found,) = extract(world, world.project.tables, check=True, force=False, create=create)
    if found.error:
        raise found.error


def standing(world: World) -> TableSchema | None:
    write = world.project.tables[0].write
    return world.connector(write.connection).describe([write.relation])[write.relation]


def test_however_it_is_made_it_is_what_a_load_makes(world: World, sql: Sql, mode: str, target: str) -> None:
    """By a load, by create-tables, by extract-metadata --create-postgres: the same columns and the same key."""
    load(world)
    by_load = standing(world)
    assert by_load is not None
    assert by_load.primary_key == (("id", "_timestampfrom") if mode == "scd2" else ("id",))
    own = ("_timestampfrom", "_timestampto") if mode == "scd2" else ()
    assert by_load.names == ("badge", "id", "email", "changed", *own)
    drop = f"DROP TABLE {'main' if target == 'mart' else 'public'}.staff"
    sql(drop)
    assert create(world).state == "created"
    assert standing(world) == by_load
    sql(drop)
    look(world, create=True)
    assert standing(world) == by_load


def test_what_was_made_is_not_drift(world: World) -> None:
    """Neither before the first load nor after it, by the saved metadata or by what was loaded."""
    create(world)
    look(world, create=False)
    assert verify(world) == Verified("staff", world.project.tables[0].write.relation)
    load(world)
    assert verify(world).differences == ()


def test_what_was_loaded_is_not_drift(world: World) -> None:
    """Told by the manifest of the last load alone; and there is nothing to migrate."""
    load(world)
    assert verify(world).differences == ()
    (found,) = migrate_tables(world, world.project.tables, location=None, dry_run=False, allow_breaking=True)
    assert (found.error, found.done and found.done.steps) == (None, ())


@pytest.mark.parametrize("target", ["mart"], indirect=True)
def test_rows_are_not_compared_with_the_last_changes(world: World, mode: str) -> None:
    """It is said, and not only a word less: structure as it should be is no proof of the rows."""
    load(world)
    found = verify(world, data=True)
    assert isinstance(found.error, UsageError)
    assert f"cannot be compared: sync_mode {mode} keeps them by changes" in found.error.message


@pytest.mark.parametrize("mode", ["scd2"], indirect=True)
def test_a_new_column_is_migrated_behind_the_history(
    folder: Path, world: World, open_world: OpenWorld, target: str
) -> None:
    """The target's own columns stay as they are, and are no drift in the middle either."""
    load(world)
    before = standing(world)
    in_duckdb(folder / "warehouse.duckdb", "ALTER TABLE staff ADD COLUMN phone VARCHAR")
    world = open_world(folder)
    look(world, create=False)
    word = "VARCHAR" if target == "mart" else "TEXT"
    assert verify(world).differences == (f"column phone ({word}) is missing",)
    (found,) = migrate_tables(world, world.project.tables, location=None, dry_run=False, allow_breaking=False)
    assert found.error is None
    after = standing(world)
    assert before is not None
    assert after is not None
    assert after.names == (*before.names, "phone")
    assert verify(world).differences == ()


@pytest.mark.parametrize("mode", ["scd2"], indirect=True)
def test_a_history_on_clocks_without_a_zone_is_no_drift(world: World, sql: Sql, target: str) -> None:
    """What a load takes is as it should be; other types are told."""
    create(world)
    look(world, create=False)
    place = f"{'main' if target == 'mart' else 'public'}.staff"
    sql(f"ALTER TABLE {place} ALTER COLUMN _timestampto TYPE TIMESTAMP")
    assert verify(world).differences == ()
    sql(f"ALTER TABLE {place} ALTER COLUMN _timestampto TYPE TEXT")
    assert len(verify(world).differences) == 1


@pytest.mark.parametrize("mode", ["scd2"], indirect=True)
def test_month_ends_and_as_of_are_made_where_they_are_asked_for(world: World, sql: Sql, target: str) -> None:
    """With the table, on a table that stands, and never without --temporal; a dry run only says it."""
    place = "main" if target == "mart" else "public"
    dry = create(world, temporal=True, dry_run=True)
    assert (dry.state, standing(world)) == ("would be created", None)
    assert create(world).temporal == ()
    with pytest.raises(Exception, match="staff_month_ends"):
        sql(f"SELECT * FROM {place}.staff_month_ends")
    made = create(world, temporal=True)
    assert (made.state, [sql.split("(")[0] for sql in made.temporal]) == (
        "exists",
        [sql.split("(")[0] for sql in dry.temporal],
    )
    load(world)
    assert sql(f"SELECT count(*) FROM {place}.staff_month_ends") == [(0,)]
    assert sql(f"SELECT id FROM {place}.staff_as_of(ARRAY[20], now())") == [(20,)]
    in_duckdb(world.project.folder / "warehouse.duckdb", "UPDATE staff SET email = 'c' WHERE ID = 20")
    load(world)
    assert sql(f"SELECT email FROM {place}.staff_as_of(NULL, now()) WHERE id = 20") == [("c",)]
    assert sql(f"SELECT count(*) FROM {place}.staff") == [(3,)]


@pytest.mark.parametrize("mode", ["scd2"], indirect=True)
def test_a_table_that_stands_needs_no_source(folder: Path, world: World, open_world: OpenWorld) -> None:
    """What it is made of is not asked for."""
    load(world)
    (folder / "warehouse.duckdb").unlink()
    made = create(open_world(folder), temporal=True)
    assert (made.state, made.ddl) == ("exists", None)
    assert made.temporal
