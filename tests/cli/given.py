"""What transcripts begin with. The target server's POSTGRES_ variables lie in `postgres.env`."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.engine.projects import FUNDS, PRICES, WAREHOUSE, in_duckdb, introduce, make_project, table, variables
from tests.sealing.ssh_keys import LOCKED, ssh_key


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


GIVEN: Mapping[str, Callable[[Path, str], None]] = {
    "a server": a_server,
    "two sides": two_sides,
    "two sides and SSH keys": two_sides_and_ssh_keys,
    "a project": one_project,
}
