"""One login for all that a process asks of an account, and the one border where the driver's errors become ours."""

import atexit
import random
import re
import time
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar

from landbridge import __version__
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.errors import (
    AccessDenied,
    LandbridgeError,
    NotInstalled,
    TargetError,
    Unreachable,
    ValueDoesNotFit,
)
from landbridge.schema.names import quote

if TYPE_CHECKING:
    from pydantic import SecretStr
    from snowflake.connector import SnowflakeConnection
    from snowflake.connector.cursor import SnowflakeCursor

T = TypeVar("T")
TAG = f"landbridge {__version__}"
SESSION = {  # whatever the account, the user or the role have set
    "QUERY_TAG": TAG,
    "TIMEZONE": "UTC",
    "TIMESTAMP_INPUT_FORMAT": "AUTO",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "LOCK_TIMEOUT": 900,  # seconds
    "PYTHON_CONNECTOR_QUERY_RESULT_FORMAT": "ARROW",
}
AUTHENTICATORS = {"oauth": "oauth", "pat": "PROGRAMMATIC_ACCESS_TOKEN", "key_pair": "SNOWFLAKE_JWT"}

# https://docs.snowflake.com/en/developer-guide/sql-api/reference and the driver's own errorcode.py
REFUSED = re.compile(
    r"incorrect username or password|token is invalid", re.IGNORECASE
)  # under a number for all failures
LOGIN_ERRORS = range(390_000, 395_000)
NO_RIGHT = (3001, 606)  # insufficient privileges; no warehouse selected
NO_HISTORY = 707  # time travel beyond what a table keeps, or before it was made
NOT_THERE = (2003, 2043)  # does not exist, or not authorized: Snowflake does not say which
LOST = (250001, 250002, 250003, 250004, 251001, 390111, 390112, 390114, 390195)
WAITED = (625,)  # a lock that somebody else has; above twenty who wait for one, at once
LOCKED = "55P03"  # SQLSTATE of the standard's kin for that: the account says 57014, which is also a cancelled query
PATIENCE = 60  # seconds, less than one LOCK_TIMEOUT
PAUSE = 0.02  # seconds after the first attempt, and more after each other one
HTTP = range(290_400, 290_600)  # numbers of version 4 of the driver for an HTTP status
VALUES = ("22",)  # SQLSTATE class: a value that does not fit


class Session:
    """A connection that is opened at the first use and kept; a new one where it was lost.

    Each thread has its own: DDL of one would commit the transaction of another.
    """

    def __init__(self, name: str, options: SnowflakeOptions) -> None:
        self.name, self.options = name, options
        self._connections: dict[int, SnowflakeConnection] = {}

    @contextmanager
    def cursor(self, side: type[LandbridgeError], what: str) -> "Iterator[SnowflakeCursor]":
        """A cursor whose errors are ours: `side` is SourceError or TargetError, `what` names the table or query."""
        connection = self._open()
        with _quiet(), _border(self.name, side, what, self), connection.cursor() as cursor:
            yield cursor

    @contextmanager
    def transaction(self, side: type[LandbridgeError], what: str) -> "Iterator[SnowflakeCursor]":
        """All of it or nothing; no statement of it may be DDL, which would commit."""
        with self.cursor(side, what) as cursor:
            cursor.execute("BEGIN")
            try:
                yield cursor
                cursor.execute("COMMIT")
            except BaseException:
                self._roll_back(cursor)
                raise

    def _roll_back(self, cursor: "SnowflakeCursor") -> None:
        """Whatever happens, nothing is asked in this transaction again: DDL in it would commit what was deleted."""
        try:
            cursor.execute("ROLLBACK")
        except BaseException:  # noqa: BLE001  what failed before matters more, and a session that ends rolls back
            self.drop()

    def close(self) -> None:
        """Close those of all threads."""
        while self._connections:
            _end(self._connections.popitem()[1])

    def drop(self) -> None:
        """Close this thread's own, which is lost."""
        if connection := self._connections.pop(get_ident(), None):
            _end(connection)

    def __del__(self) -> None:
        self.close()

    def _open(self) -> "SnowflakeConnection":
        connection = self._connections.get(get_ident())
        if connection is not None and not connection.is_closed():
            return connection
        try:
            from snowflake.connector import connect
            from snowflake.connector.errors import Error
        except ImportError as error:
            raise NotInstalled(
                f"connection {self.name!r} needs the snowflake connector", hint="pip install 'landbridge[snowflake]'"
            ) from error
        with _quiet():
            try:
                connection = self._connections[get_ident()] = connect(**arguments(self.options))
            except Error as error:
                raise _no_login(self.name, self.options, error) from error
        atexit.register(_close, weakref.ref(self))  # a traceback may hold the session: the driver would warn of it
        return connection


def _end(connection: "SnowflakeConnection") -> None:
    with _quiet(), suppress(Exception):  # a session that cannot be closed is over as well
        connection.close()


def _close(session: "weakref.ref[Session]") -> None:
    if found := session():
        found.close()


