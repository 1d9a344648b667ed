"""The rows of the drive table, to where dashboards look for them: only those that are new there, or have changed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from landbridge.contracts.runs_copy import RunsCopy, TakesRuns
from landbridge.engine.world import World
from landbridge.errors import UsageError
from landbridge.ledger import leases
from landbridge.ledger.leases import Heartbeat
from landbridge.ledger.publication import documents, versions, versions_of
from landbridge.schema.model import Relation

MOST_BYTES = 250_000  # of one statement's rows: Snowflake takes a million, and quotes are doubled on the way
MOST_ROWS = 500
RESOURCE = "publish-runs"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where runs are published: names that are None are the connection's."""

    connection: str
    database: str | None = None
    schema: str | None = None


@dataclass(frozen=True, kw_only=True)
class Published:
    """How many rows were written to `relation`, and how many were there as they are."""

    relation: Relation
    written: int
    unchanged: int


def publish_runs(world: World, place: Place, *, since: datetime, pipeline_name: str | None = None) -> Published:
    """Rows that were made since then, and those that the copy says still run; nobody else publishes meanwhile.

    Raises UsageError for a connection that cannot hold them, LeaseHeld, TargetError, AccessDenied, Unreachable.
    """
    connector = world.connector(place.connection)
    if not isinstance(connector, TakesRuns):
        raise UsageError(f"connection {place.connection!r} cannot hold runs", hint="name a Snowflake connection")
    copy = connector.runs_copy(place.schema, place.database)
    lease = leases.acquire(world.ledger, RESOURCE)
    try:
        with Heartbeat(world.ledger, lease) as heart:
            return _publish(world, copy, heart, since, pipeline_name)
    finally:
        leases.release(world.ledger, lease)


def _publish(world: World, copy: RunsCopy, heart: Heartbeat, since: datetime, pipeline_name: str | None) -> Published:
    copy.create()
    written = unchanged = 0
    running = dict(copy.running())
    for page in versions(world.ledger, since=since, pipeline_name=pipeline_name):
        known = copy.known(page[0].created_at, page[-1].created_at)
        news = [each.pipeline_id for each in page if known.get(each.pipeline_id) != each.updated_at]
        written += _merge(world, copy, heart, news)
        unchanged += len(page) - len(news)
        for each in page:
            running.pop(each.pipeline_id, None)
    older = versions_of(world.ledger, running)  # made before `since`, or of another pipeline: some have ended by now
    written += _merge(world, copy, heart, [x.pipeline_id for x in older if running[x.pipeline_id] != x.updated_at])
    return Published(relation=copy.relation, written=written, unchanged=unchanged)


def _merge(world: World, copy: RunsCopy, heart: Heartbeat, pipeline_ids: list[str]) -> int:
    """How many of them were here, and so are there now."""
    count = 0
    for first in range(0, len(pipeline_ids), MOST_ROWS):
        for rows in _statements(documents(world.ledger, pipeline_ids[first : first + MOST_ROWS])):
            heart.check()
            copy.merge(rows)
            count += len(rows)
    return count


def _statements(rows: Iterable[str]) -> Iterator[list[str]]:
    """Rows of so many bytes, or a single one of more."""
    batch: list[str] = []
    size = 0
    for row in rows:
        length = len(row.encode())
        if batch and size + length > MOST_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += length
    if batch:
        yield batch
