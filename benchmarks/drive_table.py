"""How long the drive table takes to answer with a million rows of one pipeline in SQLite, and to gain its indexes.

`drive_table.py [ROWS]`. The windows are of five minutes, so a million are nine and a half years; one row in 37
is FAILED, and one window in a thousand was never covered. The file (4 GB) is deleted at the end.
"""

import json
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fin
from measure import Job, report
from sqlalchemy import inspect

from landbridge.config.project import load_project
from landbridge.engine.windowed.agenda import agenda
from landbridge.engine.windowed.standing import pipeline_standings
from landbridge.engine.world import World
from landbridge.ledger import runs
from landbridge.ledger.coverage import covered
from landbridge.ledger.database import Database, open_database
from landbridge.ledger.phases import PHASES, PhaseRecord
from landbridge.windows import Window

ROWS = 1_000_000
MINUTES, FAILS, HOLES = 5, 37, 1000
TIMES = 40
SHOP = {"connection": "shop", "schema": "main"}
DECLARED = {
    "pipeline_metadata": {"pipeline_name": "orders", "owner_email": "bench@landbridge"},
    "query_window": {"granularity": f"{MINUTES}m"},
    "source_system": {**SHOP, "table": "orders", "query_field": "placed_at"},
    "stage_system": {"type": "parcel"},
    "target_system": {**SHOP, "table": "mart"},
    "phases": {},
}
BAR = 100  # milliseconds
TIME = "strftime('%Y-%m-%d %H:%M:%S', {}, 'unixepoch') || '.000000+00:00'"


def main(rows: int) -> None:
    fin.RUN.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="drive-table-", dir=fin.RUN))
    try:
        _measure(folder / "drive.db", rows)
    finally:
        shutil.rmtree(folder)


def _measure(path: Path, rows: int) -> None:
    url = f"sqlite:///{path}"
    end = int(time.time()) // 60 // MINUTES * 60 * MINUTES
    _fill(url, path, rows, end)
    began = time.perf_counter()
    db = open_database(url)
    upgrade = time.perf_counter() - began
    last = datetime.fromtimestamp(end, UTC)
    taken = {name: _median(question) for name, question in _questions(path.parent, db, rows, last).items()}
    db.close()
    report(
        Job("drive table: questions", rows, path.stat().st_size),
        milliseconds=taken,
        bar=f"each <= {BAR} ms",
        met=max(taken.values()) <= BAR,
        seconds={"indexes made": round(upgrade, 1)},
    )


