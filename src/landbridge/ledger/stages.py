"""Stages: what lies between source and target, from when a window is staged until its rows or files are deleted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Select, select, update

from landbridge.errors import LeaseLost
from landbridge.ledger.database import Database
from landbridge.ledger.tables import stages

StageKind = Literal["parcel", "table"]
StageState = Literal["staged", "loaded", "archived", "deleted"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One row as it was when it was read; the fields are the columns."""

    stage_id: str
    pipeline_name: str
    kind: StageKind
    location: str
    name: str
    load_id: str
    pipeline_id: str | None
    row_count: int
    state: StageState
    archive_location: str | None
    staged_at: datetime
    loaded_at: datetime | None
    archived_at: datetime | None
    deleted_at: datetime | None


def staged(  # noqa: PLR0913  all by keyword: each is a column
    db: Database,
    *,
    stage_id: str,
    pipeline_name: str,
    kind: StageKind,
    location: str,
    name: str,
    load_id: str,
    pipeline_id: str | None,
    row_count: int,
) -> Stage:
    """Note a stage that holds its rows now; one that was there before begins anew.

    `pipeline_id` is None where a phase is run alone, without a row in the drive table.
    """
    with db.begin() as connection:
        news = {
            "pipeline_name": pipeline_name,
            "kind": kind,
            "location": location,
            "name": name,
            "load_id": load_id,
            "pipeline_id": pipeline_id,
            "row_count": row_count,
            "state": "staged",
            "archive_location": None,
            "staged_at": db.now(connection),
            "loaded_at": None,
            "archived_at": None,
            "deleted_at": None,
        }
        insert = db.insert(stages).values(stage_id=stage_id, **news)
        upsert = insert.on_conflict_do_update(index_elements=[stages.c.stage_id], set_=news).returning(stages)
        return Stage(**connection.execute(upsert).mappings().one())


def loaded(db: Database, stage_id: str) -> Stage:
    """Its rows are in the target, audited. LeaseLost for one that is archived or deleted already."""
    return _change(db, stage_id, ("staged", "loaded"), "loaded")


def archived(db: Database, stage_id: str, archive_location: str) -> Stage:
    """A copy lies at `archive_location`, and was compared. LeaseLost for one that is not loaded, or deleted."""
    return _change(db, stage_id, ("loaded", "archived"), "archived", archive_location=archive_location)


def deleted(db: Database, stage_id: str) -> Stage:
    """Its rows or files are gone; deleting twice is the same as once. LeaseLost for one that nobody noted."""
    return _change(db, stage_id, ("staged", "loaded", "archived", "deleted"), "deleted")


def cleanable(db: Database, pipeline_name: str, before: datetime) -> list[Stage]:
    """Those that were loaded by then and are not deleted, the oldest load first."""
    waiting = stages.c.state.in_(("loaded", "archived")) & (stages.c.loaded_at <= before)
    query = select(stages).where(stages.c.pipeline_name == pipeline_name, waiting)
    return _all(db, query.order_by(stages.c.loaded_at, stages.c.stage_id))


def of_load(db: Database, pipeline_name: str, load_id: str) -> list[Stage]:
    """What was staged for this load and is not deleted, oldest first."""
    ours = (stages.c.pipeline_name == pipeline_name) & (stages.c.load_id == load_id) & (stages.c.state != "deleted")
    return _all(db, select(stages).where(ours).order_by(stages.c.staged_at, stages.c.stage_id))


def _all(db: Database, query: Select[Any]) -> list[Stage]:
    with db.read() as connection:
        return [Stage(**row) for row in connection.execute(query).mappings()]


def _change(db: Database, stage_id: str, states: tuple[StageState, ...], state: StageState, **values: str) -> Stage:
    """Move it on, with the time of the new state."""
    ours = (stages.c.stage_id == stage_id) & stages.c.state.in_(states)
    with db.begin() as connection:
        news = {"state": state, f"{state}_at": db.now(connection), **values}
        row = connection.execute(update(stages).where(ours).values(news).returning(stages)).mappings().one_or_none()
    if row is None:
        raise LeaseLost(
            f"no stage {stage_id} is {' or '.join(states)}: a later attempt has settled it", hint="landbridge status"
        )
    return Stage(**row)
