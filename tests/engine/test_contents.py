"""Contents of targets against what was loaded: every damage is found and named, and nothing else is."""

import shutil
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import psycopg
import pytest

from landbridge.config.project import load_project
from landbridge.contracts.values import Load, Write
from landbridge.demo.postgres_server import PostgresServer
from landbridge.engine.phases import source_to_stage_transfer
from landbridge.engine.tables.contents import compare_contents
from landbridge.engine.tables.verification import verify_tables
from landbridge.engine.world import World
from landbridge.errors import AuditError, RunError, UsageError
from landbridge.schema.model import Relation
from tests.conformance.every_kind import SCHEMA, batch
from tests.engine.conftest import OpenWorld
from tests.engine.kept import Kept
from tests.engine.projects import (
    MART,
    WAREHOUSE,
    export_table,
    import_table,
    in_duckdb,
    introduce,
    make_project,
    run,
    table,
    variables,
)

BONDS = (
    "CREATE TABLE bonds (bond_id BIGINT PRIMARY KEY, name VARCHAR, price DECIMAL(12, 4), seen TIMESTAMP)",
    "INSERT INTO bonds SELECT i, 'bond ' || i, i / 7, TIMESTAMP '2024-01-01' + INTERVAL 1 DAY FROM range(20000) n(i)",
)
Sql = Callable[..., None]


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer, worker: Executor) -> Kept:
    """The importing side, after the bonds have arrived."""
    folder, url = tmp_path_factory.mktemp("bonds"), postgres.new_database()
    inside = make_project(folder / "inside", WAREHOUSE, tables=[table("bonds")])
    in_duckdb(inside / "warehouse.duckdb", *BONDS)
    outside = make_project(folder / "outside", tables=[table("bonds")])
    (outside / ".env").write_text(variables(url))
    introduce(inside, outside)
    for project, step in ((inside, export_table), (outside, import_table)):
        world = World(load_project(project, {}), lambda _event: None)
        world.pool = worker
        step(world, "bonds", str(outside / "imports"))
        del world.pool
        world.close()
    return Kept(outside, url)


@pytest.fixture
def outside(arrived: Kept, open_world: OpenWorld) -> World:
    """That side, for this test alone."""
    arrived.put_back()
    return open_world(arrived.folder)


