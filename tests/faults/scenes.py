"""The jobs that are killed: each scene is prepared once up to its old rows, and every case gets a copy of it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb
import psutil
import psycopg

from landbridge.demo.postgres_server import PostgresServer
from tests.faults.points import Point
from tests.faults.rows import NEW, OLD, Execute, make_rows

LAUNCHER = Path(__file__).with_name("launcher.py")
TABLE = "items"
PATIENCE = 120  # seconds for any one command
WORKERS_END = 10  # seconds for workers to notice that their coordinator is dead

PROJECT = """\
x-server: &server
  {{type: postgres, host: "${{LB_HOST}}", port: "${{LB_PORT}}", user: "${{LB_USER}}", password: "${{LB_PASSWORD}}"}}
connections:
  warehouse: {{type: duckdb, path: "${{LB_WAREHOUSE}}", database: warehouse}}
  lake: {{type: duckdb, path: lake.duckdb, database: lake}}
  origin: {{<<: *server, database: "${{LB_ORIGIN}}"}}
  postgres: {{<<: *server, database: "${{LB_TARGET}}"}}
parcels: {{part_size: 1MiB}}
processes: 2
drive_table: {drive}
"""
DRIVE_POSTGRES = "postgresql://${LB_USER}:${LB_PASSWORD}@${LB_HOST}:${LB_PORT}/${LB_DRIVE}"
TABLES = """\
tables:
- name: items
  source: {{connection: {source}, schema: {source_schema}, table: items}}
  target: {{connection: {target}, schema: {target_schema}, table: items}}
"""


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


SCENES = {
    scene.name: scene
    for scene in (
        _scene("export", "export-data", "walk seals"),
        _scene("import, swap", "import-data", "walk loads import postgres swap"),
        _scene("import, rewrite", "import-data", "postgres rewrite"),
        _scene("import, first", "import-data", "postgres swap first"),
        _scene("import, DuckDB", "import-data", "loads duckdb", target="lake"),
        _scene("import, drive table in PostgreSQL", "import-data", "walk import", drive_postgres=True),
        _scene("run, swap", "run", "walk seals loads run postgres swap"),
        _scene("run, rewrite", "run", "run postgres rewrite"),
        _scene("run, PostgreSQL to DuckDB", "run", "seals run duckdb", source="origin", target="lake"),
    )
}


@dataclass(frozen=True)
class Trial:
    """One thing to do to one case; `act` gives a remark and all that was wrong."""

    scene: str
    what: str
    act: Callable[[], tuple[str, list[str]]]


@dataclass
class Running:
    """A command that was started; what it says is collected line by line."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout
        with self.process.stdout as out:
            self.lines.extend(line.rstrip() for line in iter(out.readline, ""))

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def signal(self, which: int) -> None:
        """To the coordinator alone."""
        os.kill(self.process.pid, which)

    def signal_all(self, which: int) -> None:
        """To the coordinator and its workers, as a terminal does."""
        os.killpg(self.process.pid, which)

    def wait(self, seconds: float = PATIENCE) -> int:
        """The exit code, negative for a signal. Its workers must be gone soon after: they hold its output open."""
        try:
            self.process.wait(seconds)
            self._listener.join(WORKERS_END)
            if self._listener.is_alive():
                raise AssertionError("workers outlived their coordinator")
        finally:
            if self._listener.is_alive():
                self.signal_all(signal.SIGKILL)
        return self.process.returncode

    def wait_for(self, text: str) -> bool:
        """True as soon as a line holds `text`; False when the command ended without it."""
        return wait_until(lambda: any(text in line for line in list(self.lines)), unless=lambda: self.ended)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None and not self._listener.is_alive()

    def wait_stopped(self) -> bool:
        """True as soon as the coordinator, or one of its workers, is stopped; False when it ended instead."""
        coordinator = psutil.Process(self.process.pid)
        return wait_until(lambda: _stopped(coordinator), unless=lambda: self.ended)


