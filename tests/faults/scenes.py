"""The jobs that are killed, as data: one command on one kind of target each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.faults.points import Point


@dataclass(frozen=True)
class Scene:
    """One job on one kind of target. `ways` are what it has on its way: a crash point lies there if it needs no more.

    Points that have nothing to do with the kind of target are passed in some scenes only.
    """

    name: str
    command: str  # export-data, import-data or run
    ways: frozenset[str]
    source: str = "warehouse"
    target: str = "postgres"
    drive_postgres: bool = False
    mode: str = ""  # lines of tables.yaml

    @property
    def loads(self) -> bool:
        return self.command != "export-data"

    @property
    def watched(self) -> bool:
        """Whether others can read the target meanwhile: a DuckDB file has one reader or one writer."""
        return self.loads and self.target == "postgres"

    @property
    def first(self) -> bool:
        """Nothing is there yet: no drive table, no target table."""
        return "first" in self.ways

    def passes(self, point: Point) -> bool:
        return point.needs <= self.ways


def _scene(name: str, command: str, ways: str, **places: Any) -> Scene:
    return Scene(name, command, frozenset(ways.split()), **places)


UPSERT = """\
  sync_mode: upsert
  merge_keys: [id]
  watermark_column: generation
  settle_delay: 0m
  deletes: by_keys
"""
SCENES = {
    scene.name: scene
    for scene in (
        _scene("export", "export-data", "walk seals export"),
        _scene("import, swap", "import-data", "walk loads import postgres swap"),
        _scene("import, rewrite", "import-data", "postgres rewrite"),
        _scene("import, first", "import-data", "postgres swap first"),
        _scene("import, DuckDB", "import-data", "loads duckdb", target="lake"),
        _scene("import, drive table in PostgreSQL", "import-data", "walk import", drive_postgres=True),
        _scene("run, swap", "run", "walk seals loads run postgres swap"),
        _scene("run, rewrite", "run", "run postgres rewrite"),
        _scene("import, upsert", "import-data", "postgres merge", mode=UPSERT),
        _scene("run, upsert", "run", "postgres merge marks", mode=UPSERT),
        _scene("run, upsert DuckDB", "run", "duckdb marks", target="lake", mode=UPSERT),
        _scene("run, PostgreSQL to DuckDB", "run", "seals run duckdb", source="origin", target="lake"),
    )
}


class NotRun(Exception):
    """A trial that cannot be made on this machine; the text says why."""


@dataclass(frozen=True)
class Trial:
    """One thing to do to one case; `act` gives a remark and all that was wrong, or raises NotRun."""

    scene: str
    what: str
    act: Callable[[], tuple[str, list[str]]]
