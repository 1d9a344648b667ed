"""The demo on an emulated Snowflake account: told to its end, and then nothing of it is left there."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import snowflake.connector

from landbridge.demo import account as account_of_demo
from landbridge.demo import warehouse
from landbridge.demo.account import filled_account
from landbridge.demo.sides import Side
from landbridge.demo.story import tell
from landbridge.demo.warehouse import TABLES
from landbridge.errors import ConfigError, RunError, UsageError
from tests.engine.projects import variables
from tests.servers.snowflake.process import SnowflakeServer

ROWS = {"AIRLINES": 16, "PLANES": 3_322}  # of the demo's tables the smallest are enough
OURS = "LANDBRIDGE_DEMO_AIRLINES"


class Account:
    """A database of the emulator, as the SNOWFLAKE_ variables name it."""

    def __init__(self, server: SnowflakeServer, database: str) -> None:
        self.server, self.database = server, database

    def execute(self, sql: str) -> list[tuple]:
        with snowflake.connector.connect(**self.server.connection(database=self.database, schema="PUBLIC")) as session:
            return session.cursor().execute(sql).fetchall()

    def tables(self) -> list[str]:
        return [name for (name,) in self.execute("SELECT table_name FROM information_schema.tables ORDER BY 1")]


@pytest.fixture
def account(snowflake: SnowflakeServer, sf_database: str, pg_url: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Named by the variables, as the server of PostgreSQL is."""
    for module in (warehouse, account_of_demo):
        monkeypatch.setattr(module, "TABLES", {table: TABLES[table] for table in ROWS})
    for line in (*snowflake.variables(sf_database), *variables(pg_url).split()):
        monkeypatch.setenv(*line.split("=", 1))
    return Account(snowflake, sf_database)


@pytest.fixture
def filler(tmp_path: Path) -> Side:
    """The project that fills the account."""
    side = Side(tmp_path / "filler", lambda _: None, os.environ)
    side.init()
    return side


def test_to_the_end(account: Account, pg_url: str, tmp_path: Path) -> None:
    """All rows arrive in PostgreSQL by way of the account, in which nothing is left."""
    said: list[str] = []
    tell(tmp_path / "demo", said.append, warehouse="snowflake")
    with psycopg.connect(pg_url) as connection:
        counted = {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ROWS}
    assert counted == {table: (rows,) for table, rows in ROWS.items()}
    assert account.tables() == []
    assert any(line.startswith(f"in {account.database}.PUBLIC") and OURS in line for line in said)
    outside = (tmp_path / "demo" / "outside").rglob("*")
    assert not any(account.server.password.encode() in path.read_bytes() for path in outside if path.is_file())


def test_kept_tables_are_known_again(account: Account, filler: Side) -> None:
    """--keep leaves tables and their loads; the next demo takes them for its own, and others' loads stay."""
    with filled_account(filler, filler.say, keep=True):
        pass
    assert account.tables() == [*(f"LANDBRIDGE_DEMO_{table}" for table in ROWS), "LANDBRIDGE_LOADS"]
    account.execute("INSERT INTO LANDBRIDGE_LOADS SELECT 'OTHERS', 1, 'l', 'others', 'p', 0, CURRENT_TIMESTAMP(), NULL")
    (filler.folder / "warehouse.duckdb").unlink()
    with pytest.raises(ZeroDivisionError), filled_account(filler, filler.say, keep=False):
        1 / 0  # noqa: B018 - however the demo ends
    assert account.tables() == ["LANDBRIDGE_LOADS"]
    assert account.execute("SELECT target_table FROM LANDBRIDGE_LOADS") == [("OTHERS",)]


@pytest.mark.parametrize("loads", [False, True], ids=["never loaded", "loaded by another job"])
def test_a_table_of_somebody_else(account: Account, tmp_path: Path, *, loads: bool) -> None:
    """A table that bears one of the demo's names and was not made by it stops the demo, and stays as it is."""
    account.execute(f"CREATE TABLE {OURS} AS SELECT 1 AS ID")
    if loads:
        account.execute("CREATE TABLE LANDBRIDGE_LOADS (TARGET_TABLE VARCHAR, PIPELINE_NAME VARCHAR)")
        account.execute(f"INSERT INTO LANDBRIDGE_LOADS VALUES ('{OURS}', 'airlines')")
    before = account.tables()
    with pytest.raises(UsageError, match=OURS) as caught:
        tell(tmp_path / "demo", lambda _: None, warehouse="snowflake")
    assert "SNOWFLAKE_SCHEMA" in caught.value.hint
    assert account.tables() == before
    assert account.execute(f"SELECT ID FROM {OURS}") == [(1,)]


def test_a_load_that_fails_leaves_nothing(account: Account, filler: Side) -> None:
    """What a load made before it failed goes: the table, and the landing of its rows."""
    mark = f'landbridge landing of "{account.database}"."PUBLIC"."{OURS}", attempt a'

    def half_done(line: str) -> None:
        if line.startswith("$ landbridge run"):  # the moment before it begins
            account.execute(f"CREATE TABLE {OURS} (CARRIER VARCHAR)")
            account.execute(f"CREATE TABLE \"_lb_0\" (CARRIER VARCHAR) COMMENT = '{mark}'")
            shutil.rmtree(filler.folder / "keys")

    with pytest.raises(RunError), filled_account(replace(filler, say=half_done), filler.say, keep=False):
        pytest.fail("it runs without keys")
    assert account.tables() == []


def test_missing_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an account the hint names the variables; of an account that lacks some, those are named."""
    monkeypatch.delenv("SNOWFLAKE_ACCOUNT", raising=False)
    with pytest.raises(UsageError, match="SNOWFLAKE_ACCOUNT") as caught:
        tell(tmp_path / "demo", lambda _: None, warehouse="snowflake")
    assert "SNOWFLAKE_USER" in caught.value.hint
    monkeypatch.setenv("SNOWFLAKE_ACCOUNT", "a")
    with pytest.raises(ConfigError, match=r"SNOWFLAKE_USER.*\n.*SNOWFLAKE_WAREHOUSE"):
        tell(tmp_path / "demo", lambda _: None, warehouse="snowflake")
