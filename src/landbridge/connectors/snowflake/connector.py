"""Snowflake as source, target and catalog (docs/snowflake.md)."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from landbridge.connectors.merging import refuse_other_chain
from landbridge.connectors.snowflake import book, catalog, checks, loading, reading, unloading, windows
from landbridge.connectors.snowflake.metadata import metadata
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.connectors.snowflake.session import Session, fetch, patiently
from landbridge.connectors.statements import first_word
from landbridge.contracts.values import Check, Instant, Landing, Load, Loaded, Part, Published, Read, Snapshot, Write
from landbridge.errors import SourceError, TargetError
from landbridge.schema.changes import Newest
from landbridge.schema.metadata import Extracted
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded, qualify, unfold
from landbridge.schema.snowflake import create_table

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector.cursor import SnowflakeCursor

    from landbridge.connectors.snowflake.runs_copy import SnowflakeRuns


CHANGES = ("insert", "update", "delete", "merge")


class Snowflake:
    """Source, Target and Catalog of one account; all of a process goes through one login."""

    holds = loading.HOLDS

    def __init__(self, name: str, options: SnowflakeOptions) -> None:
        self.name, self.options = name, options
        self.session = Session(name, options)

    def instant(self) -> AbstractContextManager[Instant]:
        """See Source."""
        return reading.instant(self.session)

    def snapshot(self, read: Read, instant: Instant | None = None) -> AbstractContextManager[Snapshot]:
        """See Source."""
        return reading.snapshot(self.session, read, instant)

    def newest(self, read: Read, column: str, instant: Instant) -> Newest:
        """See Source."""
        return reading.newest(self.session, read, column, instant)

    def count_rows(self, read: Read, instant: Instant) -> int:
        """See Source."""
        return reading.count(self.session, read, instant)

    def batches(self, part: Part) -> "Iterator[pa.RecordBatch]":
        """See Source."""
        if isinstance(part.payload, unloading.File):
            return unloading.batches(self.session, part, part.payload)
        return reading.batches(part)

    def loaded(self, write: Write, load_id: str) -> int | None:
        """See Target."""
        with self._target(write.relation) as (cursor, target):
            newest = book.newest(cursor, target, load_id if write.mode == "window" else None)
        return newest.rows if newest.load_id == load_id else None

    def newest_load(self, write: Write) -> Loaded:
        """See Target."""
        with self._target(write.relation) as (cursor, target):
            return book.newest(cursor, target)

    def prepare(self, write: Write, schema: TableSchema, load: Load, *, only_keys: bool = False) -> Landing:
        """See Target."""

        def make() -> Landing:
            with self._target(write.relation) as (cursor, target):
                return loading.prepare(
                    cursor, write, target, schema, load, streams=self.options.streams, only_keys=only_keys
                )

        return patiently(make)

    def append(self, landing: Landing, batches: "Iterable[pa.RecordBatch]", first_row: int) -> int:
        """See Target."""
        with self._target(landing.write.relation) as (cursor, _):
            return loading.append(cursor, landing, batches, first_row)

    def publish(self, landing: Landing, keys: Landing | None = None) -> Published:
        """See Target: COPY and its count come before the transaction, in which no DDL is."""
        if landing.write.mode == "window":
            return windows.publish(self.session, landing, catalog.located(self.options, landing.write.relation))
        landings = [landing, keys] if keys else [landing]
        with self._target(landing.write.relation) as (cursor, target):
            newest = book.newest(cursor, target)
            if newest.load_id == landing.load.load_id and newest.version != landing.version:
                for landed in landings:
                    loading.drop(cursor, landed.relation)
                return Published(newest.rows, "already")
            if newest.version == landing.version:
                refuse_other_chain(target, landing.load, newest.load_id)
            for landed in landings:
                if (arrived := loading.copy(cursor, landed)) != landed.load.rows:
                    raise TargetError(f"{target}: {arrived} rows arrived of {landed.load.rows}", hint="run it again")
        with self.session.transaction(TargetError, str(target)) as cursor:
            done = loading.publish(cursor, landing, target, keys, newest.rows)
        for landed in landings:
            self.drop(landed)
        return done

    def publish_from(self, write: Write, read: Read, load: Load, version: int) -> Published:
        """See Target."""
        target, source = (catalog.located(self.options, side.relation) for side in (write, read))
        return windows.publish_from(self.session, write, target, read, source, load, version)

    def discard(self, write: Write, load_ids: Sequence[str]) -> int:
        """See Target."""
        return windows.discard(self.session, catalog.located(self.options, write.relation), load_ids)

    def drop(self, landing: Landing) -> None:
        """See Target."""
        with self._target(landing.write.relation) as (cursor, _):
            loading.drop(cursor, landing.relation)

    def count(self, write: Write, load_id: str | None = None) -> int:
        """See Target."""
        with self._target(write.relation) as (cursor, target):
            if load_id is not None:
                return windows.count(cursor, target, load_id)
            (row,) = fetch(cursor, f"SELECT COUNT(*) AS n FROM {qualify(target)}")
        return int(row["n"])

    def left(self, write: Write, keep: str | None = None, load_id: str | None = None) -> list[str]:
        """See Target."""
        with self._target(write.relation) as (cursor, target):
            return loading.left(cursor, target, keep, load_id)

    def sweep(self, write: Write, keep: str | None = None, load_id: str | None = None) -> list[str]:
        """See Target."""
        with self._target(write.relation) as (cursor, target):
            return loading.sweep(cursor, target, keep, load_id)

    def describe(self, relations: Sequence[Relation]) -> dict[Relation, TableSchema | None]:
        """See Catalog."""
        places = {relation: catalog.located(self.options, relation) for relation in relations}
        with self.session.cursor(SourceError, f"catalogue of {self.name}") as cursor:
            found = catalog.describe(cursor, list(places.values()))
        return {relation: found[place] for relation, place in places.items()}

    def metadata(self, reads: Sequence[Read]) -> list[Extracted | None]:
        """See Catalog."""
        with self.session.cursor(SourceError, f"catalogue of {self.name}") as cursor:
            return metadata(cursor, self.options, reads)

    def ddl(self, relation: Relation, schema: TableSchema) -> str:
        """See Catalog."""
        return create_table(catalog.located(self.options, relation), folded(schema, unfold))

    def create(self, relation: Relation, schema: TableSchema) -> bool:
        """See Catalog."""
        with self._target(relation) as (cursor, target):
            if catalog.describe(cursor, [target])[target] is not None:
                return False
            loading.create(cursor, target, schema)
        return True

    def execute(self, statements: Sequence[str]) -> None:
        """See Catalog, but for one thing: DDL commits by itself here, so what came before a failure stays."""
        with self.session.cursor(TargetError, f"tables of {self.name}") as cursor:
            for statement in statements:
                cursor.execute(statement)

    def runs_copy(self, schema: str | None, database: str | None) -> "SnowflakeRuns":
        """See TakesRuns."""
        from landbridge.connectors.snowflake.runs_copy import TABLE, SnowflakeRuns

        return SnowflakeRuns(self.session, catalog.located(self.options, Relation(TABLE, schema, database)))

    def run_sql(self, statements: Sequence[str]) -> list[int]:
        """See Catalog: what would commit by itself is refused."""
        for word in map(first_word, statements):
            if word not in CHANGES:
                raise TargetError(f"{word or 'this'} is not a statement that changes rows", hint=f"one of {CHANGES}")
        with self.session.transaction(TargetError, f"statements at {self.name}") as cursor:
            return [loading.session_of(cursor).do(statement) for statement in statements]

    def check(self, reads: Sequence[Relation], writes: Sequence[Relation]) -> list[Check]:
        """See Catalog."""
        return checks.check(self.session, reads, writes)

    @contextmanager
    def _target(self, relation: Relation) -> "Iterator[tuple[SnowflakeCursor, Relation]]":
        target = catalog.located(self.options, relation)
        with self.session.cursor(TargetError, str(target)) as cursor:
            yield cursor, target
