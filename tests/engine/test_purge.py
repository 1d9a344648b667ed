"""Clean-up: only what has had its time goes, the log says so, and what a death leaves is finished the next time."""

import shutil
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from landbridge.engine.carrying.custody import as_far_as_whole
from landbridge.engine.carrying.purge import Outdated, named, outdated_arrivals, outdated_exports, purge, purge_each
from landbridge.engine.world import World
from landbridge.errors import ConfigError, NotTrusted, Unreachable, UsageError
from landbridge.ledger import parcels
from landbridge.stage.location import Store
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
from tests.ledger.processes import start_holder

NOW = timedelta(0)
DAY = timedelta(days=1)


class Gap:
    """Two sides; each call of `carry` exports, copies and imports funds once."""

    def __init__(self, folder: Path, open_world: OpenWorld, settings: str = "") -> None:
        entry = table("funds", target="mart")
        self.inside = make_project(folder / "inside", WAREHOUSE, tables=[entry])
        self.outside = make_project(folder / "outside", MART, tables=[entry], settings=settings)
        introduce(self.inside, self.outside)
        in_duckdb(self.inside / "warehouse.duckdb", FUNDS)
        self.exports, self.imports = self.inside / "exports", self.outside / "imports"
        self.within, self.without = open_world(self.inside), open_world(self.outside)

    def carry(self) -> str:
        parcel = str(export_table(self.within, "funds").parcel_id)
        shutil.copytree(self.exports / "funds" / parcel, self.imports / "funds" / parcel)
        import_table(self.without, "funds")
        return parcel

    def age(self, folder: Path, **by: int) -> None:
        """As if all that this side did with parcels had been done so long ago."""
        with sqlite3.connect(folder / "state" / "drive.db") as connection:
            for parcel_id, when in connection.execute(
                "SELECT parcel_id, updated_at FROM landbridge_parcels"
            ).fetchall():
                connection.execute(
                    "UPDATE landbridge_parcels SET updated_at = datetime(?, ?) || '.000000+00:00' WHERE parcel_id = ?",
                    [when, f"-{by['days']} days", parcel_id],
                )
        connection.close()


@pytest.fixture
def gap(tmp_path: Path, open_world: OpenWorld) -> Gap:
    return Gap(tmp_path, open_world)


def lying(place: Path) -> set[str]:
    return {path.parent.name for path in place.rglob("*") if path.is_file()}


def ids(outdated: list[Outdated]) -> list[str]:
    return [one.parcel_id for one in outdated]


def purged(world: World) -> list[str]:
    entries, problem = as_far_as_whole(world)
    assert problem is None
    return [entry.parcel_id for entry in entries if entry.event == "purged"]


def all_of(world: World, outdated: list[Outdated]) -> None:
    assert [error for _, error in purge_each(world, outdated)] == [None] * len(outdated)


def test_loaded_and_old_enough(gap: Gap) -> None:
    """Of what is loaded the old ones go, and never the newest that lies there; the log has their index."""
    first, second = gap.carry(), gap.carry()
    place = str(gap.imports)
    assert outdated_arrivals(gap.without, place, older_than=DAY) == []
    gap.age(gap.outside, days=2)
    third = gap.carry()
    outdated = outdated_arrivals(gap.without, place, older_than=DAY)
    assert ids(outdated) == [first, second]
    assert {one.files for one in outdated} == {3}
    assert ids(outdated_arrivals(gap.without, place, older_than=NOW)) == [first, second]
    all_of(gap.without, outdated)
    assert lying(gap.imports) == {third}
    assert purged(gap.without) == [first, second]
    entries, _ = as_far_as_whole(gap.without)
    imported = {entry.parcel_id: entry.details["index_sha256"] for entry in entries if entry.event == "imported"}
    for one, entry in zip(outdated, entries[-2:], strict=True):
        assert (entry.pipeline_name, entry.details["signer"]) == ("funds", "inside")
        assert entry.details["index_sha256"] == imported[entry.parcel_id]
        assert (entry.details["files"], entry.details["bytes"]) == (one.files, one.size)
    gap.age(gap.outside, days=9)
    assert outdated_arrivals(gap.without, place, older_than=DAY) == []


def test_what_was_not_loaded_stays(gap: Gap) -> None:
    """A parcel that arrived and was not loaded goes only if it is named, and meant."""
    first = gap.carry()
    waiting = str(export_table(gap.within, "funds").parcel_id)
    shutil.copytree(gap.exports / "funds" / waiting, gap.imports / "funds" / waiting)
    place = str(gap.imports)
    assert outdated_arrivals(gap.without, place, older_than=NOW) == []
    with pytest.raises(UsageError, match=f"funds/{waiting} is not known as loaded here") as refused:
        named(gap.without, place, [first, waiting], anyhow=False)
    assert "--yes" in str(refused.value.hint)
    assert lying(gap.imports) == {first, waiting}
    assert ids(named(gap.without, place, [first], anyhow=False)) == [first]
    all_of(gap.without, named(gap.without, place, [f"funds/{waiting}", waiting], anyhow=True))
    assert lying(gap.imports) == {first}
    assert purged(gap.without) == [waiting]