@pytest.fixture
def sql(arrived: Kept) -> Sql:
    """Runs statements on its target."""

    def execute(*statements: str) -> None:
        with psycopg.connect(str(arrived.url), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    return execute


def found(world: World, name: str = "bonds") -> list[str]:
    return compare_contents(world, world.project.table(name))


def without_parcel(world: World) -> None:
    shutil.rmtree(world.project.imports)


@pytest.mark.parametrize("gone", [False, True], ids=["parcel", "no parcel"])
def test_what_arrived_is_as_it_was_loaded(outside: World, gone: bool, sql: Sql) -> None:  # noqa: FBT001
    """Nothing differs, with the parcel or without it, nor after the target was written anew in another order."""
    sql("CREATE TABLE b AS SELECT * FROM bonds ORDER BY name", "TRUNCATE bonds", "INSERT INTO bonds SELECT * FROM b")
    if gone:
        without_parcel(outside)
    assert found(outside) == []


@pytest.mark.parametrize("gone", [False, True], ids=["parcel", "no parcel"])
def test_a_changed_value_is_named(outside: World, gone: bool, sql: Sql) -> None:  # noqa: FBT001
    """Range, row and column: also a NULL that became empty, and a digit that no audit of counts would see."""
    sql(
        "UPDATE bonds SET price = price + 0.0001 WHERE bond_id = 17",
        "UPDATE bonds SET name = '', seen = NULL WHERE bond_id = 19999",
    )
    if gone:
        without_parcel(outside)
    assert found(outside) == [
        "rows with bond_id from 0 to 127: price differs",
        "rows with bond_id from 19968 to 20095: name, seen differ",
        "bond_id = 17: price differs",
        "bond_id = 19999: name, seen differ",
    ]


def test_rows_missing_and_too_many_are_named(outside: World, sql: Sql) -> None:
    """Beside the parcel all of them, doubled ones included."""
    sql(
        "DELETE FROM bonds WHERE bond_id IN (100, 101)",
        "INSERT INTO bonds VALUES (-5, 'x')",
        "ALTER TABLE bonds DROP CONSTRAINT IF EXISTS bonds_pkey",
        "INSERT INTO bonds SELECT * FROM bonds WHERE bond_id = 7000",
    )
    assert found(outside) == [
        "rows with bond_id from -128 to -1: 1 row too many",
        "rows with bond_id from 0 to 127: 2 rows missing",
        "rows with bond_id from 6912 to 7039: 1 row too many",
        "bond_id = 100 is missing",
        "bond_id = 101 is missing",
        "bond_id = 7000 is there 2 times, not 1",
        "bond_id = -5 is too many",
    ]


def test_without_the_parcel_the_only_row_too_many_is_named(outside: World, sql: Sql) -> None:
    """And of missing ones the number, by range."""
    without_parcel(outside)
    sql("DELETE FROM bonds WHERE bond_id IN (100, 101)", "INSERT INTO bonds VALUES (-5, 'x')")
    assert found(outside) == [
        "there are 19999 rows, and 20000 were loaded",
        "rows with bond_id from -128 to -1: 1 row too many",
        "rows with bond_id from 0 to 127: 2 rows missing",
        "bond_id = -5 is too many",
    ]


def test_a_harmed_parcel_hides_nothing(outside: World, sql: Sql) -> None:
    """The sums tell what they can, and a notice says why it is no more."""
    for part in Path(outside.project.imports).rglob("part-*"):
        part.write_bytes(b"x" * part.stat().st_size)
    sql("UPDATE bonds SET name = 'y' WHERE bond_id = 3")
    told: list[object] = []
    outside.emit = told.append
    assert found(outside)[-1] == "bond_id = 3: name differs"
    assert "the parcel cannot be read any more" in str(told)


def test_much_damage_is_cut_short(outside: World, sql: Sql) -> None:
    """Twenty ranges, twenty rows, and that there are more."""
    sql("UPDATE bonds SET name = 'y'")
    lines = found(outside)
    assert lines[20] == "and more ranges"
    assert lines[41] == "and more rows"
    assert len(lines) == 42


def test_a_load_by_others_cannot_be_compared(outside: World, sql: Sql) -> None:
    """It is not known what should be there, and that is said."""
    sql("DELETE FROM landbridge_loads")
    with pytest.raises(UsageError, match="not known which rows were loaded"):
        found(outside)


def test_verification_fails_with_the_rows(outside: World, sql: Sql) -> None:
    """Structure and rows are told together, as an audit that failed; the parcel may be gone, and no metadata saved."""
    without_parcel(outside)
    sql("UPDATE bonds SET name = NULL WHERE bond_id = 3", "ALTER TABLE bonds ADD COLUMN note TEXT")
    (one,) = verify_tables(outside, outside.project.tables, location=None, data=True)
    assert isinstance(one.error, AuditError)
    assert one.differences[0] == "column note (text) is only in the target"
    assert one.differences[-1] == "bond_id = 3: name differs"


def test_a_structure_too_far_away_is_a_difference(outside: World, sql: Sql) -> None:
    """A column that is gone hides no other difference: it is one, of structure and of rows."""
    sql("ALTER TABLE bonds DROP COLUMN price")
    (one,) = verify_tables(outside, outside.project.tables, location=None, data=True)
    assert isinstance(one.error, AuditError)
    assert one.differences == (
        "column price (NUMERIC(12,4)) is missing",
        "rows cannot be compared: the target lacks column price; add it as decimal(12,4)",
    )


def test_what_was_accepted_to_be_lost_is_not_compared(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Nanoseconds that the config let go are no difference, and that is said; other columns are compared as ever."""
    ticks = table("ticks", more=", accept_loss: {seen: [nanoseconds]}")
    project = make_project(tmp_path, WAREHOUSE, tables=[ticks])
    (project / ".env").write_text(variables(pg_url))
    in_duckdb(
        project / "warehouse.duckdb",
        "CREATE TABLE ticks (id BIGINT PRIMARY KEY, seen TIMESTAMP_NS, price DOUBLE)",
        "INSERT INTO ticks SELECT i, TIMESTAMP_NS '2024-01-01 00:00:00.123456789', i FROM range(100) t(i)",
    )
    world = open_world(project)
    told: list[object] = []
    world.emit = told.append
    run(world, "ticks")
    assert found(world, "ticks") == []
    assert "not compared, for accept_loss changed them: seen" in str(told)
    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute("UPDATE ticks SET price = 0 WHERE id = 5")
    assert found(world, "ticks")[-1] == "id = 5: price differs"


def test_an_earlier_parcel_is_compared_by_its_rows(
    tmp_path: Path, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without checksums is read again while it is there; when it is gone, that is said."""
    whole = source_to_stage_transfer.Unloaded
    monkeypatch.setattr(
        source_to_stage_transfer, "Unloaded", lambda entries, _sums, traits: whole(entries, None, traits)
    )
    tables = [table("bonds", target="mart")]
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=tables)
    in_duckdb(inside / "warehouse.duckdb", *BONDS)
    outside = make_project(tmp_path / "outside", MART, tables=tables)
    introduce(inside, outside)
    export_table(open_world(inside), "bonds", str(outside / "imports"))
    world = open_world(outside)
    import_table(world, "bonds")
    assert found(world) == []
    in_duckdb(outside / "mart.duckdb", "UPDATE bonds SET price = 0 WHERE bond_id = 5")
    assert found(world)[-1] == "bond_id = 5: price differs"
    without_parcel(world)
    with pytest.raises(UsageError, match="without checksums, and is gone"):
        found(world)


def test_tables_without_a_number_for_a_key(tmp_path: Path, open_world: OpenWorld) -> None:
    """A key of several columns names rows; without any key a changed row is one missing and one too many, unnamed."""
    project = make_project(
        tmp_path, WAREHOUSE, MART, tables=[table("rates", target="mart"), table("notes", target="mart")]
    )
    in_duckdb(
        project / "warehouse.duckdb",
        "CREATE TABLE rates (day DATE, code VARCHAR, rate DOUBLE, PRIMARY KEY (day, code))",
        "INSERT INTO rates SELECT DATE '2024-01-01' + (i // 3)::INTEGER, 'C' || i % 3, i / 7 FROM range(3000) t(i)",
        "CREATE TABLE notes AS SELECT 'secret ' || i AS note FROM range(10) t(i)",
    )
    world = open_world(project)
    for name in ("rates", "notes"):
        run(world, name)
        assert found(world, name) == []
    in_duckdb(
        project / "mart.duckdb",
        "UPDATE rates SET rate = 'nan' WHERE day = '2024-01-02' AND code = 'C1'",
        "UPDATE notes SET note = 'secret x' WHERE note = 'secret 3'",
    )
    share, row = found(world, "rates")
    assert share == "a share of the rows: rate differs"
    assert row == 'day = 2024-01-02, code = "C1": rate differs'
    assert "secret" not in str(found(world, "notes"))
    assert {line.rpartition(": ")[2] for line in found(world, "notes")} <= {
        "1 row missing",
        "1 row too many",
        "other rows than were loaded",
        "one that changed is one missing and one too many",
    }


def test_no_false_alarm_over_any_kind(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Every kind with the values that other tools lose, DuckDB to PostgreSQL and back again."""
    source = "{connection: postgres, schema: public, table: every_kind}"
    back = f"{{name: back, source: {source}, target: {{connection: mart, table: back}}}}"
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("every_kind"), back])
    (project / ".env").write_text(variables(pg_url))
    world = open_world(project)
    warehouse = world.connector("warehouse")
    write = Write("warehouse", Relation("every_kind", "main"))
    landing = warehouse.prepare(write, SCHEMA, Load("0" * 32, "every_kind", "0" * 32, "first", 5))
    warehouse.append(landing, [batch()], 0)
    warehouse.publish(landing)
    for name in ("every_kind", "back"):
        run(world, name)
        assert found(world, name) == []


def test_the_parcel_alone_is_enough(outside: World, sql: Sql) -> None:
    """Where nothing was kept, or what was is harmed, the parcel that lies there still tells all."""
    kept = Path(outside.project.stage) / "loaded"
    sql("UPDATE bonds SET name = 'y' WHERE bond_id = 3")
    (manifest,) = kept.rglob("manifest*")
    manifest.write_bytes(b"x" * 10)
    told: list[object] = []
    outside.emit = told.append
    assert found(outside)[-1] == "bond_id = 3: name differs"
    assert "what was kept of the last load of bonds is of no use" in str(told)
    shutil.rmtree(kept)
    assert found(outside)[-1] == "bond_id = 3: name differs"


def test_the_hint_makes_it_as_it_was(outside: World, open_world: OpenWorld, sql: Sql) -> None:
    """Typed as it stands, it loads the same parcel again."""
    sql("DELETE FROM bonds WHERE bond_id > 10")
    (one,) = verify_tables(outside, outside.project.tables, location=None, data=True)
    assert one.error is not None
    parcel = str(one.error.hint).rpartition("--parcel ")[2]
    import_table(open_world(outside.project.folder), "bonds", parcel_id=parcel)
    assert found(outside) == []


def test_what_cannot_be_read_differs(outside: World, sql: Sql) -> None:
    """Infinity is nothing that was loaded."""
    sql("UPDATE bonds SET seen = 'infinity' WHERE bond_id = 3")
    (line,) = found(outside)
    assert line.startswith("some row cannot be read: column seen")


def test_a_load_meanwhile_is_no_difference(outside: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who loads between two looks is told of, and nothing is compared."""
    answers = iter([True, False])
    monkeypatch.setattr(World, "holds", lambda *_: next(answers))
    with pytest.raises(RunError, match="loaded again meanwhile"):
        found(outside)


def test_strays_in_the_stage_are_left_alone(tmp_path: Path, open_world: OpenWorld) -> None:
    """A file of somebody else's beside what is kept costs nothing of it."""
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("bonds", target="mart")])
    in_duckdb(project / "warehouse.duckdb", *BONDS)
    world = open_world(project)
    run(world, "bonds")
    stray = project / "stage" / "loaded" / "bonds" / ".DS_Store"
    stray.touch()
    run(world, "bonds", fresh=True)
    assert stray.exists()
    assert found(world) == []


