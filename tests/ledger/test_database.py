"""The drive database: opening it, its clocks and locks, and how it refuses."""

import contextlib
import socket
import sqlite3
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from sqlalchemy import event, inspect, text
from sqlalchemy.exc import StatementError

from landbridge.errors import AccessDenied, ConfigError, LandbridgeError, RunError, Unreachable, WorldError
from landbridge.ledger import database as database_room
from landbridge.ledger.database import Database, open_database
from landbridge.ledger.tables import VERSION, custody, leases, metadata
from tests.ledger.processes import at_once, outage

PAGE = Path(__file__).parents[2] / "docs" / "drive-table.md"


def test_opens_at_once_from_many_processes(new_url, tmp_path):
    """A new drive database can be opened by several processes at once, and has one version row."""
    code = "open_database(url).close(); print('open')"
    assert at_once(code, url=new_url, folder=tmp_path, processes=4) == ["open"] * 4
    database = open_database(new_url)
    with database.read() as connection:
        assert connection.execute(text("SELECT version FROM landbridge_schema")).all() == [(VERSION,)]
    database.close()


def test_opening_waits_for_who_makes_the_tables(new_url):
    """Who opens while another process makes the tables waits for it, and then finds them."""
    first = database_room._connect(new_url)
    with ThreadPoolExecutor() as threads:
        with first.begin() as connection:
            database_room._set_up(first, connection)
            second = threads.submit(open_database, new_url)
            assert wait([second], timeout=0.5).not_done
        second.result().close()
    first.close()


def test_opening_again_keeps_everything(url, db):
    """Tables are made at first use only; rows that are there stay."""
    now = datetime.now(UTC)
    with db.begin() as connection:
        connection.execute(leases.insert().values(resource="r", fence=7, acquired_at=now, expires_at=now))
    again = open_database(url)
    with again.read() as connection:
        assert connection.execute(leases.select()).one().fence == 7
    again.close()


def test_an_older_database_gains_what_it_lacks(new_url):
    """One of version 1 gets the tables and indexes of this one when it is opened; its rows stay as they are."""
    now = datetime.now(UTC)
    database = open_database(new_url)
    whole = _schema(database)
    with database.begin() as connection:
        connection.execute(leases.insert().values(resource="r", fence=7, acquired_at=now, expires_at=now))
        for name in ("landbridge_custody", "landbridge_coverage", "landbridge_stages"):
            connection.execute(text(f"DROP TABLE {name}"))
        for name in ("attempts", "attempted", "by_time", "by_name_date", "by_name_status", "by_status_time"):
            connection.execute(text(f"DROP INDEX pipeline_execution_drive_{name}"))
        connection.execute(text("CREATE INDEX pipeline_execution_drive_by_status ON pipeline_execution_drive (host)"))
        connection.execute(text("UPDATE landbridge_schema SET version = 1"))
    database.close()
    with ThreadPoolExecutor() as threads:
        for each in threads.map(open_database, [new_url] * 3):
            each.close()
    again = open_database(new_url)
    assert _schema(again) == whole
    with again.read() as connection:
        assert connection.execute(custody.select()).all() == []
        assert connection.execute(leases.select()).one().fence == 7
        assert connection.execute(text("SELECT version FROM landbridge_schema")).all() == [(VERSION,)]
    again.close()


def _schema(database):
    with database.read() as connection:
        return {
            table: (
                [column["name"] for column in inspect(connection).get_columns(table)],
                {index["name"] for index in inspect(connection).get_indexes(table)},
            )
            for table in inspect(connection).get_table_names()
        }


def test_opening_asks_little(tmp_path):
    """A database of this version is opened by one look at its version: no table and no index is looked up."""
    url = f"sqlite:///{tmp_path}/drive.db"
    open_database(url).close()
    asked: list[str] = []
    connected = database_room._connect(url)
    event.listen(connected._writer, "before_cursor_execute", lambda *given: asked.append(given[2]))
    database_room._make_ready(connected)
    connected.close()
    assert len(asked) <= 2
    assert not [words for words in asked if "index" in words.lower()]


