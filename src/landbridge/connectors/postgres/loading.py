"""Loading PostgreSQL: a landing table per attempt, binary COPY into it, and one transaction that publishes it."""

import re
from collections.abc import Iterable, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING

from landbridge.connectors.merging import arriving, keyed, shaped
from landbridge.connectors.postgres.catalog import create, describe, value
from landbridge.connectors.postgres.encode import Encoder, is_staged
from landbridge.connectors.postgres.session import translate
from landbridge.connectors.postgres.swap import why_not
from landbridge.contracts.target import LOADS, TAG
from landbridge.contracts.values import Landing, Load, Loaded, Write
from landbridge.errors import SchemaMismatch, TargetError, ValueDoesNotFit
from landbridge.schema.ddl import literal
from landbridge.schema.fit import Pairing
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import fold, qualify, quote

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from landbridge.connectors.postgres.session import Connection

SWAP_LOCK = "5s"  # how long readers that come may have to queue behind a swap that waits for those that are there
CREATE_LOADS = """
CREATE TABLE IF NOT EXISTS {} (
    target_table text NOT NULL,
    version bigint NOT NULL,
    load_id text NOT NULL,
    pipeline_name text NOT NULL,
    parcel_id text NOT NULL,
    row_count bigint NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (target_table, version)
)
"""
# a generated column takes no rows; the relation must be one that rows can be put into
TARGET = """
SELECT c.relkind IN ('r', 'p'),
       array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated <> ''),
       coalesce(array_to_string(c.reloptions, ', '), '')
FROM pg_class c WHERE c.oid = %s::regclass
"""
LANDINGS = """
SELECT c.relname, substr(obj_description(c.oid, 'pg_class'), length(%(mark)s) + 1)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND starts_with(obj_description(c.oid, 'pg_class'), %(mark)s)
ORDER BY c.relname
"""
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
NOBODYS = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"  # false while the session of its `prepare` lives


def newest(connection: "Connection", target: Relation, load_id: str | None = None) -> Loaded:
    """See Target.newest_load; `load_id`: of this load alone."""
    loads = loads_of(target)
    if value(connection, "SELECT to_regclass(%s) IS NULL", loads):
        return Loaded()
    row = connection.execute(
        f"SELECT version, load_id, row_count, parcel_id FROM {loads} WHERE target_table = %s "
        "AND load_id = coalesce(%s, load_id) ORDER BY version DESC LIMIT 1",
        [target.table, load_id],
    ).fetchone()
    return Loaded(*row) if row else Loaded()


def prepare(  # noqa: PLR0913  as Target.prepare, and what the server is set to
    connection: "Connection",
    write: Write,
    target: Relation,
    schema: TableSchema,
    load: Load,
    *,
    streams: int,
    only_keys: bool,
) -> Landing:
    """See Target.prepare; `target` has its schema filled in. No sweep drops it while `connection` lives."""
    if not only_keys:
        make(connection, write, target, schema)
    standing = standing_of(connection, target)
    pairings = arriving(schema, standing, write, only_keys=only_keys)
    storage = refuse_unloadable(connection, target, pairings)
    make_book(connection, target)
    version = newest(connection, target).version
    relation = Relation(f"{_landing_name(load.load_id)}{token_hex(8)}", target.schema)
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [qualify(relation)])
    with connection.transaction():
        connection.execute(_landing_ddl(relation, target, pairings, storage, whole=load.replaces(write)))
        if not load.replaces(write) or why_not(connection, relation, target):
            # only copied from, in one transaction that counts it first: a crash that empties it loses nothing
            connection.execute(f"ALTER TABLE {qualify(relation)} SET UNLOGGED")
        connection.execute(f"COMMENT ON TABLE {qualify(relation)} IS {literal(mark_of(target) + load.attempt)}")
    return Landing(
        write=write,
        relation=relation,
        schema=schema,
        load=load,
        version=version,
        streams=streams,
        standing=standing,
        only_keys=only_keys,
    )


def make(connection: "Connection", write: Write, target: Relation, schema: TableSchema) -> None:
    """Make the target if it is missing; for windows, of which several may begin at once, with an index on TAG, and
    one on the keys.
    """
    if write.mode != "window":
        create(connection, target, shaped(schema, write))
    elif describe(connection, [target])[target] is None:
        with connection.transaction():
            connection.execute(LOCK, [mark_of(target)])
            if create(connection, target, shaped(schema, write)):
                rules = keyed(write, schema)
                for columns in filter(None, ([TAG], [fold(name) for name in rules.keys] if rules else [])):
                    named = ", ".join(map(quote, columns))
                    connection.execute(f"CREATE INDEX ON {qualify(target)} ({named})")


def make_book(connection: "Connection", target: Relation) -> None:
    with connection.transaction():
        connection.execute(LOCK, [LOADS])
        connection.execute(CREATE_LOADS.format(loads_of(target)))


