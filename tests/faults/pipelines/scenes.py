"""The pipelines that are killed, as data: one way from source to target each, and one command.

Windows are hours, counted from FIRST; of the four, one has no rows. Some were loaded before. Rows carry the generation
in which they were made: those that the command is to bring are of the second.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from landbridge.windows import Window
from tests.faults.points import Point

NAME = "orders"
FIRST = datetime(2026, 1, 1, 22, tzinfo=UTC)  # the windows lie in two days
HOUR = timedelta(hours=1)
WINDOWS = 4
EMPTY = 1
SQL = "SELECT id, generation, amount, note, placed_at FROM {stage}"
MARKS = [
    "DELETE FROM mart.marks WHERE load_id = {load_id}",
    "INSERT INTO mart.marks (load_id, begins) VALUES ({load_id}, CAST({window_start} AS timestamptz))",
]


def hour(number: int) -> Window:
    return Window(FIRST + number * HOUR, FIRST + (number + 1) * HOUR)


@dataclass(frozen=True)
class PipelineScene:
    """A pipeline and its command. A crash point lies on its way if it needs no more than `ways`.

    `loaded`: windows that were loaded before, in their first generation; `moves`: those that the command moves;
    `late`: how many of those are done when it dies where each has the crash point.
    """

    name: str
    command: tuple[str, ...]
    ways: frozenset[str]
    loaded: tuple[int, ...] = (0, 1)
    moves: tuple[int, ...] = (2, 3)
    late: int = 0
    source: str = "shop"
    stage: str | None = None  # the connection of the landing table; None: a parcel
    target: str = "mart"
    drive_postgres: bool = False
    phases: Mapping[str, Any] = field(default_factory=dict)

    def passes(self, point: Point) -> bool:
        return point.needs <= self.ways

    @property
    def watched(self) -> bool:
        """Whether others can read the target meanwhile: a DuckDB file has one reader or one writer."""
        return self.target != "lake"

    @property
    def cleans(self) -> bool:
        """Whether stages go as soon as their windows are loaded, into the archive."""
        return "cleans" in self.ways

    def generation(self, window: int) -> int:
        """Of the window's rows in the source when the command is started."""
        return 2 if window in self.moves else 1

    def declaration(self, archive: str) -> str:
        """projects/orders/config.json."""
        schemas = {"shop": "shop", "depot": "depot", "mart": "mart", "lake": "main"}
        stage = {"connection": self.stage, "schema": "depot", "table": "orders_stage"} if self.stage else {}
        phases: dict[str, Any] = {}
        if self.cleans:
            cleaning = {"delete_after_days": 0, "archive_before_delete": True, "archive_location": archive}
            phases = {"stage_cleaning": cleaning, "target_cleaning": {"enabled": True, "sql": MARKS}}
        whole: dict[str, Any] = {
            "pipeline_metadata": {"pipeline_name": NAME, "owner_email": "team@company.com"},
            "dag_schedule": {"catchup": not self.ways & {"gaps", "fills"}},
            "query_window": {
                "granularity": "1h",
                "acceptable_data_fetch_start_time": hour(0).start.isoformat(),
                "acceptable_data_fetch_end_time": hour(WINDOWS - 1).end.isoformat(),
            },
            "source_system": {
                "connection": self.source,
                "schema": "shop",
                "table": NAME,
                "query_field": "placed_at",
            },
            "stage_system": stage or {"type": "parcel"},
            "target_system": {"connection": self.target, "schema": schemas[self.target], "table": NAME},
            "phases": phases | dict(self.phases),
            "retry_configuration": {"max_retries": 2, "backoff_strategy": "none"},
        }
        return json.dumps(whole, indent=1)


RUN = ("run", "--pipeline", NAME)
BACKFILL = ("backfill", NAME, "--from", hour(0).start.isoformat(), "--to", hour(WINDOWS - 1).end.isoformat())
PARALLEL = (*BACKFILL, "--parallel", "3")
ALL = tuple(range(WINDOWS))
IN_MART = {"source": "mart", "stage": "mart"}  # all three are schemas of one database
TRANSFORMED = {"stage_to_target_transfer": {"sql": SQL}}


def _scene(name: str, command: tuple[str, ...], ways: str, **more: Any) -> PipelineScene:
    return PipelineScene(name, command, frozenset(ways.split()), **more)


SCENES_OF_PIPELINES = {
    scene.name: scene
    for scene in (
        _scene("parcel, run", RUN, "command walk ends", late=1),
        _scene("parcel, backfill", BACKFILL, "seals", moves=ALL),
        _scene("parcel, first run", RUN, "makes", loaded=(), moves=ALL),
        _scene("pushed down, run", RUN, "pushes", phases=TRANSFORMED, **IN_MART),
        _scene("pushed down, backfill", BACKFILL, "pushes", moves=ALL, **IN_MART),
        _scene("landing table, first run", RUN, "makes", loaded=(), moves=ALL, stage="depot"),
        _scene("landing table, backfill", BACKFILL, "walk ends stages prepared", moves=ALL, stage="depot"),
        _scene("DuckDB, backfill", BACKFILL, "duckdb ends", moves=ALL, target="lake", late=1),
        _scene("archived parcel, backfill", BACKFILL, "cleans files", moves=ALL),
        _scene("archived table, backfill", BACKFILL, "cleans rows", moves=ALL, stage="depot"),
        _scene("archived pushed down, run", RUN, "cleans rows", late=1, **IN_MART),
        _scene("parcel, in parallel", PARALLEL, "ends seals prepared", moves=ALL, late=1),
        _scene("archived table, in parallel", PARALLEL, "stages cleans rows", moves=ALL, stage="depot"),
        _scene("gaps are found", RUN, "gaps", loaded=(0,), moves=(3,)),
        _scene("gaps are filled", ("gaps", NAME, "--fill"), "ends fills", loaded=(0, 3), moves=(1, 2), late=1),
        _scene("tried again", RUN, "fails"),
        _scene("tried again, landing table", RUN, "fails", stage="depot"),
        _scene("drive table in PostgreSQL", PARALLEL, "ends gathered", moves=ALL, drive_postgres=True),
    )
}
