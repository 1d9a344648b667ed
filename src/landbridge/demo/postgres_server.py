"""A throw-away PostgreSQL server on this machine: what the demo and the tests load into.

`python -m landbridge.demo.postgres_server FOLDER` runs one in the foreground until it is interrupted.
"""

import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote
from uuid import uuid4

from landbridge.demo.postgres_programs import Account, programs_for, unprivileged
from landbridge.errors import TargetError, WorldError

HOST = "127.0.0.1"
USER = "postgres"
# below the kernel's ephemeral range: a port of that range can go to any outgoing connection before the server binds it
PORTS = range(15000, 32000)
START_ATTEMPTS = 5
START_SECONDS = 60
STOP_SECONDS = 20
DEFAULTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class PostgresServer:
    """A running server; only its superuser can log in, with a password made for this server."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The POSTGRES_* variables that make this server the connection `postgres`."""
        return {
            "POSTGRES_HOST": self.host,
            "POSTGRES_PORT": str(self.port),
            "POSTGRES_DATABASE": "postgres",
            "POSTGRES_USER": self.user,
            "POSTGRES_PASSWORD": self.password,
        }

    def url(self, database: str = "postgres") -> str:
        """`postgresql://user:password@host:port/database`."""
        return f"postgresql://{self.user}:{self.password}@{self.host}:{self.port}/{quote(database, safe='')}"

    def new_database(self, name: str | None = None) -> str:
        """Make an empty database, by default under a name never used before, and return its URL. Raises TargetError."""
        import psycopg
        from psycopg import sql

        name = name or f"landbridge_{uuid4().hex}"
        try:
            with psycopg.connect(self.url(), autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.Error as error:
            raise TargetError(f"cannot make database {name} on {self.host}:{self.port}: {error}") from error
        return self.url(name)


@contextmanager
def postgres_server(*, settings: Mapping[str, str] = DEFAULTS, folder: Path | None = None) -> Iterator[PostgresServer]:
    """Run a server until the block ends, or until the calling thread dies.

    `settings` are those of postgresql.conf. All files lie in a new folder under /tmp that is removed afterwards,
    or in `folder`, which is kept: the next start there finds its databases and password again. A `folder` must
    hold nothing else, because it is handed to the account that runs the server (PostgreSQL refuses root).

    Raises NotInstalled without PostgreSQL's programs, AccessDenied where that account cannot run them, WorldError
    with the server's own words when it does not start.
    """
    account = unprivileged()
    with _home(folder) as home:
        account.own(home)
        programs = programs_for(account, home)
        password = _initialise(programs / "initdb", home, account)
        process, port = _start(programs / "postgres", home, account, settings)
        try:
            yield PostgresServer(HOST, port, USER, password)
        finally:
            _stop(process)


@contextmanager
def _home(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder.resolve()
        return
    # not below TMPDIR or pytest's folders, which may be closed to the server's account
    home = Path(tempfile.mkdtemp(prefix="landbridge-postgres-", dir="/tmp"))
    try:
        yield home
    finally:
        shutil.rmtree(home)


def _initialise(initdb: Path, home: Path, account: Account) -> str:
    """Make the data folder where there is none yet; return the superuser's password."""
    password, log = home / "password", home / "initdb.log"
    if not (home / "data" / "PG_VERSION").exists():
        password.touch(mode=0o600)
        password.write_text(secrets.token_hex(16))
        account.own(password)
        who = ("--username", USER, "--pwfile", password, "--auth=scram-sha-256")
        how = ("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
        if account.start(initdb, "--pgdata", home / "data", *who, *how, log=log).wait() != 0:
            raise WorldError(f"initdb failed in {home}: {log.read_text(errors='replace').strip()}")
    return password.read_text()


def _start(
    postgres: Path, home: Path, account: Account, settings: Mapping[str, str]
) -> tuple[subprocess.Popen[bytes], int]:
    log, words = home / "server.log", ""
    for _ in range(START_ATTEMPTS):
        port = _free_port()
        # TCP only: the path of a Unix socket is limited to 107 bytes
        fixed = {"port": str(port), "listen_addresses": HOST, "unix_socket_directories": ""}
        assignments = [x for name, value in {**settings, **fixed}.items() for x in ("-c", f"{name}={value}")]
        process = account.start(postgres, "-D", home / "data", *assignments, log=log)
        if _becomes_ready(process, home / "data" / "postmaster.pid"):
            return process, port
        words = log.read_text(errors="replace").strip()
        if "Address already in use" not in words:
            break
    raise WorldError(f"PostgreSQL does not start in {home}: {words}")


def _free_port() -> int:
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise WorldError(f"no free port from {PORTS.start} to {PORTS.stop} on {HOST}")


def _becomes_ready(process: subprocess.Popen[bytes], status: Path) -> bool:
    """Wait for the server's own word, line 8 of postmaster.pid; False where it ended instead or took too long."""
    deadline = time.monotonic() + START_SECONDS
    ready = False
    try:
        while not ready and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
            lines = status.read_text().split("\n") if status.exists() else []
            ready = len(lines) > 7 and lines[0] == str(process.pid) and lines[7].strip() == "ready"
    finally:
        if not ready:
            _stop(process)
    return ready


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)  # "fast": sessions are cut, the data folder stays consistent
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(STOP_SECONDS)


def main() -> None:
    """Print what a shell needs to reach the server of the given folder, and keep it running until interrupted."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m landbridge.demo.postgres_server FOLDER")
    with postgres_server(folder=Path(sys.argv[1])) as server, suppress(KeyboardInterrupt):
        for name, value in server.environment.items():
            print(f"export {name}={value}", flush=True)  # noqa: T201 - this is the program's output
        signal.pause()


if __name__ == "__main__":
    main()
