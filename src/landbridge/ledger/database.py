"""The drive database: SQLite or PostgreSQL behind one pair of verbs, `begin` and `read`.

This is the border at which the drivers' errors become ours; no password passes it.
"""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, exc, func, inspect, make_url, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import NullPool

from landbridge.errors import (
    AccessDenied,
    ConfigError,
    LandbridgeError,
    NotInstalled,
    RunError,
    Unreachable,
    WorldError,
)
from landbridge.ledger.tables import SUPERSEDED, VERSION, Instant, metadata, schema

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

LOCK_SECONDS = 10
LOCKED = "55P03"  # SQLSTATE: the lock is not available
PATIENCE = {"connect_timeout": "10", "tcp_user_timeout": "30000", "keepalives_idle": "30"}  # libpq's; a URL may differ
SETUP_LOCK = 0x6C616E64  # "land": held while the tables are made; PostgreSQL's CREATE IF NOT EXISTS races with itself
REFUSALS = re.compile(
    r"password authentication failed|no password supplied|no pg_hba\.conf entry"
    r'|permission denied|role ".*" does not exist'
)


class Database:
    """An open drive database; threads may share it. Made by `open_database`."""

    def __init__(self, engine: Engine) -> None:
        self._reader = engine.execution_options(postgresql_readonly=True)
        self._writer = engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self._dialect = engine.dialect.name
        self._url = engine.url

    def __str__(self) -> str:
        return _address(self._url)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction; it commits when the block ends, and rolls back when it raises.

        Raises Unreachable, AccessDenied, WorldError (the database refuses), RunError (another process was first).
        """
        with _border(self._url), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads; raises as `begin` does."""
        with _border(self._url), self._reader.begin() as connection:
            yield connection

    def insert(self, table: Table) -> "postgresql.Insert | sqlite.Insert":
        """INSERT that knows ON CONFLICT: each dialect of SQLAlchemy has its own."""
        if self._dialect != "postgresql":
            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    def lock(self, connection: Connection, table: Table) -> None:
        """Wait until no other transaction writes to `table`; held until this one ends. SQLite's hold all tables."""
        if self._dialect == "postgresql":
            name = connection.dialect.identifier_preparer.format_table(table)
            connection.exec_driver_sql(f"LOCK TABLE {name} IN EXCLUSIVE MODE")

    def now(self, connection: Connection) -> datetime:
        """The one clock of all who share this database, in UTC: PostgreSQL's; with SQLite the host's."""
        if self._dialect == "postgresql":
            return connection.execute(select(func.clock_timestamp(type_=Instant))).scalar_one()
        return datetime.now(UTC)

    def close(self) -> None:
        self._writer.dispose()


def is_there(url: str) -> bool:
    """False for a SQLite file that was never made; a server is taken to be there. Raises ConfigError for a bad URL."""
    parsed = _parse(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").is_file()


def open_database(url: str) -> Database:
    """Open the drive database at `url`; make its tables at first use, from any number of processes at once.

    Raises ConfigError (the URL, a newer schema, tables of others), NotInstalled, Unreachable, AccessDenied.
    """
    database = _connect(url)
    try:
        _make_ready(database)
    except BaseException:
        database.close()
        raise
    return database


def _connect(url: str) -> Database:
    parsed = _parse(url)
    return Database(_open_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _open_postgresql(parsed))


def _parse(url: str) -> URL:
    """The URL with its driver; errors never quote it, for any piece of it may be a password."""
    hint = "drive_table is sqlite:///path/to/file.db or postgresql://user:password@host:port/database"
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise ConfigError("drive_table is no database URL", hint=hint) from None
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        if not parsed.database or parsed.database == ":memory:" or parsed.query:
            raise ConfigError("drive_table must be a plain file: a database in memory forgets", hint=hint)
        return parsed
    if parsed.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise ConfigError(f"drive_table cannot be {parsed.drivername}", hint=hint)
    if url.count("@") > 1:
        raise ConfigError('drive_table has more than one "@"', hint='write "@" in a user name or password as %40')
    return parsed.set(drivername="postgresql+psycopg")


def _open_sqlite(url: URL) -> Engine:
    folder = Path(str(url.database)).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except PermissionError as error:
        raise AccessDenied(f"the drive table's folder {folder} cannot be made", hint="set drive_table") from error
    except OSError as error:
        raise Unreachable(f"the drive table's folder {folder}: {error.strerror}", hint="set drive_table") from error
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        json_serializer=_json,
        connect_args={"timeout": LOCK_SECONDS, "isolation_level": None},  # None: the driver begins nothing by itself
    )
    event.listen(engine, "connect", _configure_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: DBAPIConnection, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=DELETE", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _open_postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(
            url.set(query=PATIENCE | dict(url.query)),
            pool_pre_ping=True,
            hide_parameters=True,
            json_serializer=_json,
        )
    except ImportError as error:
        raise NotInstalled(
            "a drive table in PostgreSQL needs psycopg", hint="pip install 'landbridge[data]'"
        ) from error
    event.listen(engine, "connect", _configure_postgresql)
    return engine