def refuse_unloadable(connection: "Connection", target: Relation, pairings: Sequence[Pairing]) -> str:
    """Raise SchemaMismatch where no rows, or no values of these columns, can be put; else the table's options."""
    loadable, generated, storage = connection.execute(TARGET, [qualify(target)]).fetchone() or (False, [], "")
    if not loadable:
        raise SchemaMismatch(f"{target} is not a table", hint="name a table as the target, not a view")
    if taken := sorted({p.target.name for p in pairings} & set(generated)):
        raise SchemaMismatch(
            f"{target} generates column {', '.join(taken)} itself", hint="leave it out: exclude of the table"
        )
    return str(storage)


def _landing_name(load_id: str) -> str:
    """How the names of its landing tables begin."""
    return f"_lb_{load_id[:8]}_"


def _landing_ddl(
    relation: Relation, target: Relation, pairings: Sequence[Pairing], storage: str, *, whole: bool
) -> str:
    """The target's twin, that may take its place; but a plain list of columns where it will not."""
    if whole and not any(is_staged(pairing) for pairing in pairings):
        like = "INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS"
        options = f" WITH ({storage})" if storage else ""
        return f"CREATE TABLE {qualify(relation)} (LIKE {qualify(target)} {like}){options}"
    columns = ", ".join(
        f"{quote(p.target.name)} {'text' if is_staged(p) else p.target.native}"
        + ("" if p.target.nullable else " NOT NULL")
        for p in pairings
    )
    return f"CREATE TABLE {qualify(relation)} ({columns})"


def append(connection: "Connection", landing: Landing, batches: "Iterable[pa.RecordBatch]", first_row: int) -> int:
    """See Target.append: one COPY, one transaction."""
    import psycopg

    target = landed_in(landing)
    pairings = pairings_of(connection, landing)
    encoder = Encoder(pairings, str(target), first_row, landing.write.accept_loss)
    columns = ", ".join(quote(pairing.target.name) for pairing in pairings)
    statement = f"COPY {qualify(landing.relation)} ({columns}) FROM STDIN (FORMAT binary)"
    cursor = connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            for chunk in encoder.chunks(batches):
                copy.write(chunk)
    except psycopg.Error as error:
        raise _refused_cell(error, target, first_row) from None  # a detail or context quotes the row
    if cursor.rowcount != encoder.rows:
        raise TargetError(f"{target}: postgres took {cursor.rowcount} rows of {encoder.rows}")
    return encoder.rows


def _refused_cell(error: "psycopg.Error", target: Relation, first_row: int) -> Exception:
    """The server names line and column of what it refuses, from 1."""
    ours = translate(error, TargetError, str(target))
    if not isinstance(ours, ValueDoesNotFit):
        return ours
    place = re.search(r"^COPY .*, line (\d+)(?:, column (.+))?$", error.diag.context or "", re.MULTILINE)
    column = error.diag.column_name or (place.group(2) if place else None)
    check = error.diag.constraint_name
    where = [str(target)]
    where += [f"column {column}"] if column else [f"constraint {check}"] if check else []
    where += [f"row {first_row + int(place.group(1)) - 1}"] if place else []
    return ValueDoesNotFit(f"{', '.join(where)}{ours.message.removeprefix(str(target))}")


def left(connection: "Connection", target: Relation, keep: str | None, load_id: str | None) -> list[Relation]:
    """See Target.left: landings are known by their comment, which names target and attempt."""
    found = connection.execute(LANDINGS, {"mark": mark_of(target), "schema": target.schema}).fetchall()
    others = [Relation(name, target.schema) for name, attempt in found if attempt != keep]
    if load_id:
        others = [landing for landing in others if landing.table.startswith(_landing_name(load_id))]
    return [landing for landing in others if value(connection, NOBODYS, qualify(landing))]


def sweep(connection: "Connection", target: Relation, keep: str | None, load_id: str | None) -> list[str]:
    """See Target.sweep."""
    dead = left(connection, target, keep, load_id)
    for landing in dead:
        drop(connection, landing)
    return [landing.table for landing in dead]


def drop(connection: "Connection", landing: Relation) -> None:
    """Drop a landing table, unless it is gone already."""
    connection.execute(f"SET lock_timeout = '{SWAP_LOCK}'")
    connection.execute(f"DROP TABLE IF EXISTS {qualify(landing)}")


def standing_of(connection: "Connection", target: Relation) -> TableSchema:
    standing = describe(connection, [target])[target]
    if standing is None:
        raise TargetError(f"{target} is gone", hint="run it again; the table is created")
    return standing


def pairings_of(connection: "Connection", landing: Landing) -> tuple[Pairing, ...]:
    standing = standing_of(connection, landed_in(landing))
    return arriving(landing.schema, standing, landing.write, only_keys=landing.only_keys)


def landed_in(landing: Landing) -> Relation:
    return Relation(landing.write.relation.table, landing.relation.schema)


def loads_of(target: Relation) -> str:
    return qualify(Relation(LOADS, target.schema))


def mark_of(target: Relation) -> str:
    return f"landbridge landing of {qualify(target)}, attempt "
