"""A quick selection of the fault campaign of pipelines: the crash points at which a window could be lost or doubled."""

import pytest

from landbridge.demo.postgres_server import PostgresServer
from tests.faults.pipelines.aftermath import load_of, wrongs
from tests.faults.pipelines.deaths import die_and_rerun
from tests.faults.pipelines.points import POINTS_OF_PIPELINES
from tests.faults.pipelines.scenes import SCENES_OF_PIPELINES, hour
from tests.faults.pipelines.workshop import PipelineWorkshop, execute


@pytest.fixture(scope="module")
def shop(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> PipelineWorkshop:
    return PipelineWorkshop(postgres, tmp_path_factory.mktemp("pipelines"), processes=1)


@pytest.mark.parametrize(
    ("scene", "point"),
    [
        ("parcel, run", "parcel: after the index is stored"),
        ("parcel, run", "postgres: after the new rows are inserted"),
        ("parcel, run", "postgres: after the load is published"),
        ("parcel, run", "window: after the window is covered, not committed"),
        ("archived table, in parallel", "table: after the stage is published"),
        ("archived table, in parallel", "table: a worker after its second append is committed"),
        ("archived table, in parallel", "cleaning: after the stage's rows are deleted"),
    ],
)
def test_a_window_dies(shop: PipelineWorkshop, scene: str, point: str) -> None:
    """Rows, load ids, coverage, stages, archives, landing tables: after one rerun all is as if nobody had died."""
    assert die_and_rerun(shop, SCENES_OF_PIPELINES[scene], f"pipelines, {point}")[1] == []


def test_what_is_wrong_is_seen(shop: PipelineWorkshop) -> None:
    """Before the command has run nothing is as it must be after it; a row that is there twice is one too many."""
    with shop.case(SCENES_OF_PIPELINES["parcel, run"]) as case:
        execute(case.place("mart"), "INSERT INTO mart.orders SELECT * FROM mart.orders WHERE id = 7")
        told = "\n".join(wrongs(case))
    assert f"target, load {load_of(0)}: 0 rows are missing, 1 too many" in told
    assert f"target, load {load_of(2)}: 321 rows are missing, 0 too many" in told
    assert f"the newest attempt at {hour(3)} says nothing" in told
    assert "0 loads have a stage that should be gone, 2 have none" in told
    assert "covered is" in told


def test_every_point_is_on_somebodys_way() -> None:
    """A crash point that no scene comes past would never be tried."""
    scenes = SCENES_OF_PIPELINES.values()
    passed = {name for name, point in POINTS_OF_PIPELINES.items() if any(scene.passes(point) for scene in scenes)}
    assert set(POINTS_OF_PIPELINES) == passed
