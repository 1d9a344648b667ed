"""DuckDB: the embedded warehouse, one file."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from landbridge.connectors.conform import conform
from landbridge.connectors.duckdb import catalog, checks, sql, windows
from landbridge.connectors.duckdb.failures import translated
from landbridge.connectors.duckdb.options import DuckDBOptions
from landbridge.connectors.duckdb.publishing import publish
from landbridge.connectors.merging import arriving, refuse_other_chain, shaped
from landbridge.contracts.values import Check, Instant, Landing, Load, Loaded, Part, Published, Read, Snapshot, Write
from landbridge.errors import AccessDenied, LeaseLost, RunError, SourceError, TargetError, Unreachable
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.changes import Newest, asked, watermark
from landbridge.schema.columns import chosen
from landbridge.schema.ddl import literal
from landbridge.schema.duckdb import create_table
from landbridge.schema.fidelity import Holds
from landbridge.schema.filters import where_clause
from landbridge.schema.metadata import Extracted
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import folded, qualify, quote

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

BATCH_ROWS = 65_536
# the ends of the number line are infinity
ENDS = (2 - 2**63, 2**63 - 2)
HOLDS = Holds(digits=9, nul_bytes=True, bounds={"date": (2 - 2**31, 2**31 - 2), "timestamp": ENDS, "timestamptz": ENDS})


class DuckDB:
    """A DuckDB file as source, target and catalog.

    One process may write a file, and none may read it meanwhile: a load has one stream, and every method
    closes its connection before it returns (a snapshot: when its context ends).
    """

    holds = HOLDS

    def __init__(self, name: str, options: DuckDBOptions) -> None:
        self.name = name
        self.options = options
        self._held: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def instant(self) -> Iterator[Instant]:
        """An open read-only file cannot be written by any other process: the instant stands still."""
        with self._open(SourceError) as connection:
            self._held = connection
            try:
                yield Instant(datetime.now(UTC))
            finally:
                self._held = None

    @contextmanager
    def snapshot(self, read: Read, instant: Instant | None = None) -> Iterator[Snapshot]:
        query = f"FROM {sql.source(read)}{where_clause(read.filter)}"
        with self._open(SourceError, query=query) as connection:
            as_of = instant.as_of if instant else datetime.now(UTC)
            schema = chosen(catalog.schema_of(connection, read), read.columns)
            rows = sql.fetch(connection, f"SELECT count(*) FROM (SELECT 1 {query})")[0][0]
            parts = tuple(sql.parts(self.name, connection, read, schema))
            yield Snapshot(schema, rows, parts, as_of)

    def newest(self, read: Read, column: str, instant: Instant) -> Newest:  # noqa: ARG002  the file stands still
        query = f"SELECT {asked(column)} FROM {sql.source(read)}{where_clause(read.filter)}"
        with self._open(SourceError, query=query) as connection:
            found = watermark(catalog.schema_of(connection, read), column)
            ((value, nulls),) = sql.fetch(connection, query)
        return Newest(found, value, nulls)

    def count_rows(self, read: Read, instant: Instant) -> int:  # noqa: ARG002  the file stands still
        query = f"SELECT count(*) FROM (SELECT 1 FROM {sql.source(read)}{where_clause(read.filter)})"
        with self._open(SourceError, query=query) as connection:
            return int(sql.fetch(connection, query)[0][0])

    def batches(self, part: Part) -> "Iterator[pa.RecordBatch]":
        wanted = arrow_schema(part.schema)
        with self._open(SourceError, threads=None if part.alone else 1) as connection:
            for batch in sql.stream(connection, part.sql, BATCH_ROWS):
                sql.refuse_infinity(batch, self.name)
                yield batch.cast(wanted)

    def loaded(self, write: Write, load_id: str) -> int | None:
        newest = self._newest(write, load_id if write.mode == "window" else None)
        return newest.rows if newest.load_id == load_id else None

    def newest_load(self, write: Write) -> Loaded:
        return self._newest(write)

    def _newest(self, write: Write, load_id: str | None = None) -> Loaded:
        if not self._exists:
            return Loaded()
        with self._open(TargetError) as connection:
            return sql.newest_load(connection, write.relation, load_id)

    def prepare(self, write: Write, schema: TableSchema, load: Load, *, only_keys: bool = False) -> Landing:
        with self._open(TargetError, writable=True) as connection:
            target = catalog.describe(connection, [write.relation])[write.relation]
            if target is None:
                catalog.create(connection, write.relation, folded(shaped(schema, write)))
                target = catalog.described(connection, write.relation)  # in DuckDB's own types now
            pairings = arriving(schema, target, write, only_keys=only_keys)
            columns = ", ".join(quote(p.target.name) for p in pairings)
            landing = replace(write.relation, table=f"{sql.landing_name(load.load_id)}{token_hex(4)}")
            source = qualify(write.relation)
            connection.begin()
            connection.execute(f"CREATE TABLE {qualify(landing)} AS SELECT {columns} FROM {source} LIMIT 0")
            connection.execute(
                f"COMMENT ON TABLE {qualify(landing)} IS {literal(sql.mark(write.relation) + load.attempt)}"
            )
            connection.commit()
            version = sql.newest_load(connection, write.relation).version
        return Landing(write, landing, schema, load, version, streams=1, standing=target, only_keys=only_keys)

    def append(self, landing: Landing, batches: "Iterable[pa.RecordBatch]", first_row: int) -> int:
        import pyarrow as pa

        with self._open(TargetError, writable=True) as connection:
            target = catalog.described(connection, landing.write.relation)
            pairings = arriving(landing.schema, target, landing.write, only_keys=landing.only_keys)
            table = str(landing.write.relation)
            values = ", ".join(sql.stored(p) for p in pairings)
            insert = f"INSERT INTO {qualify(landing.relation)} SELECT {values} FROM arriving"
            rows = 0
            connection.begin()
            # one batch at a time: an error of ours must not pass through DuckDB, which would put it into its own words
            accepted = landing.write.accept_loss
            for batch in conform(batches, pairings, table=table, first_row=first_row, holds=HOLDS, accepted=accepted):
                connection.register("arriving", pa.Table.from_batches([batch]))
                rows += sql.fetch(connection, insert)[0][0]
            connection.commit()
        return rows

    def publish(self, landing: Landing, keys: Landing | None = None) -> Published:
        """DELETE + INSERT … SELECT in one transaction, or a merge; views and keys of the target stay as they are."""
        write, load = landing.write, landing.load
        with self._open(TargetError, writable=True) as connection:
            if write.mode == "window":
                return windows.publish(connection, landing)
            connection.begin()
            newest = sql.newest_load(connection, write.relation)
            if newest.load_id == load.load_id and newest.version != landing.version:
                sql.drop(connection, landing, keys)
                connection.commit()
                return Published(newest.rows, "already")
            if newest.version != landing.version:
                raise LeaseLost(f"{self.name}: another load of {write.relation} was published meanwhile")
            refuse_other_chain(write.relation, load, newest.load_id)
            for landed in filter(None, (landing, keys)):
                sql.check_arrived(connection, landed)
            left = newest.rows if load.keeps(write) else 0
            published = publish(connection, landing, keys, catalog.described(connection, write.relation), left)
            sql.record_load(connection, write.relation, landing.version + 1, load, published.rows)
            sql.drop(connection, landing, keys)
            connection.commit()
        return published

    def publish_from(self, write: Write, read: Read, load: Load, version: int) -> Published:
        with self._open(TargetError, writable=True) as connection:
            return windows.publish_from(connection, write, read, load, version)

    def discard(self, write: Write, load_ids: Sequence[str]) -> int:
        if not self._exists:
            return 0
        with self._open(TargetError, writable=True) as connection:
            return windows.discard(connection, write, load_ids)

    def drop(self, landing: Landing) -> None:
        with self._open(TargetError, writable=True) as connection:
            connection.execute(f"DROP TABLE IF EXISTS {qualify(landing.relation)}")

    def count(self, write: Write, load_id: str | None = None) -> int:
        with self._open(TargetError) as connection:
            if load_id is not None:
                return int(sql.fetch(connection, windows.windowed(connection, write.relation).counting(load_id))[0][0])
            return int(sql.fetch(connection, f"SELECT count(*) FROM {qualify(write.relation)}")[0][0])

    def left(self, write: Write, keep: str | None = None, load_id: str | None = None) -> list[str]:
        if not self._exists:
            return []
        with self._open(TargetError) as connection:
            return [levels[-1] for levels in sql.landings(connection, write.relation, keep, load_id)]

    def sweep(self, write: Write, keep: str | None = None, load_id: str | None = None) -> list[str]:
        if not self._exists:
            return []
        with self._open(TargetError, writable=True) as connection:
            left = sql.landings(connection, write.relation, keep, load_id)
            for levels in left:
                connection.execute(f"DROP TABLE {'.'.join(map(quote, levels))}")
        return [levels[-1] for levels in left]

    def describe(self, relations: Sequence[Relation]) -> dict[Relation, TableSchema | None]:
        if not self._exists:
            return dict.fromkeys(relations)
        with self._open(SourceError) as connection:
            return catalog.describe(connection, relations)

    def metadata(self, reads: Sequence[Read]) -> list[Extracted | None]:
        if not self._exists:
            return [None for _ in reads]
        with self._open(SourceError) as connection:
            return catalog.metadata(connection, reads)

    def ddl(self, relation: Relation, schema: TableSchema) -> str:
        return create_table(relation, schema)

    def create(self, relation: Relation, schema: TableSchema) -> bool:
        with self._open(TargetError, writable=True) as connection:
            if catalog.describe(connection, [relation])[relation] is not None:
                return False
            catalog.create(connection, relation, schema)
        return True

    def execute(self, statements: Sequence[str]) -> None:
        with self._open(TargetError, writable=True) as connection:
            connection.begin()
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def run_sql(self, statements: Sequence[str]) -> list[int]:
        with self._open(TargetError, writable=True) as connection:
            connection.begin()
            changed = [sql.changed(connection, statement) for statement in statements]
            connection.commit()
        return changed

    def check(self, reads: Sequence[Relation], writes: Sequence[Relation]) -> list[Check]:
        """A file has no login, no TLS and no clock of its own; what can be asked is whether it opens."""
        if writes and not self._exists:
            return [checks.of_folder(Path(self.options.path).parent)]
        file = Check("file", *self._opens(writable=bool(writes)))
        if not file.ok:
            return [file]
        found = self.describe(reads)
        return [file, *(checks.of_table(relation, found[relation]) for relation in reads)]

    @property
    def _exists(self) -> bool:
        return Path(self.options.path).is_file()

    def _opens(self, *, writable: bool) -> tuple[bool, str, str | None]:
        try:
            with self._open(TargetError if writable else SourceError, writable=writable):
                return True, f"{self.options.path} opens for {'writing' if writable else 'reading'}", None
        except (RunError, Unreachable, AccessDenied) as error:
            return False, error.message, error.hint

    @contextmanager
    def _open(
        self,
        failure: type[RunError],
        *,
        writable: bool = False,
        query: str | None = None,
        threads: int | None = None,
    ) -> "Iterator[duckdb.DuckDBPyConnection]":
        """A connection with the file attached under its catalog name, and DuckDB's errors in our words."""
        import duckdb

        options = self.options
        if not writable and not self._exists:
            raise Unreachable(
                f"connection {self.name!r}: no file at {options.path}", hint="see path in landbridge.yaml"
            )
        attached = quote(options.database or Path(options.path).stem)
        try:
            # closing a second connection of this process to the file would free it for others to write
            held = None if writable else self._held
            with held.cursor() if held else duckdb.connect(config=options.settings(threads)) as connection:
                if held is None:
                    connection.execute(
                        f"ATTACH {literal(options.path)} AS {attached}" + ("" if writable else " (READ_ONLY)")
                    )
                connection.execute(f"USE {attached}")
                connection.execute("SET TimeZone = 'UTC'")
                yield connection
        except duckdb.Error as error:
            raise translated(self.name, error, failure, query) from error
        except RuntimeError as error:
            if str(error) == "Query interrupted":  # all that DuckDB leaves of a Ctrl-C or SIGTERM
                raise KeyboardInterrupt from error
            raise