def test_newer_schema_is_refused(new_url):
    """A program does not touch a drive database of a version that it does not know."""
    database = open_database(new_url)
    with database.begin() as connection:
        connection.execute(text(f"UPDATE landbridge_schema SET version = {VERSION + 1}"))
    database.close()
    with pytest.raises(ConfigError, match="newer landbridge") as failure:
        open_database(new_url)
    assert "upgrade" in (failure.value.hint or "")


def test_foreign_tables_are_refused_untouched(pg_url):
    """A pipeline_execution_drive that somebody else made is neither used nor replaced."""
    with psycopg.connect(pg_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE pipeline_execution_drive (pipeline_id text)")
        with pytest.raises(ConfigError, match="did not make: pipeline_execution_drive"):
            open_database(pg_url)
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("pipeline_execution_drive",)]


def test_times_come_back_as_they_went_in(db):
    """Times are UTC, zone-aware and exact to the microsecond, whatever zone they were given in."""
    given = datetime.fromisoformat("2026-01-31T23:59:59.000001+05:30")
    with db.begin() as connection:
        connection.execute(leases.insert().values(resource="r", fence=1, acquired_at=given, expires_at=given))
        found = connection.execute(leases.select()).one().acquired_at
    assert found == given
    assert found.tzinfo is UTC


def test_naive_times_are_refused(db):
    """A time without a zone is never written."""
    naive = datetime(2026, 1, 31)  # noqa: DTZ001  what the test is about
    insert = leases.insert().values(resource="r", fence=1, acquired_at=naive, expires_at=naive)
    with pytest.raises(StatementError, match="without time zone"), db.begin() as connection:
        connection.execute(insert)


def test_a_block_that_raises_leaves_nothing(db):
    """A write transaction is rolled back as a whole."""
    now = datetime.now(UTC)
    with contextlib.suppress(ZeroDivisionError), db.begin() as connection:
        connection.execute(leases.insert().values(resource="r", fence=1, acquired_at=now, expires_at=now))
        raise ZeroDivisionError
    with db.read() as connection:
        assert connection.execute(leases.select()).all() == []


def test_now_is_the_clock_of_all(db):
    """`now` is zone-aware and close to this host's clock, which is also the test server's."""
    with db.read() as connection:
        assert abs(db.now(connection) - datetime.now(UTC)) < timedelta(seconds=5)


def test_sqlite_is_set_up_as_specified(tmp_path):
    """Each connection has the pragmas of docs/drive-table.md; times are text of one width that sorts."""
    path = tmp_path / "new" / "folder" / "drive.db"
    database = open_database(f"sqlite:///{path}")
    with database.begin() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
        instant = datetime(2026, 1, 31, 5, tzinfo=UTC)
        connection.execute(leases.insert().values(resource="r", fence=1, acquired_at=instant, expires_at=instant))
    database.close()
    assert found == ["delete", 2, 1, 10_000]
    with contextlib.closing(sqlite3.connect(path)) as plain:
        stored = plain.execute("SELECT acquired_at FROM landbridge_leases").fetchone()
    assert stored == ("2026-01-31 05:00:00.000000+00:00",)


def test_sqlite_writers_take_turns(tmp_path):
    """A writer takes the lock when it begins, so that what it read is still true when it writes."""
    database = open_database(f"sqlite:///{tmp_path}/drive.db")
    with (
        contextlib.closing(sqlite3.connect(tmp_path / "drive.db", timeout=0)) as other,
        database.begin(),
        pytest.raises(sqlite3.OperationalError, match="locked"),
    ):
        other.execute("BEGIN IMMEDIATE")
    database.close()


