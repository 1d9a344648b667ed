"""Crash points of pipelines: the seams at which a window can die, beside those that runs of tables have.

Those of WINDOW lie on the way of each window, so a scene may let some windows pass before it dies.
"""

from typing import Literal

from landbridge.ledger.phases import PHASES
from tests.faults.points import DUCKDB, LEASES, LOAD, PARCELS, PLACE, POSTGRES, RUNS, SEAL, SQL, Point

STAGES = "landbridge.ledger.stages"
RUNNING = "landbridge.engine.windowed.running"
RETRYING = "landbridge.engine.windowed.retrying"
LANDING = "landbridge.engine.windowed.landing"
CLEANING = "landbridge.engine.windowed.cleaning"
ARCHIVED = "/2026-01-0"  # of the day in the archive's folders
When = Literal["before", "after"]


def _at(name: str, where: str, when: When, *needs: str, about: str = "", call: int = 1) -> Point:
    return Point(f"{when} {name}", where, when, frozenset(needs), about, call)


def _both(name: str, where: str, *needs: str, about: str = "", call: int = 1) -> tuple[Point, ...]:
    return tuple(_at(name, where, when, *needs, about=about, call=call) for when in ("before", "after"))


def _worker(name: str, where: str, when: When, *needs: str, call: int = 1) -> Point:
    return Point(f"a worker {when} {name}", where, when, frozenset(needs), call=call, victim="worker")


def _phase(name: str, needs: str) -> tuple[Point, ...]:
    """Between the end of one phase and the beginning of the next nothing happens."""
    return (
        _at(f"{name} is recorded as begun", f"{RUNS}:phase_began", "after", needs, about=name),
        *_both(f"{name} is recorded as ended", f"{RUNS}:phase_ended", needs, about=name),
    )


