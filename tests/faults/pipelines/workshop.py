"""Pipelines made ready: each scene is prepared once, up to the windows that were loaded before; trials get copies."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import psycopg
from sqlalchemy import func, update

from landbridge.demo.postgres_server import PostgresServer
from landbridge.ledger import tables
from landbridge.ledger.database import open_database
from landbridge.sealing.keyring import Keyring
from tests.faults.pipelines.scenes import BACKFILL, EMPTY, NAME, RUN, WINDOWS, PipelineScene, hour
from tests.faults.running import Running
from tests.faults.workshop import DRIVE_POSTGRES, launch

PROJECT = """\
x-server: &server
  {{type: postgres, host: "${{LB_HOST}}", port: "${{LB_PORT}}", user: "${{LB_USER}}", password: "${{LB_PASSWORD}}"}}
connections:
  shop: {{<<: *server, database: "${{LB_SHOP}}"}}
  depot: {{<<: *server, database: "${{LB_SHOP}}"}}
  mart: {{<<: *server, database: "${{LB_MART}}"}}
  lake: {{type: duckdb, path: lake.duckdb}}
processes: {processes}
drive_table: {drive}
"""
SOURCE = """
CREATE SCHEMA IF NOT EXISTS shop; CREATE SCHEMA IF NOT EXISTS depot; CREATE SCHEMA IF NOT EXISTS mart;
CREATE TABLE IF NOT EXISTS shop.orders (id bigint NOT NULL, generation int NOT NULL, amount numeric(12, 4), note text,
    placed_at timestamptz NOT NULL)
"""
# two rows are the same in all: a table without a key may have that
FILL = """
INSERT INTO shop.orders
SELECT %(window)s * 10000 + i, %(generation)s, CASE WHEN i %% 7 <> 3 THEN i * 0.25 END,
       CASE i %% 4 WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN E'two\\nlines, "quoted"' ELSE md5(i::text) END,
       %(start)s::timestamptz + (i - 1) * interval '1 hour' / %(rows)s
