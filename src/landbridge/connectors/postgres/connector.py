"""PostgreSQL: read by COPY as CSV, written by binary COPY."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from landbridge.connectors.postgres import catalog, loading, publishing, reading, snapshots, windows
from landbridge.connectors.postgres.encode import HOLDS
from landbridge.connectors.postgres.metadata import metadata
from landbridge.connectors.postgres.session import LOADS, READS, Kept, Server, border, connect
from landbridge.contracts.values import Check, Instant, Landing, Load, Loaded, Part, Published, Read, Snapshot, Write
from landbridge.errors import LandbridgeError, SourceError, TargetError
from landbridge.schema.changes import Newest
from landbridge.schema.metadata import Extracted
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded, qualify
from landbridge.schema.postgres import create_table

if TYPE_CHECKING:
    import pyarrow as pa

    from landbridge.connectors.postgres.session import Connection


class PostgresOptions(BaseModel):
    """How a PostgreSQL server is reached."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    type: Literal["postgres"] = Field(description="the kind of connection")
    host: str = Field(min_length=1, description="name or address; a path is the folder of a unix socket")
    port: int = Field(5432, ge=1, le=65535, description="TCP port, or the number in the socket's name")
    database: str = Field(min_length=1, description="database to connect to")
    user: str = Field(min_length=1, description="role to log in as")
    password: SecretStr | None = Field(None, description="password of the role; none where the server asks for none")
    sslmode: Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"] | None = Field(
        None, description="libpq's sslmode; default: require, but prefer for loopback addresses and unix sockets"
    )
    sslrootcert: str | None = Field(
        None, min_length=1, description="file of the authorities that verify-ca and verify-full trust, or: system"
    )
    streams: int = Field(2, ge=1, le=16, description="COPY streams of one load")
    connect_timeout: int = Field(10, ge=1, description="seconds to wait for a connection")


