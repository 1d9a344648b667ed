"""Export of a PostgreSQL table as a sealed parcel, against psql's binary COPY of it to nothing."""

import os
import subprocess
from pathlib import Path

import fin
import stand
from measure import Job, Side, compare


def main() -> None:
    halves = stand.binary_copies(fin.ROWS)
    with stand.database() as database:
        database.empty()
        fill(database, halves)
        gap = stand.make_gap(warehouse=None, environment=database.environment)
        size = stand.folder_bytes(gap.export())
        # the baseline leaves nothing to look at, so ours is held against the table in DuckDB that all came from
        expected = fin.checksum("fin", database=fin.warehouse())
        nothing = f"{stand.psql_command('COPY fin TO STDOUT (FORMAT binary)')} > /dev/null"
        ours = Side("landbridge", gap.export_command(), gap.remove_parcels, gap.checksum, database.environment)
        other = Side(
            "psql to nothing", ["sh", "-c", nothing], result=lambda: expected, environment=database.environment
        )
        compare(Job("export_postgres", fin.ROWS, size), ours, other, bar=0.5)


def fill(database: stand.Database, halves: tuple[Path, Path]) -> None:
    """Fill `fin`, and vacuum it, so that its first reader has nothing to tidy up."""
    subprocess.run(["sh", "-c", stand.replay(halves)], env={**os.environ, **database.environment}, check=True)
    database.execute("VACUUM ANALYZE fin", "CHECKPOINT")


if __name__ == "__main__":
    main()
