"""Export of a DuckDB table as a sealed parcel, against DuckDB's own COPY to Parquet/zstd and then the age binary."""

import shutil
import subprocess
import sys
from pathlib import Path

import fin
import stand
from measure import Job, Side, compare

LEVEL = 3  # of zstd; the default of landbridge.yaml
COPY = """
import duckdb, sys
with duckdb.connect(sys.argv[1], read_only=True) as connection:
    connection.execute(
        f"COPY fin TO '{sys.argv[2]}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {sys.argv[3]})"
    )
"""


def main() -> None:
    if shutil.which("age") is None:
        raise SystemExit("the program `age` is missing: apt-get install -y age")
    warehouse, plain = fin.warehouse(), fin.RUN / "baseline.parquet"
    gap = stand.make_gap(warehouse=warehouse, environment={})
    size = stand.folder_bytes(gap.export())
    sealed = plain.with_suffix(".age")
    copy = f"'{sys.executable}' -c '{COPY.replace(chr(39), chr(39) + chr(92) + chr(39) * 2)}' '{warehouse}' '{plain}' {LEVEL}"
    baseline = f"{copy} && age -r {gap.recipient} -o '{sealed}' '{plain}'"

    def opened() -> tuple[int, int]:
        identity = gap.outside / "keys" / "identity.txt"
        subprocess.run(["age", "-d", "-i", identity, "-o", plain, sealed], check=True)
        return fin.checksum(f"'{plain}'")

    def clear() -> None:
        for path in (plain, sealed):
            path.unlink(missing_ok=True)

    ours = Side("landbridge", gap.export_command(), gap.remove_parcels, gap.checksum)
    other = Side("duckdb + age", ["sh", "-c", baseline], clear, opened)
    compare(Job("export_duckdb", fin.ROWS, size), ours, other, bar=0.5, age=_age_version())
    clear()


def _age_version() -> str:
    return subprocess.run(["age", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    main()
