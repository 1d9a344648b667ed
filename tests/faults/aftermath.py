"""What must hold after a death, and after the one rerun that follows it. Everything is asked past the connectors."""

from typing import Any

import duckdb
import psycopg
import pyarrow as pa

from landbridge.ledger.chain import verified
from landbridge.ledger.custody import lines
from landbridge.ledger.database import Database, open_database
from landbridge.ledger.parcels import list_parcels
from landbridge.ledger.runs import Run, list_runs
from landbridge.sealing.keyring import Keyring
from landbridge.stage.location import open_store
from landbridge.stage.reading import find_parcels, open_parcel, read_part
from tests.faults.rows import FINGERPRINT, NEW, OLD, Reader
from tests.faults.workshop import TABLE, Case

LANDINGS = "SELECT count(*) FROM {tables} WHERE table_name LIKE '\\_lb\\_%' ESCAPE '\\'"
LANDING_LEFT = "a landing table is left"
LOADS = "SELECT version, load_id, row_count FROM landbridge_loads ORDER BY version"


def ask(place: str, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a query to a PostgreSQL URL or a DuckDB file."""
    if "://" in place:
        with psycopg.connect(place) as connection:
            return connection.execute(sql.encode()).fetchall()
    with duckdb.connect(place, read_only=True) as connection:
        return connection.execute(sql).fetchall()


def fingerprint(place: str, table: str = TABLE) -> tuple[Any, ...]:
    """Count and hash of all rows in the order of their ids."""
    return ask(place, FINGERPRINT.format(table=table))[0]


def newest_run(case: Case) -> Run | None:
    """The newest row of the drive table; None in an empty one."""
    database = open_database(case.drive)
    try:
        return next(iter(list_runs(database, limit=1)), None)
    finally:
        database.close()


def published_by(case: Case) -> str:
    """How the newest run published: swap, rewrite, already; empty where it did not."""
    run = newest_run(case)
    return str(run.phases["stage_to_target_transfer"].details.get("published_by", "")) if run else ""


def rerun(case: Case) -> list[str]:
    """Run the command once more; all that is wrong then."""
    code, said = case.again()
    return [f"the rerun ended with {code}: {said}"] if code else wrongs(case)


def wrongs(case: Case) -> list[str]:
    """All that is not as it must be after the rerun; [] for a sound end."""
    database = open_database(case.drive)
    try:
        found = _drive_table(database) + _parcels(case, database) + _custody(case, database)
        if case.scene.loads:
            found += _target(case, database)
    finally:
        database.close()
    return found


def misread(case: Case, reader: Reader) -> list[str]:
    """Answers that are neither the whole old state nor the whole new one."""
    whole = {(g, g, rows, rows * (rows + 1) // 2) for g, rows in case.rows.items()}
    if case.scene.first:
        whole |= {None, (None, None, 0, None)}
    found = [f"a reader saw {answer}" for answer in reader.seen - whole]
    return found + ([f"the reader was refused: {reader.trouble}"] if reader.trouble else [])


def standing(case: Case) -> list[str]:
    """Straight after a death, for a target that no reader can watch: old rows or new ones, all of them."""
    found = ask(case.target, f"SELECT min(generation), max(generation), count(*) FROM {TABLE}")[0]
    return (
        [] if found in {(g, g, rows) for g, rows in case.rows.items()} else [f"after the death the target had {found}"]
    )


def _drive_table(database: Database) -> list[str]:
    runs = list_runs(database, limit=50)
    found = [f"run {run.pipeline_id} says RUNNING" for run in runs if run.pipeline_status == "RUNNING"]
    if runs[0].pipeline_status != "SUCCESS":
        found.append(f"the newest run says {runs[0].pipeline_status}")
    return found


def _parcels(case: Case, database: Database) -> list[str]:
    rows = list_parcels(database, direction="out")
    found = [f"parcel {row.parcel_id} says writing" for row in rows if row.state == "writing"]
    sequences = [row.sequence for row in rows if row.state == "sealed"]
    if len(set(sequences)) != len(sequences) or None in sequences:
        found.append(f"sequence numbers of sealed parcels: {sequences}")
    kept = case.parcels / "loaded"  # manifests without parts
    files = (path for path in case.parcels.rglob("*") if path.is_file() and not path.is_relative_to(kept))
    folders = {path.parent.name: path.parent for path in files}
    sealed = {row.parcel_id for row in rows if row.state == "sealed"}
    found += [f"parcel folder {name} has no index" for name, path in folders.items() if not (path / "index").exists()]
    found += [f"{name} holds {x.name}" for name, path in folders.items() for x in path.iterdir() if x.name[0] == "."]
    found += [f"the ledger has parcel {name} as sealed, and there is none" for name in sealed - folders.keys()]
    found += [f"parcel {name} lies there, and the ledger does not know it" for name in folders.keys() - sealed]
    if case.scene.command == "run":
        found += [f"parcel {name} stays in the stage" for name in folders]
    elif case.scene.command == "export-data":
        found += _exported(case)
    return found


def _custody(case: Case, database: Database) -> list[str]:
    """Each parcel that was exported or loaded is told once, and the log is whole."""
    told = [(entry.event, entry.parcel_id) for entry in verified(lines(database), [_keyring(case).own_verifier])]
    rows = list_parcels(database)
    due = [("imported", row.parcel_id) for row in rows if row.state == "loaded"]
    if case.scene.command == "export-data":
        due += [("exported", row.parcel_id) for row in rows if row.state == "sealed"]
    return [] if sorted(told) == sorted(due) else [f"the custody log tells {told}, and should {due}"]


def _keyring(case: Case) -> Keyring:
    return Keyring(case.folder / "keys")


def _exported(case: Case) -> list[str]:
    keyring, store = _keyring(case), open_store(str(case.parcels))
    newest = max(find_parcels(store, TABLE))
    identities = keyring.identities()
    parcel = open_parcel(store, newest, signers=keyring.signers(), identities=identities)
    batches = [b for part in parcel.manifest.parts for b in read_part(store, parcel, part, identities)]
    with duckdb.connect() as connection:
        connection.register("parcel", pa.Table.from_batches(batches))
        held = connection.execute(FINGERPRINT.format(table="parcel")).fetchall()[0]
    return [] if held == fingerprint(case.source) else ["the newest parcel does not hold the source's rows"]


def _target(case: Case, database: Database) -> list[str]:
    found = [] if fingerprint(case.target) == fingerprint(case.source) else ["the target does not equal the source"]
    tables = "information_schema.tables"
    if ask(case.target, LANDINGS.format(tables=tables)) != [(0,)]:
        found.append(LANDING_LEFT)
    loads = ask(case.target, LOADS)
    if [version for version, _, _ in loads] != list(range(1, len(loads) + 1)):
        found.append(f"versions in the book of loads: {loads}")
    if len({load for _, load, _ in loads}) != len(loads):
        found.append("a load is in the book of loads twice")
    newest = next((run for run in list_runs(database, status="SUCCESS") if run.load_id), None)
    if newest and loads[-1][1:] != (newest.load_id, case.rows[NEW]):
        found.append("the newest load is not that of the newest run")
    most = (not case.scene.first) + (2 if case.scene.command == "run" else 1)
    if len(loads) > most:
        found.append(f"{len(loads)} loads, at most {most} were needed")
    return found


def still_old(case: Case) -> list[str]:
    """Where nothing may have been published."""
    found = ask(case.target, f"SELECT min(generation), max(generation), count(*) FROM {TABLE}")[0]
    old = (None, None, 0) if case.scene.first else (OLD, OLD, case.rows[OLD])
    return [] if found == old else [f"the old rows do not stand: {found}"]
