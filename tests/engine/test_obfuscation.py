"""Obfuscated parcels tell nothing to who has no key, and everything to who has."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from landbridge.config.project import load_project
from landbridge.engine.carrying.arrivals import newest_arrival
from landbridge.engine.events import Event, Notice
from landbridge.engine.plan import plan_export
from landbridge.engine.sync import plan_arrival
from landbridge.engine.tables.creation import create_tables
from landbridge.engine.tables.migration import migrate_tables
from landbridge.engine.walk import walk
from landbridge.engine.world import World
from landbridge.errors import ParcelMissing
from landbridge.ledger.runs import Run
from landbridge.sealing import age
from landbridge.sealing.keyring import Keyring
from landbridge.stage.folders import NO_TIME
from landbridge.stage.padding import padded_size
from tests.engine.projects import FUNDS, MART, PRICES, WAREHOUSE, in_duckdb, introduce, make_project, table

CANARY = "canary"


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Two projects that trust each other, one medium between them; funds and prices are exported obfuscated."""
    warehouse = WAREHOUSE.replace("warehouse.duckdb", "../warehouse.duckdb")
    tables = [table(name, target="mart", more=", obfuscate_names: true") for name in ("funds", "prices")]
    inside = make_project(tmp_path / "inside", warehouse, tables=tables, settings=f"exports: {tmp_path}/medium")
    outside = make_project(tmp_path / "outside", MART, tables=tables, settings=f"imports: {tmp_path}/medium")
    introduce(inside, outside)
    in_duckdb(tmp_path / "warehouse.duckdb", FUNDS, PRICES)
    return inside, outside


@contextmanager
def world(project: Path, told: list[str] | None = None) -> Iterator[World]:
    def hear(event: Event) -> None:
        if told is not None and isinstance(event, Notice):
            told.append(event.text)

    opened = World(load_project(project), hear)
    try:
        yield opened
    finally:
        opened.close()


def export(project: Path, *names: str, obfuscate: bool | None = None) -> Sequence[Run]:
    with world(project) as here:
        return [walk(plan_export(here.project, here.project.table(n), obfuscate=obfuscate), here) for n in names]


def load(project: Path, name: str, told: list[str] | None = None) -> Run | None:
    with world(project, told) as here:
        plan = plan_arrival(here, here.project.table(name), None, None)
        return plan and walk(plan, here)


def folders(medium: Path) -> list[str]:
    return sorted(path.name for path in medium.iterdir() if path.is_dir())


def test_nothing_can_be_read_off_a_medium(tmp_path: Path) -> None:
    """Names, clear bytes, times and sizes of a project full of canaries: no canary, no date, no exact size."""
    columns = f"{CANARY}_id INTEGER, {CANARY}_text VARCHAR"
    in_duckdb(
        tmp_path / "warehouse.duckdb",
        f"CREATE SCHEMA {CANARY}_schema",
        f"CREATE TABLE {CANARY}_schema.{CANARY}_table ({columns})",
        f"INSERT INTO {CANARY}_schema.{CANARY}_table SELECT i, '{CANARY}' FROM range(70000) AS rows(i)",
    )
    entry = (
        f"{{name: {CANARY}_name, obfuscate_names: true, compression: false, schedule: 3h,"
        f" source: {{connection: warehouse, schema: {CANARY}_schema, table: {CANARY}_table,"
        f" filter: \"{CANARY}_text = '{CANARY}'\"}}, target: {{connection: mart, table: {CANARY}_target}}}}"
    )
    warehouse = WAREHOUSE.replace("warehouse.duckdb", "../warehouse.duckdb")
    inside = make_project(tmp_path / CANARY, warehouse, tables=[entry], settings=f"exports: {tmp_path}/medium")
    introduce(inside, make_project(tmp_path / "outside"))
    export(inside, f"{CANARY}_name")
    medium = tmp_path / "medium"
    found = {path.relative_to(medium).as_posix(): path for path in medium.rglob("*")}
    pattern = r"\.export_index\.enc|[0-9a-f]{16}(/(index|[0-9a-f]{16}\.enc))?"
    assert [name for name in found if not re.fullmatch(pattern, name)] == []
    assert {path.stat().st_mtime for path in (medium, *found.values())} == {NO_TIME}
    for path in found.values():
        content = path.read_bytes() if path.is_file() else b""
        assert CANARY.encode() not in content
        assert b"70000" not in content
        if path.suffix == ".enc":
            plain = age.open_sealed(content, Keyring(tmp_path / "outside" / "keys").identities())
            padded = plain.partition(b"\n")[0] if path.name == ".export_index.enc" else plain
            assert padded_size(len(padded)) == len(padded)
    (index,) = medium.glob("*/index")
    assert re.fullmatch(
        r"landbridge-parcel/1\nparcel [0-9a-f]{32}\n([0-9a-f]{64} [0-9]+ [0-9a-f]{16}\.enc\n)+\n— - [A-Za-z0-9+/=]+\n",
        index.read_text(),
    )


@pytest.mark.skipif(shutil.which("age") is None, reason="the age program is not installed")
def test_the_age_program_and_any_parquet_reader_open_a_part(sides: tuple[Path, Path], tmp_path: Path) -> None:
    """Padding is no layer of ours around the file: who has the key needs nothing of ours, ever."""
    inside, outside = sides
    (run,) = export(inside, "funds")
    folder = tmp_path / "medium" / run.phases["source_to_stage_transfer"].details["folder"]
    opened = []
    for sealed in folder.glob("*.enc"):
        plain = tmp_path / f"{sealed.stem}.plain"
        subprocess.run(["age", "-d", "-i", outside / "keys" / "identity.txt", "-o", plain, sealed], check=True)
        assert plain.stat().st_size == padded_size(plain.stat().st_size) >= 16 * 1024
        if plain.read_bytes()[:4] == b"PAR1":
            opened.append(plain)
    (part,) = opened
    rows = [{"id": 1, "name": "alpha"}, {"id": 2, "name": "beta"}, {"id": 3, "name": None}]
    assert pq.read_table(part).to_pylist() == rows
    assert duckdb.sql(f"FROM read_parquet('{part}')").fetchall() == [tuple(row.values()) for row in rows]


