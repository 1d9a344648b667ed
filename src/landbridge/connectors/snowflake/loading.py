"""Loading Snowflake: Parquet files in a stage of the attempt's own, one COPY into a landing table, one transaction."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING
from uuid import uuid4

from landbridge.connectors.conform import conform, wire_schema
from landbridge.connectors.merging import Session, arriving, merge, merging_of, settle, shaped
from landbridge.connectors.snowflake.book import make_book, newest, record, supersede
from landbridge.connectors.snowflake.catalog import describe
from landbridge.connectors.snowflake.session import fetch, unbound
from landbridge.contracts.values import Landing, Load, Published, Write
from landbridge.errors import LeaseLost, TargetError
from landbridge.schema.ddl import backslash_literal
from landbridge.schema.fidelity import Holds
from landbridge.schema.fit import Pairing
from landbridge.schema.merging import Merging
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import folded, qualify, quote, unfold
from landbridge.schema.snowflake import DEFAULT_LENGTH, create_table

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector.cursor import SnowflakeCursor

FILE_BYTES = 16 << 20  # of Parquet; Snowflake advises 100 to 250 MB, but drivers hold each file several times
# NULL_IF has a default that makes NULL of the two letters \\N, the others defaults that may change
FORMAT = (
    "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE BINARY_AS_TEXT = FALSE NULL_IF = () TRIM_SPACE = FALSE "
    "REPLACE_INVALID_CHARACTERS = FALSE USE_VECTORIZED_SCANNER = FALSE) ON_ERROR = ABORT_STATEMENT"
)
# years 1 to 9999: what its clients can read
HOLDS = Holds(
    digits=9,
    nul_bytes=True,
    bounds={
        "date": (-719_162, 2_932_896),
        "timestamp": (-62_135_596_800_000_000, 253_402_300_799_999_999),
        "timestamptz": (-62_135_596_800_000_000, 253_402_300_799_999_999),
    },
)
STATUS = 6  # column of what PUT answers; the driver's version 5 does not name them
MARK = "landbridge landing of {}, attempt {}"


def prepare(  # noqa: PLR0913  as Target.prepare, and what the account is set to
    cursor: "SnowflakeCursor",
    write: Write,
    target: Relation,
    schema: TableSchema,
    load: Load,
    *,
    streams: int,
    only_keys: bool,
) -> Landing:
    """See Target.prepare: the landing is a transient table, and the stage of its files bears its name."""
    standing = make(cursor, write, target, schema)
    pairings = arriving(schema, standing, write, only_keys=only_keys)
    make_book(cursor, target)
    landing = make_landing(cursor, target, load, pairings)
    cursor.execute(f"CREATE STAGE {qualify(landing)}")
    return Landing(
        write,
        landing,
        schema,
        load,
        newest(cursor, target).version,
        streams=streams,
        standing=standing,
        only_keys=only_keys,
        append_bytes=FILE_BYTES,
    )


def make_landing(cursor: "SnowflakeCursor", target: Relation, load: Load, pairings: Sequence[Pairing]) -> Relation:
    """A table of the columns that arrive, in the target's types; a sweep knows it by its comment."""
    landing = Relation(f"{_landing_name(load.load_id)}{token_hex(4)}", target.schema, target.database)
    columns = ", ".join(f"{quote(p.target.name)} {p.target.native}" for p in pairings)
    comment = backslash_literal(MARK.format(qualify(target), load.attempt))
    cursor.execute(
        f"CREATE TRANSIENT TABLE {qualify(landing)} ({columns}) DATA_RETENTION_TIME_IN_DAYS = 0 COMMENT = {comment}"
    )
    return landing


def make(cursor: "SnowflakeCursor", write: Write, target: Relation, schema: TableSchema) -> TableSchema:
    """Make the target if it is missing; what it looks like."""
    standing = describe(cursor, [target], keys=False)[target]
    if standing is None:
        create(cursor, target, shaped(schema, write))
        standing = describe(cursor, [target], keys=False)[target] or folded(shaped(schema, write), unfold)
    return standing


