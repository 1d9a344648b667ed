"""What fsck finds where parcels are written, each provoked by what causes it (docs/fsck.md)."""

import shutil
import sqlite3
from contextlib import closing
from copy import deepcopy
from pathlib import Path

import pytest

from landbridge.config.project import load_project
from landbridge.engine.checking.finding import KINDS
from landbridge.engine.world import World
from landbridge.ledger import leases, marks
from tests.engine.checkups import carried, command, fsck, hints, insert, kinds, mended, same
from tests.engine.histories import Sides
from tests.engine.kept import Kept
from tests.engine.projects import FUNDS, MART, WAREHOUSE, in_duckdb, introduce, make_project, table

FULL_RELOAD = "landbridge export-data --table t --full-reload"
FROM_CONFIRMED = "landbridge export-data --table t --from-confirmed"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sides, Kept]:
    """Two parcels were exported, carried and loaded; nobody told the exporting side."""
    sides = Sides(tmp_path_factory.mktemp("sides"), "upsert")
    for key in (1, 2):
        insert(sides, key)
        carried(sides)
    assert sides.load() is None
    assert kinds(fsck(sides.inside)) == kinds(fsck(sides.outside)) == []
    return sides, Kept(sides.folder)


@pytest.fixture
def sides(made: tuple[Sides, Kept]) -> Sides:
    """Those two sides, for this test alone."""
    sides, kept = made
    kept.put_back()
    return deepcopy(sides)


def goes_on(sides: Sides) -> None:
    """A normal export and import, after which the target is as the source."""
    insert(sides, 9)
    assert sides.export() is None
    for one in sides.exported():
        if one not in sides.carried and (sides.inside / "exports" / "t" / one).is_dir():
            sides.carry(one)
    assert sides.load() is None
    assert same(sides)


def exports(sides: Sides) -> list[Path]:
    return sorted((sides.inside / "exports" / "t").iterdir())


@pytest.mark.parametrize(
    ("point", "kind"),
    [
        ("sealing: after the index is stored", "parcel_whole"),
        ("sealing: after the counts are in the ledger", "parcel_unfinished"),
    ],
)
def test_a_killed_export(sides: Sides, point: str, kind: str) -> None:
    """Its lease is given back, its run closed, its parcel sealed if it is whole, else deleted; and the next goes on."""
    insert(sides, 3)
    assert command(sides.inside, "export-data", "--all", dies_at=point) == -9
    mended(sides.inside, "dead_lease", "dead_run", kind)
    assert len(exports(sides)) == (3 if kind == "parcel_whole" else 2)
    goes_on(sides)


@pytest.mark.parametrize(
    ("harm", "confirmed"), [("folder", True), ("folder", False), ("index", False), ("part", False), ("cut", True)]
)
def test_an_export_that_is_gone_or_harmed(sides: Sides, harm: str, *, confirmed: bool) -> None:
    """It is told with the export that makes it needless; after that one, nothing is wrong any more."""
    if confirmed:
        sides.confirm()
    insert(sides, 3)
    assert sides.export() is None
    lost = exports(sides)[-1]
    part = next(lost.glob("part-*"))
    match harm:
        case "folder":
            shutil.rmtree(lost)
        case "index":
            (lost / "index").unlink()
        case "part":
            part.unlink()
        case "cut":
            part.write_bytes(part.read_bytes()[:-1])
    found = fsck(sides.inside)
    assert kinds(found) == ["parcel_gone" if harm == "folder" else "parcel_harmed"]
    assert hints(found) == [FROM_CONFIRMED if confirmed else FULL_RELOAD]
    assert [one.repaired for one in fsck(sides.inside, repair=True)] == [False]
    assert sides.export(begins_at="confirmed" if confirmed else "nothing") is None
    sides.carry(sides.exported()[-1])
    assert not any(one.is_wrong for one in fsck(sides.inside))
    assert sides.load() is None
    assert same(sides)


def test_an_export_that_nobody_needs(sides: Sides) -> None:
    """What is known to have arrived may go: that is a note."""
    sides.confirm()
    for each in exports(sides):
        shutil.rmtree(each)
    found = fsck(sides.inside)
    assert kinds(found) == ["older_gone"]
    assert not any(one.is_wrong for one in found)
    goes_on(sides)


def test_an_export_in_the_middle(sides: Sides) -> None:
    """Of those that go on from each other each is needed; of a new chain only the new ones."""
    shutil.rmtree(exports(sides)[0])
    assert kinds(fsck(sides.inside)) == ["parcel_gone"]
    assert sides.export(begins_at="nothing") is None
    assert kinds(fsck(sides.inside)) == ["older_gone"]