FROM (SELECT greatest(i, 1) FROM generate_series(0, %(rows)s) AS s(i)) AS t(i)
"""
MARKS = "CREATE TABLE mart.marks (load_id text, begins timestamptz)"
# what fails once in three times: a sequence does not go back with its transaction
HICCUP = """
CREATE SEQUENCE mart.hiccup;
CREATE FUNCTION mart.stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('mart.hiccup') % 3 = 1 THEN RAISE EXCEPTION 'stumbled' USING ERRCODE = '40001'; END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER stumble BEFORE INSERT ON mart.orders FOR EACH STATEMENT EXECUTE FUNCTION mart.stumble()
"""
ROWS = {1: 200, 2: 300}  # of a window in each generation; some more with each window


def rows_of(window: int, generation: int) -> int:
    """How many there are."""
    return 0 if window == EMPTY else ROWS[generation] + 10 * window + 1


@dataclass(frozen=True)
class PipelineCase:
    """A copy of a scene: a project, databases, and the command that is killed and run again."""

    scene: PipelineScene
    server: PostgresServer
    folder: Path
    environment: Mapping[str, str] = field(repr=False)

    def place(self, connection: str) -> str:
        """PostgreSQL URL, or DuckDB file."""
        if connection == "lake":
            return str(self.folder / "lake.duckdb")
        return self.server.url(self.environment["LB_MART" if connection == "mart" else "LB_SHOP"])

    @property
    def drive(self) -> str:
        if self.scene.drive_postgres:
            return self.server.url(self.environment["LB_DRIVE"])
        return f"sqlite:///{self.folder / 'state' / 'drive.db'}"

    @property
    def archive(self) -> Path:
        return self.folder / "archive"

    def start(self, **variables: str) -> Running:
        """Start the command, with variables of the launcher."""
        return launch(self.folder, self.scene.command, {**self.environment, **variables})

    def again(self) -> tuple[int, str]:
        """Run the command to its end; exit code, and what it said."""
        running = self.start()
        return running.wait(), running.said


class PipelineWorkshop:
    """Makes scenes ready on a server and in a folder, and copies them."""

    def __init__(self, server: PostgresServer, folder: Path, *, processes: int = 2) -> None:
        self.server, self.folder, self.processes = server, folder, processes
        self._numbers = count()
        self._ready: dict[str, PipelineCase] = {}

    @contextmanager
    def case(self, scene: PipelineScene) -> Iterator[PipelineCase]:
        """A fresh copy; gone afterwards."""
        if scene.name not in self._ready:
            self._ready[scene.name] = self._prepare(scene)
        ready, folder = self._ready[scene.name], self.folder / f"case{next(self._numbers)}"
        shutil.copytree(ready.folder, folder)
        copies = {name: self._copy(ready.environment[name]) for name in _databases(scene)}
        case = replace(ready, folder=folder, environment={**ready.environment, **copies})
        _declare(case)
        _move(case, ready.folder)
        try:
            yield case
        finally:
            for name in copies.values():
                self._admin(f"DROP DATABASE {name} WITH (FORCE)")
            shutil.rmtree(folder)

    def _prepare(self, scene: PipelineScene) -> PipelineCase:
        """Load the windows that were loaded before by the very pipeline, then make the rows that are to come."""
        folder = self.folder / f"scene{next(self._numbers)}"
        shutil.copytree(self._keys, folder)
        (folder / "config").mkdir()
        (folder / "config" / "tables.yaml").write_text("tables: []\n")
        drive = f'"{DRIVE_POSTGRES}"' if scene.drive_postgres else "sqlite:///state/drive.db"
        (folder / "landbridge.yaml").write_text(PROJECT.format(drive=drive, processes=self.processes))
        databases = {name: self.server.new_database().rpartition("/")[2] for name in _databases(scene)}
        server = {"HOST": self.server.host, "PORT": self.server.port, "USER": self.server.user}
        variables = {f"LB_{name}": str(value) for name, value in server.items()}
        variables["LB_PASSWORD"] = self.server.password
        case = PipelineCase(scene, self.server, folder, variables | databases)
        _declare(case)
        self._fill(case)
        return case

    def _fill(self, case: PipelineCase) -> None:
        scene = case.scene
        for place in {case.place("shop"), case.place("mart")}:
            execute(place, SOURCE)
        if scene.cleans:
            execute(case.place("mart"), MARKS)
        for window in scene.loaded:
            fill(case, window, 1)
        if scene.loaded:
            until = 1 if scene.ways & {"gaps", "fills"} else len(scene.loaded)
            _command(case, *BACKFILL[:-1], hour(until - 1).end.isoformat())
        if "fills" in scene.ways:
            _command(case, *RUN)  # the newest; those between become gaps
        if "fails" in scene.ways:
            execute(case.place("mart"), HICCUP)
        for window in range(WINDOWS):
            if scene.generation(window) == 2 or window not in scene.loaded:
                fill(case, window, scene.generation(window))

    def _copy(self, name: str) -> str:
        copy = f"case_{next(self._numbers)}_{os.getpid()}_{id(self)}"
        self._admin(f"CREATE DATABASE {copy} TEMPLATE {name}")
        return copy

    def _admin(self, sql: str) -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(sql.encode())

    @cached_property
    def _keys(self) -> Path:
        keyring = Keyring(self.folder / "keys" / "keys")
        keyring.generate("faults")
        return keyring.folder.parent


def _command(case: PipelineCase, *words: str) -> None:
    code, said = replace(case, scene=replace(case.scene, command=words)).again()
    assert code == 0, said


def _declare(case: PipelineCase) -> None:
    """Write the pipeline's file; its archive is in the case's own folder."""
    path = case.folder / "projects" / NAME / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(case.scene.declaration(str(case.archive)))


def _move(case: PipelineCase, before: Path) -> None:
    """Have the copy's drive database name the copy's own stage and archive."""
    columns = {tables.parcels: ("location",), tables.stages: ("location", "archive_location")}
    database = open_database(case.drive)
    with database.begin() as connection:
        for table, names in columns.items():
            moved = {name: func.replace(table.c[name], str(before), str(case.folder)) for name in names}
            connection.execute(update(table).values(moved))
    database.close()


def execute(place: str, sql: str, values: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
    """Rows of the last statement, at a PostgreSQL URL or in a DuckDB file."""
    if "://" not in place:
        with duckdb.connect(place) as file:
            return file.execute(sql).fetchall()
    with psycopg.connect(place, autocommit=True) as connection:
        cursor = connection.execute(sql.encode(), values)
        return cursor.fetchall() if cursor.description else []


def fill(case: PipelineCase, window: int, generation: int) -> None:
    """The window's rows, in place of those that it has."""
    source, span = case.place(case.scene.source), hour(window)
    bounds = {"start": span.start, "end": span.end}
    execute(source, "DELETE FROM shop.orders WHERE placed_at >= %(start)s AND placed_at < %(end)s", bounds)
    if rows := rows_of(window, generation):
        execute(source, FILL, {"window": window, "generation": generation, "start": span.start, "rows": rows - 1})


def _databases(scene: PipelineScene) -> list[str]:
    """The variables that name a database of each case's own."""
    return ["LB_SHOP", "LB_MART"] + ["LB_DRIVE"] * scene.drive_postgres
