"""What only looks changes nothing: no file, no table, no row."""

import hashlib
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from landbridge.cli.main import build
from tests.cli.given import one_project, two_sides
from tests.engine.pipelines import shop

DRY = (
    "plan --all",
    "run --all --dry-run",
    "create-tables --all --dry-run",
    "export-data --all --dry-run",
    "keys show",
)
LOOKS = (*DRY, "status", "doctor")
LOOKS_OUTSIDE = (
    "import-data --table prices --dry-run",
    "create-tables --table prices --dry-run",
    "parcel list",
    "parcel purge --loaded --dry-run",
    "custody",
)


def landbridge(folder: Path, command: str) -> Result:
    words = [*command.split(), "--project", str(folder)]
    return CliRunner().invoke(build(words), words)


def state(folder: Path, url: str) -> tuple[dict[str, str], list[tuple]]:
    """Every file with the hash of its content, and all tables of the database with the rows that were ever changed."""
    files = {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in folder.rglob("*")
    }
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT relname, relfilenode, pg_relation_size(oid) FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace ORDER BY 1"
        ).fetchall()
    return files, tables


def leaves_no_trace(command: str, folder: Path, url: str) -> None:
    before = state(folder, url)
    result = landbridge(folder, command)
    assert (result.exit_code, result.output != "") == (0, True), result.output
    assert state(folder, url) == before


@pytest.mark.parametrize("command", DRY)
def test_new_project(command: str, tmp_path: Path, pg_url: str) -> None:
    """In a project that was never used, asking what would be done makes neither a drive table nor a folder."""
    one_project(tmp_path, pg_url)
    leaves_no_trace(command, tmp_path, pg_url)


@pytest.mark.parametrize("command", LOOKS)
def test_here(command: str, tmp_path: Path, pg_url: str) -> None:
    """In a project that knows source and target, looking leaves folders and database as they were."""
    one_project(tmp_path, pg_url)
    assert landbridge(tmp_path, "status").exit_code == 0
    leaves_no_trace(command, tmp_path, pg_url)


def test_outside(tmp_path: Path, pg_url: str) -> None:
    """Outside a gap, looking at what was carried leaves folders and database as they were."""
    two_sides(tmp_path, pg_url)
    exported = landbridge(tmp_path / "inside", f"export-data --table prices --to {tmp_path / 'outside' / 'imports'}")
    assert exported.exit_code == 0, exported.output
    assert landbridge(tmp_path / "outside", "status").exit_code == 0
    for command in LOOKS_OUTSIDE:
        leaves_no_trace(command, tmp_path / "outside", pg_url)


def test_fault_14_a_dry_run_of_windows_changes_nothing(tmp_path: Path, pg_url: str) -> None:
    """What is due, a backfill, gaps and status are told without a trace, in a project that was never used."""
    shop(tmp_path, pg_url)
    for command in (
        "run --pipeline orders --dry-run",
        "backfill orders --from 2026-01-01 --to 2026-01-01T04:00Z --dry-run",
        "gaps orders",
        "status",
        "validate-config -v",
    ):
        leaves_no_trace(command, tmp_path, pg_url)
