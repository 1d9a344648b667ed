"""What a PostgreSQL load does to its target: a swap, DELETE + INSERT, or a merge; one transaction with the load id."""

from dataclasses import replace
from typing import TYPE_CHECKING

from landbridge.connectors.merging import Session, merge, merging_of, refuse_other_chain, settle
from landbridge.connectors.postgres.catalog import value
from landbridge.connectors.postgres.encode import is_staged
from landbridge.connectors.postgres.loading import (
    LOCK,
    SWAP_LOCK,
    landed_in,
    loads_of,
    mark_of,
    newest,
    pairings_of,
    standing_of,
)
from landbridge.connectors.postgres.swap import build, exchange, snapshots_end, why_not
from landbridge.contracts.values import Landing, Load, Published
from landbridge.errors import LeaseLost, TargetError
from landbridge.schema.fit import Pairing
from landbridge.schema.merging import Merging
from landbridge.schema.model import Column, Relation
from landbridge.schema.names import qualify, quote

if TYPE_CHECKING:
    from landbridge.connectors.postgres.session import Connection

WORK_MEM = "64MB"  # of each sort and hash: a quarter of a million keys
REWRITE_LOCK = "60s"  # readers pass meanwhile


def publish(connection: "Connection", landing: Landing, keys: Landing | None) -> Published:
    """See Target.publish: a swap where nothing would be lost by it and no reader holds an older snapshot."""
    target, load = landed_in(landing), landing.load
    everything = load.replaces(landing.write)
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{REWRITE_LOCK}'")
        connection.execute(LOCK, [mark_of(target)])
        last = newest(connection, target)
        if last.load_id == load.load_id and last.version != landing.version:
            drop_landed(connection, landing, keys)
            return Published(last.rows, "already")
        if last.version != landing.version:
            raise LeaseLost(f"{target}: another load was published since this one began")
        refuse_other_chain(target, load, last.load_id)
        # the horizon comes before this transaction writes: later snapshots are then never older than it
        horizon = value(connection, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        connection.execute(f"LOCK TABLE {qualify(landing.relation)} IN ACCESS EXCLUSIVE MODE")
        published = (
            _replace(connection, landing, target, horizon)
            if everything
            else _merge(connection, landing, keys, last.rows if load.keeps(landing.write) else 0)
        )
        drop_landed(connection, landing, keys)
        record(connection, target, last.version + 1, load, published.rows)
    return published


def record(connection: "Connection", target: Relation, version: int, load: Load, rows: int) -> None:
    connection.execute(
        f"INSERT INTO {loads_of(target)} (target_table, version, load_id, pipeline_name, parcel_id, row_count)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [target.table, version, load.load_id, load.pipeline_name, load.parcel_id, rows],
    )


def drop_landed(connection: "Connection", *landings: Landing | None) -> None:
    for landing in filter(None, landings):
        connection.execute(f"DROP TABLE IF EXISTS {qualify(landing.relation)}")


def _merge(connection: "Connection", landing: Landing, keys: Landing | None, left: int) -> Published:
    """See docs/sync-modes.md, "What a load does"."""
    target = landed_in(landing)
    check_arrived(connection, landing, target)
    if keys:
        check_arrived(connection, keys, target)
    take_for_writing(connection, target)
    for landed in filter(None, (landing, keys)):
        connection.execute(f"ANALYZE {qualify(landed.relation)}")
    merging = _merging(connection, landing, keys)
    if merging.deletes:
        refuse_cascade(connection, target)
    keyed = {p.target.name for p in map(merging.pairing, merging.keys)} == set(
        standing_of(connection, target).primary_key
    )
    rows, changed = merge(merging, session_of(connection), left=left, keyed=keyed, watched=watched(connection, target))
    return Published(rows, "merge", changed=changed)


def _merging(connection: "Connection", landing: Landing, keys: Landing | None) -> Merging:
    merging = merging_of(landing, keys, landed_in(landing), standing_of(connection, landed_in(landing)))
    return replace(merging, value=landed, comparable=_comparable, inserting=" OVERRIDING SYSTEM VALUE")


def watched(connection: "Connection", target: Relation) -> bool:
    return bool(value(connection, WATCHED, qualify(target), qualify(target)))


def refuse_cascade(connection: "Connection", target: Relation) -> None:
    if child := value(connection, CASCADES, qualify(target)):
        raise TargetError(
            f"{target}: deleting its rows would delete or change rows of {child}, by its foreign key",
            hint="make that foreign key ON DELETE NO ACTION DEFERRABLE",
        )


def landed(pairing: Pairing, alias: str = "l") -> str:
    value = f"{alias}.{quote(pairing.target.name)}"
    return f"{value}::{pairing.target.native}" if is_staged(pairing) else value


def _comparable(expression: str, column: Column) -> str:
    """By its characters, where a type or collation of the target takes different ones for equal."""
    if column.type.kind in ("text", "char"):
        return f'{expression}::text COLLATE "C"'
    return f"{expression}::text" if column.native in ("json", "xml") else expression


def session_of(connection: "Connection") -> Session:
    return Session(lambda sql: int(value(connection, sql)), lambda sql: connection.execute(sql).rowcount)


def _replace(connection: "Connection", landing: Landing, target: Relation, horizon: str) -> Published:
    import psycopg

    check_arrived(connection, landing, target)
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
    merging, session = _merging(connection, landing, None), session_of(connection)
    rows = landing.load.rows - settle(merging, session)
    if gone := merging.without_gone():
        rows -= session.do(gone)
    return replace(landing, load=replace(landing.load, rows=rows))


def take_for_writing(connection: "Connection", target: Relation, lock: str = "SHARE ROW EXCLUSIVE") -> None:
    connection.execute(f"SET LOCAL work_mem = '{WORK_MEM}'")
    connection.execute("SET LOCAL row_security = off")  # a policy that hides rows is an error, not fewer rows
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    connection.execute(f"LOCK TABLE {qualify(target)} IN {lock} MODE")


def check_arrived(connection: "Connection", landing: Landing, target: Relation) -> None:
    """Each COPY was counted; only the table itself says whether a server that crashed since then kept them all."""
    arrived = value(connection, f"SELECT count(*) FROM {qualify(landing.relation)}")
    if arrived != landing.load.rows:
        raise TargetError(f"{target}: {arrived} rows arrived of {landing.load.rows}", hint="run it again")


def _rewrite(connection: "Connection", landing: Landing, target: Relation) -> None:
    """DELETE + INSERT … SELECT: readers, also those with older snapshots, see the old rows until the commit."""
    pairings = pairings_of(connection, landing)
    columns = ", ".join(quote(pairing.target.name) for pairing in pairings)
    casts = ", ".join(map(landed, pairings))
    refuse_cascade(connection, target)
    take_for_writing(connection, target)
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


WATCHED = """
SELECT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal)
    OR EXISTS (SELECT FROM pg_rewrite WHERE ev_class = %s::regclass AND rulename <> '_RETURN')
"""
CASCADES = """
SELECT conrelid::regclass::text FROM pg_constraint
WHERE contype = 'f' AND confrelid = %s::regclass AND confdeltype IN ('c', 'n', 'd') LIMIT 1
"""
