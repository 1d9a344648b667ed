"""Fidelity before the load: a loss stops the run with all columns told, is accepted by name, and is recorded."""

import re
from datetime import date, datetime, time
from pathlib import Path

import psycopg
import pytest
import yaml

from landbridge.connectors.duckdb.sql import PART_ROWS
from landbridge.engine.forecast import forecast
from landbridge.engine.plan import JobKind, plan_run
from landbridge.engine.sync import plan_arrival
from landbridge.engine.world import World
from landbridge.errors import ConfigError, LossNotAccepted, ValueDoesNotFit
from landbridge.ledger import custody, runs
from landbridge.stage.manifest import Manifest
from tests.engine.conftest import OpenWorld
from tests.engine.projects import (
    MART,
    WAREHOUSE,
    declare,
    export_table,
    import_table,
    in_duckdb,
    introduce,
    make_project,
    run,
    table,
    variables,
)

TRADES = """CREATE TABLE trades AS SELECT * FROM (VALUES
    (1, TIMESTAMP_NS '1969-12-31 23:59:59.999999001', 'a' || chr(0) || 'b', DATE '5879999-01-01', TIME '01:02:03'),
    (2, TIMESTAMP_NS '2024-02-29 10:00:00.123456789', chr(0), DATE '2024-02-29', TIME '01:02:03'),
    (3, NULL, NULL, NULL, NULL)) AS rows(id, "TRADED_AT", memo, born, "At")"""
LOST = """column TRADED_AT would lose nanoseconds: the target has {0}, and digits below the microsecond would be cut
column memo would lose nul_bytes: the target has text, and NUL characters would be removed
column born would lose out_of_range: the target has date, and dates beyond its range would become NULL"""
ACCEPT = 'accept_loss: {"TRADED_AT": [nanoseconds], "memo": [nul_bytes], "born": [out_of_range]}'
CAUGHT = {"TRADED_AT": ["nanoseconds"], "memo": ["nul_bytes"], "born": ["out_of_range"]}
ROWS = [
    (1, datetime(1969, 12, 31, 23, 59, 59, 999999), "ab", None, time(1, 2, 3)),  # noqa: DTZ001 - a wall clock
    (2, datetime(2024, 2, 29, 10, 0, 0, 123456), "", date(2024, 2, 29), time(1, 2, 3)),  # noqa: DTZ001
    (3, None, None, None, None),
]
STANDING = 'CREATE TABLE trades (id integer, traded_at timestamp, memo text, born date {}, "At" time)'


def ask(url: str, statement: str) -> list[tuple]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def advised(error: LossNotAccepted) -> str:
    """What the hint says to write."""
    found = re.search(r"accept_loss: \{.*\}$", error.hint or "")
    assert found, error.hint
    return found[0]


def one_hop(folder: Path, url: str) -> Path:
    project = make_project(folder, WAREHOUSE, tables=[table("trades")])
    (project / ".env").write_text(variables(url))
    in_duckdb(project / "warehouse.duckdb", TRADES)
    return project


def two_sides(folder: Path, url: str) -> tuple[Path, Path]:
    inside = make_project(folder / "inside", WAREHOUSE, tables=[table("trades")])
    outside = make_project(folder / "outside", tables=[table("trades")], settings="imports: ../inside/exports")
    (outside / ".env").write_text(variables(url))
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", TRADES)
    return inside, outside


def newest(world: World, kind: JobKind) -> runs.Run:
    found = runs.latest_run(world.ledger, "trades", kind)
    assert found
    return found


def grades(world: World) -> dict[str, str | None]:
    plan = plan_arrival(world, world.project.table("trades"), None, None)
    assert plan
    return {column.name: column.fit for column in forecast(plan, world).columns}


