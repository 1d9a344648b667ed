"""Named crash points: the seams of the product at which a process can die, as data. The product knows nothing of them.

A point is a call of a function of the product, named where it is looked up, and the moment before or after it.
docs/crash-points.md says what is guaranteed at each.
"""

from dataclasses import dataclass
from typing import Literal

from landbridge.ledger.phases import PHASES


@dataclass(frozen=True)
class Point:
    """Dies `when` the `call`-th call of `where` (module:name) happens of which a text or phase argument tells `about`.

    `needs` are the traits that a scene must have to come past here.
    """

    name: str
    where: str
    when: Literal["before", "after"]
    needs: frozenset[str] = frozenset()
    about: str = ""
    call: int = 1
    victim: Literal["coordinator", "worker"] = "coordinator"


RUNS = "landbridge.ledger.runs"
PARCELS = "landbridge.ledger.parcels"
LEASES = "landbridge.ledger.leases"
PLACE = "landbridge.stage.location"
SEAL = "landbridge.engine.phases.source_to_stage_transfer"
LOAD = "landbridge.engine.phases.stage_to_target_transfer"
POSTGRES = "landbridge.connectors.postgres.connector:Postgres"
DUCKDB = "landbridge.connectors.duckdb.connector:DuckDB"
KEY_FILES = "landbridge.sealing.files"
SQL = "psycopg:Connection.execute"


def _both(name: str, where: str, *needs: str, about: str = "") -> tuple[Point, Point]:
    return _at(name, where, "before", *needs, about=about), _at(name, where, "after", *needs, about=about)


def _at(name: str, where: str, when: Literal["before", "after"], *needs: str, about: str = "", call: int = 1) -> Point:
    return Point(f"{when} {name}", where, when, frozenset(needs), about, call)


def _worker(name: str, where: str, when: Literal["before", "after"], *needs: str, call: int = 1) -> Point:
    return Point(f"a worker {when} {name}", where, when, frozenset(needs), call=call, victim="worker")


def _phase(name: str) -> tuple[Point, ...]:
    return (
        _at(f"{name} is recorded as begun", f"{RUNS}:phase_began", "after", "walk", about=name),
        _at(f"{name} is recorded as ended", f"{RUNS}:phase_ended", "before", "walk", about=name),
        _at(f"{name} is recorded as ended", f"{RUNS}:phase_ended", "after", "walk", about=name),
    )


