"""The same table into PostgreSQL by Landbridge from its sealed parcel, and by dlt from plain Parquet files.

dlt takes its faster loader: Arrow tables straight from Parquet, sent by ADBC. `dlt_import.py FOLDER` is that side.
"""

import os
import sys
from pathlib import Path

import fin
import stand
from measure import Job, Side, compare


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
            stand.shutil.rmtree(state, ignore_errors=True)
            database.empty("DROP SCHEMA IF EXISTS by_dlt CASCADE")

        def moved() -> tuple[int, int]:
            """dlt's own table has other text for the same values where it chose other types: compare it as ours."""
            database.execute("INSERT INTO fin SELECT * FROM by_dlt.fin")
            return database.checksum()

        ours = Side("landbridge", gap.import_command(parcel), before, database.checksum, database.environment)
        dlt = Side("dlt", [sys.executable, __file__, str(fin.parquet())], before, moved, environment)
        compare(Job("dlt_import", fin.ROWS, size), ours, dlt, bar=3)


def load_by_dlt(folder: Path) -> None:
    import dlt
    import pyarrow.parquet as pq

    @dlt.resource(name="fin")
    def files():  # noqa: ANN202
        for path in sorted(folder.glob("*.parquet")):
            yield pq.read_table(path)

    pipeline = dlt.pipeline(
        "fin", destination="postgres", dataset_name="by_dlt", pipelines_dir=os.environ["DLT_DATA_DIR"]
    )
    pipeline.run(files(), write_disposition="replace", loader_file_format="parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    load_by_dlt(Path(sys.argv[1])) if len(sys.argv) > 1 else main()
