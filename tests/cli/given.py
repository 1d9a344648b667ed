"""What transcripts begin with. The target server's POSTGRES_ variables lie in `postgres.env`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.engine.projects import FUNDS, PRICES, WAREHOUSE, in_duckdb, introduce, make_project, table, variables


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


def one_project(folder: Path, url: str) -> None:
    """A project in the folder itself, with a warehouse; its `.env` names the server."""
    make_project(folder, WAREHOUSE, tables=[table("prices"), table("funds")])
    in_duckdb(folder / "warehouse.duckdb", PRICES, FUNDS)
    (folder / ".env").write_text(variables(url))


GIVEN: Mapping[str, Callable[[Path, str], None]] = {
    "a server": a_server,
    "two sides": two_sides,
    "a project": one_project,
}
