"""Which numbers of the chain an importing side misses."""

import shutil
from pathlib import Path

import pytest

from tests.engine.conftest import OpenWorld
from tests.engine.projects import (
    FUNDS,
    MART,
    WAREHOUSE,
    export_table,
    import_table,
    in_duckdb,
    introduce,
    make_project,
    table,
)


@pytest.fixture
def sides(tmp_path: Path, open_world: OpenWorld) -> tuple[list[Path], Path]:
    """Eight parcels of funds, and the side that has loaded the second one."""
    entry = table("funds", target="mart")
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=[entry])
    outside = make_project(tmp_path / "outside", MART, tables=[entry])
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", FUNDS)
    world = open_world(inside)
    parcels = [inside / "exports" / "funds" / str(export_table(world, "funds").parcel_id) for _ in range(8)]
    carry(parcels[1], outside)
    assert missed(outside, open_world) == []
    return parcels, outside


def carry(parcel: Path, outside: Path) -> None:
    shutil.copytree(parcel, outside / "imports" / "funds" / parcel.name)


def missed(outside: Path, open_world: OpenWorld) -> list[list[int]]:
    return import_table(open_world(outside), "funds").phases["pre_validation"].details["never_seen"]


def test_numbers_that_never_arrived(sides: tuple[list[Path], Path], open_world: OpenWorld) -> None:
    """Those between the last parcel that was loaded and this one; one that lies there counts as seen, if it is whole.

    What came before the first one that was ever loaded here is not missed.
    """
    parcels, outside = sides
    for number in (4, 5, 8):
        carry(parcels[number - 1], outside)
    (outside / "imports" / "funds" / parcels[4].name / "index").unlink()
    assert missed(outside, open_world) == [[3, 3], [5, 7]]


def test_no_number_is_missed(sides: tuple[list[Path], Path], open_world: OpenWorld) -> None:
    """Where each follows on the one before, whether it was loaded or overtaken."""
    parcels, outside = sides
    carry(parcels[2], outside)
    assert missed(outside, open_world) == []
    carry(parcels[3], outside)
    carry(parcels[4], outside)
    assert missed(outside, open_world) == []
