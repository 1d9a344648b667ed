"""Nothing readable ever touches the disk of the exporting side."""

import os
import re
import tempfile
from pathlib import Path

import pytest

from landbridge.config.project import load_project
from landbridge.engine.events import Event, RowsMoved
from landbridge.engine.world import World
from tests.engine.inotify import watching
from tests.engine.projects import WAREHOUSE, export_table, in_duckdb, introduce, make_project, table

CANARY = b"canary-in-the-coal-mine"
EXPECTED = re.compile(
    r"exports/funds/[0-9a-f]{32}/\.?(part-[0-9a-f-]+\.parquet\.age|manifest\.json\.age|index)(\.[0-9a-f]{8})?"
    r"|state/drive\.db(-journal)?"
)


def own_files() -> dict[str, bytes]:
    """What this process and its children hold open for writing on a disk, deleted files as well."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = os.getpid() in (int(process.name), int((process / "stat").read_text().rpartition(")")[2].split()[1]))
            for descriptor in (process / "fd").iterdir() if ours else ():
                mode = int(re.search(r"flags:\s+(\d+)", (process / "fdinfo" / descriptor.name).read_text())[1], 8)
                if mode & os.O_ACCMODE and (descriptor.is_file() or "(deleted)" in str(descriptor.readlink())):
                    found[str(descriptor.readlink())] = descriptor.read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_no_plaintext(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.chdir(inside)
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
