"""An identity that a passphrase locks: asked for once, by whoever started the command, and handed to its workers."""

import subprocess
import sys
from pathlib import Path

import pytest

from landbridge.sealing.passphrase import VARIABLE
from tests.engine.projects import FUNDS, MART, WAREHOUSE, in_duckdb, introduce, make_project, table
from tests.sealing import locked
from tests.terminal import on_terminal

LANDBRIDGE = (sys.executable, "-m", "landbridge")
ASKED = ("passphrase of ", locked.PASSPHRASE)


def lock(project: Path) -> None:
    """Let the age program's locked file be the project's only identity."""
    (project / "keys" / "identity.txt").unlink()
    (project / "keys" / "identity.age").write_text(locked.LOCKED)
    (project / "keys" / "identity.age").chmod(0o600)
    (project / "keys" / "identity.pub").write_text(locked.RECIPIENT + "\n")


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_an_import_asks_once_and_its_workers_open_the_parts(tmp_path: Path) -> None:
    """Two tables, one question; exporting, showing keys and the doctor ask for nothing."""
    tables = [table(name, target="mart") for name in ("funds", "prices")]
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=tables)
    outside = make_project(tmp_path / "outside", MART, tables=tables)
    in_duckdb(inside / "warehouse.duckdb", FUNDS, FUNDS.replace("funds", "prices"))
    in_duckdb(outside / "mart.duckdb", "SELECT 1")
    lock(outside)
    introduce(inside, outside)
    imports = outside / "imports"
    for command, answers in (
        (["export-data", "--all", "--to", imports, "--project", inside], []),
        (["keys", "show", "--project", outside], []),
        (["doctor", "--project", outside], []),
        (["import-data", "--all", "--project", outside], [ASKED]),
    ):
        code, shown = on_terminal([*LANDBRIDGE, *command], answers)
        assert code == 0, shown
        assert shown.count(ASKED[0]) == len(answers), shown
        assert locked.PASSPHRASE not in shown
    assert in_duckdb(outside / "mart.duckdb", "SELECT count(*) FROM prices") == [(3,)]


def test_a_run_asks_before_a_row_moves(tmp_path: Path) -> None:
    """In one hop the staged parcel is opened again: the question comes before the read, and a wrong answer ends it."""
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("funds", target="mart")])
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    in_duckdb(project / "mart.duckdb", "SELECT 1")
    lock(project)
    run = [*LANDBRIDGE, "run", "--all", "--project", project]
    code, shown = on_terminal(run, [(ASKED[0], "wrong")])
    assert (code, "wrong passphrase" in shown, "source_to_stage" in shown) == (3, True, False), shown
    code, shown = on_terminal(run, [ASKED])
    assert code == 0, shown
    assert in_duckdb(project / "mart.duckdb", "SELECT count(*) FROM funds") == [(3,)]


def test_an_export_asks_nothing(tmp_path: Path) -> None:
    """Whoever only exports opens nothing: no terminal and no variable is needed, though its identity is locked."""
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=[table("funds", target="mart")])
    in_duckdb(inside / "warehouse.duckdb", FUNDS)
    introduce(inside, make_project(tmp_path / "outside"))
    lock(inside)
    command = [*LANDBRIDGE, "export-data", "--all", "--project", str(inside)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True, check=False)
    assert done.returncode == 0, done.stderr
