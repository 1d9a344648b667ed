"""Runs from and to Snowflake: every value on its way there and back, one login, workers that fetch by themselves."""

from pathlib import Path

import pyarrow as pa
import pytest

from landbridge.contracts.values import Load, Read, Write
from landbridge.engine.tables.contents import compare_contents
from landbridge.engine.world import World
from landbridge.errors import AuditError, LossNotAccepted
from landbridge.schema.model import Relation
from tests.conformance import every_kind
from tests.connectors.test_snowflake import KINDS, settings
from tests.engine.conftest import OpenWorld
from tests.engine.projects import MART, WAREHOUSE, declare, in_duckdb, make_project, run, variables
from tests.servers.snowflake.process import SnowflakeServer


def connection(server: SnowflakeServer, database: str) -> str:
    """The line of landbridge.yaml; the password comes from .env."""
    given = {**settings(server, database), "password": "'${SF_PASSWORD}'"}
    return f"snowflake: {{{', '.join(f'{key}: {value}' for key, value in given.items())}}}"


def hop(name: str, source: str, target: str) -> str:
    return f"{{name: {name}, source: {{{source}}}, target: {{{target}}}}}"


def project(folder: Path, server: SnowflakeServer, database: str, pg_url: str, *tables: str) -> Path:
    found = make_project(folder, WAREHOUSE, MART, connection(server, database), tables=tables)
    (found / ".env").write_text(f"SF_PASSWORD={server.password}\n{variables(pg_url)}")
    return found


def compared(world: World, name: str) -> list[str]:
    return compare_contents(world, world.project.table(name))


def test_every_value_there_and_back(
    tmp_path: Path, snowflake: SnowflakeServer, sf_database: str, pg_url: str, open_world: OpenWorld
) -> None:
    """DuckDB, Snowflake, PostgreSQL, Snowflake: at every stop the rows are those that were loaded, to the end."""
    place = "connection: snowflake, schema: PUBLIC, table"
    folder = project(
        tmp_path,
        snowflake,
        sf_database,
        pg_url,
        hop("there", "connection: warehouse, schema: main, table: every_kind", f"{place}: THERE"),
        hop("across", f"{place}: THERE", "connection: postgres, schema: public, table: across"),
        hop("back", "connection: postgres, schema: public, table: across", f"{place}: BACK"),
    )
    snowflake.set(chunk_rows=2)
    world = open_world(folder)
    fill(world)
    for name in ("there", "across", "back"):
        run(world, name)
        assert compared(world, name) == []
    source = world.connector("snowflake")
    with source.snapshot(Read("snowflake", Relation("BACK", "PUBLIC"))) as shot:
        batches = [batch for part in shot.parts for batch in source.batches(part)]
    expected = every_kind.kept(KINDS)
    found = pa.Table.from_batches(batches).rename_columns(expected.schema.names)
    order = [("id", "ascending")]
    for name in set(expected.schema.names) - {"document"}:
        one, other = (t.sort_by(order)[name].to_pylist() for t in (found, pa.Table.from_batches([expected])))
        assert repr(one) == repr(other), name
    source.session.close()


def fill(world: World) -> None:
    """The table of every kind in the warehouse."""
    warehouse = world.connector("warehouse")
    write = Write("warehouse", Relation("every_kind", "main"))
    landing = warehouse.prepare(write, every_kind.SCHEMA, Load("0" * 32, "every_kind", "0" * 32, "first", 5))
    warehouse.append(landing, [every_kind.batch()], 0)
    warehouse.publish(landing)


def test_what_somebody_changed_in_the_account_is_found(
    tmp_path: Path, snowflake: SnowflakeServer, sf_database: str, pg_url: str, open_world: OpenWorld
) -> None:
    """By row and column, as in any other target."""
    folder = project(
        tmp_path,
        snowflake,
        sf_database,
        pg_url,
        hop("bonds", "connection: warehouse, schema: main, table: bonds", "connection: snowflake, table: BONDS"),
    )
    in_duckdb(
        folder / "warehouse.duckdb",
        "CREATE TABLE bonds (id BIGINT PRIMARY KEY, price DECIMAL(12, 4))",
        "INSERT INTO bonds SELECT i, i / 7 FROM range(1000) t(i)",
    )
    world = open_world(folder)
    run(world, "bonds")
    assert compared(world, "bonds") == []
    world.connector("snowflake").execute(["UPDATE BONDS SET PRICE = PRICE + 0.0001 WHERE ID = 500"])
    assert compared(world, "bonds")[-1] == "id = 500: price differs"
    world.connector("snowflake").session.close()


