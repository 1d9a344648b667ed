"""Carried folders to tamper with: two sides, a medium between them, and a target that has older rows."""

import shutil
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from landbridge.config.project import load_project
from landbridge.engine.plan import plan_export
from landbridge.engine.sync import plan_arrival
from landbridge.engine.walk import walk
from landbridge.engine.world import World
from landbridge.sealing.keyring import Keyring
from tests.engine.projects import FUNDS, MART, PRICES, WAREHOUSE, in_duckdb, introduce, make_project, table
from tests.stage.forging import Carried, Hand

OLD = [(1, "alpha"), (2, "beta"), (3, None)]
NEW = [*OLD, (4, "delta")]


@contextmanager
def world(project: Path, pool: Executor) -> Iterator[World]:
    opened = World(load_project(project, {}), lambda _event: None)
    opened.pool = pool
    try:
        yield opened
    finally:
        del opened.pool
        opened.close()


@dataclass
class Scene:
    """`parcel` has NEW and lies on the medium, beside `other`, of the table prices; outside has loaded `older`.

    `older` and `late`, which was never loaded, lie in a drawer, both with OLD.
    """

    folder: Path
    layout: str  # named; hidden; bare: hidden, without an export index
    parcel: Carried
    older: Carried
    late: Carried
    other: Carried

    @property
    def inside(self) -> Path:
        return self.folder / "inside"

    @property
    def outside(self) -> Path:
        return self.folder / "outside"

    @property
    def medium(self) -> Path:
        return self.folder / "medium"

    def carry(self, name: str) -> Carried:
        """`older` or `late`, out of the drawer, onto the medium."""
        folder = getattr(self, name).folder
        place = self.medium / folder.relative_to(self.folder / "drawer")
        shutil.move(folder, place)
        setattr(self, name, Carried(place))
        return getattr(self, name)

    def hand(self, **keys: str) -> Hand:
        """Inside's own signer, sealing for outside, unless told otherwise."""
        outside = Keyring(self.outside / "keys")
        own = {
            "signer": Keyring(self.inside / "keys").signer(),
            "recipient": outside.own_recipient,
            "identity": outside.identities()[0],
        }
        return Hand(**(own | keys))

    def load(self, pool: Executor, parcel: str | None = None) -> None:
        """What `import-data --table funds` does."""
        with world(self.outside, pool) as here:
            plan = plan_arrival(here, here.project.table("funds"), None, parcel)
            assert plan is not None, "there is nothing new"
            walk(plan, here)

    def target(self) -> tuple[list[tuple], list[str]]:
        """The rows of funds, and the names of all tables."""
        with duckdb.connect(str(self.outside / "mart.duckdb"), read_only=True) as mart:
            tables = mart.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()
            return mart.execute("SELECT id, name FROM funds ORDER BY id").fetchall(), [name for (name,) in tables]


def two_sides(folder: Path, layout: str, pool: Executor) -> dict[str, Path]:
    """Make the sides and all four parcels in `folder`; where each lies in it."""
    tables = [table(name, target="mart") for name in ("funds", "prices")]
    inside = make_project(folder / "inside", WAREHOUSE, tables=tables, settings=f"exports: {folder}/medium")
    outside = make_project(folder / "outside", MART, tables=tables, settings="imports: ../medium")
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", FUNDS, PRICES)
    places = {}
    with world(inside, pool) as here:
        places["older"] = _export(here, "funds", layout)
        scene = Scene(folder, layout, *[Carried(folder / "medium" / places["older"])] * 4)
        scene.load(pool)
        places["late"] = _export(here, "funds", layout)
        in_duckdb(inside / "warehouse.duckdb", "INSERT INTO funds VALUES (4, 'delta')")
        places["parcel"] = _export(here, "funds", layout)
        places["other"] = _export(here, "prices", layout)
    for name in ("older", "late"):
        drawer = folder / "drawer" / places[name]
        drawer.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "medium" / places[name], drawer)
    return {name: Path("drawer" if name in ("older", "late") else "medium") / path for name, path in places.items()}


def _export(here: World, name: str, layout: str) -> Path:
    """As parts of one row each, whatever `parcels.part_size` may be."""
    plan = plan_export(here.project, here.project.table(name), obfuscate=layout != "named")
    assert plan.packing is not None
    row = walk(replace(plan, packing=replace(plan.packing, part_size=1 if name == "funds" else 1 << 20)), here)
    return Path(row.phases["source_to_stage_transfer"].details["folder"])


def copied(source: Path, folder: Path, layout: str, places: dict[str, Path]) -> Scene:
    """The same again in another place; what inside exported lies where it did, sound."""
    for name in ("inside", "outside", "medium", "drawer"):
        shutil.copytree(source / name, folder / name)
    if layout == "bare":
        (folder / "medium" / ".export_index.enc").unlink()
    return Scene(folder, layout, **{name: Carried(folder / path) for name, path in places.items()})
