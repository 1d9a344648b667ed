"""Projects to work on: folders with connections, tables, keys and a small warehouse, and walks through them."""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import duckdb

from landbridge.engine.plan import plan_export, plan_run
from landbridge.engine.sync import plan_arrival
from landbridge.engine.walk import walk
from landbridge.engine.world import World
from landbridge.ledger.runs import Run
from landbridge.sealing.keyring import Keyring

WAREHOUSE = "warehouse: {type: duckdb, path: warehouse.duckdb}"
MART = "mart: {type: duckdb, path: mart.duckdb}"
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
    declare(folder, *tables)
    if not (folder / "keys").exists():
        Keyring(folder / "keys").generate(folder.name)
    return folder


def declare(folder: Path, *tables: str) -> None:
    """Write config/tables.yaml."""
    entries = "".join(f"\n  - {entry}" for entry in tables)
    (folder / "config" / "tables.yaml").write_text(f"tables:{entries or ' []'}\n")


def table(name: str, *, source: str = "", target: str = "postgres", more: str = "") -> str:
    """An entry of tables.yaml: the table of that name in the warehouse, to the table of that name."""
    read = f"{{connection: warehouse, schema: main, table: {name}{source}}}"
    schema = "public" if target == "postgres" else "main"
    write = f"{{connection: {target}, schema: {schema}, table: {name}}}"
    return f"{{name: {name}, source: {read}, target: {write}{more}}}"


def variables(url: str) -> str:
    """The lines of a .env that make the database at `url` the connection `postgres`."""
    parts = urlsplit(url)
    values = {
        "HOST": parts.hostname,
        "PORT": parts.port,
        "DATABASE": parts.path[1:],
        "USER": parts.username,
        "PASSWORD": parts.password,
    }
    return "".join(f"POSTGRES_{name}={value}\n" for name, value in values.items())


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


def run(world: World, name: str, *, fresh: bool = False) -> Run:
    """One hop of one table."""
    return walk(plan_run(world.project, world.project.table(name)), world, fresh=fresh)


def export_table(world: World, name: str, location: str | None = None) -> Run:
    return walk(plan_export(world.project, world.project.table(name), location), world)


def import_table(world: World, name: str, location: str | None = None, parcel_id: str | None = None) -> Run:
    plan = plan_arrival(world, world.project.table(name), location, parcel_id)
    assert plan is not None, "there is nothing new"
    return walk(plan, world)