BEGINNING = (
    _at("the configuration is read", "landbridge.cli.options:load_project", "after", "walk"),
    _at("the drive tables are committed", "landbridge.ledger.database:_set_up", "after", "first"),
    _at("the drive database is open", "landbridge.engine.world:open_database", "after", "walk"),
    *_both("the lease is taken", f"{LEASES}:acquire", "walk"),
    _at("dead attempts are closed", f"{RUNS}:close_crashed", "after", "walk"),
    *_both("the run's row is made", f"{RUNS}:start_run", "walk"),
    _at("the signing key is read", "landbridge.sealing.keyring:Keyring.signer", "after", "seals"),
    _at("the identity is read", "landbridge.sealing.keyring:Keyring.identities", "after", "import"),
    _at("the workers are started", "landbridge.engine.world:open_pool", "after", "walk"),
)
PHASE_RECORDS = tuple(point for name in PHASES for point in _phase(name))
SEALING = (
    *_both("the parcel is reserved", f"{PARCELS}:reserve", "seals"),
    _worker("its first part has its name", "pathlib:Path.replace", "before", "seals"),
    _worker("its first part is stored", f"{PLACE}:Store.put", "after", "seals"),
    _worker("its second part is stored", f"{PLACE}:Store.put", "after", "seals", call=2),
    _at("parts are counted by the coordinator", f"{SEAL}:RowsMoved", "before", "seals"),
    *_both("the counts are in the ledger", f"{PARCELS}:counted", "seals"),
    *_both("the manifest is stored", f"{PLACE}:Store.put", "seals", about="/manifest.json"),
    _at("the index is stored", f"{PLACE}:Store.put", "before", "seals", about="/index"),
    _at("the index has its name", "pathlib:Path.replace", "before", "seals", about="/index"),
    _at("the index is stored", f"{PLACE}:Store.put", "after", "seals", about="/index"),
    _at("its custody entry is written, not committed", f"{PARCELS}:append", "after", "export"),
    *_both("the parcel is sealed in the ledger", f"{PARCELS}:seal", "seals"),
)
LOADING = (
    _at("the load is named", f"{LOAD}:load_id", "after", "loads"),
    _at("parts are counted as loaded", f"{LOAD}:RowsMoved", "before", "loads"),
    _at("the lease is asked before publishing", "landbridge.engine.world:World.still_ours", "after", "import"),
    _at("its custody entry is written, not committed", f"{PARCELS}:append", "after", "import"),
    *_both("the parcel is recorded as loaded", f"{PARCELS}:record_in", "import"),
)
POSTGRES_LOADING = (
    _at("the target table is created", "landbridge.connectors.postgres.loading:create", "after", "first"),
    _at("the landing table is marked, not committed", SQL, "after", "postgres", about="COMMENT ON TABLE"),
    _at("the landing table is made", f"{POSTGRES}.prepare", "after", "postgres"),
    _worker("a chunk of its first COPY is sent", "psycopg:Copy.write", "after", "postgres"),
    _worker("its first append is committed", f"{POSTGRES}.append", "after", "postgres"),
    *_both("the load is published", f"{POSTGRES}.publish", "postgres"),
    _at("the landing table is locked", SQL, "after", "postgres", about="LOCK TABLE"),
    _at("the indexes are built", "landbridge.connectors.postgres.publishing:build", "after", "swap"),
    _at("the old table is dropped", SQL, "after", "swap", about="DROP TABLE"),
    _at("the landing table is renamed", SQL, "after", "swap", about="RENAME TO"),
    _at("the old rows are deleted", SQL, "after", "rewrite", about="DELETE FROM"),
    _at("the new rows are inserted", SQL, "after", "rewrite", about="OVERRIDING"),
    _at("the changed rows are updated", SQL, "after", "merge", about="UPDATE "),
    _at("the rows of new keys are inserted", SQL, "after", "merge", about="OVERRIDING"),
    _at("the rows of keys that are gone are deleted", SQL, "after", "merge", about="DELETE FROM"),
    *_both("the load is in the book of loads", SQL, "postgres", about="(target_table, version"),
)
DUCKDB_LOADING = (
    _at("the landing table is made", f"{DUCKDB}.prepare", "after", "duckdb"),
    _worker("its first append is committed", f"{DUCKDB}.append", "after", "duckdb"),
    *_both("the load is published", f"{DUCKDB}.publish", "duckdb"),
    *_both("the load is in the book of loads", "landbridge.connectors.duckdb.sql:record_load", "duckdb"),
)
CLEANING = (
    _at("the stage's parcel is deleted", "landbridge.engine.phases.stage_cleaning:delete_parcel", "before", "run"),
    _at("the stage's index is deleted", f"{PLACE}:Store.delete", "after", "run"),
    _at("the first file of the stage's parcel is deleted", "landbridge.stage.folders:delete", "after", "run"),
    *_both("the stage's parcel is struck from the ledger", f"{PARCELS}:abandon", "run"),
    *_both("the mark is confirmed", "landbridge.ledger.marks:confirm", "marks"),
    *_both("the stage's parcel is emptied in the ledger", f"{PARCELS}:emptied", "marks"),
)
END = (
    _at("the end is written, not committed", f"{RUNS}:_close", "after", "walk"),
    *_both("the run is recorded as ended", f"{RUNS}:finish_run", "walk"),
    *_both("the lease is given back", f"{LEASES}:release", "walk"),
)
KEYS = (
    _at("the first secret is written", f"{KEY_FILES}:put", "before", "keys"),
    _at("the first secret is made, empty", f"{KEY_FILES}:os.fdopen", "before", "keys"),
    _at("the first secret has its name", f"{KEY_FILES}:Path.replace", "before", "keys"),
    _at("the first secret is written", f"{KEY_FILES}:put", "after", "keys"),
    _at("the second secret is written", f"{KEY_FILES}:put", "after", "keys", call=2),
)
POINTS: dict[str, Point] = {
    f"{group}: {point.name}": point
    for group, points in {
        "beginning": BEGINNING,
        "phase": PHASE_RECORDS,
        "sealing": SEALING,
        "loading": LOADING,
        "postgres": POSTGRES_LOADING,
        "duckdb": DUCKDB_LOADING,
        "cleaning": CLEANING,
        "end": END,
        "keys": KEYS,
    }.items()
    for point in points
}