def test_a_loss_stops_an_import_until_it_is_accepted(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """All columns at once, nothing made; what the hint says, written down, loads; the row and the log tell of it."""
    inside, outside = two_sides(tmp_path, pg_url)
    export_table(open_world(inside), "trades")
    world = open_world(outside)
    with pytest.raises(LossNotAccepted) as caught:
        import_table(world, "trades")
    assert caught.value.message == LOST.format("timestamp")
    assert advised(caught.value) == ACCEPT
    assert ask(
        pg_url, "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ) == [(0,)]
    assert newest(world, "import").phase_failed == "pre_validation"
    assert grades(world) == {
        "id": "exact",
        "TRADED_AT": "lossy: nanoseconds",
        "memo": "lossy: nul_bytes",
        "born": "lossy: out_of_range",
        "At": "exact",
    }
    declare(outside, table("trades", more=f", {advised(caught.value)}"))
    world = open_world(outside)
    assert grades(world)["memo"] == "lossy, accepted: nul_bytes"
    done = import_table(world, "trades")
    assert ask(pg_url, "SELECT * FROM trades ORDER BY id") == ROWS
    assert done.phases["stage_to_target_transfer"].details["accepted_losses"] == CAUGHT
    entry = custody.latest(world.ledger, event="imported")
    assert entry
    assert entry.details["accepted_losses"] == CAUGHT


def test_a_loss_stops_a_run_before_the_target_is_touched(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """In one hop it is known once the parcel is there: the old rows stay, and no landing table is left."""
    ask(pg_url, STANDING.format(""))
    ask(pg_url, "INSERT INTO trades VALUES (7)")
    project = one_hop(tmp_path, pg_url)
    world = open_world(project)
    forecasted = forecast(plan_run(world.project, world.project.table("trades")), world)
    assert [column.fit for column in forecasted.columns] == ["exact", "checked: nanoseconds", "exact", "exact", "exact"]
    assert forecasted.refusal is None
    with pytest.raises(LossNotAccepted) as caught:
        run(world, "trades")
    assert caught.value.message == LOST.format("timestamp without time zone")
    assert newest(world, "run").phase_failed == "stage_to_target_transfer"
    assert ask(pg_url, "SELECT id FROM trades") == [(7,)]
    assert ask(pg_url, "SELECT relname FROM pg_class WHERE relname LIKE '\\_lb%' OR relname LIKE 'landbridge%'") == []
    declare(project, table("trades", more=f", {advised(caught.value)}"))
    done = run(open_world(project), "trades")
    assert ask(pg_url, "SELECT * FROM trades ORDER BY id") == ROWS
    assert done.phases["stage_to_target_transfer"].details["accepted_losses"] == CAUGHT


def test_what_is_accepted_in_part_stops_for_the_rest(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """The hint has what is there already, so that it can be written over it."""
    project = one_hop(tmp_path, pg_url)
    declare(project, table("trades", more=", accept_loss: {memo: [out_of_range, nul_bytes], born: [out_of_range]}"))
    with pytest.raises(LossNotAccepted) as caught:
        run(open_world(project), "trades")
    assert caught.value.message.splitlines() == LOST.format("timestamp").splitlines()[:1]
    assert yaml.safe_load(advised(caught.value))["accept_loss"] == {
        "memo": ["nul_bytes", "out_of_range"],
        "born": ["out_of_range"],
        "TRADED_AT": ["nanoseconds"],
    }


def test_null_where_there_must_be_a_value_is_not_accepted(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """A NOT NULL column cannot take what is out of range: accepting it does not help, and the hint does not say so."""
    ask(pg_url, STANDING.format("NOT NULL"))
    project = one_hop(tmp_path, pg_url)
    in_duckdb(project / "warehouse.duckdb", "DELETE FROM trades WHERE born IS NULL")
    declare(project, table("trades", more=f", {ACCEPT}"))
    with pytest.raises(LossNotAccepted, match="born would lose out_of_range: the target has date NOT NULL") as caught:
        run(open_world(project), "trades")
    assert caught.value.hint == "change what is read (source_query)"


def test_one_value_in_one_part_is_enough(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """Of all parts of a read, each looked at by a worker of its own, none is forgotten."""
    project = one_hop(tmp_path, pg_url)
    clock = "(CASE WHEN i = 0 THEN '2024-01-01 00:00:00.000000001' ELSE '2024-01-01' END)::TIMESTAMP_NS"
    rows = f"SELECT i AS id, {clock} AS seen FROM range({2 * PART_ROWS}) AS numbers(i)"
    in_duckdb(project / "warehouse.duckdb", f"CREATE OR REPLACE TABLE trades AS {rows}")
    with pytest.raises(LossNotAccepted, match="column seen would lose nanoseconds"):
        run(open_world(project), "trades")


def test_what_is_masked_loses_nothing(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """What counts is what leaves: hashes, NULL and constants, under the names that they leave by."""
    project = one_hop(tmp_path, pg_url)
    columns = "{name: memo, mask: hash}, {name: born, mask: 'null'}, {name: TRADED_AT, as: seen}, '*'"
    declare(project, table("trades", more=f", columns: [{columns}]"))
    with (project / "landbridge.yaml").open("a") as settings:
        settings.write(f"masking_key: {'k' * 32}\n")
    with pytest.raises(LossNotAccepted) as caught:
        run(open_world(project), "trades")
    assert advised(caught.value) == 'accept_loss: {"seen": [nanoseconds]}'


def test_a_column_that_does_not_come_cannot_lose(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """A name that is not the parcel's is refused before a row is read, with what was meant."""
    project = one_hop(tmp_path, pg_url)
    declare(project, table("trades", more=", accept_loss: {traded_at: [nanoseconds]}"))
    world = open_world(project)
    with pytest.raises(ConfigError, match=r"no column 'traded_at' arrives; did you mean 'TRADED_AT'\?"):
        run(world, "trades")
    assert newest(world, "run").phase_failed == "pre_validation"


def test_a_parcel_of_an_earlier_version(
    tmp_path: Path, open_world: OpenWorld, pg_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has looked at its values: nothing is claimed, the row is named; what is accepted is lost, and recorded."""
    inside, outside = two_sides(tmp_path, pg_url)
    in_duckdb(inside / "warehouse.duckdb", "UPDATE trades SET born = NULL")
    with monkeypatch.context() as earlier:
        made = Manifest.__init__
        earlier.setattr(Manifest, "__init__", lambda self, **fields: made(self, **{**fields, "traits": None}))
        export_table(open_world(inside), "trades")
    world = open_world(outside)
    assert grades(world)["TRADED_AT"] == "checked: nanoseconds"
    with pytest.raises(ValueDoesNotFit, match="column traded_at, row 0"):
        import_table(world, "trades")
    declare(outside, table("trades", more=", accept_loss: {TRADED_AT: [nanoseconds], memo: [nul_bytes, nanoseconds]}"))
    done = import_table(open_world(outside), "trades")
    assert ask(pg_url, "SELECT traded_at, memo FROM trades ORDER BY id") == [row[1:3] for row in ROWS]
    assert done.phases["stage_to_target_transfer"].details["accepted_losses"] == {
        "TRADED_AT": ["nanoseconds"],
        "memo": ["nul_bytes"],
    }


def test_into_duckdb(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """It has nanoseconds, and they end in 2262; every date of PostgreSQL's it holds."""
    ask(pg_url, "CREATE TABLE trades (id integer, seen_at timestamp, born date)")
    ask(pg_url, "INSERT INTO trades VALUES (1, '2262-04-11 23:47:16.854775', '0001-01-01'), (2, '9999-12-31', NULL)")
    to_mart = table("trades", target="mart").replace("connection: warehouse, schema: main", "connection: postgres")
    project = make_project(tmp_path, MART, tables=[to_mart])
    (project / ".env").write_text(variables(pg_url))
    standing = "CREATE TABLE trades (id INTEGER, seen_at TIMESTAMP_NS, born DATE)"
    in_duckdb(project / "mart.duckdb", standing, "INSERT INTO trades VALUES (7, NULL, NULL)")
    with pytest.raises(LossNotAccepted) as caught:
        run(open_world(project), "trades")
    assert advised(caught.value) == 'accept_loss: {"seen_at": [out_of_range]}'
    assert in_duckdb(project / "mart.duckdb", "SELECT id FROM trades") == [(7,)]
    declare(project, to_mart[:-1] + f", {advised(caught.value)}}}")
    done = run(open_world(project), "trades")
    assert in_duckdb(project / "mart.duckdb", "SELECT id, seen_at::VARCHAR, born::VARCHAR FROM trades ORDER BY id") == [
        (1, "2262-04-11 23:47:16.854775", "0001-01-01"),
        (2, None, None),
    ]
    assert done.phases["stage_to_target_transfer"].details["accepted_losses"] == {"seen_at": ["out_of_range"]}


def test_from_duckdb_to_duckdb(tmp_path: Path, open_world: OpenWorld) -> None:
    """A column of microseconds takes what is cut; text keeps its NUL, accepted or not."""
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("trades", target="mart", more=f", {ACCEPT}")])
    in_duckdb(project / "warehouse.duckdb", TRADES)
    in_duckdb(
        project / "mart.duckdb",
        'CREATE TABLE trades (id INTEGER, traded_at TIMESTAMP, memo VARCHAR, born DATE, "At" TIME)',
    )
    done = run(open_world(project), "trades")
    rows = in_duckdb(project / "mart.duckdb", "SELECT traded_at, memo, born::VARCHAR FROM trades ORDER BY id")
    assert rows == [(ROWS[0][1], "a\0b", "5879999-01-01"), (ROWS[1][1], "\0", "2024-02-29"), (None, None, None)]
    assert done.phases["stage_to_target_transfer"].details["accepted_losses"] == {"TRADED_AT": ["nanoseconds"]}
