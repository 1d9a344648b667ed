"""Projects to work on: folders with connections, tables, keys and a small warehouse, as `landbridge init` leaves them."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from landbridge.sealing.keyring import Keyring

WAREHOUSE = "warehouse: {type: duckdb, path: warehouse.duckdb}"
PRICES = (
    "CREATE TABLE prices AS SELECT i::INTEGER AS id, 'fund ' || i AS name, (i * 1.25)::DECIMAL(12, 4) AS price,"
    " DATE '2024-01-01' + i::INTEGER AS day, CASE WHEN i % 2 = 0 THEN 'ACTIVE' ELSE 'CLOSED' END AS status"
    " FROM range(100) AS numbers(i)"
)
FUNDS = "CREATE TABLE funds AS SELECT * FROM (VALUES (1, 'alpha'), (2, 'beta'), (3, NULL)) AS rows(id, name)"


def make_project(folder: Path, *connections: str, tables: Sequence[str] = (), settings: str = "") -> Path:
    """A project with keys of its own; `connections` and `tables` are YAML, each on one line."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    lines = ["processes: 1", settings, "connections:", *(f"  {connection}" for connection in connections)]
    (folder / "landbridge.yaml").write_text("\n".join(lines) + "\n")
    entries = "\n".join(f"  - {table}" for table in tables)
    (folder / "config" / "tables.yaml").write_text(f"tables:\n{entries}\n" if tables else "tables: []\n")
    Keyring(folder / "keys").generate(folder.name)
    return folder


def table(name: str, *, source: str = "", target: str = "postgres", more: str = "") -> str:
    """An entry of tables.yaml: the table of that name in the warehouse, to the table of that name."""
    read = f"{{connection: warehouse, schema: main, table: {name}{source}}}"
    schema = "public" if target == "postgres" else "main"
    write = f"{{connection: {target}, schema: {schema}, table: {name}}}"
    return f"{{name: {name}, source: {read}, target: {write}{more}}}"


def in_duckdb(path: Path, *statements: str) -> list[tuple]:
    """Run statements on a DuckDB file; the rows of the last one."""
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            rows = connection.execute(statement).fetchall()
    return rows


def introduce(one: Path, other: Path) -> None:
    """Each side trusts the other's two public lines."""
    for here, there in ((one, other), (other, one)):
        keys = Keyring(there / "keys")
        for line in (keys.own_recipient, keys.own_verifier):
            Keyring(here / "keys").trust(line)
