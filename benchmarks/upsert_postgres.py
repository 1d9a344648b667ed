"""200,000 changed rows into a PostgreSQL table of 2 million: `import-data` of a parcel of mode upsert, dlt's merge.

`upsert_postgres.py FOLDER DISPOSITION` is dlt's side: plain Parquet files, as Arrow tables.
"""

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import fin
import psycopg
import stand
from measure import Job, Side, compare

CHANGED = "id % 10 = 3"
CHANGE = f"UPDATE fin SET close = close + 1, updated_at = updated_at + INTERVAL 400 DAY WHERE {CHANGED}"
MODE = """    sync_mode: upsert
    merge_keys: [id]
    watermark_column: updated_at
    settle_delay: 0m
    deletes: ignored
"""


def main() -> None:
    source, changed = _source()
    with stand.database() as database:
        gap = stand.make_gap(warehouse=source, environment=database.environment)
        for project in (gap.inside, gap.outside):
            tables = project / "config" / "tables.yaml"
            tables.write_text(tables.read_text() + MODE)
        database.execute("DROP TABLE IF EXISTS fin CASCADE")
        base = gap.export()
        gap.landbridge("import-data", "--table", "fin", "--from", str(gap.exports), project=gap.outside)
        _run(source, CHANGE)
        gap.landbridge("export-data", "--table", "fin", project=gap.inside)
        (parcel,) = set((gap.exports / "fin").iterdir()) - {base}
        book, state = gap.outside / "drive.kept", fin.RUN / "dlt"
        shutil.copytree(gap.outside / "state", book)
        environment = {
            "DESTINATION__POSTGRES__CREDENTIALS": database.url,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DLT_DATA_DIR": str(state),
            "XDG_RUNTIME_DIR": str(fin.RUN),
        }
        _dlt(environment, fin.parquet(), "replace")
        shutil.copytree(state, kept := fin.RUN / "dlt.kept")
        templated = Templated(database.url)
        templated.keep()

        def before_ours() -> None:
            templated.restore()
            shutil.rmtree(gap.outside / "state")
            shutil.copytree(book, gap.outside / "state")

        def before_dlt() -> None:
            templated.restore()
            shutil.rmtree(state)
            shutil.copytree(kept, state)

        def by_dlt() -> tuple[int, int]:
            columns = "id, secid, price_date, updated_at, open, high, low, close, volume, ret, memo, active"
            database.execute("TRUNCATE fin", f"INSERT INTO fin ({columns}) SELECT {columns} FROM by_dlt.fin")
            return database.checksum()

        ours = Side("landbridge", gap.import_command(parcel), before_ours, database.checksum, database.environment)
        command = [sys.executable, __file__, str(changed), "merge"]
        dlt = Side("dlt", command, before_dlt, by_dlt, environment)
        compare(Job("upsert_postgres: dlt's merge", 200_000, stand.folder_bytes(parcel)), ours, dlt, bar=3)


class Templated:
    """A database that can be put back to a state that was kept."""

    def __init__(self, url: str) -> None:
        self.name = urlsplit(url).path.removeprefix("/")
        self.server = url.rpartition("/")[0] + "/postgres"

    def keep(self) -> None:
        self._copy(f"{self.name}_kept", self.name)

    def restore(self) -> None:
        self._copy(self.name, f"{self.name}_kept")

    def _copy(self, new: str, old: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{new}" WITH (FORCE)')
            connection.execute(f'CREATE DATABASE "{new}" TEMPLATE "{old}"')
            connection.execute("CHECKPOINT")


def _source() -> tuple[Path, Path]:
    """A warehouse of its own that changes, and the folder of what will have changed as plain Parquet."""
    folder = fin.RUN / "upsert"
    for left in (folder, fin.RUN / "dlt", fin.RUN / "dlt.kept"):
        shutil.rmtree(left, ignore_errors=True)
    folder.mkdir(parents=True)
    later, source, changed = folder / "later.duckdb", folder / "fin.duckdb", folder / "changed"
    shutil.copy(fin.warehouse(), source)
    shutil.copy(source, later)
    changed.mkdir()
    options = "(FORMAT parquet, COMPRESSION zstd)"
    _run(later, CHANGE, f"COPY (FROM fin WHERE {CHANGED}) TO '{changed}/rows.parquet' {options}")
    later.unlink()
    return source, changed


def _run(path: Path, *statements: str) -> None:
    with duckdb.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)


def _dlt(environment: dict[str, str], folder: Path, disposition: str) -> None:
    import subprocess

    command = [sys.executable, __file__, str(folder), disposition]
    subprocess.run(command, env={**os.environ, **environment}, check=True, stdout=sys.stderr)


def load_by_dlt(folder: Path, disposition: str) -> None:
    import dlt
    import pyarrow.parquet as pq

    @dlt.resource(name="fin", primary_key="id")
    def files():
        for path in sorted(folder.glob("*.parquet")):
            yield pq.read_table(path)

    pipeline = dlt.pipeline(
        "fin", destination="postgres", dataset_name="by_dlt", pipelines_dir=os.environ["DLT_DATA_DIR"]
    )
    pipeline.run(files(), write_disposition=disposition, loader_file_format="parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    load_by_dlt(Path(sys.argv[1]), sys.argv[2]) if len(sys.argv) > 2 else main()