WINDOW = (
    *_both("the window's row is made", f"{RUNS}:start_run", "walk"),
    *(point for name in PHASES for point in _phase(name, "walk" if name != "target_cleaning" else "cleans")),
    _at("its end is written, not committed", f"{RUNS}:_close", "after", "ends"),
    *_both("the window is covered, not committed", f"{RUNS}:cover", "ends"),
    *_both("the run is recorded as ended", f"{RUNS}:finish_run", "ends"),
)
COMMAND = (
    _at("the drive database is open", "landbridge.engine.world:open_database", "after", "command"),
    *_both("the lease is taken", f"{LEASES}:acquire", "command"),
    _at("dead attempts are closed", f"{RUNS}:close_crashed", "after", "command"),
    *_both("the lease is given back", f"{LEASES}:release", "ends"),
)
PARCEL = (
    *_both("the parcel is reserved", f"{PARCELS}:reserve", "seals"),
    _worker("its first part is stored", f"{PLACE}:Store.put", "after", "seals"),
    _at("parts are counted by the coordinator", f"{SEAL}:RowsMoved", "before", "seals"),
    *_both("the counts are in the ledger", f"{PARCELS}:counted", "seals"),
    *_both("the stage is noted", f"{STAGES}:staged", "seals"),
    _at("the index is stored", f"{PLACE}:Store.put", "before", "seals", about="/index"),
    _at("the index is stored", f"{PLACE}:Store.put", "after", "seals", about="/index"),
    *_both("the parcel is sealed in the ledger", f"{PARCELS}:seal", "seals"),
    _at("parts are counted as loaded", f"{LOAD}:RowsMoved", "before", "seals"),
)
TABLE = (
    *_both("the stage is begun", f"{STAGES}:staged", "stages"),
    _at("the target is made, with its index", "landbridge.connectors.postgres.loading:create", "after", "makes"),
    _at("the landing is prepared for the stage", f"{POSTGRES}.prepare", "after", "stages"),
    _worker("its first append to the stage is committed", f"{POSTGRES}.append", "after", "stages"),
    _at("rows are counted as staged", f"{LANDING}:RowsMoved", "before", "stages"),
    *_both("the stage is published", f"{POSTGRES}.publish", "stages"),
    *_both("the stage is noted", f"{STAGES}:staged", "stages", call=2),
    _at("the landing is prepared for the target", f"{POSTGRES}.prepare", "after", "stages", call=2),
    _worker("its second append is committed", f"{POSTGRES}.append", "after", "stages", call=2),
    *_both("the target is published", f"{POSTGRES}.publish", "stages", call=2),
)
PUSHED = (
    *_both("the stage is begun", f"{STAGES}:staged", "pushes"),
    *_both("the stage is filled", f"{POSTGRES}.publish_from", "pushes"),
    *_both("the stage is noted", f"{STAGES}:staged", "pushes", call=2),
    *_both("the target is filled", f"{POSTGRES}.publish_from", "pushes", call=2),
    _at("the stage's old rows are deleted", SQL, "after", "pushes", about="DELETE FROM"),
    _at("the target's new rows are inserted", SQL, "after", "pushes", about="OVERRIDING", call=2),
    *_both("the load is in the book of loads", SQL, "pushes", about="(target_table, version", call=2),
)
POSTGRES_LOADING = (
    _at("the landing table is marked, not committed", SQL, "after", "prepared", about="COMMENT ON TABLE"),
    _at("the landing table is made", f"{POSTGRES}.prepare", "after", "prepared"),
    _worker("a chunk of its first COPY is sent", "psycopg:Copy.write", "after", "prepared"),
    *_both("the load is published", f"{POSTGRES}.publish", "prepared"),
    _at("the old rows are deleted", SQL, "after", "prepared", about="DELETE FROM"),
    _at("the new rows are inserted", SQL, "after", "prepared", about="OVERRIDING"),
    *_both("the load is in the book of loads", SQL, "prepared", about="(target_table, version"),
)
DUCKDB_LOADING = (
    _at("the landing table is made", f"{DUCKDB}.prepare", "after", "duckdb"),
    _worker("its first append is committed", f"{DUCKDB}.append", "after", "duckdb"),
    *_both("the load is published", f"{DUCKDB}.publish", "duckdb"),
    *_both("the load is in the book of loads", "landbridge.connectors.duckdb.sql:record_load", "duckdb"),
)
AUDIT = _both("the stage is noted as loaded", f"{STAGES}:loaded", "walk")
STAGES_GO = (
    _at("an old archive is deleted", f"{PLACE}:Store.delete_folder", "after", "cleans", about=ARCHIVED),
    _at("the first file of the archive is stored", f"{PLACE}:Store.put", "after", "cleans", "files", about=ARCHIVED),
    _worker("rows of the archive are stored", f"{PLACE}:Store.put", "after", "cleans", "rows"),
    *_both("the archive's manifest is stored", f"{PLACE}:Store.put", "cleans", "rows", about="/manifest.json"),
    *_both("the archive is noted", f"{STAGES}:archived", "cleans"),
    _at("the stage's parcel is deleted", f"{CLEANING}:delete_parcel", "before", "cleans", "files"),
    _at("the index of the stage's parcel is deleted", f"{PLACE}:Store.delete", "after", "cleans", "files"),
    _at("the stage's parcel is deleted", f"{CLEANING}:delete_parcel", "after", "cleans", "files"),
    _at("the stage's parcel is struck from the ledger", f"{PARCELS}:abandon", "after", "cleans", "files"),
    *_both("the stage's rows are deleted", f"{POSTGRES}.discard", "cleans", "rows"),
    *_both("the stage is noted as deleted", f"{STAGES}:deleted", "cleans"),
    *_both("the user's SQL is run", f"{POSTGRES}.run_sql", "cleans"),
    _at("the user's SQL is half done", SQL, "after", "cleans", about="INSERT INTO mart.marks"),
)
GAPS = (
    *_both("the first gap is recorded", "landbridge.ledger.gaps:record_gap", "gaps"),
    _at("the second gap is recorded", "landbridge.ledger.gaps:record_gap", "after", "gaps", call=2),
    _at("gaps are told", f"{RUNNING}:GapsFound", "before", "gaps"),
)
AGAIN = (
    _at("a failure is looked at", f"{RETRYING}:_may_pass", "before", "fails"),
    _at("a failure is told", f"{RETRYING}:Notice", "after", "fails"),
    _at("the second attempt begins", f"{RUNNING}:attempt", "before", "fails", call=2),
    _at("the second attempt's row is made", f"{RUNS}:start_run", "after", "fails", call=2),
    _at("the failed phase is recorded", f"{RUNS}:finish_run", "before", "fails"),
    _at("the failed attempt is closed", f"{RUNS}:finish_run", "after", "fails"),
)
POINTS_OF_PIPELINES: dict[str, Point] = {
    f"pipelines, {group}: {point.name}": point
    for group, points in {
        "window": WINDOW,
        "command": COMMAND,
        "parcel": PARCEL,
        "table": TABLE,
        "pushed down": PUSHED,
        "postgres": POSTGRES_LOADING,
        "duckdb": DUCKDB_LOADING,
        "audit": AUDIT,
        "cleaning": STAGES_GO,
        "gaps": GAPS,
        "again": AGAIN,
    }.items()
    for point in points
}
