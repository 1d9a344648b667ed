"""A reader of a pipeline's target, who must never see a window half loaded."""

import time
from threading import Event, Thread
from typing import Any, Self

import psycopg

GLIMPSE = (
    "SELECT landbridge_load_id, min(generation), max(generation), count(*)::int FROM mart.orders"
    " GROUP BY landbridge_load_id"
)


class WindowReader:
    """Looks at a PostgreSQL target again and again in a thread of its own.

    `seen` collects every different (load id, least generation, greatest, count); `vanished` the loads that were there
    at one look and not at the next.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = Event()
        self._thread = Thread(target=self._look, daemon=True)
        self.seen: set[tuple[str, int, int, int]] = set()
        self.vanished: set[str] = set()
        self.looks = 0
        self.longest = 0.0  # seconds that one look took
        self.trouble: Exception | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def misread(self, whole: dict[str, set[tuple[int, int, int]]]) -> list[str]:
        """Answers that are not a whole window, old or new."""
        found = [f"a reader saw {answer}" for answer in self.seen if answer[1:] not in whole.get(answer[0], set())]
        found += [f"to a reader load {load} was gone for a while" for load in self.vanished]
        return found + ([f"the reader was refused: {self.trouble}"] if self.trouble else [])

    def _look(self) -> None:
        there: set[str] = set()
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                while not self._stop.wait(0.01):
                    began = time.monotonic()
                    rows = self._glimpse(connection)
                    self.longest = max(self.longest, time.monotonic() - began)
                    self.looks += 1
                    self.seen |= set(rows)
                    self.vanished |= there - {row[0] for row in rows}
                    there = {row[0] for row in rows}
        except psycopg.Error as error:  # told by the aftermath
            self.trouble = error

    @staticmethod
    def _glimpse(connection: "psycopg.Connection[Any]") -> list[tuple[str, int, int, int]]:
        try:
            return connection.execute(GLIMPSE).fetchall()
        except psycopg.errors.UndefinedTable:
            return []