def _configure_postgresql(connection: DBAPIConnection, _record: object) -> None:
    """Nobody waits for ever for a lock of a host that went dark in the middle of a transaction."""
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
    cursor.close()
    connection.commit()


_json = partial(json.dumps, allow_nan=False, ensure_ascii=False)


def _make_ready(database: Database) -> None:
    with database.read() as connection:
        found = _version(connection)
    if found is None or found < VERSION:
        with database.begin() as connection:
            found = _set_up(database, connection)
    if found > VERSION:
        raise ConfigError(
            f"{database} was made by a newer landbridge (schema {found}; this one knows {VERSION})",
            hint="upgrade landbridge, or set another drive_table in landbridge.yaml",
        )


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table(schema.name):
        return None
    version: int | None = connection.execute(select(func.max(schema.c.version))).scalar_one()
    return version


def _set_up(database: Database, connection: Connection) -> int:
    """Make what another process did not just make; the version row is the last word of the transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(SETUP_LOCK)))
    found = _version(connection)
    if found is not None:
        if found < VERSION:
            _upgrade(connection)
        return max(found, VERSION)
    foreign = sorted(metadata.tables.keys() & set(inspect(connection).get_table_names()))
    if foreign:
        raise ConfigError(
            f"{database} has tables of these names that landbridge did not make: {', '.join(foreign)}",
            hint="rename them, or set another drive_table in landbridge.yaml",
        )
    metadata.create_all(connection)
    connection.execute(schema.insert().values(version=VERSION))
    return VERSION


def _upgrade(connection: Connection) -> None:
    """Give a database of an older version the tables and indexes that it lacks; no row and no column is changed."""
    metadata.create_all(connection)
    for table in metadata.tables.values():
        there = {each["name"] for each in inspect(connection).get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in there:
                index.create(connection)
    for name in SUPERSEDED:
        connection.execute(text(f"DROP INDEX IF EXISTS {name}"))
    connection.execute(schema.update().values(version=VERSION))


def _address(url: URL) -> str:
    """Where the database is, for messages: no password, and no query, which may hold one as well."""
    if url.get_backend_name() == "sqlite":
        return f"drive table {url.database}"
    return f"drive table {url.host or 'localhost'}:{url.port or 5432}/{url.database or ''}"


@contextmanager
def _border(url: URL) -> Iterator[None]:
    try:
        yield
    except exc.DBAPIError as error:
        raise _translated(error, url) from error


def _translated(error: exc.DBAPIError, url: URL) -> LandbridgeError:
    driver = error.orig
    words = str(driver).partition("\n")[0]
    for secret in (url.password, url.query.get("password")):
        if secret:
            words = words.replace(str(secret), "***")
    message, code = f"{_address(url)}: {words}", _code(driver)
    if isinstance(error, exc.IntegrityError):
        return RunError(message, hint="did another process write the same at this moment? run it again", code=code)
    if _refused(driver):
        hint = "check user, password and rights of drive_table in landbridge.yaml"
        return AccessDenied(message, hint=hint, code=code)
    if isinstance(error, exc.OperationalError | exc.InterfaceError):
        return Unreachable(message, hint="landbridge doctor", code=code)
    return WorldError(message, hint="is this the drive table of this landbridge? see docs/drive-table.md", code=code)


def _code(driver: BaseException | None) -> str | None:
    """The SQLSTATE; SQLite has none, and for a file that somebody else has locked that of a lock."""
    if getattr(driver, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LOCKED
    return getattr(driver, "sqlstate", None)


def _refused(driver: BaseException | None) -> bool:
    """Does the database answer, and say no? At login libpq gives no code, only the server's text."""
    if isinstance(driver, sqlite3.Error):
        return getattr(driver, "sqlite_errorname", "").startswith(("SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH"))
    code = getattr(driver, "sqlstate", None)
    if code is not None:
        return bool(code == "42501" or code.startswith("28"))
    return REFUSALS.search(str(driver)) is not None
