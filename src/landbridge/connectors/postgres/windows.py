"""Rows that carry their load's id, in PostgreSQL; `Target` says what each function owes.

Whoever publishes holds a lock on its own load for as long as it takes, and one on the target only to take the next
number and commit: windows of one target do not wait for each other's rows. Those with keys do: they look at each
other's rows, so each has the target to itself from then on.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from landbridge.connectors.postgres import snapshots
from landbridge.connectors.postgres.catalog import describe
from landbridge.connectors.postgres.loading import (
    LOCK,
    landed_in,
    make,
    make_book,
    mark_of,
    newest,
    pairings_of,
    refuse_unloadable,
    standing_of,
)
from landbridge.connectors.postgres.publishing import (
    REWRITE_LOCK,
    check_arrived,
    drop_landed,
    landed,
    record,
    refuse_cascade,
    session_of,
    take_for_writing,
    watched,
)
from landbridge.connectors.superseding import as_it_stands, supersede
from landbridge.connectors.windowed import Windowed, lossless, pushed
from landbridge.contracts.values import Landing, Load, Published, Read, Write
from landbridge.schema.fit import Pairing
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify, quote

if TYPE_CHECKING:
    from landbridge.connectors.postgres.session import Connection

TAKEN = Relation("landbridge_taken", "pg_temp")
Values = Sequence[tuple[str, str]]


def publish(connection: "Connection", landing: Landing) -> Published:
    target, load = landed_in(landing), landing.load
    with connection.transaction():
        done = _already(connection, target, load, landing.version)
        if done is None:
            connection.execute(f"LOCK TABLE {qualify(landing.relation)} IN ACCESS EXCLUSIVE MODE")
            check_arrived(connection, landing, target)
            pairings = pairings_of(connection, landing)
            values = [(p.target.name, landed(p)) for p in pairings]
            if landing.write.merge:
                done = _supersede(connection, target, landing.write, load, landing.relation, pairings, landed)
            else:
                done = _put(connection, target, load, values, f"{qualify(landing.relation)} AS l", load.rows)
        drop_landed(connection, landing)
    return done


def publish_from(  # noqa: PLR0913, PLR0917  as Target.publish_from, and where both tables are
    connection: "Connection", write: Write, target: Relation, read: Read, source: Relation, load: Load, version: int
) -> Published:
    """`source` is the relation of `read`, as the server knows it."""
    taken = pushed(snapshots.schema_of(connection, read, source), read)
    make(connection, write, target, taken.schema)
    make_book(connection, target)
    pairings = lossless(taken.schema, standing_of(connection, target), write, _cut)
    refuse_unloadable(connection, target, pairings)
    values: Values = [(p.target.name, quote(taken.names[p.incoming.name])) for p in pairings]
    rows = snapshots.rows_of(read, source)
    with connection.transaction():
        done = _already(connection, target, load, version)
        if done is None and write.merge:
            _take(connection, pairings, values, rows)
            done = _supersede(connection, target, write, load, TAKEN, pairings, as_it_stands)
        elif done is None and watched(connection, target):
            count = _take(connection, pairings, values, rows)
            taken_values = [(p.target.name, quote(p.target.name)) for p in pairings]
            done = _put(connection, target, load, taken_values, qualify(TAKEN), count)
        return done or _put(connection, target, load, values, rows, None)


def discard(connection: "Connection", target: Relation, load_ids: Sequence[str]) -> int:
    with connection.transaction():
        connection.execute(f"SET LOCAL lock_timeout = '{REWRITE_LOCK}'")
        if describe(connection, [target])[target] is None:
            return 0
        refuse_cascade(connection, target)
        take_for_writing(connection, target, "ROW EXCLUSIVE")
        return windowed(connection, target).discard(session_of(connection), load_ids)


def windowed(connection: "Connection", target: Relation) -> Windowed:
    """The target as it stands. Raises TargetError where it is gone."""
    return Windowed(target, standing_of(connection, target), inserting=" OVERRIDING SYSTEM VALUE")


def _already(connection: "Connection", target: Relation, load: Load, version: int) -> Published | None:
    """Another attempt at the same load waits here until this transaction ends, and then finds what it did."""
    connection.execute(f"SET LOCAL lock_timeout = '{REWRITE_LOCK}'")
    connection.execute(LOCK, [mark_of(target) + load.load_id])
    own = newest(connection, target, load.load_id)
    return Published(own.rows, "already") if own.version > version else None


def _put(
    connection: "Connection", target: Relation, load: Load, values: Values, source: str, landed: int | None
) -> Published:
    refuse_cascade(connection, target)
    take_for_writing(connection, target, "ROW EXCLUSIVE")
    done = windowed(connection, target).put(session_of(connection), load, values, source, landed)
    return _recorded(connection, target, load, done)


def _supersede(  # noqa: PLR0913, PLR0917  the load, and where its rows are
    connection: "Connection",
    target: Relation,
    write: Write,
    load: Load,
    landing: Relation,
    pairings: Sequence[Pairing],
    value: Callable[[Pairing, str], str],
) -> Published:
    """Nobody else writes the target until the transaction ends: what a window meets there is all that there is."""
    refuse_cascade(connection, target)
    connection.execute(f"ANALYZE {qualify(landing)}")
    take_for_writing(connection, target)
    windows = windowed(connection, target)
    done = supersede(windows, write, load, landing, pairings, session_of(connection), value)
    return _recorded(connection, target, load, done)


def _recorded(connection: "Connection", target: Relation, load: Load, done: Published) -> Published:
    connection.execute(LOCK, [mark_of(target)])
    record(connection, target, newest(connection, target).version + 1, load, done.rows)
    return done


def _take(connection: "Connection", pairings: Sequence[Pairing], values: Values, rows: str) -> int:
    """Set aside what is read, in the target's types; how many rows.

    Where triggers or rules keep rows back, the target tells nothing; and keys are compared before rows go in.
    """
    columns = ", ".join(f"{quote(p.target.name)} {p.target.native}" for p in pairings)
    connection.execute(f"CREATE TEMP TABLE {quote(TAKEN.table)} ({columns}) ON COMMIT DROP")
    names, selected = (", ".join(words) for words in zip(*((quote(c), value) for c, value in values), strict=True))
    return connection.execute(f"INSERT INTO {qualify(TAKEN)} ({names}) SELECT {selected} FROM {rows}").rowcount


def _cut(pairing: Pairing) -> bool:
    """Blanks at the end of a text go without a word, where its column is too short or it was padded."""
    incoming, target = pairing.incoming.type.kind, pairing.target.type.kind
    return target in ("text", "char") and (pairing.fit == "checked" or incoming == "char" != target)
