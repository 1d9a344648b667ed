"""Loading PostgreSQL: a landing table per attempt, binary COPY into it, and one transaction that publishes it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from landbridge.connectors.merging import Session, arriving, merge, merging_of, refuse_other_chain, settle, shaped
from landbridge.connectors.postgres.catalog import create, describe, value
from landbridge.connectors.postgres.encode import Encoder, is_staged
from landbridge.connectors.postgres.session import translate
from landbridge.connectors.postgres.swap import build, exchange, snapshots_end, why_not
from landbridge.contracts.target import LOADS
from landbridge.contracts.values import Landing, Load, Published, Write
from landbridge.errors import LeaseLost, SchemaMismatch, TargetError, ValueDoesNotFit
from landbridge.schema.ddl import literal
from landbridge.schema.fit import Pairing
from landbridge.schema.merging import Merging
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import qualify, quote

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

    from landbridge.connectors.postgres.session import Connection

SWAP_LOCK = "5s"  # how long readers that come may have to queue behind a swap that waits for those that are there
REWRITE_LOCK = "60s"  # readers pass meanwhile
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
NOBODYS = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"  # false while the session of its `prepare` lives


def newest(connection: "Connection", target: Relation) -> tuple[int, str | None, int]:
    """Version, load id and rows of the target's newest load; `(0, None, 0)` where there was none."""
    loads = _loads(target)
    if value(connection, "SELECT to_regclass(%s) IS NULL", loads):
        return 0, None, 0
    row = connection.execute(
        f"SELECT version, load_id, row_count FROM {loads} WHERE target_table = %s ORDER BY version DESC LIMIT 1",
        [target.table],
    ).fetchone()
    return (row[0], row[1], row[2]) if row else (0, None, 0)


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
        create(connection, target, shaped(schema, write))
    standing = _standing(connection, target)
    pairings = arriving(schema, standing, write, only_keys=only_keys)
    loadable, generated, storage = connection.execute(TARGET, [qualify(target)]).fetchone() or (False, [], "")
    if not loadable:
        raise SchemaMismatch(f"{target} is not a table", hint="name a table as the target, not a view")
    if taken := sorted({p.target.name for p in pairings} & set(generated)):
        raise SchemaMismatch(
            f"{target} generates column {', '.join(taken)} itself", hint="leave it out: exclude of the table"
        )
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('landbridge_loads', 0))")
        connection.execute(CREATE_LOADS.format(_loads(target)))
    version, _, _ = newest(connection, target)
    relation = Relation(f"_lb_{load.load_id[:8]}_{token_hex(8)}", target.schema)
    connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [qualify(relation)])
    with connection.transaction():
        connection.execute(_landing_ddl(relation, target, pairings, storage, whole=load.replaces(write)))
        if not load.replaces(write) or why_not(connection, relation, target):
            # only copied from, in one transaction that counts it first: a crash that empties it loses nothing
            connection.execute(f"ALTER TABLE {qualify(relation)} SET UNLOGGED")
        connection.execute(f"COMMENT ON TABLE {qualify(relation)} IS {literal(_mark(target) + load.attempt)}")
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

    target = _target(landing)
    pairings = _pairings(connection, landing)
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


def publish(connection: "Connection", landing: Landing, keys: Landing | None) -> Published:
    """See Target.publish: a swap where nothing would be lost by it and no reader holds an older snapshot."""
    target, load = _target(landing), landing.load
    everything = load.replaces(landing.write)
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{REWRITE_LOCK}'")
        connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [_mark(target)])
        version, load_id, rows = newest(connection, target)
        if load_id == load.load_id and version != landing.version:
            _drop_landed(connection, landing, keys)
            return Published(rows, "already")
        if version != landing.version:
            raise LeaseLost(f"{target}: another load was published since this one began")
        refuse_other_chain(target, load, load_id)
        # the horizon comes before this transaction writes: later snapshots are then never older than it
        horizon = value(connection, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        connection.execute(f"LOCK TABLE {qualify(landing.relation)} IN ACCESS EXCLUSIVE MODE")
        published = _replace(connection, landing, target, horizon) if everything else _merge(connection, landing, keys)
        _drop_landed(connection, landing, keys)
        connection.execute(
            f"INSERT INTO {_loads(target)} (target_table, version, load_id, pipeline_name, parcel_id, row_count)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [target.table, version + 1, load.load_id, load.pipeline_name, load.parcel_id, published.rows],
        )
    return published


def _drop_landed(connection: "Connection", *landings: Landing | None) -> None:
    for landing in filter(None, landings):
        connection.execute(f"DROP TABLE IF EXISTS {qualify(landing.relation)}")


def _merge(connection: "Connection", landing: Landing, keys: Landing | None) -> Published:
    """See docs/sync-modes.md, "What a load does"."""
    target = _target(landing)
    _check_arrived(connection, landing, target)
    if keys:
        _check_arrived(connection, keys, target)
    _take_for_writing(connection, target)
    for landed in filter(None, (landing, keys)):
        connection.execute(f"ANALYZE {qualify(landed.relation)}")
    merging = _merging(connection, landing, keys)
    keyed = {p.target.name for p in map(merging.pairing, merging.keys)} == set(
        _standing(connection, target).primary_key
    )
    rows, changed = merge(merging, _session(connection), keyed=keyed)
    return Published(rows, "merge", changed=changed)


def _merging(connection: "Connection", landing: Landing, keys: Landing | None) -> Merging:
    merging = merging_of(landing, keys, _target(landing), _standing(connection, _target(landing)))
    return replace(merging, value=_landed, comparable=_comparable, inserting=" OVERRIDING SYSTEM VALUE")


def _landed(pairing: Pairing) -> str:
    value = f"l.{quote(pairing.target.name)}"
    return f"{value}::{pairing.target.native}" if is_staged(pairing) else value


def _comparable(expression: str, column: Column) -> str:
    return f"{expression}::text" if column.native in ("json", "xml") else expression


def _session(connection: "Connection") -> Session:
    return Session(lambda sql: int(value(connection, sql)), lambda sql: connection.execute(sql).rowcount)


def _replace(connection: "Connection", landing: Landing, target: Relation, horizon: str) -> Published:
    import psycopg

    _check_arrived(connection, landing, target)
    landing = _settled(connection, landing)
    why = why_not(connection, landing.relation, target) or snapshots_end(connection, horizon)
    if not why:
        built = build(connection, landing.relation, target)
        try:
            with connection.transaction() as savepoint:
                connection.execute(f"SET LOCAL lock_timeout = '{SWAP_LOCK}'")
                why = exchange(connection, landing.relation, target, built)
                if why:
                    raise psycopg.Rollback(savepoint)
        except psycopg.errors.LockNotAvailable:
            why = "another session uses the table and did not end in time"
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.DependentObjectsStillExist) as error:
            why = error.diag.message_primary or "the swap is not allowed"
    if not why:
        return Published(landing.load.rows, "swap")
    _rewrite(connection, landing, target)
    return Published(landing.load.rows, "rewrite", why)


