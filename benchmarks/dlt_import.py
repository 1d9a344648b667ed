"""The same table into PostgreSQL by Landbridge from its sealed parcel, and by dlt from plain Parquet files.

dlt takes its faster loader: Arrow tables straight from Parquet, sent by ADBC. `dlt_import.py FOLDER` is that side.
"""

import os
import shutil
import sys
from pathlib import Path

import fin
import stand
from measure import Job, Side, compare

TUNED = {"DATA_WRITER__FILE_MAX_ITEMS": "300000", "LOAD__WORKERS": "2"}


def main() -> None:
    with stand.database() as database:
        gap = stand.make_gap(warehouse=fin.warehouse(), environment=database.environment)
        parcel = gap.export()
        size = stand.folder_bytes(parcel)
        state = fin.RUN / "dlt"
        environment = {
            "DESTINATION__POSTGRES__CREDENTIALS": database.url,
            "RUNTIME__DLTHUB_TELEMETRY": "false",
            "DLT_DATA_DIR": str(state),
            "XDG_RUNTIME_DIR": str(fin.RUN),
        }

        def before() -> None:
            shutil.rmtree(state, ignore_errors=True)
            database.empty("DROP SCHEMA IF EXISTS by_dlt CASCADE")

        def moved() -> tuple[int, int]:
            """The checksum is one of texts, and by_dlt.fin has a type that prints otherwise: take its rows as ours."""
            database.execute("INSERT INTO fin SELECT * FROM by_dlt.fin")
            return database.checksum()

        ours = Side("landbridge", gap.import_command(parcel), before, database.checksum, database.environment)
        command = [sys.executable, __file__, str(fin.parquet())]
        for what, bar, settings in (("as it comes", 3, {}), ("several files at once", None, TUNED)):
            dlt = Side("dlt", command, before, moved, environment | settings)
            compare(Job(f"dlt_import: {what}", fin.ROWS, size), ours, dlt, bar=bar)


def load_by_dlt(folder: Path) -> None:
    import dlt
    import pyarrow.parquet as pq

    @dlt.resource(name="fin")
    def files():
        for path in sorted(folder.glob("*.parquet")):
            yield pq.read_table(path)

    pipeline = dlt.pipeline(
        "fin", destination="postgres", dataset_name="by_dlt", pipelines_dir=os.environ["DLT_DATA_DIR"]
    )
    pipeline.run(files(), write_disposition="replace", loader_file_format="parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    load_by_dlt(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
