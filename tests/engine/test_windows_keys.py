"""Pipelines whose rows change: with keys the target has each row once, as it is now (docs/pipelines.md, "Keys")."""

from pathlib import Path
from typing import Any

import pytest

from landbridge.engine.events import Event, Notice
from landbridge.engine.plan import window_load_id
from landbridge.engine.windowed.recount import Differs, recount
from landbridge.engine.windowed.running import at_once, run_windows
from landbridge.errors import SchemaMismatch
from landbridge.windows import Window
from tests.engine.conftest import OpenWorld
from tests.engine.pipelines import FIRST, HOUR, PARCEL, TABLE, ask, declare, hour, hours, run, shop, succeeded

DAY = Window(FIRST, FIRST + 4 * HOUR)
ROWS = "SELECT id, state, updated_at FROM {} ORDER BY id, updated_at"
TAGS = "SELECT landbridge_load_id, count(*)::int FROM mart.orders GROUP BY 1"
KEYS = {"merge_keys": ["id"]}
SQL = "SELECT id, state || '!' AS state, updated_at FROM {stage} WHERE id <> 5"


def keyed(folder: Path, url: str, **sections: Any) -> Path:
    """The shop, its rows told by when they changed."""
    project = shop(folder, url)
    ask(url, "ALTER TABLE orders ADD COLUMN updated_at TIMESTAMPTZ", "UPDATE orders SET updated_at = placed_at")
    again(project, **sections)
    return project


def again(project: Path, until: int = 4, target_system: dict[str, Any] = KEYS, **sections: Any) -> None:
    """Declare the pipeline anew: up to which hour windows are loaded."""
    window = {"acceptable_data_fetch_end_time": f"2026-01-01T0{until}:00:00Z"}
    source = {"query_field": "updated_at", **sections.pop("source_system", {})}
    declare(project, query_window=window, source_system=source, target_system=target_system, **sections)


def loaded(url: str) -> list[tuple[Any, ...]]:
    return ask(url, ROWS.format("mart.orders"))


def source(url: str, until: int = 4) -> list[tuple[Any, ...]]:
    return ask(url, ROWS.format(f"orders WHERE updated_at < '2026-01-01 0{until}:00+00'"))


def change(url: str, at: str, *ids: int) -> None:
    changed = f"UPDATE orders SET state = 'as of {at}', updated_at = '2026-01-01 {at}+00' WHERE id = "
    ask(url, *(f"{changed}{key}" for key in ids))


@pytest.mark.parametrize("stage", [PARCEL, TABLE], ids=["parcel", "landing table"])
def test_rows_that_change_between_runs_are_there_once(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, stage: dict[str, str]
) -> None:
    """After each run the target is the source; a backfill of old windows changes nothing; a recount tells nothing of
    rows that moved on, and those that came late.
    """
    project = keyed(tmp_path, pg_url, until=2, stage_system=stage)
    succeeded(run(open_world(project)))
    assert loaded(pg_url) == source(pg_url, 2)
    for until, ids in ((3, (1, 8)), (4, (1, 13))):
        change(pg_url, f"0{until - 1}:30", *ids)
        again(project, until, stage_system=stage)
        succeeded(run(open_world(project)))
        assert loaded(pg_url) == source(pg_url, until)
    world = open_world(project)
    pipeline = world.project.pipeline("orders")
    assert dict(ask(pg_url, TAGS)) == {
        window_load_id("orders", window): rows for window, rows in zip(hours(0, 4), (5, 5, 6, 8), strict=True)
    }
    assert list(recount(world, pipeline, DAY)) == []
    ask(pg_url, "INSERT INTO orders (id, updated_at) SELECT i, '2026-01-01 00:59+00' FROM generate_series(98, 99) g(i)")
    ask(pg_url, "INSERT INTO orders (id, updated_at) VALUES (100, '2026-01-01 02:59+00')")
    change(pg_url, "05:00", 12, 14)
    assert list(recount(world, pipeline, DAY)) == [Differs(hour(0), (6, 7), (6, 5))]
    succeeded(run_windows(world, pipeline, [hour(2), hour(0)], fresh=True))
    assert loaded(pg_url) == source(pg_url)
    for window in (hour(1), hour(3), hour(0)):
        succeeded(run_windows(world, pipeline, [window], fresh=True))
        assert loaded(pg_url) == source(pg_url)
    assert list(recount(world, pipeline, DAY)) == []


