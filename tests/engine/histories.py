"""Histories: a table that changes, parcels that are carried late, in any order or never, two sides that are killed."""

import shutil
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from landbridge.config.project import load_project
from landbridge.engine.events import Event
from landbridge.engine.plan import Begin
from landbridge.engine.sync import export_tables, import_tables
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError
from landbridge.ledger import marks, parcels
from tests.engine.projects import in_duckdb, introduce, make_project, variables

OVERLAP = 20
KEYS = {
    "incremental": "settle_delay: 0m",
    "upsert": f"merge_keys: [id], overlap: {OVERLAP}, qualify_order_by: seq, deletes: by_keys",
    "scd2": f"merge_keys: [id], overlap: {OVERLAP}, deletes: by_keys",
}
Row = tuple[int, int, int]  # id, value, watermark


class Killed(BaseException):
    """The process ends here."""


class InPlace(Executor):
    """Does the work at once, in this process: histories have many small parts."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  as a pool does
            done.set_exception(error)
        return done


@dataclass
class Sides:
    """Two projects and a medium between them; the table `t` of the inside is kept in step with that of the outside."""

    folder: Path
    mode: str
    pg_url: str | None = None
    keys: str = ""
    carried: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        entry = self.entry(self.keys or KEYS[self.mode])
        self.inside = make_project(self.folder / "in", "shop: {type: duckdb, path: shop.duckdb}", tables=[entry])
        own = ["mart: {type: duckdb, path: mart.duckdb}"] if self.pg_url is None else []
        self.outside = make_project(self.folder / "out", *own, tables=[entry])
        if self.pg_url:
            (self.outside / ".env").write_text(variables(self.pg_url))
        introduce(self.inside, self.outside)
        self.medium = self.folder / "medium"
        self.medium.mkdir()
        self.source("CREATE TABLE t (id INTEGER, value INTEGER, seq BIGINT)")

    def entry(self, keys: str, source: str = "") -> str:
        target = "mart, table: t" if self.pg_url is None else "postgres, schema: public, table: t"
        return (
            f"{{name: t, source: {{connection: shop, table: t{source}}}, target: {{connection: {target}}}, "
            f"sync_mode: {self.mode}, watermark_column: seq, {keys}}}"
        )

    def source(self, sql: str) -> list[Row]:
        return in_duckdb(self.inside / "shop.duckdb", sql)

    def target(self) -> list[Row]:
        """What the target says now; of a history the open versions."""
        now = " WHERE _timestampto > '9999-01-01'" if self.mode == "scd2" else ""
        sql = f"SELECT id, value, seq FROM t{now} ORDER BY ALL"
        if self.pg_url is None:
            return in_duckdb(self.outside / "mart.duckdb", sql)
        with psycopg.connect(self.pg_url) as connection:
            return connection.execute(sql.replace("ORDER BY ALL", "ORDER BY 1, 2, 3")).fetchall()

    def export(self, *, begins_at: Begin = "exported", killed_at: int | None = None) -> LandbridgeError | None:
        world = self._world(self.inside, killed_at)
        tables = [world.project.table("t")]
        return self._last(world, export_tables(world, tables, location=None, begins_at=begins_at, accept_delta=True))

    def load(self, *, killed_at: int | None = None, parcel_id: str | None = None) -> LandbridgeError | None:
        world = self._world(self.outside, killed_at)
        tables = [world.project.table("t")]
        return self._last(world, import_tables(world, tables, location=str(self.medium), parcel_id=parcel_id))

    def carry(self, parcel_id: str) -> None:
        shutil.copytree(self.inside / "exports" / "t" / parcel_id, self.medium / "t" / parcel_id)
        self.carried.add(parcel_id)

    def exported(self) -> list[str]:
        """Ids of the parcels that lie there, in the order of their numbers."""
        world = self._world(self.inside, None)
        try:
            rows = parcels.list_parcels(world.ledger, "t", "out")
        finally:
            self._close(world)
        return [row.parcel_id for row in sorted(rows, key=lambda row: row.sequence or 0) if row.state == "sealed"]

    def confirm(self) -> None:
        """Tell the inside what the outside has loaded."""
        outside, inside = self._world(self.outside, None), self._world(self.inside, None)
        try:
            for row in parcels.list_parcels(outside.ledger, "t", "in"):
                if row.state == "loaded":
                    marks.confirm(inside.ledger, row.parcel_id, "test")
        finally:
            self._close(outside)
            self._close(inside)

    def _last(self, world: World, results: Any) -> LandbridgeError | None:
        error = None
        try:
            for result in results:
                error = result.error
        except Killed:
            return None
        finally:
            self._close(world)
        return error

    def _world(self, folder: Path, killed_at: int | None) -> World:
        left = iter(range(killed_at)) if killed_at is not None else None

        def sink(_event: Event) -> None:
            if left is not None and next(left, None) is None:
                raise Killed

        world = World(load_project(folder, {}), sink)
        world.pool = InPlace()
        return world

    def _close(self, world: World) -> None:
        del world.pool
        world.close()
