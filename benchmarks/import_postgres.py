"""Import of a sealed parcel into PostgreSQL, against ready-made binary COPY bytes sent through two streams."""

from collections.abc import Callable
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
OLD_ROWS = "INSERT INTO fin SELECT * FROM kept"


def main() -> None:
    halves = stand.binary_copies(fin.ROWS)
    with stand.database() as database:
        gap = stand.make_gap(warehouse=fin.warehouse(), environment=database.environment)
        parcel = gap.export()
        size = stand.folder_bytes(parcel)

        def side(name: str, command: list[str], before: Callable[[], object]) -> Side:
            return Side(name, command, before, database.checksum, database.environment)

        def measure(
            what: str, baseline: str, *, bar: float | None, ours: tuple[str, ...], theirs: tuple[str, ...]
        ) -> None:
            compare(
                Job(f"import_postgres: {what}", fin.ROWS, size),
                side("landbridge", gap.import_command(parcel), partial(database.empty, *ours)),
                side("baseline", ["sh", "-c", baseline], partial(database.empty, *theirs)),
                bar=bar,
            )

        send = stand.replay(halves)
        send_and_publish = f"{stand.replay(halves, 'landing')} && {stand.psql_command(PUBLISH)}"
        send_and_index = f"{send} && {stand.psql_command('; '.join(INDEXES))}"
        measure("empty table", send, bar=0.6, ours=(), theirs=())
        measure("view, empty table", send_and_publish, bar=0.7, ours=(VIEW,), theirs=(VIEW, *LANDING))
        measure("two indexes, empty table", send_and_index, bar=None, ours=INDEXES, theirs=())
        # last, because the checksums above are of `fin`, and what it holds now is what a refresh replaces
        database.execute("CREATE TABLE kept AS SELECT * FROM fin")
        old = (VIEW, OLD_ROWS)
        measure("view, full table", send_and_publish, bar=0.7, ours=old, theirs=(*old, *LANDING))


if __name__ == "__main__":
    main()