def test_an_import_finds_them_by_itself(sides: tuple[Path, Path], tmp_path: Path) -> None:
    """Which folder is which table's is sealed in the export index; a second import finds nothing new."""
    inside, outside = sides
    export(inside, "funds", "prices")
    assert [load(outside, name).pipeline_status for name in ("prices", "funds")] == ["SUCCESS", "SUCCESS"]
    assert in_duckdb(tmp_path / "outside" / "mart.duckdb", "SELECT count(*) FROM prices") == [(100,)]
    assert load(outside, "prices") is None


def test_targets_are_made_from_them(sides: tuple[Path, Path]) -> None:
    """Columns come from the newest carried parcel, whatever its folder is called."""
    inside, outside = sides
    export(inside, "funds")
    with world(outside) as here:
        (made,) = create_tables(here, [here.project.table("funds")], location=None, dry_run=False)
        assert (made.state, made.error) == ("created", None)
        (same,) = migrate_tables(
            here, [here.project.table("funds")], location=None, dry_run=False, allow_breaking=False
        )
        assert same.done is not None
        assert same.done.steps == ()


def test_without_the_export_index_they_are_opened_to_be_known(sides: tuple[Path, Path], tmp_path: Path) -> None:
    """The index is advice; one that is cut is passed over aloud."""
    inside, outside = sides
    export(inside, "funds", "prices")
    index = tmp_path / "medium" / ".export_index.enc"
    index.write_bytes(index.read_bytes()[:-1])
    told: list[str] = []
    assert load(outside, "funds", told).pipeline_status == "SUCCESS"
    assert any(text.startswith("the export index at ") for text in told)
    index.unlink()
    assert load(outside, "prices", told := []).pipeline_status == "SUCCESS"
    assert told == []


def test_the_newest_is_taken_whatever_the_layout(sides: tuple[Path, Path]) -> None:
    """Numbers decide, not names: obfuscated, then clear, then obfuscated again."""
    inside, outside = sides
    for obfuscate in (True, False, True):
        (run,) = export(inside, "funds", obfuscate=obfuscate)
        loaded = load(outside, "funds")
        assert loaded.parcel_id == run.parcel_id
        assert load(outside, "funds") is None


def test_a_newer_parcel_that_was_not_carried_is_missed(sides: tuple[Path, Path], tmp_path: Path) -> None:
    """The export index tells of it, so that older rows are not taken for the newest."""
    inside, outside = sides
    medium = tmp_path / "medium"
    export(inside, "funds")
    (first,) = folders(medium)
    export(inside, "funds")
    (second,) = set(folders(medium)) - {first}
    shutil.move(medium / second, tmp_path / "forgotten")
    with world(outside) as here, pytest.raises(ParcelMissing, match="was exported for") as caught:
        newest_arrival(here, "funds", str(medium))
    assert second in caught.value.hint
    shutil.move(tmp_path / "forgotten", medium / second)
    assert load(outside, "funds").pipeline_status == "SUCCESS"
    shutil.rmtree(medium / second)  # loaded, and cleaned away: the older one is not taken up again
    with world(outside) as here:
        assert newest_arrival(here, "funds", str(medium)) is None


def test_a_folder_that_cannot_be_opened_is_told_and_passed_over(sides: tuple[Path, Path], tmp_path: Path) -> None:
    """A stranger's parcel on the same medium stops nobody."""
    inside, outside = sides
    export(inside, "funds")
    stranger = make_project(
        tmp_path / "stranger",
        WAREHOUSE.replace("warehouse.duckdb", "../warehouse.duckdb"),
        tables=[table("prices", target="mart", more=", obfuscate_names: true")],
        settings=f"exports: {tmp_path}/medium",
    )
    Keyring(stranger / "keys").trust(Keyring(stranger / "keys").own_recipient)
    export(stranger, "prices")
    told: list[str] = []
    assert load(outside, "funds", told).pipeline_status == "SUCCESS"
    assert sum("is passed over: " in text for text in told) == 2  # the stranger's index, and its folder


def test_the_export_index_lists_what_lies_there(sides: tuple[Path, Path], tmp_path: Path) -> None:
    """By the names of seed 000; what was deleted since is not in it any more."""
    inside, outside = sides
    medium = tmp_path / "medium"
    export(inside, "funds")
    shutil.rmtree(medium / folders(medium)[0])
    export(inside, "prices", "funds")
    identities = Keyring(outside / "keys").identities()
    text, _, _ = age.open_sealed((medium / ".export_index.enc").read_bytes(), identities).decode().partition("\n")
    document = json.loads(text)
    assert (document["version"], document["obfuscation_enabled"]) == ("1.0", True)
    listed = {entry["table_name"]: entry for entry in document["tables"]}
    assert {
        name: (entry["sequence"], entry["total_rows"], entry["total_chunks"]) for name, entry in listed.items()
    } == {
        "prices": (1, 100, 1),
        "funds": (2, 3, 1),
    }
    assert sorted(entry["folder_id"] for entry in listed.values()) == folders(medium)
