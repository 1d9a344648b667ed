"""The folder of metadata: what is written when, what a kill leaves, and that nothing is ever lost of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from landbridge.engine import extraction
from landbridge.engine.extraction import Look, extract
from landbridge.engine.metadata_folder import MetadataFolder
from landbridge.errors import ConfigError
from landbridge.schema.metadata import Extracted
from tests.engine.conftest import OpenWorld
from tests.engine.projects import FUNDS, PRICES, WAREHOUSE, in_duckdb, make_project, table


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
