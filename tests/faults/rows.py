"""The rows that travel, one fingerprint that every system computes alike, and a reader who must never see a mixture."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any, Self

import psycopg

OLD, NEW = 1, 2
# DuckDB and PostgreSQL both run this; `generation` tells on every row which load it came with
ROWS = """
SELECT i AS id, {generation} AS generation, CAST(i * 0.25 AS DECIMAL(18, 2)) AS amount,
       DATE '2020-01-01' + CAST(i % 1000 AS INTEGER) AS day,
       CASE WHEN i % 7 = 0 THEN NULL ELSE TIMESTAMPTZ '2024-01-01 00:00:00+00' + i * INTERVAL '1 second' END AS noted,
       {note} AS note
FROM generate_series(1, {rows}) AS t(i)
"""
COLUMNS = """id BIGINT PRIMARY KEY, generation INTEGER NOT NULL, amount DECIMAL(18, 2), day DATE, noted TIMESTAMPTZ,
    note VARCHAR"""
_CELLS = ["id", "generation", "amount", "day", "CAST(extract(epoch FROM noted) AS BIGINT)", "note"]
_ROW = " || '|' || ".join(f"coalesce(CAST({cell} AS VARCHAR), '~')" for cell in _CELLS)
FINGERPRINT = f"SELECT count(*), md5(coalesce(string_agg(md5({_ROW}), '' ORDER BY id), '')) FROM {{table}}"
GLIMPSE = "SELECT min(generation), max(generation), count(*), sum(id) FROM items"

Execute = Callable[[str], Any]


def make_rows(execute: Execute, *, generation: int, rows: int, width: int) -> None:
    """Make the table `items`; `width` is how many times 32 characters of text, which no algorithm compresses well."""
    note = " || ".join(f"md5(CAST(i AS VARCHAR) || ':{generation}:{piece}')" for piece in range(width))
    execute("DROP TABLE IF EXISTS items")
    execute(f"CREATE TABLE items ({COLUMNS})")
    execute(f"INSERT INTO items {ROWS.format(generation=generation, rows=rows, note=note)}")


class Reader:
    """Looks at a PostgreSQL target again and again in a thread of its own: plainly, and by a snapshot taken before.

    `seen` collects every different answer of GLIMPSE: None for a table that is not there.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self.seen: set[tuple[Any, ...] | None] = set()
        self.looks = 0
        self.longest = 0.0  # seconds that one plain look took
        self.trouble: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                while not self._stop.wait(0.01):
                    began = time.monotonic()
                    self._glimpse(connection)
                    self.longest = max(self.longest, time.monotonic() - began)
                    self._glimpse_late(connection)
        except psycopg.Error as error:  # told by the aftermath
            self.trouble = error

    def _glimpse(self, connection: "psycopg.Connection[Any]") -> None:
        try:
            self.seen.add(connection.execute(GLIMPSE).fetchone())
        except psycopg.errors.UndefinedTable:
            self.seen.add(None)
        self.looks += 1

    def _glimpse_late(self, connection: "psycopg.Connection[Any]") -> None:
        """A snapshot that is a moment old when it meets the table."""
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute("SELECT count(*) FROM pg_class")
            time.sleep(0.02)
            self._glimpse(connection)