def _landing_name(load_id: str) -> str:
    """How the names of its landing tables begin."""
    return f"_lb_{load_id[:8]}_"


def create(cursor: "SnowflakeCursor", target: Relation, schema: TableSchema) -> None:
    """Make the table, and its schema, if it is missing: to make one takes a grant of its own, there or not."""
    known = "SELECT 1 AS one FROM {}.INFORMATION_SCHEMA.SCHEMATA WHERE schema_name = %s"
    if not fetch(cursor, known.format(unbound(quote(target.database or ""))), [target.schema]):
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(target.database or '')}.{quote(target.schema or '')}")
    cursor.execute(create_table(target, folded(schema, unfold)))


def append(cursor: "SnowflakeCursor", landing: Landing, batches: "Iterable[pa.RecordBatch]", first_row: int) -> int:
    """See Target.append: the rows lie in the stage when it returns, in files of which each is whole or not there."""
    from pyarrow.parquet import ParquetWriter

    pairings = pairings_of(landing)
    wire, rows, sink, writer = _numbered(pairings), 0, io.BytesIO(), None
    table, accepted = str(landing.write.relation), landing.write.accept_loss
    for batch in conform(batches, pairings, table=table, first_row=first_row, holds=HOLDS, accepted=accepted):
        # dictionaries doubled the time to write, and made the file a quarter larger
        writer = writer or ParquetWriter(sink, wire, compression="zstd", use_dictionary=False)
        writer.write_batch(batch.rename_columns(wire.names))
        rows += batch.num_rows
        if sink.tell() >= FILE_BYTES:
            _put(cursor, landing, writer, sink)
            sink, writer = io.BytesIO(), None
    if writer:
        _put(cursor, landing, writer, sink)
    return rows


def _put(cursor: "SnowflakeCursor", landing: Landing, writer: object, sink: io.BytesIO) -> None:
    writer.close()  # type: ignore[attr-defined]
    sink.seek(0)
    name = f"{uuid4().hex}.parquet"
    put = f"PUT file://{name} @{qualify(landing.relation)}/{landing.load.load_id}/ AUTO_COMPRESS=FALSE OVERWRITE=TRUE"
    cursor.execute(put, file_stream=sink)
    for status in {row[STATUS] for row in cursor.fetchall()} - {"UPLOADED"}:
        raise TargetError(f"{landing.write.relation}: a file was not uploaded: {status.lower()}", hint="run it again")


def copy(cursor: "SnowflakeCursor", landing: Landing) -> int:
    """All files of the stage into the landing table; the rows that are there then."""
    pairings = pairings_of(landing)
    columns = ", ".join(quote(p.target.name) for p in pairings)
    values = ", ".join(_cast(number, p) for number, p in enumerate(pairings))
    table, files = qualify(landing.relation), f"@{qualify(landing.relation)}/{landing.load.load_id}/"
    if landing.load.rows:
        cursor.execute(f"TRUNCATE TABLE {table}")
        cursor.execute(f"COPY INTO {table} ({columns}) FROM (SELECT {values} FROM {files}) {FORMAT}")
    (row,) = fetch(cursor, f"SELECT COUNT(*) AS n FROM {table}")
    return int(row["n"])


def _cast(number: int, pairing: Pairing) -> str:
    value, kind = f'$1:"c{number}"', pairing.target.type.kind
    if kind == "json":
        return f"PARSE_JSON({value}::VARCHAR, 'd')"  # of doubled keys the last one, as everywhere else
    return f"{value}::{pairing.target.native}"


def publish(
    cursor: "SnowflakeCursor", landing: Landing, target: Relation, keys: Landing | None, left: int
) -> Published:
    """In one transaction."""
    load = landing.load
    published = (
        _replace(cursor, landing, target)
        if load.replaces(landing.write)
        else _merge(cursor, landing, target, keys, left if load.keeps(landing.write) else 0)
    )
    if not supersede(cursor, target, landing.version, load):
        raise LeaseLost(f"{target}: another load was published since this one began")
    record(cursor, target, landing.version + 1, load, published.rows)
    return published


