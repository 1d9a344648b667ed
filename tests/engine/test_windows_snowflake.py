"""The pipeline of seed 002: into a Snowflake stage table, on to the target by SQL that stays in the warehouse."""

from pathlib import Path
from typing import Any

from landbridge.engine.windowed.running import run_windows
from tests.engine.conftest import OpenWorld
from tests.engine.pipelines import ask, declare, hour, run, shop, source, succeeded
from tests.engine.projects import variables
from tests.servers.snowflake.process import SnowflakeServer


def test_through_a_stage_table_in_the_warehouse(
    tmp_path: Path, pg_url: str, open_world: OpenWorld, snowflake: SnowflakeServer, sf_database: str
) -> None:
    """Rows land in the stage table, are moved by one INSERT … SELECT, audited and cleaned; twice is once."""
    place = {"connection": "snowflake", "database": sf_database, "schema": "PUBLIC"}
    sections = {
        "query_window": {"acceptable_data_fetch_end_time": "2026-01-01T02:00:00Z"},
        "stage_system": {**place, "table": "ORDERS_STAGE"},
        "target_system": {**place, "table": "ORDERS"},
        "phases": {
            "stage_to_target_transfer": {"sql": "SELECT ID, STATE, AMOUNT * 2 AS AMOUNT FROM {stage}"},
            "stage_cleaning": {"delete_after_days": 0},
            "target_cleaning": {"enabled": True, "sql": "UPDATE ORDERS SET STATE = 'none' WHERE STATE IS NULL"},
        },
    }
    project = shop(tmp_path, pg_url, **sections)
    declare(project, **sections)
    env = project / ".env"
    env.write_text(variables(pg_url) + "\n".join(snowflake.variables(sf_database)) + "\n")
    world = open_world(project)
    done = succeeded(run(world))
    assert [one.phases["stage_to_target_transfer"].details["published_by"] for one in done] == ["window", "window"]
    ask(pg_url, "DELETE FROM orders WHERE id = 2")
    succeeded(run_windows(world, world.project.pipeline("orders"), [hour(0)]))
    expected = [
        (number, "none" if state is None else state, amount * 2)
        for number, state, amount, _ in source(pg_url, "2026-01-01 02:00+00")
    ]
    place = f'"{sf_database}"."PUBLIC"'
    assert asked(snowflake, f'SELECT ID, STATE, AMOUNT FROM {place}."ORDERS" ORDER BY ID') == expected
    assert asked(snowflake, f'SELECT COUNT(*) FROM {place}."ORDERS_STAGE"') == [(0,)]


def asked(server: SnowflakeServer, sql: str) -> list[tuple[Any, ...]]:
    import snowflake.connector

    with snowflake.connector.connect(**server.connection()) as connection:
        return connection.cursor().execute(sql).fetchall()