def _settled(connection: "Connection", landing: Landing) -> Landing:
    """Of a first load: one row of each key, and none that is gone."""
    if landing.write.merge is None:
        return landing
    merging, session = _merging(connection, landing, None), _session(connection)
    rows = landing.load.rows - settle(merging, session)
    if gone := merging.without_gone():
        rows -= session.do(gone)
    return replace(landing, load=replace(landing.load, rows=rows))


def _take_for_writing(connection: "Connection", target: Relation) -> None:
    connection.execute("SET LOCAL row_security = off")  # a policy that hides rows is an error, not fewer rows
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    connection.execute(f"LOCK TABLE {qualify(target)} IN SHARE ROW EXCLUSIVE MODE")


def _check_arrived(connection: "Connection", landing: Landing, target: Relation) -> None:
    """Each COPY was counted; only the table itself says whether a server that crashed since then kept them all."""
    arrived = value(connection, f"SELECT count(*) FROM {qualify(landing.relation)}")
    if arrived != landing.load.rows:
        raise TargetError(f"{target}: {arrived} rows arrived of {landing.load.rows}", hint="run it again")


def _rewrite(connection: "Connection", landing: Landing, target: Relation) -> None:
    """DELETE + INSERT … SELECT: readers, also those with older snapshots, see the old rows until the commit."""
    pairings = _pairings(connection, landing)
    columns = ", ".join(quote(pairing.target.name) for pairing in pairings)
    casts = ", ".join(map(_landed, pairings))
    if child := value(connection, CASCADES, qualify(target)):
        raise TargetError(
            f"{target}: replacing its rows would delete or change rows of {child}, by its foreign key",
            hint="make that foreign key ON DELETE NO ACTION DEFERRABLE",
        )
    _take_for_writing(connection, target)
    connection.execute(f"DELETE FROM {qualify(target)}")
    inserted = connection.execute(
        f"INSERT INTO {qualify(target)} ({columns}) OVERRIDING SYSTEM VALUE"
        f" SELECT {casts} FROM {qualify(landing.relation)} AS l"
    ).rowcount
    if inserted != landing.load.rows:
        raise TargetError(
            f"{target}: {inserted} rows were inserted of {landing.load.rows}",
            hint="a trigger or rule on the table drops rows",
        )


CASCADES = """
SELECT conrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND confrelid = %s::regclass AND confdeltype IN ('c', 'n', 'd') LIMIT 1
"""


def sweep(connection: "Connection", target: Relation, keep: str | None) -> list[str]:
    """See Target.sweep: landings are known by their comment, which names target and attempt."""
    found = connection.execute(LANDINGS, {"mark": _mark(target), "schema": target.schema}).fetchall()
    others = [Relation(name, target.schema) for name, attempt in found if attempt != keep]
    dead = [landing for landing in others if value(connection, NOBODYS, qualify(landing))]
    for landing in dead:
        drop(connection, landing)
    return [landing.table for landing in dead]


def drop(connection: "Connection", landing: Relation) -> None:
    """Drop a landing table, unless it is gone already."""
    connection.execute(f"SET lock_timeout = '{SWAP_LOCK}'")
    connection.execute(f"DROP TABLE IF EXISTS {qualify(landing)}")


def _standing(connection: "Connection", target: Relation) -> TableSchema:
    standing = describe(connection, [target])[target]
    if standing is None:
        raise TargetError(f"{target} is gone", hint="run it again; the table is created")
    return standing


def _pairings(connection: "Connection", landing: Landing) -> tuple[Pairing, ...]:
    standing = _standing(connection, _target(landing))
    return arriving(landing.schema, standing, landing.write, only_keys=landing.only_keys)


def _target(landing: Landing) -> Relation:
    return Relation(landing.write.relation.table, landing.relation.schema)


def _loads(target: Relation) -> str:
    return qualify(Relation(LOADS, target.schema))


def _mark(target: Relation) -> str:
    return f"landbridge landing of {qualify(target)}, attempt "