def _replace(cursor: "SnowflakeCursor", landing: Landing, target: Relation) -> Published:
    merging, session = _merging(landing, target, None), session_of(cursor)
    rows = landing.load.rows - settle(merging, session)
    if gone := merging.without_gone():
        rows -= session.do(gone)
    columns = ", ".join(quote(p.target.name) for p in pairings_of(landing))
    cursor.execute(f"DELETE FROM {qualify(target)}")
    cursor.execute(f"INSERT INTO {qualify(target)} ({columns}) SELECT {columns} FROM {qualify(landing.relation)}")
    return Published(rows, "rewrite", "grants, policies and streams of the table stay that way")


def _merge(cursor: "SnowflakeCursor", landing: Landing, target: Relation, keys: Landing | None, left: int) -> Published:
    """Its primary keys are not enforced: that no key stands twice is looked at every time."""
    rows, changed = merge(_merging(landing, target, keys), session_of(cursor), left=left, keyed=False)
    return Published(rows, "merge", changed=changed)


def _merging(landing: Landing, target: Relation, keys: Landing | None) -> Merging:
    assert landing.standing is not None, "prepare sets it"  # noqa: S101
    return replace(merging_of(landing, keys, target, landing.standing), comparable=_comparable)


def _comparable(expression: str, column: Column) -> str:
    return f"TO_JSON({expression})" if column.type.kind == "json" else expression


def session_of(cursor: "SnowflakeCursor") -> Session:
    def ask(sql: str) -> int:
        (row,) = fetch(cursor, sql)
        (number,) = row.values()
        return int(number)

    def do(sql: str) -> int:
        cursor.execute(sql)
        return int(cursor.rowcount or 0)

    return Session(ask, do)


def drop(cursor: "SnowflakeCursor", landing: Relation) -> None:
    """The table last: by its comment a sweep finds both."""
    cursor.execute(f"DROP STAGE IF EXISTS {qualify(landing)}")
    cursor.execute(f"DROP TABLE IF EXISTS {qualify(landing)}")


def left(cursor: "SnowflakeCursor", target: Relation, keep: str | None, load_id: str | None) -> list[str]:
    """See Target.left: landings are known by their comment, which names target and attempt."""
    mark = MARK.format(qualify(target), "")
    found = fetch(
        cursor,
        f"SELECT table_name, comment FROM {unbound(quote(target.database or ''))}.INFORMATION_SCHEMA.TABLES "
        "WHERE table_schema = %s AND STARTSWITH(comment, %s)",
        [target.schema, mark],
    )
    named = [row["table_name"] for row in found if row["comment"] != mark + (keep or "")]
    return [name for name in named if not load_id or name.startswith(_landing_name(load_id))]


def sweep(cursor: "SnowflakeCursor", target: Relation, keep: str | None, load_id: str | None) -> list[str]:
    """See Target.sweep."""
    others = left(cursor, target, keep, load_id)
    for name in others:
        drop(cursor, Relation(name, target.schema, target.database))
    return others


def pairings_of(landing: Landing) -> tuple[Pairing, ...]:
    """As the target stood when the landing was made; if it has changed since, the transaction fails."""
    assert landing.standing is not None, "prepare sets it"  # noqa: S101
    pairings = arriving(landing.schema, landing.standing, landing.write, only_keys=landing.only_keys)
    return tuple(replace(p, target=_bounded(p.target)) for p in pairings)


def _bounded(column: Column) -> Column:
    """A cast to VARCHAR cuts silently, also at the length of one that says none."""
    kind = column.type
    if kind.kind != "text" or kind.length is not None:
        return column
    return replace(column, type=replace(kind, length=DEFAULT_LENGTH))


def _numbered(pairings: Sequence[Pairing]) -> "pa.Schema":
    """The columns as they stand in the files: by number, for there no name needs quotes."""
    import pyarrow as pa

    return pa.schema([field.with_name(f"c{number}") for number, field in enumerate(wire_schema(pairings))])
