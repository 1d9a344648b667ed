"""Unloading Snowflake: one COPY INTO a stage of the read's own, whose Parquet files any process can GET."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from landbridge.connectors.snowflake import memory
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.connectors.snowflake.restoring import fetching, restored
from landbridge.connectors.snowflake.session import Session, fetch
from landbridge.contracts.values import Part
from landbridge.errors import LandbridgeError, SourceError
from landbridge.schema.ddl import backslash_literal
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify

if TYPE_CHECKING:
    import pyarrow as pa
    from snowflake.connector.cursor import SnowflakeCursor

FILE_BYTES = 16 << 20  # of Parquet; Snowflake's default, small enough for the 64 MB that containers have at /dev/shm
BATCH_ROWS = 65_536
LEFT_FOR = timedelta(days=1)  # no read takes longer: a stage of another machine is abandoned by then
# numbers as they are declared, not as narrow as the values of a file
AS_DECLARED = "ALTER SESSION SET ENABLE_UNLOAD_PHYSICAL_TYPE_OPTIMIZATION = FALSE"
FORMAT = (
    "FILE_FORMAT = (TYPE = PARQUET COMPRESSION = SNAPPY) OVERWRITE = FALSE SINGLE = FALSE "
    f"MAX_FILE_SIZE = {FILE_BYTES} DETAILED_OUTPUT = TRUE HEADER = TRUE"
)


@dataclass(frozen=True)
class File:
    """One file of a stage, and the folder in memory through which it can be fetched while the snapshot is open."""

    stage: Relation
    name: str
    folder: Path


@contextmanager
def unloaded(session: Session, relation: Relation, select: str, rows: int) -> Iterator[Sequence[File]]:
    """The files of `rows` rows that `select` gives; their stage is gone when the context ends.

    Raises SourceError where the account unloads another number, WorldError where GET would need a disk.
    """
    if not rows:
        yield ()  # COPY INTO would write no file
        return
    token = token_hex(8)
    with memory.folder(token) as folder, _stage(session, relation, token) as stage:
        with session.cursor(SourceError, str(relation)) as cursor:
            names = _copied(cursor, relation, stage, select, rows)
        yield [File(stage, name, folder) for name in names]


def trial(cursor: "SnowflakeCursor", options: SnowflakeOptions) -> None:
    """Make a stage where those of reads are made, and drop it. Raises the driver's error where that is not allowed."""
    stage = _place(options, f"_lb_unload_trial_{token_hex(8)}")
    cursor.execute(f"CREATE STAGE {qualify(stage)} COMMENT = 'landbridge doctor'")
    cursor.execute(f"DROP STAGE IF EXISTS {qualify(stage)}")


def batches(session: Session, part: Part, file: File) -> "Iterator[pa.RecordBatch]":
    """See Source.batches: by a session of the process's own, for GET needs one."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with session.cursor(SourceError, f"part {part.number} of {part.connection}") as cursor:
        content = _fetched(cursor, part, file)
    with ParquetFile(pa.BufferReader(content)) as parquet:
        for batch in parquet.iter_batches(BATCH_ROWS):
            yield restored(batch, part)


def _fetched(cursor: "SnowflakeCursor", part: Part, file: File) -> bytes:
    hint = f"run it again; if {memory.MEMORY} is full, make it larger, or unload: false of the connection"
    with (
        fetching(part, hint),
        TemporaryDirectory(dir=file.folder) as folder,
        memory.instead_of_disk(Path(folder)),
    ):
        cursor.execute(f"GET @{qualify(file.stage)}/{file.name} 'file://{folder}/'")
        return (Path(folder) / file.name).read_bytes()


def _copied(cursor: "SnowflakeCursor", relation: Relation, stage: Relation, select: str, rows: int) -> list[str]:
    cursor.execute(AS_DECLARED)
    told = fetch(cursor, f"COPY INTO @{qualify(stage)} FROM (\n{select}\n) {FORMAT}")
    written = sum(int(file["row_count"]) for file in told)
    if written != rows:
        raise SourceError(
            f"{relation}: the source counts {rows} rows, and {written} were unloaded",
            hint="is the table changed while it is read? run it again, with time_travel: true of the connection",
        )
    return [file["file_name"].rpartition("/")[2] for file in told]


@contextmanager
def _stage(session: Session, relation: Relation, token: str) -> Iterator[Relation]:
    """A stage beside the connection's own tables, since that of the relation may be read only."""
    with session.cursor(SourceError, f"a stage for {relation}") as cursor:
        _sweep(cursor, session, relation)
        stage = _place(session.options, f"{_mark(relation)}{memory.place()}_{token}")
        comment = backslash_literal(f"landbridge unload of {qualify(relation)}, attempt {token}")
        cursor.execute(f"CREATE STAGE {qualify(stage)} COMMENT = {comment}")
    try:
        yield stage
    except BaseException:
        with suppress(LandbridgeError):  # what failed matters more, and the next read drops what is left
            _drop(session, stage)
        raise
    _drop(session, stage)


def _drop(session: Session, stage: Relation) -> None:
    with session.cursor(SourceError, str(stage)) as cursor:
        cursor.execute(f"DROP STAGE IF EXISTS {qualify(stage)}")


def _sweep(cursor: "SnowflakeCursor", session: Session, relation: Relation) -> None:
    """Drop what reads of this table left that were killed."""
    schema = qualify(Relation(session.options.schema_, session.options.database))
    for row in fetch(cursor, f"SHOW STAGES LIKE '{_mark(relation)}%' IN SCHEMA {schema}"):
        _, mark, rest = row["name"].partition(_mark(relation))
        if not mark:
            continue  # to LIKE, _ is any letter
        place, _, token = rest.partition("_")
        is_ours = place == memory.place()
        if memory.is_abandoned(token) if is_ours else datetime.now(UTC) - row["created_on"] > LEFT_FOR:
            cursor.execute(f"DROP STAGE IF EXISTS {qualify(_place(session.options, row['name']))}")


def _mark(relation: Relation) -> str:
    """How the names of all stages of one table begin."""
    return f"_lb_unload_{hashlib.sha256(qualify(relation).encode()).hexdigest()[:8]}_"


def _place(options: SnowflakeOptions, name: str) -> Relation:
    return Relation(name, options.schema_, options.database)
