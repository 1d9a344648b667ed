"""Nothing readable ever touches the disk of the exporting side."""

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from landbridge.config.project import load_project
from landbridge.engine.events import Event, RowsMoved
from landbridge.engine.pool import get_ready
from landbridge.engine.world import World
from landbridge.errors import SourceError
from tests.engine.inotify import watching
from tests.engine.projects import WAREHOUSE, export_table, in_duckdb, introduce, make_project, table

CANARY = b"canary-in-the-coal-mine"
EXPECTED = re.compile(
    r"exports/funds/[0-9a-f]{32}/\.?(part-[0-9a-f-]+\.parquet\.age|manifest\.json\.age|index)(\.[0-9a-f]{8})?"
    r"|state/drive\.db(-journal)?"
)


def parent(process: Path) -> Path:
    pid = process.name
    return process.with_name((process / "stat").read_text().rpartition(")")[2].split()[1] if pid != "0" else pid)


def own_files() -> dict[str, bytes]:
    """What this process and its workers, forked from a child of it, hold open for writing, deleted files as well."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = Path(f"/proc/{os.getpid()}") in (process, parent(process), parent(parent(process)))
            for descriptor in (process / "fd").iterdir() if ours else ():
                mode = int(re.search(r"flags:\s+(\d+)", (process / "fdinfo" / descriptor.name).read_text())[1], 8)
                if mode & os.O_ACCMODE and (descriptor.is_file() or "(deleted)" in str(descriptor.readlink())):
                    found[str(descriptor.readlink())] = descriptor.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


@pytest.fixture(scope="session")
def temporary() -> Iterator[Path]:
    """Where temporary files go; the socket of the workers' server stays there, and allows no long path."""
    with tempfile.TemporaryDirectory(prefix="lb-") as folder:
        yield Path(folder)


def test_no_plaintext(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While rows are exported and afterwards, they are in no file of the project, of /tmp, of TMPDIR, of shared memory.

    Not compressed, so that a plain Parquet file would show them; written in many parts; by workers of their own.
    """
    inside = make_project(
        tmp_path / "inside",
        WAREHOUSE.replace("warehouse.duckdb", "../warehouse.duckdb"),
        tables=[table("funds", more=", compression: false")],
        settings="parcels: {part_size: 1MiB}",
    )
    introduce(inside, make_project(tmp_path / "outside"))
    text = f"'{CANARY.decode()} ' || md5(i::VARCHAR) || md5((i + 1)::VARCHAR)"
    in_duckdb(tmp_path / "warehouse.duckdb", f"CREATE TABLE funds AS SELECT i, {text} AS t FROM range(60000) r(i)")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(inside)
    get_ready()  # the server of the workers listens at a socket in TMPDIR
    opened: dict[str, bytes] = {}
    control = inside / "control"  # what would be seen is seen

    def look(event: Event) -> None:
        if isinstance(event, RowsMoved):
            control.write_bytes(CANARY)
            opened.update(own_files())

    world = World(load_project(inside, {}), look)
    with watching(deep=[inside, temporary], flat=[Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")]) as watch:  # noqa: S108
        row = export_table(world, "funds")
    world.close()
    parts = list((inside / "exports").rglob("part-*"))
    assert (row.phases["source_to_stage_transfer"].details["source_count"], len(parts) > 2) == (60000, True)
    assert CANARY in watch.seen.pop(control)
    assert [str(path) for path, content in watch.seen.items() if CANARY in content or b"PAR1" in content[:4]] == []
    assert [path for path, content in opened.items() if CANARY in content] == []
    written = {str(path.relative_to(inside)) for path in watch.seen if path.is_relative_to(inside)}
    assert {name for name in written if not EXPECTED.fullmatch(name)} == set()
    assert {str(path.relative_to(inside)) for path in parts} <= written
    assert [path for path in watch.seen if path.is_relative_to(temporary)] == []


def test_no_spill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source query that needs more memory than there is fails; it does not go on in a readable file."""
    connection = "warehouse: {type: duckdb, path: ../warehouse.duckdb, memory_limit: 40MB, threads: 1}"
    entry = table("hashes", source=", source_query: 'SELECT * FROM {table} ORDER BY s'")
    inside = make_project(tmp_path / "inside", connection, tables=[entry])
    introduce(inside, make_project(tmp_path / "outside"))
    hashes = "CREATE TABLE hashes AS SELECT md5(i::VARCHAR) || i AS s FROM range(700000) r(i)"
    in_duckdb(tmp_path / "warehouse.duckdb", hashes)
    monkeypatch.chdir(inside)
    world = World(load_project(inside, {}), lambda _event: None)
    with watching(deep=[tmp_path], flat=[]) as watch, pytest.raises(SourceError, match="needs more memory"):
        export_table(world, "hashes")
    world.close()
    assert {path.name for path in watch.seen} == {"drive.db", "drive.db-journal"}