class Postgres:
    """Source, Target and Catalog of one PostgreSQL database; most methods have a connection of their own."""

    holds = HOLDS

    def __init__(self, name: str, options: PostgresOptions) -> None:
        self.name = name
        self.server = Server(**options.model_dump(exclude={"type", "streams"}))
        self.streams = options.streams
        self._appends = Kept(self.server, LOADS)
        self._landing = Kept(self.server, LOADS)  # holds the lock that tells others that we are loading

    def instant(self) -> AbstractContextManager[Instant]:
        """See Source: a REPEATABLE READ transaction, exported."""
        return snapshots.instant(self.server, self.name)

    def snapshot(self, read: Read, instant: Instant | None = None) -> AbstractContextManager[Snapshot]:
        """See Source."""
        return snapshots.snapshot(self.server, read, instant)

    def newest(self, read: Read, column: str, instant: Instant) -> Newest:
        """See Source."""
        return snapshots.newest(self.server, read, column, instant)

    def count_rows(self, read: Read, instant: Instant) -> int:
        """See Source."""
        return snapshots.count(self.server, read, instant)

    def batches(self, part: Part) -> "Iterator[pa.RecordBatch]":
        """See Source."""
        return reading.batches(self.server, part)

    def loaded(self, write: Write, load_id: str) -> int | None:
        """See Target."""
        with self._target(write) as (connection, target):
            newest = loading.newest(connection, target, load_id if write.mode == "window" else None)
        return newest.rows if newest.load_id == load_id else None

    def newest_load(self, write: Write) -> Loaded:
        """See Target."""
        with self._target(write) as (connection, target):
            return loading.newest(connection, target)

    def prepare(self, write: Write, schema: TableSchema, load: Load, *, only_keys: bool = False) -> Landing:
        """See Target; the connection is kept until the landing is published, dropped, or swept with the rest."""
        with self._target(write, self._landing.connect()) as (connection, target):
            return loading.prepare(connection, write, target, schema, load, streams=self.streams, only_keys=only_keys)

    def append(self, landing: Landing, batches: "Iterable[pa.RecordBatch]", first_row: int) -> int:
        """See Target: one binary COPY in a transaction of its own; the connection is kept for the next part."""
        with border(TargetError, str(landing.write.relation)), self._appends.connect() as connection:
            return loading.append(connection, landing, batches, first_row)

    def publish(self, landing: Landing, keys: Landing | None = None) -> Published:
        """See Target: a swap, or DELETE + INSERT where something depends on the table; a merge where rows are kept."""
        with closing(self._landing), self._target(landing.write) as (connection, _):
            if landing.write.mode == "window":
                return windows.publish(connection, landing)
            return publishing.publish(connection, landing, keys)

    def publish_from(self, write: Write, read: Read, load: Load, version: int) -> Published:
        """See Target."""
        source = catalog.locate(self.server, read.relation)
        with self._target(write) as (connection, target):
            return windows.publish_from(connection, write, target, read, source, load, version)

    def discard(self, write: Write, load_ids: Sequence[str]) -> int:
        """See Target."""
        with self._target(write) as (connection, target):
            return windows.discard(connection, target, load_ids)

    def drop(self, landing: Landing) -> None:
        """See Target."""
        with closing(self._landing), self._target(landing.write) as (connection, _):
            loading.drop(connection, landing.relation)

    def count(self, write: Write, load_id: str | None = None) -> int:
        """See Target."""
        with self._target(write) as (connection, target):
            if load_id is not None:
                return int(catalog.value(connection, windows.windowed(connection, target).counting(load_id)))
            rows: int = catalog.value(connection, f"SELECT count(*) FROM {qualify(target)}")
        return rows

    def left(self, write: Write, keep: str | None = None, load_id: str | None = None) -> list[str]:
        """See Target."""
        with self._target(write) as (connection, target):
            return [landing.table for landing in loading.left(connection, target, keep, load_id)]

    def sweep(self, write: Write, keep: str | None = None, load_id: str | None = None) -> list[str]:
        """See Target."""
        self._landing.close()
        with self._target(write) as (connection, target):
            return loading.sweep(connection, target, keep, load_id)

    def describe(self, relations: Sequence[Relation]) -> dict[Relation, TableSchema | None]:
        """See Catalog."""
        located = {relation: catalog.locate(self.server, relation) for relation in relations}
        with connect(self.server, READS) as connection, border(SourceError, f"catalogue of {self.name}"):
            found = catalog.describe(connection, list(located.values()))
        return {relation: found[place] for relation, place in located.items()}

    def metadata(self, reads: Sequence[Read]) -> list[Extracted | None]:
        """See Catalog."""
        with connect(self.server, READS) as connection, border(SourceError, f"catalogue of {self.name}"):
            return metadata(connection, self.server, reads)

    def ddl(self, relation: Relation, schema: TableSchema) -> str:
        """See Catalog."""
        return create_table(catalog.locate(self.server, relation), folded(schema))

    def create(self, relation: Relation, schema: TableSchema) -> bool:
        """See Catalog."""
        place = catalog.locate(self.server, relation)
        with connect(self.server, LOADS) as connection, border(TargetError, str(relation)):
            return catalog.create(connection, place, schema)

    def execute(self, statements: Sequence[str]) -> None:
        """See Catalog."""
        with connect(self.server, LOADS) as connection, border(TargetError, f"tables of {self.name}"):
            connection.prepare_threshold = None  # a plan that was kept would not fit the table that is altered
            with connection.transaction():
                for statement in statements:
                    connection.execute(statement.encode())

    def run_sql(self, statements: Sequence[str]) -> list[int]:
        """See Catalog."""
        with connect(self.server, LOADS) as connection, border(TargetError, f"statements at {self.name}"):
            return catalog.run(connection, statements)

    def check(self, reads: Sequence[Relation], writes: Sequence[Relation]) -> list[Check]:
        """See Catalog."""
        try:
            with connect(self.server, READS) as connection, border(SourceError, f"catalogue of {self.name}"):
                login = Check("login", ok=True, detail=f"{self.server.user} at {self.server.host}")
                asked = catalog.checks(connection, self.server, reads, writes)
                return [login, *asked]
        except LandbridgeError as error:
            return [Check("login", ok=False, detail=error.message, hint=error.hint)]

    @contextmanager
    def _target(
        self, write: Write, session: "AbstractContextManager[Connection] | None" = None
    ) -> "Iterator[tuple[Connection, Relation]]":
        relation = catalog.locate(self.server, write.relation)
        with session or connect(self.server, LOADS) as connection, border(TargetError, str(relation)):
            schema = relation.schema or catalog.value(connection, "SELECT current_schema()")
            yield connection, Relation(relation.table, schema)