def test_a_medium_that_is_not_there(sides: Sides) -> None:
    """Nobody can tell what lies on it: a note. What is whole is sealed once it is back."""
    medium = sides.folder / "stick"
    insert(sides, 3)
    words = ("export-data", "--all", "--to", str(medium))
    assert command(sides.inside, *words, dies_at="sealing: after the index is stored") == -9
    medium.rename(sides.folder / "unplugged")
    assert kinds(fsck(sides.inside, repair=True)) == ["dead_lease", "dead_run", "out_of_reach"]
    (sides.folder / "unplugged").rename(medium)
    mended(sides.inside, "parcel_whole")
    medium.rename(sides.folder / "unplugged")
    found = fsck(sides.inside, repair=True)
    assert kinds(found) == ["out_of_reach"]
    assert not any(one.is_wrong for one in found)


def test_a_drive_table_from_a_backup(sides: Sides) -> None:
    """A parcel that this side signed and does not know tells that numbers are given out a second time."""
    drive = sides.inside / "state" / "drive.db"
    backup = drive.read_bytes()
    insert(sides, 3)
    assert sides.export() is None
    drive.write_bytes(backup)
    found = fsck(sides.inside)
    assert kinds(found) == ["parcel_unknown"]
    assert found[0].is_wrong
    assert fsck(sides.inside, repair=True) == found


def test_folders_of_others(sides: Sides) -> None:
    """Somebody else's parcel, or what was begun to be copied there, is told and stays."""
    stranger = Sides(sides.folder / "others", "upsert")
    insert(stranger, 1)
    assert stranger.export() is None
    (theirs,) = exports(stranger)
    shutil.copytree(theirs, sides.inside / "exports" / "t" / theirs.name)
    begun = sides.inside / "exports" / "t" / ("0" * 32)
    begun.mkdir()
    (begun / "part-00-00000-00000.parquet.age").touch()
    found = fsck(sides.inside, repair=True)
    assert kinds(found) == ["folder_unknown", "folder_unknown"]
    assert not any(one.is_wrong for one in found)
    assert len(exports(sides)) == 4


def test_a_purge_that_died(sides: Sides) -> None:
    """What it did not get to is deleted; a parcel that was put back as a whole is left."""
    first = exports(sides)[0]
    copy = shutil.copytree(first, sides.folder / "copy")
    assert command(sides.inside, "parcel", "purge", first.name, "--from", str(first.parents[1]), "--yes") == 0
    shutil.copytree(copy, first)
    assert kinds(fsck(sides.inside)) == []
    (first / "index").unlink()
    mended(sides.inside, "files_left")
    assert not list(first.parent.glob(f"{first.name}/*"))
    goes_on(sides)


def test_two_that_go_on_from_one(sides: Sides) -> None:
    """After --from-confirmed two parcels follow the same one: that is how it should be."""
    insert(sides, 3)
    assert sides.export() is None
    sides.confirm()
    assert sides.export(begins_at="confirmed") is None
    assert kinds(fsck(sides.inside)) == []


def test_a_parcel_of_an_earlier_landbridge(sides: Sides) -> None:
    """Without a mark the next export begins anew: a note says so."""
    with sqlite3.connect(sides.inside / "state" / "drive.db") as connection:
        connection.execute("DELETE FROM landbridge_marks")
    connection.close()
    found = fsck(sides.inside)
    assert kinds(found) == ["no_mark"]
    assert not any(one.is_wrong for one in found)
    goes_on(sides)


@pytest.mark.parametrize("repair", [False, True])
def test_a_table_in_work(sides: Sides, *, repair: bool) -> None:
    """It is told and left alone, however much is half done there; once its process is dead, that is found."""
    world = World(load_project(sides.inside, {}), lambda _event: None)
    lease = leases.acquire(world.ledger, "table:t")
    shutil.rmtree(exports(sides)[-1])
    found = fsck(sides.inside, repair=repair)
    assert kinds(found) == ["in_work"]
    assert not any(one.is_wrong for one in found)
    leases.release(world.ledger, lease)
    world.close()
    assert kinds(fsck(sides.inside)) == ["parcel_gone"]


def test_a_log_that_was_changed(sides: Sides) -> None:
    """It is told as landbridge custody tells it, and nothing mends it."""
    with sqlite3.connect(sides.inside / "state" / "drive.db") as connection:
        connection.execute("UPDATE landbridge_custody SET line = replace(line, 'exported', 'purged')")
    connection.close()
    assert kinds(fsck(sides.inside)) == ["log_broken"]
    assert fsck(sides.inside, repair=True) == fsck(sides.inside)


MARKED = ", sync_mode: upsert, merge_keys: [id], watermark_column: id, settle_delay: 0m, deletes: ignored"


