"""Scenes made ready: each is prepared once up to its old rows, and every case gets a copy of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path

import duckdb
import psycopg

from landbridge.demo.postgres_server import PostgresServer
from landbridge.sealing.keyring import Keyring
from tests.faults.rows import NEW, OLD, Execute, make_rows
from tests.faults.running import Running
from tests.faults.scenes import SCENES, Scene

LAUNCHER = Path(__file__).with_name("launcher.py")
TABLE = "items"
PROJECT = """\
x-server: &server
  {{type: postgres, host: "${{LB_HOST}}", port: "${{LB_PORT}}", user: "${{LB_USER}}", password: "${{LB_PASSWORD}}"}}
connections:
  warehouse: {{type: duckdb, path: "${{LB_WAREHOUSE}}", database: warehouse}}
  lake: {{type: duckdb, path: lake.duckdb, database: lake}}
  origin: {{<<: *server, database: "${{LB_ORIGIN}}"}}
  postgres: {{<<: *server, database: "${{LB_TARGET}}"}}
parcels: {{part_size: 1MiB}}
processes: {processes}
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
        return launch(self.folder, self.command, {**self.environment, **variables})

    def again(self) -> tuple[int, str]:
        """Run the command to its end; exit code, and what it said."""
        running = self.start()
        return running.wait(), running.said


def launch(project: Path, command: Sequence[str], variables: Mapping[str, str]) -> Running:
    """Start a command on a project, in a session of its own, by the launcher."""
    process = subprocess.Popen(
        [sys.executable, str(LAUNCHER), *command, "--project", str(project)],
        env={**os.environ, **variables},
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    return Running(process)


class Workshop:
    """Makes scenes ready on a server and in a folder, and copies them."""

    def __init__(self, server: PostgresServer, folder: Path, *, rows: int, width: int, processes: int = 2) -> None:
        self.server, self.folder, self.processes = server, folder, processes
        self.rows = {OLD: rows - rows // 10, NEW: rows}
        self.width = width
        self._numbers = count()
        self._ready: dict[tuple[object, ...], Case] = {}
        self._exported: dict[str, dict[int, Path]] = {}

    @contextmanager
    def case(self, scene: Scene, *, keep: bool = False) -> Iterator[Case]:
        """A fresh copy with the old rows loaded and the new ones waiting; gone afterwards unless `keep`."""
        ready, number = self._prepared(scene), next(self._numbers)
        folder = self.folder / f"case{number}"
        shutil.copytree(ready.folder, folder)
        copies = {name: self._copy(ready.environment[name]) for name in _databases(scene)}
        if "rewrite" in scene.ways:
            with psycopg.connect(self.server.url(copies["LB_TARGET"])) as connection:
                connection.execute("CREATE VIEW days AS SELECT day, count(*) FROM items GROUP BY day")
        try:
            yield replace(ready, scene=scene, folder=folder, environment={**ready.environment, **copies})
        finally:
            if not keep:
                for name in copies.values():
                    self._admin(f"DROP DATABASE {name} WITH (FORCE)")
                shutil.rmtree(folder)

    def _prepared(self, scene: Scene) -> Case:
        """What scenes that differ in their target's dependents alone have in common."""
        common = scene.command, scene.source, scene.target, scene.drive_postgres, scene.first, scene.mode
        if common not in self._ready:
            self._ready[common] = self._prepare(scene)
        return self._ready[common]

    def _prepare(self, scene: Scene) -> Case:
        """Load the old rows by the very command, then have it find the new ones the next time."""
        folder = self._project(scene, self.folder / f"scene{next(self._numbers)}")
        databases = {name: self._database() for name in _databases(scene)}
        case = self._case(scene, folder, OLD, databases)
        if not scene.first:
            code, said = case.again()
            assert code == 0, said
        if scene.watched and not scene.first:
            with psycopg.connect(case.target) as connection:
                connection.execute("CREATE INDEX items_day ON items (day)")
        return self._case(scene, folder, NEW, databases)

    def _case(self, scene: Scene, folder: Path, generation: int, databases: Mapping[str, str]) -> Case:
        words = [scene.command, "--table", TABLE]
        if scene.command == "import-data":
            words += ["--from", str(self._carried(scene.mode)[generation])]
        origin = self.origins[generation] if scene.source == "origin" else ""
        variables = {
            "LB_HOST": self.server.host,
            "LB_PORT": str(self.server.port),
            "LB_USER": self.server.user,
            "LB_PASSWORD": self.server.password,
            "LB_WAREHOUSE": str(self.warehouses[generation]),
            "LB_ORIGIN": origin or "none",
            "LB_TARGET": "none",
            "LB_DRIVE": "none",
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
        (folder / "landbridge.yaml").write_text(PROJECT.format(drive=drive, processes=self.processes))
        schemas = {"warehouse": "main", "lake": "main", "origin": "public", "postgres": "public"}
        ends = {"source": scene.source, "target": scene.target}
        tables = TABLES.format(**ends, source_schema=schemas[scene.source], target_schema=schemas[scene.target])
        (folder / "config" / "tables.yaml").write_text(tables + scene.mode)
        return folder

    @cached_property
    def _keys(self) -> Path:
        """A folder with keys that trust themselves: one pair for both sides of every gap here."""
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

    def _carried(self, mode: str) -> dict[int, Path]:
        """Folders with a parcel of each generation, by one exporter, so that their sequence goes on."""
        if mode not in self._exported:
            self._exported[mode] = self._export(replace(SCENES["export"], mode=mode))
        return self._exported[mode]

    def _export(self, scene: Scene) -> dict[int, Path]:
        folder = self._project(scene, self.folder / f"exporter{next(self._numbers)}")
        places = {}
        for generation in (OLD, NEW):
            code, said = self._case(scene, folder, generation, {}).again()
            assert code == 0, said
            places[generation] = self.folder / f"{folder.name}-carried{generation}"
            (folder / "exports").rename(places[generation])
        return places


def _databases(scene: Scene) -> list[str]:
    """The variables that name a database of each case's own."""
    return ["LB_TARGET"] * scene.watched + ["LB_DRIVE"] * scene.drive_postgres
