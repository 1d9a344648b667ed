"""The folder of metadata: what is written when, what a kill leaves, and that nothing is ever lost of it."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from landbridge.engine.sync import plan_arrival
from landbridge.engine.tables import extraction
from landbridge.engine.tables.extraction import Look, extract
from landbridge.engine.tables.metadata_folder import MetadataFolder
from landbridge.errors import ConfigError, LeaseHeld
from landbridge.schema.metadata import Extracted
from tests.engine.conftest import OpenWorld
from tests.engine.projects import (
    FUNDS,
    MART,
    PRICES,
    WAREHOUSE,
    declare,
    export_table,
    import_table,
    in_duckdb,
    introduce,
    make_project,
    table,
)


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    project = make_project(
        tmp_path / "inside", WAREHOUSE, tables=[table("funds", target="mart"), table("prices", target="mart")]
    )
    in_duckdb(project / "warehouse.duckdb", FUNDS, PRICES)
    return project


@pytest.fixture
def look(inside: Path, open_world: OpenWorld) -> Callable[..., Look]:
    def looked(name: str = "funds", *, check: bool = True, force: bool = False) -> Look:
        world = open_world(inside)
        (found,) = extract(world, [world.project.table(name)], check=check, force=force)
        return found

    return looked


def content(inside: Path) -> dict[str, tuple[bytes, int]]:
    """Every file of the folder, and when it was written."""
    files = [path for path in (inside / "metadata").rglob("*") if path.is_file()]
    return {str(path.relative_to(inside)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def change(inside: Path, sql: str) -> None:
    in_duckdb(inside / "warehouse.duckdb", sql)


def test_nothing_is_touched_where_nothing_has_changed(inside: Path, look: Callable[..., Look]) -> None:
    """Rows may come and go: statistics are no change. Only --force looks at them again."""
    assert look().status == "NEW"
    before = content(inside)
    change(inside, "INSERT INTO funds VALUES (9, 'late')")
    assert [look().status, look(check=False).status] == ["UNCHANGED", "UNCHANGED"]
    assert content(inside) == before
    assert look(force=True).status == "WRITTEN"
    assert '"row_count": 4' in (inside / "metadata/schemas/funds_metadata.json").read_text()


def test_fault_4_a_type_change_is_told_archived_and_logged(inside: Path, look: Callable[..., Look]) -> None:
    """It is no crash, and no first extraction."""
    look()
    before = content(inside)
    change(inside, "ALTER TABLE funds ALTER id SET DATA TYPE BIGINT")
    found = look()
    assert (found.status, [one.kind for one in found.changes]) == ("CHANGED", ["column_type_changed"])
    after = content(inside)
    old = [name for name in after if name not in before]
    assert sorted(found.archived) == sorted(old)
    assert {after[name][0] for name in old} == {data for name, (data, _) in before.items() if "changes" not in name}
    assert "INTEGER → BIGINT" in (inside / "metadata/changes/funds_changes.log").read_text()


def test_fault_5_archives_of_one_day_do_not_overwrite_each_other(inside: Path, look: Callable[..., Look]) -> None:
    """Each state that ever was is kept."""
    look()
    for number in range(3):
        change(inside, f"ALTER TABLE funds ADD COLUMN c{number} INTEGER")
        assert look().status == "CHANGED"
    schemas = sorted((inside / "metadata" / "schemas").glob("funds_2*"))
    assert len(schemas) == 3
    assert len({path.read_text() for path in schemas}) == 3


@pytest.mark.parametrize("step", ["archive", "note", "save"])
def test_killed_between_the_steps_the_change_is_told_again(
    inside: Path, look: Callable[..., Look], step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the old state is lost, nothing is archived or logged twice."""
    look()
    before = {data for name, (data, _) in content(inside).items() if "changes" not in name}
    change(inside, "ALTER TABLE funds ADD COLUMN extra INTEGER")
    with monkeypatch.context() as patch:
        patch.setattr(MetadataFolder, step, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            look()
    found = look()
    assert (found.status, len(found.archived)) == ("CHANGED", 2)
    archived = [data for name, (data, _) in content(inside).items() if "_2" in name.rpartition("/")[2]]
    assert sorted(archived) == sorted(before)
    assert (inside / "metadata/changes/funds_changes.log").read_text().count("1 column added") == 1


def test_without_checking_files_are_replaced_and_nothing_is_told(inside: Path, look: Callable[..., Look]) -> None:
    """No archive, no entry in the log."""
    look()
    log = content(inside)["metadata/changes/funds_changes.log"]
    change(inside, "ALTER TABLE funds ADD COLUMN extra INTEGER")
    assert look(check=False).status == "WRITTEN"
    assert len(content(inside)) == 3
    assert content(inside)["metadata/changes/funds_changes.log"] == log


def test_what_is_no_metadata_file_is_refused(inside: Path, look: Callable[..., Look]) -> None:
    """It is not taken for a first extraction, and stays as it is."""
    look()
    path = inside / "metadata/schemas/funds_metadata.json"
    path.write_text('{"format": "landbridge-metadata/1"}')
    found = look()
    assert isinstance(found.error, ConfigError)
    assert "is no metadata file" in found.error.message
    assert path.read_text() == '{"format": "landbridge-metadata/1"}'
    assert look(force=True).status == "NEW"
    (kept,) = path.parent.glob("funds_2*")
    assert kept.read_text() == '{"format": "landbridge-metadata/1"}'


def test_many_tables_are_one_question(inside: Path, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection is asked once; only what makes that fail is asked again, table by table."""
    world = open_world(inside)
    asked: list[int] = []
    connector = world.connector("warehouse")
    real = connector.metadata
    monkeypatch.setattr(connector, "metadata", lambda reads: (asked.append(len(reads)), real(reads))[1])
    assert [one.status for one in extract(world, world.project.tables, check=True, force=False)] == ["NEW", "NEW"]
    assert asked == [2]


def test_the_look_is_dated_in_utc(inside: Path, look: Callable[..., Look], monkeypatch: pytest.MonkeyPatch) -> None:
    """Archives bear the day of the change in UTC, wherever the source's clock is set."""
    look()
    change(inside, "ALTER TABLE funds ADD COLUMN extra INTEGER")
    late = datetime.fromisoformat("2026-03-01T23:30:00-05:00")
    real = extraction._seen

    def seen(*asked: object) -> dict[str, Extracted]:
        return {name: replace(one, extracted_at=late.astimezone(UTC)) for name, one in real(*asked).items()}

    monkeypatch.setattr(extraction, "_seen", seen)
    assert all("_20260302_" in name for name in look().archived)


def test_where_the_ddl_cannot_be_written_nothing_is(inside: Path, open_world: OpenWorld) -> None:
    """No entry of the log without its files, no archive without its alert: the change is told when it can be."""
    head, _, tail = table("funds", target="mart").rpartition("table: funds")
    declare(inside, f"{head}table: funds, indexes: [nosuch]{tail}")
    world = open_world(inside)
    (found,) = extract(world, world.project.tables, check=True, force=False)
    assert found.error is not None
    assert "nosuch" in found.error.message
    assert not (inside / "metadata").exists()


def test_a_table_whose_files_would_be_anothers_archives_is_refused(inside: Path, open_world: OpenWorld) -> None:
    """It would be told as changed, and overwrite what was kept."""
    declare(inside, table("funds", target="mart"), table("funds_20261121", target="mart"))
    world = open_world(inside)
    good, bad = extract(world, world.project.tables, check=True, force=False)
    assert good.status == "NEW"
    assert isinstance(bad.error, ConfigError)
    assert "archive of funds" in bad.error.message


@pytest.mark.parametrize(
    "junk", ["junk", "2026-11-21T19:49:01  no zone\n" + "=" * 80 + "\n", "2026-11-21T19:49:01Z  cut"]
)
def test_a_log_that_is_none_is_refused(inside: Path, look: Callable[..., Look], junk: str) -> None:
    """It is not passed over, and nothing is appended to it."""
    look()
    log = inside / "metadata/changes/funds_changes.log"
    log.write_text(junk)
    with pytest.raises(ConfigError, match="cannot be read"):
        list(MetadataFolder(inside).history(["funds"]))


def test_a_target_made_anew_is_loaded_anew(inside: Path, tmp_path: Path, open_world: OpenWorld) -> None:
    """That its parcel was loaded once does not count when the rows are gone; nor may a run work on it meanwhile."""
    outside = make_project(tmp_path / "outside", MART, tables=[table("funds", target="mart")])
    introduce(inside, outside)
    here, there = open_world(inside), open_world(outside)
    (seen,) = extract(here, [here.project.table("funds")], check=True, force=False)
    assert seen.status == "NEW"
    shutil.copytree(inside / "metadata", outside / "metadata")
    parcel = inside / "exports" / "funds" / str(export_table(here, "funds").parcel_id)
    shutil.copytree(parcel, outside / "imports" / "funds" / parcel.name)
    import_table(there, "funds")
    funds = there.project.table("funds")
    assert plan_arrival(there, funds, None, None) is None
    with there.alone_with("funds"):
        (busy,) = extract(there, [funds], check=True, force=False, create=True, drop=True)
        assert isinstance(busy.error, LeaseHeld)
    (made,) = extract(there, [funds], check=True, force=False, create=True, drop=True)
    assert (made.status, made.target) == ("SAVED", "replaced")
    assert plan_arrival(there, funds, None, None) is not None
    import_table(there, "funds")
    with duckdb.connect(str(outside / "mart.duckdb"), read_only=True) as mart:
        assert mart.execute("SELECT count(*) FROM funds").fetchall() == [(3,)]
