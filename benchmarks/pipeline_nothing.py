"""`landbridge run` of a pipeline in which no window is due, beside the imports that reading its config takes.

Its connections lead nowhere: whoever opened one would fail.
"""

import json
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import fin
from measure import Job, median, report, run
from stand import LANDBRIDGE

from landbridge.ledger import runs
from landbridge.ledger.database import open_database
from landbridge.windows import Window

TIMES = 15
BAR = 1.2  # seconds
IMPORTS = "import landbridge.config.project, landbridge.ledger.database"
NOWHERE = {"type": "postgresql", "host": "127.0.0.1", "port": 1, "user": "nobody", "database": "nowhere"}
DECLARED = {
    "pipeline_metadata": {"pipeline_name": "orders", "owner_email": "bench@company.com"},
    "query_window": {
        "acceptable_data_fetch_start_time": "2026-01-01T00:00:00Z",
        "acceptable_data_fetch_end_time": "2026-01-02T00:00:00Z",
    },
    "source_system": {**NOWHERE, "schema": "public", "table": "orders", "query_field": "placed_at"},
    "stage_system": {"type": "parcel"},
    "target_system": {**NOWHERE, "schema": "mart", "table": "orders"},
    "phases": {},
}


def main() -> None:
    fin.RUN.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="nothing-due-", dir=fin.RUN))
    try:
        _make(folder)
        ours = _seconds([LANDBRIDGE, "run", "--pipeline", "orders", "--project", str(folder)])
        imports = _seconds([sys.executable, "-c", IMPORTS])
    finally:
        shutil.rmtree(folder)
    report(
        Job("pipeline: no window is due", 0, 0),
        seconds={"landbridge": ours, "its imports": imports},
        ratio=round(imports / ours, 2),
        bar=f"seconds <= {BAR}",
        met=ours <= BAR,
    )


def _make(folder: Path) -> None:
    """A project whose day is loaded, as far as its drive table says."""
    (folder / "projects" / "orders").mkdir(parents=True)
    (folder / "projects" / "orders" / "config.json").write_text(json.dumps(DECLARED))
    (folder / "landbridge.yaml").write_text("")
    (folder / "config").mkdir()
    (folder / "config" / "tables.yaml").write_text("tables: []\n")
    (folder / "state").mkdir()
    db = open_database(f"sqlite:///{folder}/state/drive.db")
    day = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    row = runs.start_run(
        db,
        pipeline_name="orders",
        job_kind="run",
        window=day,
        plan_hash="",
        fence=1,
        phases_enabled=(),
        resumed_from=None,
        host="",
        version="",
    )
    runs.finish_run(db, row, "SUCCESS", covers=True)
    db.close()


def _seconds(command: list[str]) -> float:
    run(command, {})
    return round(median([run(command, {})[0] for _ in range(TIMES)]), 3)


if __name__ == "__main__":
    main()
