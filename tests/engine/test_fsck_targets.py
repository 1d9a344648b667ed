"""What fsck finds in targets, each provoked by what causes it (docs/fsck.md)."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from functools import cache

import pytest

from tests.engine.checkups import carried, command, fsck, hints, insert, kinds, mended, on_target, same
from tests.engine.histories import Sides
from tests.engine.kept import Kept
from tests.engine.projects import declare

FULL_RELOAD = "on the exporting side: landbridge export-data --table t --full-reload"
ONE_KIND = pytest.mark.parametrize("kind", ["duckdb"])
KIND = pytest.mark.parametrize("kind", ["duckdb", "postgres"])


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Callable[[str], tuple[Sides, Kept]]:
    """Two parcels were carried to the imports and loaded; once for each kind of target."""

    @cache
    def made(kind: str) -> tuple[Sides, Kept]:
        url = request.getfixturevalue("postgres").new_database() if kind == "postgres" else None
        sides = Sides(tmp_path_factory.mktemp(kind), "upsert", url)
        shutil.rmtree(sides.medium)
        sides.medium = sides.outside / "imports"
        for key in (1, 2):
            insert(sides, key)
            carried(sides)
        assert sides.load() is None
        assert kinds(fsck(sides.outside)) == []
        return sides, Kept(sides.folder, url)

    return made


@pytest.fixture
def sides(made: Callable[[str], tuple[Sides, Kept]], kind: str) -> Sides:
    """Those two sides, for this test alone."""
    sides, kept = made(kind)
    kept.put_back()
    return deepcopy(sides)


def goes_on(sides: Sides) -> None:
    """What is exported from now on is loaded, and the target is as the source."""
    insert(sides, 9)
    carried(sides)
    assert sides.load() is None
    assert same(sides)
    assert kinds(fsck(sides.outside)) == []


@KIND
def test_killed_after_it_published(sides: Sides, kind: str) -> None:
    """The carried parcel proves the load: it is recorded, with its audit and its entry in the log, and stays loaded."""
    insert(sides, 3)
    newest = carried(sides)
    assert command(sides.outside, "import-data", "--all", dies_at=f"{kind}: after the load is published") == -9
    mended(sides.outside, "dead_lease", "dead_run", "load_unrecorded")
    assert command(sides.outside, "custody", newest) == 0
    assert same(sides)
    goes_on(sides)


@KIND
def test_killed_while_rows_landed(sides: Sides, kind: str) -> None:
    """The landing table is dropped; the rows come by the next import."""
    insert(sides, 3)
    carried(sides)
    assert command(sides.outside, "import-data", "--all", dies_at="loading: before parts are counted as loaded") == -9
    mended(sides.outside, "dead_lease", "dead_run", "landing_left")
    goes_on(sides)


@ONE_KIND
def test_a_drive_table_from_a_backup(sides: Sides, kind: str) -> None:
    """Two loads are not known, and no import would go on; the newest is recorded, and the next one does."""
    drive = sides.outside / "state" / "drive.db"
    backup = drive.read_bytes()
    for key in (3, 4):
        insert(sides, key)
        carried(sides)
        assert sides.load() is None
    drive.write_bytes(backup)
    assert sides.load() is not None
    drive.write_bytes(backup)
    mended(sides.outside, "load_unrecorded")
    goes_on(sides)


@ONE_KIND
def test_a_load_that_nothing_proves(sides: Sides, kind: str) -> None:
    """Without the parcel nothing is recorded; once it lies at the imports again, it is."""
    drive = sides.outside / "state" / "drive.db"
    backup = drive.read_bytes()
    insert(sides, 3)
    newest = carried(sides)
    assert sides.load() is None
    drive.write_bytes(backup)
    away = shutil.move(sides.medium / "t" / newest, sides.folder / "away")
    found = fsck(sides.outside, repair=True)
    assert (kinds(found), found[0].repaired) == (["load_unrecorded"], False)
    assert hints(found) == ["landbridge parcel collect --from MEDIUM, then landbridge fsck --table t --repair"]
    shutil.move(away, sides.medium / "t" / newest)
    on_target(sides, "DELETE FROM t WHERE id = 3")
    assert hints(fsck(sides.outside, repair=True)) == [FULL_RELOAD]
    on_target(sides, "INSERT INTO t VALUES (3, 3, 300)")
    mended(sides.outside, "load_unrecorded")
    goes_on(sides)


@KIND
@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        ("DROP TABLE t", "target_gone"),
        ("DELETE FROM t", "target_differs"),
        ("DROP TABLE landbridge_loads", "target_unknown"),
        ("DELETE FROM landbridge_loads WHERE version = 2", "target_other"),
    ],
)
def test_a_target_that_was_changed(sides: Sides, kind: str, harm: str, expected: str) -> None:
    """Nothing here mends it; all rows once more do."""
    on_target(sides, harm)
    found = fsck(sides.outside, repair=True)
    assert (kinds(found), hints(found)) == ([expected], [FULL_RELOAD])
    insert(sides, 3)
    assert sides.export(begins_at="nothing") is None
    sides.carry(sides.exported()[-1])
    assert sides.load() is None
    assert same(sides)
    assert kinds(fsck(sides.outside)) == []


@ONE_KIND
def test_of_mode_full_the_parcel_is_loaded_again(sides: Sides, kind: str) -> None:
    """The hint does it, as long as the parcel lies there; and then nothing is wrong."""
    target = f"connection: {'mart' if kind == 'duckdb' else 'postgres, schema: public'}, table: u"
    entry = f"{{name: t, source: {{connection: shop, table: t}}, target: {{{target}}}}}"
    for side in (sides.inside, sides.outside):
        declare(side, entry)
    newest = carried(sides)
    assert sides.load() is None
    assert kinds(fsck(sides.outside)) == []
    on_target(sides, "DELETE FROM u WHERE id = 1")
    found = fsck(sides.outside)
    assert kinds(found) == ["target_differs"]
    assert hints(found) == [f"landbridge import-data --table t --parcel {newest}"]
    assert command(sides.outside, *str(hints(found)[0]).split()[1:]) == 0
    assert kinds(fsck(sides.outside)) == []
    shutil.rmtree(sides.medium)
    on_target(sides, "DROP TABLE u")
    assert hints(fsck(sides.outside)) == ["on the exporting side: landbridge export-data --table t"]


@KIND
def test_a_target_that_does_not_answer(sides: Sides, kind: str) -> None:
    """It is an error of its own, and does not hide what else is found."""
    insert(sides, 3)
    carried(sides)
    assert command(sides.outside, "import-data", "--all", dies_at="loading: before parts are counted as loaded") == -9
    if kind == "duckdb":
        (sides.outside / "mart.duckdb").write_bytes(b"no database")
    else:
        (sides.outside / ".env").write_text("POSTGRES_HOST=nowhere\nPOSTGRES_DATABASE=d\nPOSTGRES_USER=u\n")
    found = fsck(sides.outside)
    assert [one.finding.kind for one in found if one.finding] == ["dead_lease", "dead_run"]
    assert len([one for one in found if one.error]) == 1