def test_losses_need_no_book(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Without the drive table, too, it is known what a load let go: nothing else could have been loaded."""
    memos = table("memos", more=", accept_loss: {memo: [nul_bytes]}")
    project = make_project(tmp_path, WAREHOUSE, tables=[memos])
    (project / ".env").write_text(variables(pg_url))
    in_duckdb(
        project / "warehouse.duckdb",
        "CREATE TABLE memos (id BIGINT PRIMARY KEY, memo VARCHAR)",
        "INSERT INTO memos VALUES (1, 'a' || chr(0) || 'b')",
    )
    run(open_world(project), "memos")
    shutil.rmtree(project / "state")
    assert found(open_world(project), "memos") == []


def test_whole_seconds_cross_too(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """A clock of no digits below the second is a type like others."""
    project = make_project(tmp_path, WAREHOUSE, tables=[table("ticks")])
    (project / ".env").write_text(variables(pg_url))
    in_duckdb(project / "warehouse.duckdb", "CREATE TABLE ticks AS SELECT TIMESTAMP_S '2024-02-29 12:00:01' AS seen")
    world = open_world(project)
    run(world, "ticks")
    assert found(world, "ticks") == []


def test_only_the_last_manifest_is_kept(tmp_path: Path, open_world: OpenWorld) -> None:
    """Sealed as it came, so that nothing of a table lies in clear in the stage."""
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("bonds", target="mart")])
    in_duckdb(project / "warehouse.duckdb", *BONDS)
    world = open_world(project)
    for _ in range(2):
        last = run(world, "bonds")
    kept = sorted(path.relative_to(project / "stage") for path in (project / "stage").rglob("*") if path.is_file())
    folder = Path("loaded", "bonds", str(last.parcel_id))
    assert kept == [folder / "index", folder / "manifest.json.age"]
    assert b"bond_id" not in b"".join((project / "stage" / path).read_bytes() for path in kept)
