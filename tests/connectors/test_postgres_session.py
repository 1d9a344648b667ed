"""What every session of ours is set to, whatever the server knows and has set."""

import time

import pytest

from landbridge.connectors.postgres import session
from landbridge.connectors.postgres.session import LOADS, connect
from tests.connectors.conftest import PostgresSystem

AT_WORK = "SELECT count(*) FROM pg_stat_activity WHERE pid = {} AND state = 'active'"


def test_the_server_stops_working_for_the_dead(pg: PostgresSystem) -> None:
    """A session whose process was killed within a statement ends soon, and its locks with it."""
    with connect(pg.connector.server, LOADS) as connection:
        pid = connection.info.backend_pid
        connection.pgconn.send_query(b"SELECT pg_sleep(30)")
        while pg.execute(AT_WORK.format(pid)) != [(1,)]:
            time.sleep(0.01)
    deadline = time.monotonic() + 4  # less than a rerun waits for locks
    while pg.execute(AT_WORK.format(pid)) == [(1,)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("refused", ["SET no_such_setting = 1", "SET client_connection_check_interval = -1"])
def test_a_server_that_cannot_look_for_the_dead_is_used_all_the_same(
    pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    """Before version 14, and on some operating systems, the setting is refused: the login succeeds without it."""
    monkeypatch.setattr(session, "NOTICE_THE_DEAD", refused)
    with connect(pg.connector.server, LOADS) as connection:
        assert connection.execute("SHOW TimeZone").fetchone() == ("UTC",)


def test_a_session_may_wait(pg: PostgresSystem) -> None:
    """The role's own limits for idle sessions do not end ours: one is held while rows land."""
    pg.execute("ALTER ROLE CURRENT_USER SET idle_session_timeout = '1s'")
    try:
        with connect(pg.connector.server, LOADS) as connection:
            assert connection.execute("SHOW idle_session_timeout").fetchone() == ("0",)
    finally:
        pg.execute("ALTER ROLE CURRENT_USER RESET idle_session_timeout")
