"""Import of a sealed parcel into PostgreSQL, against ready-made binary COPY bytes sent through two streams."""

import sys
from collections.abc import Sequence
from functools import partial

import fin
import stand
from measure import Job, Side, compare

VIEW = "CREATE VIEW active AS SELECT id, close FROM fin WHERE active"
INDEXES = ("CREATE INDEX fin_id ON fin (id)", "CREATE INDEX fin_secid_price_date ON fin (secid, price_date)")
LANDING = (
    "DROP TABLE IF EXISTS loads",
    "CREATE TABLE loads (target text, version int)",
    "CREATE TABLE landing (LIKE fin)",
)
PUBLISH = """
BEGIN;
DELETE FROM fin;
INSERT INTO fin SELECT * FROM landing;
INSERT INTO loads VALUES ('fin', 1);
DROP TABLE landing;
COMMIT
"""


def main(*, full: bool) -> None:
    with stand.database() as database:
        _every_case(database)
        if full:  # what a command costs before its first row matters less here
            _Case(database, 10 * fin.ROWS).empty_table(bar=None)


def _every_case(database: stand.Database) -> None:
    case = _Case(database, fin.ROWS)
    case.empty_table(bar=0.6)
    case.measure("view, empty table", case.publish, bar=0.7, ours=(VIEW,), theirs=(VIEW, *LANDING))
    build = f"{case.send} && {stand.psql_command('; '.join(INDEXES))}"
    case.measure("two indexes, empty table", build, bar=None, ours=INDEXES, theirs=())
    # last, because the checksums above are of `fin`, and what it holds now is what a refresh replaces
    database.execute("CREATE TABLE kept AS SELECT * FROM fin")
    old = (VIEW, "INSERT INTO fin SELECT * FROM kept")
    case.measure("view, full table", case.publish, bar=0.7, ours=old, theirs=(*old, *LANDING))
    database.execute("DROP TABLE kept")


class _Case:
    """A parcel of `rows` rows and the same as ready-made bytes."""

    def __init__(self, database: stand.Database, rows: int) -> None:
        halves = stand.binary_copies(rows)
        self.database, self.rows = database, rows
        self.gap = stand.make_gap(warehouse=fin.warehouse(rows), environment=database.environment)
        self.parcel = self.gap.export()
        self.send = stand.replay(halves)
        self.publish = f"{stand.replay(halves, 'landing')} && {stand.psql_command(PUBLISH)}"

    def empty_table(self, *, bar: float | None) -> None:
        self.measure("empty table", self.send, bar=bar, ours=(), theirs=())

    def measure(
        self, what: str, baseline: str, *, bar: float | None, ours: tuple[str, ...], theirs: tuple[str, ...]
    ) -> None:
        compare(
            Job(f"import_postgres: {what}", self.rows, stand.folder_bytes(self.parcel)),
            self._side("landbridge", self.gap.import_command(self.parcel), ours),
            self._side("baseline", ["sh", "-c", baseline], theirs),
            bar=bar,
        )

    def _side(self, name: str, command: Sequence[str], before: tuple[str, ...]) -> Side:
        return Side(
            name, command, partial(self.database.empty, *before), self.database.checksum, self.database.environment
        )


if __name__ == "__main__":
    main(full="--full" in sys.argv)
