"""What is told of tables that fail: once each, with the run where there is one."""

from pathlib import Path

from landbridge.engine.events import Event, RunEnded, RunGivenUp
from landbridge.engine.sync import run_tables
from landbridge.errors import LeaseHeld, SourceError
from tests.engine.conftest import OpenWorld
from tests.engine.projects import FUNDS, MART, WAREHOUSE, in_duckdb, make_project, table


def test_tables_that_fail(open_world: OpenWorld, tmp_path: Path) -> None:
    """A table whose run fails, one that another process works on, so that no run begins, and one that moves."""
    make_project(tmp_path, WAREHOUSE, MART, tables=[table(name, target="mart") for name in ("gone", "held", "funds")])
    in_duckdb(tmp_path / "warehouse.duckdb", FUNDS)
    told: list[Event] = []
    world = open_world(tmp_path, told.append)
    with open_world(tmp_path).alone_with("held"):
        results = list(run_tables(world, world.project.tables, fresh=False))
    given_up = [event for event in told if isinstance(event, RunGivenUp)]
    ended = [event.run for event in told if isinstance(event, RunEnded)]
    assert [(event.pipeline_name, type(event.error), event.run) for event in given_up] == [
        ("gone", SourceError, ended[0]),
        ("held", LeaseHeld, None),
    ]
    assert [event.error for event in given_up] == [result.error for result in results[:2]]
    assert results[2].run == ended[1]