def test_a_file_that_another_has_locked_is_told_by_code(tmp_path, monkeypatch):
    """SQLite has no SQLSTATE: it is that of a lock, which may pass."""
    monkeypatch.setattr(database_room, "LOCK_SECONDS", 0)
    database = open_database(f"sqlite:///{tmp_path}/drive.db")
    with contextlib.closing(sqlite3.connect(tmp_path / "drive.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unreachable) as failure, database.begin():
            pass
    assert failure.value.code == "55P03"
    database.close()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_schemes(pg_url, scheme):
    """All spellings of a PostgreSQL URL mean psycopg 3."""
    database = open_database(f"{scheme}://{pg_url.partition('://')[2]}")
    with database.read() as connection:
        assert connection.dialect.driver == "psycopg"
    database.close()


@pytest.mark.parametrize(
    "url",
    ["hunter2", "mysql://u:hunter2@h/d", "sqlite://", "sqlite:///:memory:", "sqlite:///a.db?mode=ro"]
    + [f"postgresql://u:{password}@localhost/d" for password in ("hun@ter2", "hunter2@x/y")]
    + ["postgresql://u:p@h:hunter2/d"],
)
def test_unusable_urls_are_config_errors(url):
    """A URL that cannot be used is a ConfigError with a hint, and no piece of it that may be a password."""
    with pytest.raises(ConfigError) as failure:
        open_database(url)
    assert failure.value.hint
    assert "hun" not in str(failure.value)
    assert "ter2" not in str(failure.value)


def test_password_is_in_no_error(postgres):
    """A wrong password is AccessDenied, a closed port Unreachable, a missing database too; none tells the password."""
    place = urlsplit(postgres.url())
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused for as long as it is held
        wrong = {
            f"postgresql://postgres:hunter2@{place.hostname}:{place.port}/postgres": AccessDenied,
            f"postgresql://nobody:hunter2@{place.hostname}:{place.port}/postgres": AccessDenied,
            f"postgresql://u:hunter2@127.0.0.1:{taken.getsockname()[1]}/x": Unreachable,
            postgres.url("no_such_database"): Unreachable,
        }
        for url, kind in wrong.items():
            with pytest.raises(kind) as failure:
                open_database(url)
            chain: BaseException | None = failure.value
            while chain is not None and isinstance(chain, LandbridgeError):
                assert "hunter2" not in f"{chain} {chain.hint}"
                assert (place.password or "") not in f"{chain} {chain.hint}"
                chain = chain.__cause__
            assert place.hostname in str(failure.value)


def test_sqlite_in_the_way(tmp_path):
    """A file that is no database, a folder in its place and a file as folder are named, with a hint."""
    (tmp_path / "note.txt").write_text("no database, though long enough to look like one" * 40)
    for path in ("note.txt", ".", "note.txt/drive.db"):
        with pytest.raises(WorldError, match="drive table") as failure:
            open_database(f"sqlite:///{tmp_path}/{path}")
        assert failure.value.hint


def test_a_cut_connection_is_replaced(postgres, pg_url):
    """When the server ends a session between two transactions, the next one gets a new session."""
    database = open_database(pg_url)
    with outage(postgres, pg_url), pytest.raises(Unreachable, match="not currently accepting"), database.read():
        pass
    with database.read() as connection:
        assert connection.execute(leases.select()).all() == []
    database.close()


def test_rows_of_two_processes_collide_as_run_error(db):
    """What the database refuses because another was first is a RunError, not a driver's error."""
    now = datetime.now(UTC)
    values = {"resource": "r", "fence": 1, "acquired_at": now, "expires_at": now}
    with pytest.raises(RunError), db.begin() as connection:
        connection.execute(leases.insert(), [values, values])


def test_the_page_lists_every_column():
    """docs/drive-table.md names exactly the columns of each table, in order."""
    page = PAGE.read_text()
    for table in metadata.tables.values():
        section = page.partition(f"\n## {table.name}\n")[2].partition("\n\n**")[0].partition("\n## ")[0]
        rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert rows == [column.name for column in table.columns]


def test_the_questions_of_the_page_can_be_typed(db: Database):
    """Each query of docs/drive-table.md runs on the databases that it is written for."""
    blocks = [each.partition("```")[0] for each in PAGE.read_text().split("```sql\n")[1:]]
    assert len(blocks) > 5
    for block in blocks:
        with db.read() as connection:
            if block.startswith("--") and not block.startswith(f"-- {connection.dialect.name}"):
                continue
            connection.execute(text(block))
