"""A quick selection of the fault campaign: the named crash points that say most, a signal, a lease that was lost."""

import signal

import pytest

from landbridge.demo.postgres_server import PostgresServer
from tests.faults.named import die_and_rerun, keys_die_and_rerun
from tests.faults.points import POINTS
from tests.faults.scenes import SCENES
from tests.faults.signals import asked_to_stop
from tests.faults.workshop import Workshop


@pytest.fixture(scope="module")
def shop(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Two parts, one worker: enough to die between them."""
    return Workshop(postgres, tmp_path_factory.mktemp("faults"), rows=8_000, width=6, processes=1)


def died(shop: Workshop, scene: str, point: str) -> list[str]:
    _, wrong = die_and_rerun(shop, SCENES[scene], point)
    return wrong


def test_an_export_dies_between_index_and_ledger(shop: Workshop) -> None:
    """The parcel is whole and stays; the rerun makes the next one; no sequence number is given twice."""
    assert died(shop, "export", "sealing: after the index is stored") == []


def test_an_export_dies_while_it_tells_of_it(shop: Workshop) -> None:
    """The entry of the custody log goes with the change that it tells of: the rerun makes both, once."""
    assert died(shop, "export", "sealing: after its custody entry is written, not committed") == []


def test_a_worker_of_an_export_dies(shop: Workshop) -> None:
    """The coordinator says so and fails; neither it nor the rerun leaves parts that nobody signed."""
    assert died(shop, "export", "sealing: a worker after its first part is stored") == []


def test_an_import_dies_while_rows_land(shop: Workshop) -> None:
    """Readers see the old rows; the rerun drops the dead attempt's landing table and loads all."""
    assert died(shop, "import, swap", "loading: before parts are counted as loaded") == []


def test_an_import_dies_in_the_middle_of_a_swap(shop: Workshop) -> None:
    """The old table is dropped and the new one has its name, uncommitted: readers still see the old rows."""
    assert died(shop, "import, swap", "postgres: after the landing table is renamed") == []


def test_an_import_dies_in_the_middle_of_a_rewrite(shop: Workshop) -> None:
    """Where a view depends on the target, old rows are deleted and new ones inserted, uncommitted: the old stand."""
    assert died(shop, "import, rewrite", "postgres: after the new rows are inserted") == []


def test_an_import_dies_after_it_published(shop: Workshop) -> None:
    """The rows came with their load id: the rerun finds them there and does not load them again."""
    assert died(shop, "import, rewrite", "postgres: after the load is published") == []


def test_a_run_dies_before_its_audit(shop: Workshop) -> None:
    """The rerun goes on at the audit, with the counts of the attempt that died, and empties the stage."""
    assert died(shop, "run, swap", "phase: after audit is recorded as begun") == []


@pytest.mark.parametrize(
    ("scene", "point"),
    [
        ("import, upsert", "postgres: after the changed rows are updated"),
        ("import, upsert", "postgres: after the load is published"),
        ("run, upsert", "cleaning: before the mark is confirmed"),
        ("run, upsert DuckDB", "duckdb: after the load is published"),
        ("run, upsert DuckDB", "cleaning: before the stage's parcel is emptied in the ledger"),
    ],
)
def test_changes_die_half_merged(shop: Workshop, scene: str, point: str) -> None:
    """Readers see no mixture; the rerun doubles nothing, and goes on from the mark that the target proves."""
    assert died(shop, scene, point) == []


@pytest.mark.parametrize("point", ["before the first secret is made, empty", "after the first secret is written"])
def test_keys_die_half_made(shop: Workshop, point: str) -> None:
    """The same command, once more, makes what is missing."""
    assert keys_die_and_rerun(shop, f"keys: {point}")[1] == []


def test_who_is_asked_to_stop_rolls_back(shop: Workshop) -> None:
    """SIGTERM within the publishing transaction: exit code 143, the run recorded as failed, the old rows stand."""
    _, wrong = asked_to_stop(shop, "import, swap", "postgres: after the old table is dropped", signal.SIGTERM, 143)
    assert wrong == []


def test_every_point_is_on_somebodys_way() -> None:
    """A crash point that no scene comes past would never be tried."""
    passed = {name for name, point in POINTS.items() if any(scene.passes(point) for scene in SCENES.values())}
    assert {name for name in POINTS if not name.startswith("keys: ")} == passed
