"""The stand for Snowflake: the emulated account of the tests, the table `FIN` there, projects that read or write it.

`account.py put_and_copy ROWS` fills the table by the account's own statements: PUT of ready-made files, and COPY;
`account.py put_copy_and_publish ROWS` by way of a landing table and a transaction, as landbridge does.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fin
import stand

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.servers.snowflake.process import SnowflakeServer, snowflake_server

ROWS = 1_000_000
DATABASE = "BENCH"
TABLES = """
tables:
  - name: fin
    source: {{connection: {source[0]}, schema: {source[1]}, table: {source[2]}}}
    target: {{connection: {target[0]}, schema: {target[1]}, table: {target[2]}}}
"""
IN_DUCKDB, IN_SNOWFLAKE, IN_POSTGRES = (
    ("warehouse", "main", "fin"),
    ("snowflake", "PUBLIC", "FIN"),
    ("postgres", "public", "fin"),
)
TYPES = {
    "id": "NUMBER(19,0)",
    "secid": "VARCHAR",
    "price_date": "DATE",
    "updated_at": "TIMESTAMP_NTZ(6)",
    **dict.fromkeys(("open", "high", "low", "close"), "NUMBER(18,4)"),
    "volume": "NUMBER(19,0)",
    "ret": "FLOAT",
    "memo": "VARCHAR",
    "active": "BOOLEAN",
}
DDL = f"CREATE TABLE FIN ({', '.join(f'{name} {kind}' for name, kind in TYPES.items())})"
VALUES = ", ".join(f'$1:"{name}"::{kind}' for name, kind in TYPES.items())
COPY = f"COPY INTO {{table}} FROM (SELECT {VALUES} FROM @READY) FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)"
# whole numbers: the emulator sums up doubles
PRICES = "SUM(((open + high + low + close) * 10000)::NUMBER(18,0))"
SUMS = f"SELECT COUNT(*), SUM(id), {PRICES}, SUM(volume), MIN(memo), MAX(updated_at) FROM FIN"


@contextmanager
def emulated() -> Iterator[tuple[SnowflakeServer, Mapping[str, str]]]:
    """The server, with an empty database, and its variables, which are this process's as well."""
    with snowflake_server() as server:
        server.start_test()
        server.run(f"CREATE DATABASE {DATABASE}", f"CREATE SCHEMA {DATABASE}.PUBLIC")
        environment = {**stand.NOWHERE, **dict(line.split("=", 1) for line in server.variables(DATABASE))}
        os.environ.update(environment)
        yield server, environment


def make_gap(environment: Mapping[str, str], *, source: Sequence[str], target: Sequence[str]) -> stand.Gap:
    """Two new projects for `fin`, from `source` to `target`."""
    gap = stand.make_gap(warehouse=fin.warehouse(ROWS), environment=environment)
    for project in (gap.inside, gap.outside):
        (project / "config" / "tables.yaml").write_text(TABLES.format(source=source, target=target))
    return gap


def ask(*statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last one, all in one session."""
    from snowflake.connector import connect

    names = ("ACCOUNT", "USER", "PASSWORD", "WAREHOUSE", "DATABASE", "SCHEMA", "HOST", "PROTOCOL")
    given = {name.lower(): os.environ[f"SNOWFLAKE_{name}"] for name in names}
    quiet = {"enable_server_session_keep_alive_auto_detection": False}
    with connect(port=int(os.environ["SNOWFLAKE_PORT"]), **given, **quiet) as session, session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


def empty() -> None:
    """`FIN` is there without rows, and no load is known."""
    ask("DROP TABLE IF EXISTS FIN", "DROP TABLE IF EXISTS LANDBRIDGE_LOADS", "DROP STAGE IF EXISTS READY", DDL)


def sums() -> tuple[str, ...]:
    """Rows, and sums of what they hold."""
    return tuple(map(str, ask(SUMS)[0]))


def put_and_copy(rows: int, *, table: str = "FIN") -> None:
    """What somebody would type who has the files."""
    puts = [f"PUT file://{file} @READY AUTO_COMPRESS=FALSE" for file in sorted(fin.parquet(rows).iterdir())]
    ask("CREATE STAGE READY", *puts, COPY.format(table=table))


def put_copy_and_publish(rows: int) -> None:
    """The same by way of another table, so that readers of `FIN` see all of it at once."""
    ask("CREATE OR REPLACE TRANSIENT TABLE LANDING LIKE FIN")
    put_and_copy(rows, table="LANDING")
    ask("BEGIN", "DELETE FROM FIN", "INSERT INTO FIN SELECT * FROM LANDING", "COMMIT")


WAYS = {way.__name__: way for way in (put_and_copy, put_copy_and_publish)}

if __name__ == "__main__":
    WAYS[sys.argv[1]](int(sys.argv[2]))
