"""Export of a DuckDB table as a sealed parcel, against DuckDB's own COPY to Parquet/zstd and then the age binary.

`export_duckdb.py WAREHOUSE PLAIN SEALED RECIPIENT` is the other side.
"""

import shutil
import subprocess
import sys

import fin
import stand
from measure import Job, Side, compare

LEVEL = 3  # of zstd; the default of landbridge.yaml
COPY = "COPY fin TO '{file}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {level})"


def main() -> None:
    if shutil.which("age") is None:
        raise SystemExit("the program `age` is missing: apt-get install -y age")
    warehouse, plain = fin.warehouse(), fin.RUN / "baseline.parquet"
    gap = stand.make_gap(warehouse=warehouse, environment=stand.NOWHERE)
    size = stand.folder_bytes(gap.export())
    sealed = plain.with_suffix(".age")
    baseline = [sys.executable, __file__, str(warehouse), str(plain), str(sealed), gap.recipient]

    def opened() -> tuple[int, int]:
        identity = gap.outside / "keys" / "identity.txt"
        subprocess.run(["age", "-d", "-i", identity, "-o", plain, sealed], check=True)
        return fin.checksum(f"'{plain}'")

    def clear() -> None:
        for path in (plain, sealed):
            path.unlink(missing_ok=True)

    ours = Side("landbridge", gap.export_command(), gap.remove_parcels, gap.checksum, gap.environment)
    other = Side("duckdb + age", baseline, clear, opened)
    compare(Job("export_duckdb", fin.ROWS, size), ours, other, bar=0.5, age=_age_version())
    clear()


def copy_and_seal(warehouse: str, plain: str, sealed: str, recipient: str) -> None:
    import duckdb

    with duckdb.connect(warehouse, read_only=True) as connection:
        connection.execute(COPY.format(file=plain, level=LEVEL))
    subprocess.run(["age", "-r", recipient, "-o", sealed, plain], check=True)


def _age_version() -> str:
    return subprocess.run(["age", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    copy_and_seal(*sys.argv[1:]) if len(sys.argv) > 1 else main()
