"""How the PostgreSQL connector connects, and the one border where the drivers' errors become ours."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING, Any
from weakref import finalize

from pydantic import SecretStr

from landbridge.connectors.local import is_local
from landbridge.errors import (
    AccessDenied,
    LandbridgeError,
    SourceError,
    TargetError,
    Unreachable,
    ValueDoesNotFit,
)

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[Any, ...]]

READS = "landbridge read"
LOADS = "landbridge load"

# exact values need these whatever the server, the database or the role have set; search_path is left alone
SETTINGS = """
SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601';
SET extra_float_digits = 3; SET bytea_output = 'hex'; SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('transaction_timeout', 'idle_session_timeout')
"""
# a server that still works for a session whose process was killed keeps its locks, and a rerun waits for those
NOTICE_THE_DEAD = "SET client_connection_check_interval = '1s'"

NOT_READY = re.compile(r"starting up|shutting down|recovery mode|too many (clients|connections)|connection slots")
LOSSES = ("OperationalError", "InterfaceError", "ConnectionDoesNotExistError")  # the drivers' own, without SQLSTATE
NO_ANSWER, BROKEN, NO_ROOM, STARTING = "08001", "08006", "53300", "57P03"  # SQLSTATE, where the driver has none
LOST = ("08", "57P01", "57P02", "57P03")
REFUSED = ("28", "42501", "3D000")
DATA = {
    "22001": "a text is longer than its column",
    "22003": "a number is over the range of its column",
    "22008": "a date or time is over the range of its column",
    "22021": "a text holds a NUL byte or is not UTF-8",
    "22P05": "a text or JSON document holds a character that the database cannot store",
    "22P02": "a JSON document is not valid",
    "23502": "NULL in a column that is NOT NULL",
    "23505": "a key is there twice",
    "23514": "a row breaks a CHECK",
}


@dataclass(frozen=True)
class Server:
    """Where the database is and who logs in; the fields are those of PostgresOptions."""

    host: str
    port: int
    database: str
    user: str
    password: SecretStr | None
    sslmode: str | None
    sslrootcert: str | None
    connect_timeout: int


@contextmanager
def connect(server: Server, application: str) -> "Iterator[Connection]":
    """An autocommit connection with SETTINGS, closed at the end. Raises Unreachable, AccessDenied."""
    connection = _dial(server, application)
    try:
        yield connection
    finally:
        connection.close()


class Kept:
    """One such connection for many uses, one after the other; a new one where it was lost or its last use failed.

    Each thread has its own: a transaction is one thread's.
    """

    def __init__(self, server: Server, application: str) -> None:
        self._server, self._application = server, application
        self._open: dict[int, Connection] = {}
        finalize(self, _close, self._open)

    @contextmanager
    def connect(self) -> "Iterator[Connection]":
        """As `connect`, but it stays open as long as this object lives."""
        connection = self._open.get(get_ident())
        if connection is None or not _answers(connection):
            connection = self._open[get_ident()] = _dial(self._server, self._application)
        try:
            yield connection
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close what this thread has open; its next use opens anew."""
        if connection := self._open.pop(get_ident(), None):
            connection.close()


def _close(connections: "dict[int, Connection]") -> None:
    for connection in connections.values():
        connection.close()


def _answers(connection: "Connection") -> bool:
    import psycopg

    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _dial(server: Server, application: str) -> "Connection":
    import psycopg

    try:
        connection = psycopg.connect(
            host=server.host,
            port=server.port,
            dbname=server.database,
            user=server.user,
            password=server.password.get_secret_value() if server.password else None,
            sslmode=sslmode(server),
            sslrootcert=server.sslrootcert,
            connect_timeout=server.connect_timeout,
            application_name=application,
            autocommit=True,
        )
        connection.execute(SETTINGS)
        # refused before version 14, and on some operating systems: loads are as safe without it
        with suppress(psycopg.ProgrammingError, psycopg.DataError, psycopg.NotSupportedError):
            connection.execute(NOTICE_THE_DEAD)
    except psycopg.Error as error:
        raise _no_connection(server, " ".join(str(error).split()), error.sqlstate) from error
    return connection