@pytest.mark.parametrize(
    ("stage", "phases"),
    [
        (PARCEL, {}),
        (TABLE, {}),
        (TABLE, {"stage_to_target_transfer": {"sql": SQL, "rows": "changed"}}),
    ],
    ids=["parcel", "landing table", "sql"],
)
def test_a_log_of_changes_in_any_order(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, stage: dict[str, str], phases: dict[str, Any]
) -> None:
    """Several rows of a key in a window, and in others: the newest stays, all others are told, and the audit knows."""
    project = keyed(tmp_path, pg_url, stage_system=stage, phases=phases)
    ask(pg_url, "ALTER TABLE orders DROP CONSTRAINT orders_pkey", "UPDATE orders SET id = id % 8, state = id::text")
    world = open_world(project)
    pipeline = world.project.pipeline("orders")
    runs = [succeeded(run_windows(world, pipeline, [window]))[0] for window in reversed(hours(0, 4))]
    newest = ask(
        pg_url,
        "SELECT id, state || CASE WHEN %s THEN '!' ELSE '' END, updated_at FROM"
        " (SELECT DISTINCT ON (id) * FROM orders ORDER BY id, updated_at DESC) n WHERE NOT (%s AND id = 5) ORDER BY id"
        % ((bool(phases),) * 2),
    )
    assert loaded(pg_url) == newest
    counts = [each.phases["audit"].details for each in runs]
    assert [found["stage_count"] for found in counts] == [6, 6, 6, 6]
    assert sum(found["target_count"] for found in counts) == len(newest)
    transfers = [each.phases["stage_to_target_transfer"].details for each in runs]
    assert [told["rows_out"] for told in transfers] == [found["target_count"] for found in counts]
    assert sum(told["rows_changed"]["older"] for told in transfers) == (21 if phases else 24) - len(newest)
    succeeded(run_windows(world, pipeline, hours(0, 4), fresh=True))
    assert loaded(pg_url) == newest
    assert list(recount(world, pipeline, DAY)) == []


def test_keys_that_do_not_arrive_are_told_before_a_row_moves(
    tmp_path: Path, pg_url: str, open_world: OpenWorld
) -> None:
    """Of the source's columns at once; of those of the SQL as soon as there is a stage that can be asked."""
    project = keyed(tmp_path, pg_url, target_system={"merge_keys": ["ident"]})

    def failed() -> str:
        (result,) = run(open_world(project))
        assert isinstance(result.error, SchemaMismatch)
        return result.error.message

    assert failed() == "no column 'ident' arrives; known: amount, id, placed_at, state, updated_at"
    sql = {"stage_to_target_transfer": {"sql": "SELECT id, state FROM {stage}"}}
    again(project, stage_system=TABLE, phases=sql)
    assert failed() == "no column 'updated_at' arrives; known: id, state"
    assert ask(pg_url, "SELECT count(*) FROM stage.orders_stage") == [(6,)]
    ask(pg_url, "DELETE FROM stage.orders_stage")
    assert failed() == "no column 'updated_at' arrives; known: id, state"
    assert ask(pg_url, "SELECT count(*) FROM stage.orders_stage") == [(0,)], "told by pre-validation"


def test_windows_with_keys_are_run_one_by_one(tmp_path: Path, pg_url: str, open_world: OpenWorld) -> None:
    """Another would take over rows that the audit of one counts; that is said."""
    events: list[Event] = []
    world = open_world(keyed(tmp_path, pg_url), events.append)
    assert at_once(world, world.project.pipeline("orders"), 4) == 1
    (notice,) = (event for event in events if isinstance(event, Notice))
    assert "merge_keys" in notice.text
