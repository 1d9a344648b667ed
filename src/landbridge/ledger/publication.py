"""Rows of the drive table as another system takes them: its DDL, pages of what there is, and rows as JSON."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from landbridge.ledger.database import Database
from landbridge.ledger.tables import drive

PAGE = 5000
_version = select(drive.c.pipeline_id, drive.c.created_at, drive.c.updated_at)


@dataclass(frozen=True)
class Version:
    """Which row, and which state of it: `updated_at` is another whenever anything of it is."""

    pipeline_id: str
    created_at: datetime
    updated_at: datetime


def ddl() -> str:
    """The table for Snowflake, to be made where it is missing."""
    return Path(__file__).with_name("drive_table_ddl.sql").read_text(encoding="utf-8")


def versions(db: Database, *, since: datetime, pipeline_name: str | None = None) -> Iterator[Sequence[Version]]:
    """All rows that were made since then, oldest first, in pages; no transaction is open while the caller works."""
    query = _version.order_by(drive.c.created_at, drive.c.pipeline_id).limit(PAGE)
    if pipeline_name is not None:
        query = query.where(drive.c.pipeline_name == pipeline_name)
    first, after = since, ""
    while True:
        later = (drive.c.created_at > first) | (drive.c.pipeline_id > after)
        with db.read() as connection:
            page = [Version(*row) for row in connection.execute(query.where(drive.c.created_at >= first, later))]
        if page:
            yield page
        if len(page) < PAGE:
            return
        first, after = page[-1].created_at, page[-1].pipeline_id


def versions_of(db: Database, pipeline_ids: Iterable[str]) -> list[Version]:
    """Of those that are rows here."""
    ids = list(pipeline_ids)
    found: list[Version] = []
    with db.read() as connection:
        for first in range(0, len(ids), PAGE):
            some = drive.c.pipeline_id.in_(ids[first : first + PAGE])
            found += [Version(*row) for row in connection.execute(_version.where(some))]
    return found


def documents(db: Database, pipeline_ids: Sequence[str]) -> Iterator[str]:
    """Those rows as JSON objects by column, times as ISO 8601 text; what is null is left out, as are unknown ids."""
    with db.read() as connection:
        rows = connection.execute(select(drive).where(drive.c.pipeline_id.in_(pipeline_ids))).mappings().all()
    for row in rows:
        yield json.dumps({name: _plain(value) for name, value in row.items() if value is not None}, ensure_ascii=False)


def _plain(value: Any) -> Any:  # noqa: ANN401  a cell: whatever the columns hold
    return value.isoformat() if isinstance(value, date) else value