def asyncpg_arguments(server: Server) -> dict[str, Any]:
    """The same connection for asyncpg.connect; `system` is the only authority file that it does not know itself."""
    import ssl
    from urllib.parse import quote

    tls: str | ssl.SSLContext = sslmode(server)
    dsn = None
    if server.sslrootcert == "system":
        tls = ssl.create_default_context()
    elif server.sslrootcert:
        dsn = f"postgresql://?sslrootcert={quote(server.sslrootcert, safe='')}"
    return {
        "dsn": dsn,
        "host": server.host,
        "port": server.port,
        "database": server.database,
        "user": server.user,
        "password": server.password.get_secret_value() if server.password else None,
        "ssl": tls,
        "timeout": server.connect_timeout,
        "server_settings": {"application_name": READS},
    }


def sslmode(server: Server) -> str:
    """TLS by default; only what never leaves this machine may do without."""
    if server.sslmode:
        return server.sslmode
    if server.sslrootcert == "system":
        return "verify-full"
    return "prefer" if is_local(server.host) else "require"


@contextmanager
def border(side: type[LandbridgeError], what: str, *, more: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Turn psycopg's errors, and `more`, into ours.

    `side` is SourceError or TargetError, `what` names the table or query.
    """
    import psycopg

    drivers: tuple[type[Exception], ...] = (psycopg.Error, *more)
    try:
        yield
    except drivers as error:
        ours = translate(error, side, what)
        # the driver's text of a value error quotes the value, and a traceback would print it
        raise ours from (None if isinstance(ours, ValueDoesNotFit) else error)


def translate(error: Exception, side: type[LandbridgeError], what: str) -> LandbridgeError:
    """What a failed statement means. A source's words are passed on in full (seed 000, section 0.3)."""
    state = getattr(error, "sqlstate", None) or ""
    words = _words(error) if side is SourceError else " ".join(_primary(error).split())
    if state.startswith(LOST) or (not state and type(error).__name__ in LOSSES):
        code = state or BROKEN
        return Unreachable(f"{what}: connection to postgres lost: {words}", hint="run it again", code=code)
    if side is TargetError and state[:2] in ("22", "23") and state != "23503":
        return ValueDoesNotFit(f"{what}: {DATA.get(state, f'a value is refused (SQLSTATE {state})')}", code=state)
    if state.startswith(REFUSED):
        hint = "grant the role what it needs; `landbridge doctor` lists it"
        return AccessDenied(f"{what}: {words}", hint=hint, code=state)
    advice = {
        "53100": "free disk space on the database server, then run it again",
        "55P03": "another session holds a lock on the table; run it again when it is done",
        "57014": "a time limit of the server or an administrator cancelled it; run it again",
    }
    return side(f"{what}: {words}", hint=advice.get(state), code=state or None)


def _primary(error: Exception) -> str:
    diag = getattr(error, "diag", None)
    return (diag.message_primary if diag else None) or str(error)


def _words(error: Exception) -> str:
    """All that the server said: message, detail and hint."""
    diag = getattr(error, "diag", None)
    if diag is None:  # asyncpg has them as attributes
        said = [str(error).split("\n")[0], getattr(error, "detail", None), getattr(error, "hint", None)]
    else:
        said = [diag.message_primary or str(error), diag.message_detail, diag.message_hint]
    return "\n".join(line for line in said if line)


def _no_connection(server: Server, words: str, code: str | None) -> LandbridgeError:
    where = f"postgres at {server.host}:{server.port}/{server.database}"
    # libpq mostly gives no SQLSTATE here; FATAL is the server's own answer
    not_ready = NOT_READY.search(words)
    if "FATAL" in words and not not_ready:
        hint = "check user, password and database"
        return AccessDenied(f"{where} refuses {server.user}: {words}", hint=hint, code=code)
    hint = "check host and port, and that the server runs"
    if "SSL" in words and not server.sslmode:
        hint = "sslmode is require by default; set sslmode: prefer only for a network that you trust"
    full = not_ready and not_ready.group().startswith(("too many", "connection slots"))
    code = code or (NO_ROOM if full else STARTING if not_ready else NO_ANSWER)
    return Unreachable(f"{where} does not answer: {words}", hint=hint, code=code)