def arguments(options: SnowflakeOptions) -> dict[str, Any]:
    """What the driver is called with; the same for its versions 4 and 5."""
    given = {
        "account": options.account if not options.region else f"{options.account}.{options.region}",
        "user": options.user,
        "role": options.role and _exact(options.role),
        "warehouse": _exact(options.warehouse),
        "database": _exact(options.database),
        "schema": _exact(options.schema_),
        "autocommit": True,
        "host": options.host,
        "port": options.port,
        "protocol": options.protocol,
        "login_timeout": options.login_timeout,
        "network_timeout": options.network_timeout,
        "session_parameters": SESSION,
        "client_session_keep_alive": True,
        "platform_detection_timeout_seconds": 0,  # version 4 asks a cloud's metadata service else, as 5 does anyway
        "enable_server_session_keep_alive_auto_detection": False,  # we leave nothing running when we log out
        "arrow_number_to_decimal": True,  # version 4 makes doubles of NUMBER(p,s) else
        "application": "landbridge",
        **_credentials(options),
    }
    return {key: value for key, value in given.items() if value is not None}


def _exact(name: str) -> str:
    """The driver folds what is not in quotes."""
    return name if name == name.upper() and name.isidentifier() else quote(name)


def _credentials(options: SnowflakeOptions) -> dict[str, Any]:
    match options.auth_method:
        case "sso" if options.sso_url:  # an identity provider that takes the password itself, without a browser
            return {"authenticator": options.sso_url, "password": _revealed(options.password)}
        case "sso":
            return {"authenticator": "externalbrowser", "client_store_temporary_credential": True}
        case "password":
            return {"password": _revealed(options.password)}
        case "key_pair":
            return {
                "authenticator": AUTHENTICATORS["key_pair"],
                "private_key_file": options.private_key_path,
                "private_key_file_pwd": _revealed(options.private_key_passphrase),
            }
        case other:
            return {"authenticator": AUTHENTICATORS[other], "token": _revealed(options.token)}


def _revealed(secret: "SecretStr | None") -> str | None:
    return secret.get_secret_value() if secret else None


def fetch(cursor: "SnowflakeCursor", sql: str, values: Sequence[object] = ()) -> list[dict[str, Any]]:
    """Rows by the lower-cased names of their columns."""
    cursor.execute(sql, list(values) or None)
    names = [column.name.lower() for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def patiently(work: Callable[[], T]) -> T:
    """Do it again, as a whole, while somebody else's lock is all that stands in its way; not for ever."""
    deadline, pause = time.monotonic() + PATIENCE, PAUSE
    while True:
        try:
            return work()
        except TargetError as error:
            if error.code != LOCKED or time.monotonic() > deadline:
                raise
        time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311  in step they would meet again and again
        pause = min(2 * pause, 1)


def unbound(name: str) -> str:
    """A name in a statement with bound values, among which the driver looks for those behind each %."""
    return name.replace("%", "%%")


@contextmanager
def _quiet() -> Iterator[None]:
    """The driver warns of what its next version will do, which is no news to who moves tables."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _border(name: str, side: type[LandbridgeError], what: str, session: Session) -> Iterator[None]:
    from snowflake.connector.errors import Error

    try:
        yield
    except Error as error:
        ours = translate(error, name, side, what)
        if isinstance(ours, Unreachable):
            session.drop()
        # the driver's text of a value error quotes the value, and a traceback would print it
        raise ours from (None if isinstance(ours, ValueDoesNotFit) else error)


def translate(error: Exception, name: str, side: type[LandbridgeError], what: str) -> LandbridgeError:
    """What a failed statement means. A source's words are passed on in full (seed 000, section 0.3)."""
    number, state, words = getattr(error, "errno", None), getattr(error, "sqlstate", None) or "", _words(error)
    code = _code(error)
    if number in LOST or state.startswith("08"):
        return Unreachable(f"{what}: connection to snowflake lost: {words}", hint="run it again", code=code)
    if side is TargetError and state.startswith(VALUES):
        return ValueDoesNotFit(f"{what}: snowflake refuses a value (SQLSTATE {state}, error {number})", code=code)
    if number in NO_RIGHT:
        return AccessDenied(f"{what}: {words}", hint=f"landbridge doctor lists the grants that {name} needs", code=code)
    if number == NO_HISTORY:
        return side(
            f"{what}: {words}",
            hint="was it made after that time, or keeps it no history? set time_travel: false of the connection",
            code=code,
        )
    hint = "does it exist, and may the role see it? landbridge doctor" if number in NOT_THERE else None
    return side(f"{what}: {words}", hint=hint, code=code)


def _code(error: Exception) -> str | None:
    """The HTTP status, where the account did not come to answer; else its SQLSTATE."""
    number, status = getattr(error, "errno", None) or 0, getattr(error, "http_status", None)
    if number in WAITED:
        return LOCKED
    if number in HTTP:
        status = number - HTTP.start + 400
    return str(status) if status else getattr(error, "sqlstate", None) or None


def _words(error: Exception) -> str:
    """The account's words, without the number that the driver puts before them, once or twice."""
    said = str(getattr(error, "raw_msg", None) or getattr(error, "msg", None) or error)
    return re.sub(r"^(\d+ \(\w+\): (\S+: )?)+", "", " ".join(said.split()))


def _no_login(name: str, options: SnowflakeOptions, error: Exception) -> LandbridgeError:
    words = _words(error)
    where = f"connection {name!r}: snowflake account {options.account}"
    if REFUSED.search(words) or getattr(error, "errno", None) in LOGIN_ERRORS:
        hint = f"check what auth_method {options.auth_method} needs"
        return AccessDenied(f"{where} refuses {options.user}: {words}", hint=hint, code=_code(error))
    hint = "check account, host and network; landbridge doctor"
    return Unreachable(f"{where} does not answer: {words}", hint=hint, code=_code(error))