def wait_until(met: Callable[[], bool], *, unless: Callable[[], bool] = lambda: False) -> bool:
    """True as soon as `met` says so; False if `unless` does before. TimeoutError after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if met():
            return True
        if unless():
            return False
        time.sleep(0.001)
    raise TimeoutError("what was waited for did not come")


def _stopped(coordinator: psutil.Process) -> bool:
    try:
        family = [coordinator, *coordinator.children()]
        return any(one.status() == psutil.STATUS_STOPPED for one in family)
    except psutil.NoSuchProcess:
        return False


@dataclass(frozen=True)
class Case:
    """A copy of a scene: a project folder, databases, and the command that is killed and run again."""

    scene: Scene
    server: PostgresServer
    folder: Path
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    source: str = field(repr=False)  # DuckDB file, or PostgreSQL URL, of the rows that must arrive
    rows: Mapping[int, int]  # of each generation

    @property
    def target(self) -> str:
        """PostgreSQL URL, or DuckDB file."""
        if self.scene.target == "lake":
            return str(self.folder / "lake.duckdb")
        return self.server.url(self.environment["LB_TARGET"])

    @property
    def drive(self) -> str:
        if self.scene.drive_postgres:
            return self.server.url(self.environment["LB_DRIVE"])
        return f"sqlite:///{self.folder / 'state' / 'drive.db'}"

    @property
    def parcels(self) -> Path:
        return self.folder / ("exports" if self.scene.command == "export-data" else "stage")

    def start(self, **variables: str) -> Running:
        """Start the command in a session of its own, with variables of the launcher."""
        words = [*self.command, "--project", str(self.folder)]
        process = subprocess.Popen(
            [sys.executable, str(LAUNCHER), *words],
            env={**os.environ, **self.environment, **variables},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        return Running(process)

    def again(self) -> tuple[int, str]:
        """Run the command to its end; exit code, and what it said."""
        running = self.start()
        return running.wait(), running.said


class Workshop:
    """Makes scenes ready on a server and in a folder, and copies them."""

    def __init__(self, server: PostgresServer, folder: Path, *, rows: int, width: int) -> None:
        self.server, self.folder = server, folder
        self.rows = {OLD: rows - rows // 10, NEW: rows}
        self.width = width
        self._numbers = count()
        self._ready: dict[str, Case] = {}

    @contextmanager
    def case(self, scene: Scene, *, keep: bool = False) -> Iterator[Case]:
        """A fresh copy with the old rows loaded and the new ones waiting; gone afterwards unless `keep`."""
        if scene.name not in self._ready:
            self._ready[scene.name] = self._prepare(scene)
        ready, number = self._ready[scene.name], next(self._numbers)
        folder = self.folder / f"case{number}"
        shutil.copytree(ready.folder, folder)
        copies = {name: self._copy(ready.environment[name]) for name in ("LB_TARGET", "LB_DRIVE")}
        try:
            yield replace(ready, folder=folder, environment={**ready.environment, **copies})
        finally:
            if not keep:
                for name in copies.values():
                    self._admin(f"DROP DATABASE {name} WITH (FORCE)")
                shutil.rmtree(folder)

    def _prepare(self, scene: Scene) -> Case:
        """Load the old rows by the very command, then have it find the new ones the next time."""
        folder = self._project(scene, self.folder / f"scene{next(self._numbers)}")
        databases = {name: self._database() for name in ("LB_TARGET", "LB_DRIVE")}
        case = self._case(scene, folder, OLD, databases)
        if not scene.first:
            code, said = case.again()
            assert code == 0, said
        if scene.watched and not scene.first:
            with psycopg.connect(case.target, autocommit=True) as connection:
                connection.execute("CREATE INDEX items_day ON items (day)")
                if "rewrite" in scene.ways:
                    connection.execute("CREATE VIEW days AS SELECT day, count(*) FROM items GROUP BY day")
        return self._case(scene, folder, NEW, databases)

    def _case(self, scene: Scene, folder: Path, generation: int, databases: Mapping[str, str]) -> Case:
        words = [scene.command, "--table", TABLE]
        if scene.command == "import-data":
            words += ["--from", str(self.carried[generation])]
        origin = self.origins[generation] if scene.source == "origin" else ""
        variables = {
            "LB_HOST": self.server.host,
            "LB_PORT": str(self.server.port),
            "LB_USER": self.server.user,
            "LB_PASSWORD": self.server.password,
            "LB_WAREHOUSE": str(self.warehouses[generation]),
            "LB_ORIGIN": origin or "none",
        }
        source = self.server.url(origin) if origin else str(self.warehouses[generation])
        return Case(scene, self.server, folder, tuple(words), {**variables, **databases}, source, self.rows)

    def _database(self) -> str:
        return self.server.new_database().rpartition("/")[2]

    def _copy(self, name: str) -> str:
        copy = f"case_{next(self._numbers)}_{os.getpid()}"
        self._admin(f"CREATE DATABASE {copy} TEMPLATE {name}")
        return copy

    def _admin(self, sql: str) -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql)

    def _project(self, scene: Scene, folder: Path) -> Path:
        shutil.copytree(self._keys, folder)
        (folder / "config").mkdir()
        drive = f'"{DRIVE_POSTGRES}"' if scene.drive_postgres else "sqlite:///state/drive.db"
        (folder / "landbridge.yaml").write_text(PROJECT.format(drive=drive))
        schemas = {"warehouse": "main", "lake": "main", "origin": "public", "postgres": "public"}
        ends = {"source": scene.source, "target": scene.target}
        tables = TABLES.format(**ends, source_schema=schemas[scene.source], target_schema=schemas[scene.target])
        (folder / "config" / "tables.yaml").write_text(tables)
        return folder

    @cached_property
    def _keys(self) -> Path:
        """A folder with keys that trust themselves: one pair for both sides of every gap here."""
        from landbridge.sealing.keyring import Keyring

        keyring = Keyring(self.folder / "keys" / "keys")
        keyring.generate("faults")
        keyring.trust(keyring.own_recipient)
        keyring.trust(keyring.own_verifier)
        return keyring.folder.parent

    @cached_property
    def warehouses(self) -> dict[int, Path]:
        """DuckDB files with the rows of each generation."""
        files = {generation: self.folder / f"warehouse{generation}.duckdb" for generation in self.rows}
        for generation, file in files.items():
            with duckdb.connect(file) as connection:
                self._fill(connection.execute, generation)
        return files

    @cached_property
    def origins(self) -> dict[int, str]:
        """Names of PostgreSQL databases with the rows of each generation."""
        names = {generation: self._database() for generation in self.rows}
        for generation, name in names.items():
            with psycopg.connect(self.server.url(name), autocommit=True) as connection:
                self._fill(connection.execute, generation)
        return names

    def _fill(self, execute: Execute, generation: int) -> None:
        make_rows(execute, generation=generation, rows=self.rows[generation], width=self.width)

    @cached_property
    def carried(self) -> dict[int, Path]:
        """Folders with a parcel of each generation, by one exporter, so that their sequence goes on."""
        scene = SCENES["export"]
        folder = self._project(scene, self.folder / "exporter")
        places = {}
        for generation in (OLD, NEW):
            code, said = self._case(scene, folder, generation, {"LB_TARGET": "none", "LB_DRIVE": "none"}).again()
            assert code == 0, said
            places[generation] = self.folder / f"carried{generation}"
            (folder / "exports").rename(places[generation])
        return places