def test_a_table_is_unloaded_by_workers(
    tmp_path: Path, snowflake: SnowflakeServer, sf_database: str, pg_url: str, open_world: OpenWorld
) -> None:
    """With `unload` of the connection each worker fetches files, and the rows are those of the account."""
    folder = project(
        tmp_path,
        snowflake,
        sf_database,
        pg_url,
        hop("t", "connection: snowflake, table: T", "connection: mart, table: t"),
    )
    settings = folder / "landbridge.yaml"
    settings.write_text(settings.read_text().replace("{type: snowflake,", "{type: snowflake, unload: true,"))
    snowflake.set(unload_rows=100)
    world = open_world(folder)
    account = world.connector("snowflake")
    rows = "SELECT SEQ4() AS ID, SEQ4() / 8 AS PRICE FROM TABLE(GENERATOR(ROWCOUNT => 1000))"
    account.execute(["CREATE TABLE T (ID NUMBER(9,0) PRIMARY KEY, PRICE NUMBER(12,4))", f"INSERT INTO T {rows}"])
    assert run(world, "t").phases["source_to_stage_transfer"].details["parts"] == 10
    assert compared(world, "t") == []
    assert len({one["session"] for one in snowflake.statements() if str(one["sql"]).startswith("GET ")}) == 1
    account.session.close()


def test_a_second_load_replaces_the_first(
    tmp_path: Path, snowflake: SnowflakeServer, sf_database: str, pg_url: str, open_world: OpenWorld
) -> None:
    """And an audit that fails says so: the count is asked of the account."""
    folder = project(
        tmp_path,
        snowflake,
        sf_database,
        pg_url,
        hop("t", "connection: warehouse, schema: main, table: t", "connection: snowflake, table: T"),
    )
    in_duckdb(folder / "warehouse.duckdb", "CREATE TABLE t AS SELECT i FROM range(10) n(i)")
    world = open_world(folder)
    run(world, "t")
    in_duckdb(folder / "warehouse.duckdb", "DELETE FROM t WHERE i < 3")
    assert run(world, "t").phases["audit"].details["target_count"] == 7
    account = world.connector("snowflake")
    plain = account.count
    account.count = lambda write: plain(write) - 1
    with pytest.raises(AuditError):
        run(world, "t", fresh=True)
    account.session.close()


def test_offsets_are_not_lost_silently(
    tmp_path: Path, snowflake: SnowflakeServer, sf_database: str, pg_url: str, open_world: OpenWorld
) -> None:
    """A column that keeps offsets stops the run before a row is read; accepted it is recorded; masked it passes."""
    places = ("connection: snowflake, table: T", "connection: mart, schema: main, table: t")
    folder = project(tmp_path, snowflake, sf_database, pg_url, hop("t", *places))
    world = open_world(folder)
    account = world.connector("snowflake")
    account.execute(
        [
            "CREATE TABLE T (ID INT, SEEN TIMESTAMP_TZ, KNOWN TIMESTAMP_LTZ)",
            "INSERT INTO T SELECT 1, '2024-03-31 01:30:00 +0200'::TIMESTAMP_TZ, '2024-03-31 01:30:00'::TIMESTAMP_LTZ",
        ]
    )
    with pytest.raises(LossNotAccepted, match="column SEEN would lose offset") as caught:
        run(world, "t")
    assert "KNOWN" not in caught.value.message
    accepted = hop("t", *places)[:-1] + f", {str(caught.value.hint).partition('config/tables.yaml: ')[2]}}}"
    declare(folder, accepted)
    row = run(open_world(folder), "t")
    assert row.phases["source_to_stage_transfer"].details["accepted_losses"] == {"SEEN": ["offset"]}
    ((seen,),) = in_duckdb(folder / "mart.duckdb", "SET TimeZone = 'UTC'", "SELECT seen::VARCHAR FROM t")
    assert seen == "2024-03-30 23:30:00+00"
    declare(folder, hop("t", *places)[:-1] + ", columns: ['*', {name: SEEN, mask: 'null'}]}")
    assert "accepted_losses" not in run(open_world(folder), "t").phases["source_to_stage_transfer"].details
    account.session.close()