def test_exported_and_old_enough(gap: Gap) -> None:
    """The outbox keeps the newest parcel of each table; what went stays known, and its number stays taken."""
    first = str(export_table(gap.within, "funds").parcel_id)
    second = str(export_table(gap.within, "funds").parcel_id)
    place = str(gap.exports)
    assert outdated_exports(gap.within, place, older_than=DAY) == []
    gap.age(gap.inside, days=2)
    outdated = outdated_exports(gap.within, place, older_than=DAY)
    assert ids(outdated) == [first]
    all_of(gap.within, outdated)
    assert lying(gap.exports) == {second}
    rows = [(row.parcel_id, row.state, row.sequence) for row in parcels.list_parcels(gap.within.ledger)]
    assert rows == [(first, "purged", 1), (second, "sealed", 2)]
    assert export_table(gap.within, "funds").phases["source_to_stage_transfer"].details["sequence"] == 3
    assert purged(gap.within) == [first]


def test_nothing_new_after_a_purge(gap: Gap) -> None:
    """The newest loaded parcel stays, so that an import still finds that nothing new has come."""
    gap.carry()
    gap.carry()
    all_of(gap.without, outdated_arrivals(gap.without, str(gap.imports), older_than=NOW))
    with pytest.raises(AssertionError, match="nothing new"):
        import_table(gap.without, "funds")


@pytest.mark.parametrize("dies_at", ["the index is gone", "the entry is written"])
def test_a_purge_that_died(gap: Gap, monkeypatch: pytest.MonkeyPatch, dies_at: str) -> None:
    """Wherever it dies, the same purge once more removes the rest, and the log says it once."""
    first = gap.carry()
    gap.carry()

    class Death(BaseException):
        pass

    def die(*_: object) -> None:
        raise Death

    with monkeypatch.context() as patched:
        where = (parcels, "purge") if dies_at == "the index is gone" else (Store, "delete_folder")
        patched.setattr(*where, die)
        with pytest.raises(Death):
            all_of(gap.without, outdated_arrivals(gap.without, str(gap.imports), older_than=NOW))
    left = gap.imports / "funds" / first
    assert sorted(path.name == "index" for path in left.iterdir()) == [False, False]
    outdated = outdated_arrivals(gap.without, str(gap.imports), older_than=NOW)
    assert ids(outdated) == [first]
    all_of(gap.without, outdated)
    assert not left.exists()
    assert purged(gap.without) == [first]


def test_carried_once_more(gap: Gap) -> None:
    """A parcel that is carried again after it was purged can be purged again, and that is told as well."""
    first = gap.carry()
    gap.carry()
    for _ in range(2):
        all_of(gap.without, outdated_arrivals(gap.without, str(gap.imports), older_than=NOW))
        shutil.copytree(gap.exports / "funds" / first, gap.imports / "funds" / first)
    assert purged(gap.without) == [first, first]


def test_another_parcel_in_its_folder(gap: Gap) -> None:
    """A folder that holds another parcel than its name says is left alone."""
    first, second = gap.carry(), gap.carry()
    folder = gap.imports / "funds"
    shutil.rmtree(folder / first)
    shutil.copytree(folder / second, folder / first)
    ((_, error),) = purge_each(gap.without, outdated_arrivals(gap.without, str(gap.imports), older_than=NOW))
    assert isinstance(error, NotTrusted)
    assert f"holds parcel {second}, not {first}" in str(error)
    assert lying(folder) == {first, second}
    assert purged(gap.without) == []


def test_what_somebody_works_on(gap: Gap) -> None:
    """A table that a run has stays as it is until the run is over."""
    first = gap.carry()
    gap.carry()
    holder = start_holder(f"sqlite:///{gap.outside}/state/drive.db", "table:funds")
    outdated = outdated_arrivals(gap.without, str(gap.imports), older_than=NOW)
    ((_, error),) = purge_each(gap.without, outdated)
    assert type(error).__name__ == "LeaseHeld"
    assert first in lying(gap.imports)
    holder.kill()
    holder.communicate()
    all_of(gap.without, outdated)
    assert first not in lying(gap.imports)


def test_a_place_that_is_not_there(gap: Gap) -> None:
    """A disk that is not mounted is no empty place."""
    gap.carry()
    with pytest.raises(Unreachable, match="no folder at"):
        outdated_arrivals(gap.without, str(gap.outside / "nowhere"), older_than=NOW)


def test_retention(tmp_path: Path, open_world: OpenWorld) -> None:
    """With imports_keep each import purges what it loaded longer ago; without it, and before, nothing goes."""
    gap = Gap(tmp_path, open_world, settings="imports_keep: 1d")
    first = gap.carry()
    gap.age(gap.outside, days=2)
    second = gap.carry()
    assert lying(gap.imports) == {second}
    assert purged(gap.without) == [first]
    row = import_table(gap.without, "funds", parcel_id=second)
    assert row.phases["stage_cleaning"].skip_reason == "no carried parcel has had its time"
    assert lying(gap.exports) == {first, second}


def test_nothing_goes_that_could_not_be_told(gap: Gap) -> None:
    """A side that signs its log, and whose key is gone, deletes nothing."""
    first, second = gap.carry(), gap.carry()
    (gap.outside / "keys" / "signing.key").unlink()
    ((_, error),) = purge_each(gap.without, outdated_arrivals(gap.without, str(gap.imports), older_than=NOW))
    assert isinstance(error, ConfigError)
    assert (gap.imports / "funds" / first / "index").exists()
    assert lying(gap.imports) == {first, second}


def test_purging_twice_is_purging_once(gap: Gap) -> None:
    """What is gone already is no error."""
    gap.carry()
    gap.carry()
    (one,) = outdated_arrivals(gap.without, str(gap.imports), older_than=NOW)
    purge(gap.without, one)
    purge(gap.without, one)
    assert purged(gap.without) == [one.parcel_id]