@pytest.fixture
def hop(tmp_path: Path) -> Path:
    """A project that reads and writes, and may export as well; three rows."""
    project = make_project(tmp_path / "hop", WAREHOUSE, MART, tables=[table("funds", target="mart", more=MARKED)])
    introduce(project, make_project(tmp_path / "other"))
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    return project


def add(project: Path, row: str) -> None:
    in_duckdb(project / "warehouse.duckdb", f"INSERT INTO funds VALUES {row}")


def moved(project: Path) -> bool:
    """Whether a run, and one more, leave the target as the source is."""
    assert command(project, "run", "--all") == command(project, "run", "--all") == 0
    read = "SELECT id, name FROM funds ORDER BY id"
    return in_duckdb(project / "warehouse.duckdb", read) == in_duckdb(project / "mart.duckdb", read)


def test_a_run_killed_after_it_published(hop: Path) -> None:
    """Its mark is confirmed by what the target holds; the stage stays, for the next run goes on there."""
    assert command(hop, "run", "--all") == 0
    add(hop, "(4, 'delta')")
    assert command(hop, "run", "--all", dies_at="duckdb: after the load is published") == -9
    mended(hop, "dead_lease", "dead_run", "load_unrecorded")
    assert len(list(hop.glob("stage/funds/*/index"))) == 1
    add(hop, "(5, 'epsilon')")
    assert moved(hop)
    assert kinds(fsck(hop)) == []


def test_a_run_killed_while_it_cleaned(hop: Path) -> None:
    """No run goes on after the audit: what is left of the stage goes, and the mark stays."""
    point = "cleaning: before the stage's parcel is deleted"
    assert command(hop, "run", "--all", dies_at=point) == -9
    mended(hop, "dead_lease", "dead_run", "stage_left")
    assert list(hop.glob("stage/funds/*")) == []
    add(hop, "(4, 'delta')")
    assert moved(hop)
    world = World(load_project(hop, {}), lambda _event: None)
    assert marks.confirmed(world.ledger, "funds", "run").follows is not None
    world.close()


def test_an_export_beside_a_run(hop: Path) -> None:
    """They are chains apart: what is exported never goes on from a stage, which nobody carries."""
    assert command(hop, "export-data", "--all") == 0
    add(hop, "(4, 'delta')")
    assert command(hop, "run", "--all", dies_at="loading: before parts are counted as loaded") == -9
    add(hop, "(5, 'epsilon')")
    assert command(hop, "export-data", "--all") == 0
    assert "number_unused" in kinds(fsck(hop))
    assert "chain_broken" not in kinds(fsck(hop))


def test_a_chain_that_leads_nowhere(hop: Path) -> None:
    """Somebody has changed the drive table: what goes on from a parcel that was never made can be loaded by nobody."""
    assert command(hop, "export-data", "--all") == 0
    add(hop, "(4, 'delta')")
    assert command(hop, "export-data", "--all") == 0
    with closing(sqlite3.connect(hop / "state" / "drive.db")) as connection, connection:
        connection.execute("UPDATE landbridge_marks SET follows = 'f' WHERE follows IS NOT NULL")
    assert kinds(fsck(hop)) == ["chain_broken"]
    assert command(hop, "export-data", "--all", "--full-reload") == 0
    assert kinds(fsck(hop)) == []


def test_a_run_of_all_rows(tmp_path: Path) -> None:
    """One that was killed after it published is closed, and no more; a target that was emptied is told."""
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("funds", target="mart")])
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    assert command(project, "run", "--all", dies_at="duckdb: after the load is published") == -9
    mended(project, "dead_lease", "dead_run")
    assert moved(project)
    assert kinds(fsck(project)) == []
    in_duckdb(project / "mart.duckdb", "DELETE FROM funds")
    found = fsck(project)
    assert (kinds(found), hints(found)) == (["target_differs"], ["landbridge run --table funds --fresh"])
    assert moved(project)
    assert kinds(fsck(project)) == []


def test_every_kind_is_documented() -> None:
    """What is wrong stands in the first table of docs/fsck.md, with `none` where nothing mends it; then the notes."""
    page = (Path(__file__).parents[2] / "docs" / "fsck.md").read_text()
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    told = {cells[0].strip("`"): cells[1:] for cells in rows if "landbridge" not in cells[0]}
    assert list(told) == list(KINDS)
    assert [len(cells) == 1 for cells in told.values()] == [kind.is_note for kind in KINDS.values()]
    mends = {name: cells[-1] != "none" for name, cells in told.items() if len(cells) > 1}
    assert mends == {name: kind.repair is not None for name, kind in KINDS.items() if not kind.is_note}
