"""What `fsck` finds in a project, commands that are killed at a named crash point, and two sides to do it to."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg

from landbridge.config.project import load_project
from landbridge.engine.checking.fsck import Checked, check
from landbridge.engine.world import World
from tests.engine.histories import Sides
from tests.engine.projects import in_duckdb
from tests.faults.workshop import LAUNCHER


def fsck(folder: Path, *, repair: bool = False) -> list[Checked]:
    """As the command does, with all tables."""
    world = World(load_project(folder, {}), lambda _event: None, changing=repair)
    try:
        return list(check(world, world.project.tables, repair=repair))
    finally:
        world.close()


def kinds(checked: list[Checked]) -> list[str]:
    assert [one.error for one in checked if one.error] == []
    return sorted(one.finding.kind for one in checked if one.finding)


def hints(checked: list[Checked]) -> list[str | None]:
    return [one.finding.hint for one in checked if one.finding]


def command(folder: Path, *words: str, dies_at: str = "") -> int:
    """The exit code of a command in a process of its own, killed at a crash point of tests/faults/points.py."""
    done = subprocess.run(
        [sys.executable, str(LAUNCHER), *words, "--project", str(folder)],
        env={**os.environ, "LB_FAULT": dies_at},
        capture_output=True,
        check=False,
    )
    return done.returncode


def state_of(folder: Path) -> dict[str, bytes]:
    """Every file of a project."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def mended(folder: Path, *expected: str) -> None:
    """A look finds just these and changes nothing; a repair mends all; the next finds nothing any more."""
    before = state_of(folder)
    assert kinds(fsck(folder)) == sorted(expected)
    assert state_of(folder) == before
    done = fsck(folder, repair=True)
    assert kinds(done) == sorted(expected)
    assert [one.finding for one in done if not one.repaired] == []
    repaired = state_of(folder)
    assert kinds(fsck(folder)) == []
    assert state_of(folder) == repaired
    assert kinds(fsck(folder, repair=True)) == []


def insert(sides: Sides, *keys: int) -> None:
    """New rows at the source; the watermark goes on far enough for `overlap` to leave the others."""
    for key in keys:
        sides.source(f"INSERT INTO t VALUES ({key}, {key}, {key * 100})")


def carried(sides: Sides) -> str:
    """Export what is new and carry it; the parcel's id."""
    assert sides.export() is None
    newest = sides.exported()[-1]
    sides.carry(newest)
    return newest


def same(sides: Sides) -> bool:
    return sides.target() == sides.source("SELECT * FROM t ORDER BY ALL")


def on_target(sides: Sides, *statements: str) -> None:
    if sides.pg_url is None:
        in_duckdb(sides.outside / "mart.duckdb", *statements)
        return
    with psycopg.connect(sides.pg_url) as connection:
        for statement in statements:
            connection.execute(statement)