def _questions(folder: Path, db: Database, rows: int, end: datetime) -> dict[str, Callable[[], object]]:
    def back(days: int) -> Window:
        return Window(end - timedelta(days=days), end)

    middle = end - timedelta(minutes=MINUTES * (rows // 2))
    one = Window(middle, middle + timedelta(minutes=MINUTES))
    day = end - timedelta(days=1)
    world = _world(folder, db)
    (pipeline,) = world.project.pipelines
    return {
        "what `status` asks of a pipeline": lambda: pipeline_standings(world, end),
        "which window is next": lambda: next(agenda(pipeline, db, end + timedelta(days=1)).due()),
        "status of a table": lambda: (
            [runs.latest_run(db, "orders", kind) for kind in ("run", "export", "import")],
            runs.list_runs(db, pipeline_name="orders", status="SUCCESS", limit=50),
            runs.rate(db, "orders", end - timedelta(days=30)),
        ),
        "next window, of 7 days": lambda: _next(db, back(7)),
        "next window, of a day in the middle": lambda: _next(db, Window(middle, middle + timedelta(days=1))),
        "next window, of all": lambda: (runs.first_window(db, "orders"), _tail(db, end)),
        "start_run": lambda: _start(db, Window(end, end + timedelta(minutes=MINUTES))),
        "runs --failed --since 24h": lambda: runs.list_runs(db, status="FAILED", since=day),
        "runs --failed --since 24h --pipeline": lambda: runs.list_runs(
            db, pipeline_name="orders", status="FAILED", since=day
        ),
        "runs": lambda: runs.list_runs(db),
        "latest_of_window": lambda: runs.latest_of_window(db, "orders", one),
        "close_crashed, none": lambda: runs.close_crashed(db, "orders", "export"),
    }


def _world(folder: Path, db: Database) -> World:
    """Of a project with the pipeline whose rows these are."""
    (folder / "projects" / "orders").mkdir(parents=True)
    (folder / "projects" / "orders" / "config.json").write_text(json.dumps(DECLARED))
    (folder / "landbridge.yaml").write_text("connections: {shop: {type: duckdb, path: shop.duckdb}}\n")
    (folder / "config").mkdir()
    (folder / "config" / "tables.yaml").write_text("tables: []\n")
    world = World(load_project(folder, {}), lambda _event: None)
    world.__dict__["ledger"] = db
    return world


def _next(db: Database, span: Window) -> None:
    assert covered(db, "orders", span)
    assert runs.attempted(db, "orders", span)
    assert runs.first_window(db, "orders")


def _tail(db: Database, end: datetime) -> None:
    """Only what is not covered needs to be asked about: here what came after the newest hole."""
    newest = covered(db, "orders")[-1].end
    runs.attempted(db, "orders", Window(newest, end + timedelta(minutes=MINUTES)))


def _start(db: Database, window: Window) -> None:
    runs.start_run(
        db,
        pipeline_name="orders",
        job_kind="run",
        window=window,
        plan_hash="0" * 64,
        fence=ROWS,
        resumed_from=None,
        host="bench",
        version="",
    )


def _median(question: Callable[[], object]) -> float:
    """Milliseconds, after one that does not count."""
    taken = []
    for _ in range(TIMES + 1):
        began = time.perf_counter()
        question()
        taken.append(time.perf_counter() - began)
    return round(statistics.median(taken[1:]) * 1000, 2)


def _fill(url: str, path: Path, rows: int, end: int) -> None:
    """A drive table of version 1, without indexes: opening it makes them. `end`: of the newest window, in Unix time."""
    db = open_database(url)
    with db.begin() as connection:
        for index in inspect(connection).get_indexes("pipeline_execution_drive"):
            connection.exec_driver_sql(f"DROP INDEX {index['name']}")
        connection.exec_driver_sql("UPDATE landbridge_schema SET version = 1")
    db.close()
    seconds = 60 * MINUTES
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("PRAGMA journal_mode=OFF")
        plain.execute("PRAGMA synchronous=OFF")
        plain.execute(f"CREATE TEMP TABLE numbers AS {_numbers(rows)}", [end - rows * seconds, seconds])
        plain.execute(_insert(), [*[_phase(name) for name in PHASES], json.dumps(PHASES)])
        plain.execute(
            f"""INSERT INTO landbridge_coverage
            SELECT 'orders', {TIME.format("min(at)")}, {TIME.format(f"max(at) + {seconds}")}
            FROM numbers WHERE i % {HOLES} <> 0 GROUP BY i / {HOLES}"""
        )
        plain.commit()


def _numbers(rows: int) -> str:
    """One row for each window: its number from 0, and when it begins."""
    return f"""
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows - 1})
        SELECT i, ? + i * ? AS at FROM n"""


def _insert() -> str:
    start, end = TIME.format("at"), TIME.format(f"at + {60 * MINUTES}")
    begun, ended = TIME.format(f"at + {60 * MINUTES + 120}"), TIME.format(f"at + {60 * MINUTES + 150}")
    failed = f"i % {FAILS} = 0"
    return f"""
    INSERT INTO pipeline_execution_drive
    SELECT 'orders_' || strftime('%Y%m%d_%H', at, 'unixepoch') || 'h_run' || (at % 86400 / {60 * MINUTES} + 1),
           'orders', iif({failed}, 'FAILED', 'SUCCESS'), 0, {begun}, {ended}, '30s', {start}, {end},
           date(at, 'unixepoch'), '{MINUTES}m', {", ".join("?" for _ in PHASES)}, ?, '[]', '[]',
           iif({failed}, 'audit', NULL), {begun}, {ended}, 'run', '{"0" * 64}', NULL,
           lower(hex(randomblob(16))), i, NULL, 'bench', '0'
    FROM numbers"""


def _phase(name: str) -> str:
    now = datetime.now(UTC)
    details = {"source_count": 12345, "stage_count": 12345, "target_count": 12345, "validation_status": "PASSED"}
    record = PhaseRecord(
        phase_name=name,
        status="COMPLETED",
        start_timestamp=now,
        end_timestamp=now,
        actual_run_duration="4s",
        expected_run_duration="10m",
        details=details,
    )
    return json.dumps(record.to_json())


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else ROWS)
