"""What transcripts begin with. The target server's POSTGRES_ variables lie in `postgres.env`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.config.test_tables import SEED
from tests.engine.projects import FUNDS, PRICES, WAREHOUSE, in_duckdb, introduce, make_project, table, variables
from tests.sealing.ssh_keys import LOCKED, ssh_key
from tests.servers.snowflake.process import SnowflakeServer

FINANCE = (
    "CREATE DATABASE PROD_DB",
    "CREATE SCHEMA PROD_DB.PUBLIC",
    "USE SCHEMA PROD_DB.PUBLIC",
    "CREATE TABLE FUNDS (SECID VARCHAR(12) PRIMARY KEY, STATUS VARCHAR)",
    "INSERT INTO FUNDS VALUES ('F1', 'ACTIVE'), ('F2', 'ACTIVE'), ('F3', 'CLOSED')",
    "CREATE VIEW VW_ACTIVE_FUNDS AS SELECT SECID FROM FUNDS WHERE STATUS = 'ACTIVE'",
    """CREATE TABLE FINANCIAL_DATA (
        SECID VARCHAR(12) NOT NULL, NAV NUMBER(18,4), DETAILS VARIANT,
        _TIMESTAMPFROM TIMESTAMP_NTZ NOT NULL DEFAULT CURRENT_TIMESTAMP(),
        _TIMESTAMPTO TIMESTAMP_NTZ NOT NULL DEFAULT '9999-12-31 23:59:59.999',
        PRIMARY KEY (SECID, _TIMESTAMPFROM))""",
    """INSERT INTO FINANCIAL_DATA (SECID, NAV, DETAILS)
        SELECT 'F1', 10.2500, PARSE_JSON('{"isin": "CA01", "fees": [0.1, 0.25]}')""",
    "INSERT INTO FINANCIAL_DATA (SECID) VALUES ('F2'), ('F3')",
    """INSERT INTO FINANCIAL_DATA
        SELECT 'F1', 10, NULL, '2023-12-31 00:00:00'::TIMESTAMP_NTZ, '2024-01-30 00:00:00'::TIMESTAMP_NTZ""",
    "CREATE TABLE MARKET_PRICES (ID NUMBER(38,0), PRICE NUMBER(18,4), QUOTED_AT TIMESTAMP_TZ)",
    """INSERT INTO MARKET_PRICES
        SELECT SEQ4(), SEQ4() * 1.25, '2024-01-01 12:00:00 +0000'::TIMESTAMP_TZ
        FROM TABLE(GENERATOR(ROWCOUNT => 1000))""",
)
ORDERS = (
    "CREATE TABLE orders AS SELECT i::INTEGER AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE 'new' END AS state,"
    " (i * 0.25)::DECIMAL(12, 4) AS amount, TIMESTAMPTZ '2026-01-01 00:00+00' + i * INTERVAL '10 minutes' AS placed_at"
    " FROM range(36) AS numbers(i)"
)
PRICES_OF_FUNDS = """
  - name: market_prices
    snowflake: {database: PROD_DB, schema: PUBLIC, table: MARKET_PRICES}
    postgres: {schema: public, table: market_prices}
    accept_loss: {QUOTED_AT: [offset]}
"""


def a_server(folder: Path, url: str) -> None:
    """Nothing but `postgres.env`."""
    (folder / "postgres.env").write_text(variables(url))


def two_sides(folder: Path, url: str) -> None:
    """`inside` with a warehouse, `outside` with the server's variables; they trust each other."""
    tables = [table("prices", source=", filter: \"status = 'ACTIVE'\""), table("funds")]
    inside = make_project(folder / "inside", WAREHOUSE, tables=tables)
    in_duckdb(inside / "warehouse.duckdb", PRICES, FUNDS)
    outside = make_project(folder / "outside", tables=tables)
    (outside / ".env").write_text(variables(url))
    introduce(inside, outside)


def two_sides_and_ssh_keys(folder: Path, url: str) -> None:
    """Also `id_ed25519` and `id_rsa`, each with its `.pub`, and `id_locked`, as ssh-keygen leaves them."""
    two_sides(folder, url)
    for kind in ("ed25519", "rsa"):
        private, public = ssh_key(f"ssh-{kind}")
        (folder / f"id_{kind}").write_text(private)
        (folder / f"id_{kind}.pub").write_text(f"{public} anna@harbour\n")
    (folder / "id_locked").write_text(LOCKED)
    for path in folder.glob("id_*"):
        path.chmod(0o600)


def one_project(folder: Path, url: str) -> None:
    """A project in the folder itself, with a warehouse; its `.env` names the server."""
    make_project(folder, WAREHOUSE, tables=[table("prices"), table("funds")])
    in_duckdb(folder / "warehouse.duckdb", PRICES, FUNDS)
    (folder / ".env").write_text(variables(url))


def an_account(folder: Path, url: str, server: SnowflakeServer) -> None:
    """`inside` with the account's variables and the tables of seed 000, `outside` with the server's."""
    server.run(*FINANCE)
    for side, lines in (("inside", server.variables("PROD_DB")), ("outside", variables(url).split())):
        make_project(folder / side)
        (folder / side / "config" / "tables.yaml").write_text(SEED + PRICES_OF_FUNDS)
        (folder / side / ".env").write_text("\n".join(lines) + "\n")
    introduce(folder / "inside", folder / "outside")


def a_pipeline(folder: Path, url: str) -> None:
    """A project in the folder itself, whose shop has orders of six hours of 2026-01-01; its `.env` names the server."""
    make_project(folder, "shop: {type: duckdb, path: shop.duckdb}")
    in_duckdb(folder / "shop.duckdb", ORDERS)
    (folder / ".env").write_text(variables(url))


GIVEN: Mapping[str, Callable[[Path, str], None]] = {
    "a server": a_server,
    "two sides": two_sides,
    "two sides and SSH keys": two_sides_and_ssh_keys,
    "a project": one_project,
    "a shop": a_pipeline,
}
