"""The starter against the real server."""

import signal
import socket
import subprocess
import sys
import time

import psycopg
import pytest

from landbridge.demo import postgres_programs
from landbridge.demo import postgres_server as starter
from landbridge.demo.postgres_server import PostgresServer, postgres_server
from landbridge.errors import AccessDenied, NotInstalled, TargetError, WorldError


def test_databases_are_fresh_and_apart(postgres: PostgresServer, pg_url: str) -> None:
    """Each new database is empty, named by nobody else, and holds what only its own test wrote."""
    other = postgres.new_database()
    assert other != pg_url
    with psycopg.connect(pg_url) as connection:
        connection.execute("CREATE TABLE t (n int)")
    with psycopg.connect(other) as connection:
        assert connection.execute("SELECT to_regclass('t')").fetchone() == (None,)


def test_a_database_name_is_quoted_in_sql_and_url(postgres: PostgresServer) -> None:
    """A name with a quote, a slash and a space is one database, reachable by the returned URL."""
    name = 'odd "name"/x'
    with psycopg.connect(postgres.new_database(name)) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (name,)
    with pytest.raises(TargetError, match="already exists"):
        postgres.new_database(name)


def test_only_the_password_opens_it(postgres: PostgresServer) -> None:
    """Another local user cannot become superuser, and the password is not in the server's repr."""
    assert postgres.password not in repr(postgres)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url().replace(postgres.password, "wrong"))


def test_it_listens_on_loopback_only_with_the_asked_settings(postgres: PostgresServer) -> None:
    """Settings reach the server; no network but 127.0.0.1 and no Unix socket does."""
    with psycopg.connect(postgres.url()) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("fsync", "listen_addresses", "unix_socket_directories", "server_encoding")
        }
    expected = {"fsync": "off", "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
    assert shown == {**expected, "server_encoding": "UTF8"}
    assert postgres.port in starter.PORTS


def test_a_given_folder_is_kept_and_started_again() -> None:
    """A second start in the same folder finds the databases of the first under the same password."""
    with starter._home(None) as folder:
        folder.chmod(0o755)
        with postgres_server(folder=folder / "server") as first:
            first.new_database("kept")
        with postgres_server(folder=folder / "server") as second, psycopg.connect(second.url("kept")):
            assert second.password == first.password


def test_it_is_gone_after_the_block() -> None:
    """Port and files are free again when the block ends, also by an error."""
    with pytest.raises(ZeroDivisionError), postgres_server() as server:
        1 / 0  # noqa: B018 - the error is the point
    with socket.socket() as probe:
        probe.bind((server.host, server.port))


def test_a_taken_port_is_left_to_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that was lost between test and start costs one more attempt, on another port."""
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        taken = owner.getsockname()[1]
        free = starter._free_port()
        ports = iter([taken, free])
        monkeypatch.setattr(starter, "_free_port", lambda: next(ports))
        with postgres_server() as server:
            assert server.port == free


def test_a_setting_that_does_not_exist_is_told() -> None:
    """A server that does not start is an error with the server's own words, at once."""
    words = 'unrecognized configuration parameter "no_such_thing"'
    with pytest.raises(WorldError, match=words), postgres_server(settings={"no_such_thing": "1"}):
        pass


def test_it_dies_with_a_killed_parent() -> None:
    """A kill -9 of the process that started it leaves no server behind."""
    program = (
        "from landbridge.demo.postgres_server import postgres_server\n"
        "import sys, time, pathlib\n"
        "with postgres_server(folder=pathlib.Path(sys.argv[1])) as s:\n"
        "    print(s.port, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with starter._home(None) as home:
        home.chmod(0o755)
        command = [sys.executable, "-c", program, home / "server"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            port = int(parent.stdout.readline())
            parent.kill()
        status, deadline = home / "server" / "data" / "postmaster.pid", time.monotonic() + 10
        while status.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not status.exists()
        assert not _answers(port)


def test_it_can_be_run_by_hand() -> None:
    """As a program it prints the variables of a working connection and stops cleanly at Ctrl-C."""
    with starter._home(None) as home:
        home.chmod(0o755)
        command = [sys.executable, "-m", "landbridge.demo.postgres_server", home / "server"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
            printed = dict(program.stdout.readline().strip().removeprefix("export ").split("=") for _ in range(5))
            server = PostgresServer(
                printed["POSTGRES_HOST"],
                int(printed["POSTGRES_PORT"]),
                printed["POSTGRES_USER"],
                printed["POSTGRES_PASSWORD"],
            )
            assert server.environment == printed
            psycopg.connect(server.url(printed["POSTGRES_DATABASE"])).close()
            program.send_signal(signal.SIGINT)
        assert program.returncode == 0
        assert not (home / "server" / "data" / "postmaster.pid").exists()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_programs_under_a_closed_folder_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel where the server's account cannot go is copied to where it can, its libraries too."""
    monkeypatch.setattr(postgres_programs, "_can_run", lambda *_: False)
    with starter._home(None) as home:
        postgres_programs.unprivileged().own(home)
        programs = postgres_programs.programs_for(postgres_programs.unprivileged(), home)
        assert programs.is_relative_to(home)
        run = postgres_programs.unprivileged().start(programs / "postgres", "--version", log=home / "out")
        assert run.wait() == 0
        assert (home / "out").read_text().startswith("postgres (PostgreSQL)")


def test_pg_bin_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    """PG_BIN is taken at its word: a folder without the programs is an error with a hint."""
    monkeypatch.setenv("PG_BIN", "/usr/lib/no-such-folder")
    with pytest.raises(NotInstalled) as caught, postgres_server():
        pass
    assert "/usr/lib/no-such-folder" in caught.value.message
    assert "PG_BIN" in caught.value.hint


def test_programs_that_the_account_cannot_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs named by PG_BIN are never copied; that they are out of reach is said."""
    monkeypatch.setattr(postgres_programs, "_can_run", lambda *_: False)
    monkeypatch.setenv("PG_BIN", "/root/bin")
    with pytest.raises(AccessDenied, match="/root/bin"), postgres_server():
        pass


def test_without_any_postgres(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither wheel nor system has it, the hint names the extra."""
    monkeypatch.setattr(postgres_programs.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(postgres_programs.shutil, "which", lambda _: None)
    with pytest.raises(NotInstalled) as caught, postgres_server():
        pass
    assert "landbridge[demo]" in caught.value.hint
