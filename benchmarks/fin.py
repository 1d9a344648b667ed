"""The reference table `fin`: 12 columns of every common kind, the same rows each time, made once and kept.

`fin.py ROWS` makes it and prints the path of its DuckDB file, in which it is `main.fin`.
"""

import sys
from pathlib import Path

import duckdb

ROWS = 2_000_000
RUN = Path(__file__).resolve().parents[1] / "bench-run"
# every value hangs on nothing but its row's number; hash() is DuckDB's own, so its version is part of the file's name
SELECT = """
SELECT i::BIGINT AS id,
       'F' || lpad((hash(i) % 50000)::VARCHAR, 9, '0') AS secid,
       DATE '2015-01-01' + (hash(i + 1) % 3650)::INTEGER AS price_date,
       TIMESTAMP '2024-01-01' + to_microseconds((hash(i + 2) % 31536000000000)::BIGINT) AS updated_at,
       ((hash(i + 3) % 10000000) / 10000)::DECIMAL(18,4) AS open,
       ((hash(i + 4) % 10000000) / 10000)::DECIMAL(18,4) AS high,
       ((hash(i + 5) % 10000000) / 10000)::DECIMAL(18,4) AS low,
       ((hash(i + 6) % 10000000) / 10000)::DECIMAL(18,4) AS close,
       CASE WHEN hash(i + 7) % 7 <> 0 THEN (hash(i + 8) % 100000000)::BIGINT END AS volume,
       (hash(i + 9) % 1000000) / 1e6::DOUBLE AS ret,
       md5(i::VARCHAR) AS memo,
       hash(i + 10) % 2 = 0 AS active
FROM range({rows}) AS numbers(i)
"""
POSTGRES_DDL = """
CREATE TABLE fin (
    id bigint, secid text, price_date date, updated_at timestamp, open numeric(18,4), high numeric(18,4),
    low numeric(18,4), close numeric(18,4), volume bigint, ret double precision, memo text, active boolean
)
"""


def warehouse(rows: int = ROWS) -> Path:
    """The DuckDB file with the table; it appears complete or not at all."""
    path = RUN / f"fin-{rows}-duckdb{duckdb.__version__}.duckdb"
    if not path.exists():
        RUN.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        with duckdb.connect(unfinished) as connection:
            connection.execute(f"CREATE TABLE fin AS {SELECT.format(rows=rows)}")
        unfinished.rename(path)
    return path


def parquet(rows: int = ROWS) -> Path:
    """A folder with the table as plain Parquet/zstd files of about 16 MB each."""
    folder = RUN / f"fin-{rows}-parquet"
    if not folder.exists():
        with duckdb.connect(warehouse(rows), read_only=True) as connection:
            connection.execute(
                f"COPY fin TO '{folder}' (FORMAT parquet, COMPRESSION zstd, FILE_SIZE_BYTES '16MB', PER_THREAD_OUTPUT)"
            )
    return folder


def checksum(relation: str, *, database: Path | None = None) -> tuple[int, int]:
    """Rows, and the sum of their hashes, of anything that DuckDB can read as `relation`: `fin`, or Parquet files."""
    with duckdb.connect(database or ":memory:", read_only=database is not None) as connection:
        rows, total = connection.sql(f"SELECT count(*), sum(hash(fin)) FROM {relation} AS fin").fetchall()[0]
    return int(rows), int(total)


if __name__ == "__main__":
    print(warehouse(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
