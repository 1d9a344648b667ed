"""Pipelines to work on: a shop whose orders come hour by hour, in a PostgreSQL database, and a project around it."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from landbridge.engine.windowed.running import WindowResult, run_due
from landbridge.engine.world import World
from landbridge.ledger.runs import Run
from landbridge.windows import Window
from tests.engine.projects import make_project, variables

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORDERS = (
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, state TEXT, amount NUMERIC(12, 4), placed_at TIMESTAMPTZ);"
    "INSERT INTO orders SELECT i, CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN '' ELSE 'new' END, i * 0.0001,"
    " TIMESTAMPTZ '2026-01-01 00:00:00+00' + i * INTERVAL '10 minutes' FROM generate_series(0, 23) AS g(i)"
)
PARCEL: dict[str, Any] = {"type": "parcel"}
TABLE: dict[str, Any] = {"connection": "postgres", "schema": "stage", "table": "orders_stage"}


def hours(first: int, last: int) -> list[Window]:
    """Windows of an hour, counted from FIRST; `last` is not among them."""
    return [hour(number) for number in range(first, last)]


def hour(number: int) -> Window:
    return Window(FIRST + number * HOUR, FIRST + (number + 1) * HOUR)


def declaration(**sections: dict[str, Any]) -> dict[str, Any]:
    """Four hours of orders, a pipeline as JSON has it; `sections` are put in, over those that are there."""
    whole: dict[str, Any] = {
        "pipeline_metadata": {"pipeline_name": "orders", "owner_email": "team@company.com"},
        "query_window": {
            "granularity": "1h",
            "settle_delay": "5m",
            "acceptable_data_fetch_start_time": "2026-01-01T00:00:00Z",
            "acceptable_data_fetch_end_time": "2026-01-01T04:00:00Z",
        },
        "source_system": {"connection": "postgres", "schema": "public", "table": "orders", "query_field": "placed_at"},
        "stage_system": PARCEL,
        "target_system": {"connection": "postgres", "schema": "mart", "table": "orders"},
        "phases": {},
        "retry_configuration": {"max_retries": 0},
    }
    for name, section in sections.items():
        whole[name] = section if name in ("stage_system", "phases") else {**whole.get(name, {}), **section}
    return whole


def declare(folder: Path, **sections: dict[str, Any]) -> None:
    """Write projects/orders/config.json anew."""
    path = folder / "projects" / "orders" / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(declaration(**sections), indent=1))


def shop(folder: Path, url: str, *connections: str, **sections: dict[str, Any]) -> Path:
    """A project with the pipeline orders; source and target are schemas of the database at `url`."""
    project = make_project(folder, *(connections or ("x: {type: duckdb, path: unused.duckdb}",)))
    (project / ".env").write_text(variables(url))
    declare(project, **sections)
    ask(url, ORDERS)
    return project


def ask(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Rows of the last statement."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def run(world: World, **options: Any) -> list[WindowResult]:
    """All that is due."""
    return list(run_due(world, world.project.pipeline("orders"), **options))


def succeeded(results: Iterable[WindowResult]) -> list[Run]:
    """Their runs; none may have failed."""
    return list(_runs(results))


def _runs(results: Iterable[WindowResult]) -> Iterator[Run]:
    for result in results:
        if result.error:
            raise result.error
        assert result.run is not None
        yield result.run


SAME = "SELECT id, state, amount, placed_at FROM {} ORDER BY id, placed_at"


def source(url: str, until: str = "2026-01-01 04:00+00") -> list[tuple[Any, ...]]:
    return ask(url, SAME.format(f"orders WHERE placed_at < '{until}'"))


def target(url: str, table: str = "mart.orders") -> list[tuple[Any, ...]]:
    return ask(url, SAME.format(table))
