"""What must hold of a pipeline after a death and the one rerun that follows it. All is asked past the connectors."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import select

from landbridge.engine.plan import window_load_id
from landbridge.ledger import coverage, gaps, tables
from landbridge.ledger.database import Database, open_database
from landbridge.ledger.parcels import ParcelRow, list_parcels
from landbridge.ledger.runs import Run, list_runs
from landbridge.ledger.stages import Stage
from landbridge.sealing.keyring import Keyring
from landbridge.sealing.note import Signers
from landbridge.stage.location import Store, open_store
from landbridge.stage.reading import open_parcel, read_part
from landbridge.windows import Window
from tests.faults.pipelines.scenes import NAME, WINDOWS, hour
from tests.faults.pipelines.workshop import PipelineCase, execute, rows_of

COLUMNS = "id, generation, amount, note, placed_at"
LANDINGS = (
    "SELECT table_schema, table_name FROM information_schema.tables WHERE table_name LIKE '\\_lb\\_%' ESCAPE '\\'"
)
LOADS = "SELECT load_id, row_count FROM {schema}.landbridge_loads WHERE target_table = 'orders' ORDER BY version"
Rows = Mapping[str, Counter[tuple[Any, ...]]]  # by load id


def load_of(window: int) -> str:
    return window_load_id(NAME, hour(window))


def wrongs(case: PipelineCase) -> list[str]:
    """All that is not as it must be after the rerun; [] for a sound end."""
    database = open_database(case.drive)
    try:
        runs, stages = list_runs(database, limit=500), _stages(database)
        found = [*_drive_table(case, database, runs), *_books(case, stages, list_parcels(database))]
    finally:
        database.close()
    expected = in_source(case)
    found += [*_target(case, expected), *_landings(case), *_staged(case, stages, expected)]
    return found + (list(_archives(case, stages, expected)) if case.scene.cleans else [])


def newest_runs(case: PipelineCase) -> list[Run]:
    """Rows of the drive table, newest first."""
    database = open_database(case.drive)
    try:
        return list_runs(database, limit=500)
    finally:
        database.close()


def done(case: PipelineCase) -> tuple[int, ...]:
    """Windows that are loaded in the end."""
    return tuple(sorted({*case.scene.loaded, *case.scene.moves}))


def in_source(case: PipelineCase) -> Rows:
    """The rows that must have arrived, each under the load id of its window."""
    rows = execute(case.place(case.scene.source), f"SELECT {COLUMNS} FROM shop.orders")
    windows = {load_of(window): hour(window) for window in done(case)}
    return {load: Counter(row for row in rows if span.start <= row[-1] < span.end) for load, span in windows.items()}


def _by_load(rows: Iterable[tuple[Any, ...]]) -> Rows:
    found: dict[str, Counter[tuple[Any, ...]]] = {}
    for *row, load in rows:
        found.setdefault(str(load), Counter())[tuple(row)] += 1
    return found


def _differences(what: str, found: Rows, expected: Rows) -> Iterator[str]:
    for load in sorted({*found, *expected}):
        had, due = found.get(load, Counter()), expected.get(load, Counter())
        if had != due:
            yield f"{what}, load {load}: {(due - had).total()} rows are missing, {(had - due).total()} too many"


def _drive_table(case: PipelineCase, database: Database, runs: list[Run]) -> Iterator[str]:
    yield from (f"run {run.pipeline_id} says RUNNING" for run in runs if run.pipeline_status == "RUNNING")
    newest: dict[Window, Run] = {}
    for run in runs:
        if run.pipeline_status != gaps.STATUS:
            newest.setdefault(run.window, run)
    for window in map(hour, done(case)):
        status = newest[window].pipeline_status if window in newest else "nothing"
        if status != "SUCCESS":
            yield f"the newest attempt at {window} says {status}"
    spans = [hour(window) for window in done(case)]
    covered = coverage.covered(database, NAME)
    if covered != list(_merged(spans)):
        yield f"covered is {covered}, and should be {list(_merged(spans))}"
    told = [run.window for run in runs if run.pipeline_status == gaps.STATUS]
    due = [hour(window) for window in (1, 2)] if case.scene.ways & {"gaps", "fills"} else []
    if sorted(told) != due:
        yield f"gaps are recorded for {sorted(told)}, and should be for {due}"


def _merged(spans: Iterable[Window]) -> Iterator[Window]:
    whole: Window | None = None
    for span in spans:
        if whole and whole.end == span.start:
            whole = Window(whole.start, span.end)
        else:
            if whole:
                yield whole
            whole = span
    if whole:
        yield whole


def _books(case: PipelineCase, stages: list[Stage], parcels: list[ParcelRow]) -> Iterator[str]:
    """Stages and parcels as the drive database has them, and what lies on the disk, agree."""
    yield from (f"stage {s.stage_id} still says staged" for s in stages if s.state == "staged")
    yield from (f"parcel {p.parcel_id} says {p.state}" for p in parcels if p.state not in ("sealed", "abandoned"))
    standing = {stage.name for stage in stages if stage.kind == "parcel" and stage.state != "deleted"}
    sealed = {parcel.folder for parcel in parcels if parcel.state == "sealed"}
    files = [path for path in (case.folder / "stage").rglob("*") if path.is_file()]
    lying = {str(path.parent.relative_to(case.folder / "stage")) for path in files}
    yield from (f"parcel {name} is a stage, and not sealed" for name in standing - sealed)
    yield from (f"parcel {name} is sealed, and no stage: nobody will ever delete it" for name in sealed - standing)
    yield from (f"parcel {name} is missing" for name in standing - lying)
    yield from (f"{name} lies in the stage, and nobody knows it" for name in lying - standing)
    yield from (f"{name} has no index" for name in lying if not (case.folder / "stage" / name / "index").exists())
    numbers = [parcel.sequence for parcel in parcels if parcel.state == "sealed"]
    if len(set(numbers)) != len(numbers):
        yield f"sequence numbers of parcels: {numbers}"
    current = {stage.load_id for stage in stages if stage.state != "deleted"}
    due = set() if case.scene.cleans else {load_of(window) for window in done(case)}
    if current != due:
        yield f"{len(current - due)} loads have a stage that should be gone, {len(due - current)} have none"


def _target(case: PipelineCase, expected: Rows) -> Iterator[str]:
    schema = "main" if case.scene.target == "lake" else "mart"
    place = case.place(case.scene.target)
    rows = execute(place, f"SELECT {COLUMNS}, landbridge_load_id FROM {schema}.orders")
    yield from _differences("target", _by_load(rows), expected)
    counts = dict(execute(place, LOADS.format(schema=schema)))
    wrong = [load for load, of_it in expected.items() if counts.get(load) != of_it.total()]
    yield from (f"the book of loads has {counts.get(load)} rows for load {load}" for load in wrong)
    if case.scene.cleans:
        marks = Counter(load for (load,) in execute(case.place("mart"), "SELECT load_id FROM mart.marks"))
        if marks != Counter(map(load_of, done(case))):
            yield f"the user's SQL left {marks}"


def _landings(case: PipelineCase) -> Iterator[str]:
    for place in {case.place(each) for each in ("shop", "mart", case.scene.target)}:
        yield from (f"landing table {schema}.{name} is left" for schema, name in execute(place, LANDINGS))


def _staged(case: PipelineCase, stages: list[Stage], expected: Rows) -> Iterator[str]:
    """What lies in the stage now is what its windows have, and what the drive database says."""
    if case.scene.stage is None:
        for stage in stages:
            if stage.kind == "parcel" and stage.state != "deleted" and stage == _newest(stages, stage.load_id):
                held = _in_parcel(case, open_store(stage.location), stage.name)
                yield from _differences("parcel", {stage.load_id: held}, {stage.load_id: expected[stage.load_id]})
        return
    sql = f"SELECT {COLUMNS}, landbridge_load_id FROM depot.orders_stage"
    held = _by_load(execute(case.place(case.scene.stage), sql))
    standing = {stage.load_id: stage for stage in stages if stage.kind == "table" and stage.state != "deleted"}
    yield from _differences("stage", held, {load: rows for load, rows in expected.items() if load in standing})
    for load, stage in standing.items():
        if stage.row_count != expected[load].total():
            yield f"the stage of load {load} is said to have {stage.row_count} rows"


def _newest(stages: list[Stage], load: str) -> Stage:
    return max((s for s in stages if s.load_id == load), key=lambda stage: stage.staged_at)


def _in_parcel(case: PipelineCase, store: Store, folder: str) -> Counter[tuple[Any, ...]]:
    keyring = Keyring(case.folder / "keys")
    identities = keyring.identities()
    parcel = open_parcel(store, folder, signers=Signers(keyring.own_verifiers()), identities=identities)
    batches = [batch for part in parcel.manifest.parts for batch in read_part(store, parcel, part, identities)]
    return Counter(tuple(row.values()) for batch in batches for row in batch.to_pylist())


def _archives(case: PipelineCase, stages: list[Stage], expected: Rows) -> Iterator[str]:
    """One for each load, where its newest stage says that it is, with exactly its rows."""
    for load in expected:
        newest = _newest(stages, load)
        folder = case.archive / NAME / f"{hour(window_of(load)).target_date}" / load
        if newest.archive_location != str(folder):
            yield f"the archive of load {load} is said to be at {newest.archive_location}"
        held = _in_folder(folder) if newest.kind == "table" else _in_parcel(case, open_store(str(folder)), ".")
        yield from _differences("archive", {load: held}, {load: expected[load]})
    lying = {path.parent.name for path in case.archive.rglob("*") if path.is_file()}
    yield from (f"archive {load} is of nobody" for load in lying - {*expected})


def _in_folder(folder: Path) -> Counter[tuple[Any, ...]]:
    manifest = json.loads((folder / "manifest.json").read_text())
    rows = [row for entry in manifest["files"] for row in pq.read_table(folder / entry["file"]).to_pylist()]
    assert manifest["rows"] == len(rows), manifest
    assert {path.name for path in folder.iterdir()} == {"manifest.json", *(e["file"] for e in manifest["files"])}
    return Counter(tuple(row.values()) for row in rows)


def window_of(load: str) -> int:
    return next(window for window in range(WINDOWS) if load_of(window) == load)


def _stages(database: Database) -> list[Stage]:
    with database.read() as connection:
        return [Stage(**row) for row in connection.execute(select(tables.stages)).mappings()]


def whole_states(case: PipelineCase) -> dict[str, set[tuple[int, int, int]]]:
    """By load id: generation (least and most) and count of rows, as a reader may see them; none at all besides."""
    return {
        load_of(window): {(g, g, rows_of(window, g)) for g in {1, case.scene.generation(window)}}
        for window in range(WINDOWS)
    }
