"""Rows that carry their load's id, in Snowflake; `Target` says what each function owes.

The last statements of a transaction take the next number of the target: an UPDATE for which others wait until it
commits, so that whoever waited sees what came before, and takes the number after. A transaction that found no lock
is done again as a whole. Where there are keys they are the first: each window then sees the rows of all before it.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from landbridge.connectors import merging
from landbridge.connectors.snowflake import book
from landbridge.connectors.snowflake.book import make_book, newest, record
from landbridge.connectors.snowflake.catalog import describe
from landbridge.connectors.snowflake.loading import copy, drop, make, make_landing, pairings_of, session_of
from landbridge.connectors.snowflake.reading import query_of, schema_of
from landbridge.connectors.snowflake.session import LOCKED, Session, patiently
from landbridge.connectors.superseding import supersede
from landbridge.connectors.windowed import Pushed, Windowed, lossless, pushed
from landbridge.contracts.values import Landing, Load, Published, Read, Write
from landbridge.errors import LandbridgeError, TargetError
from landbridge.schema.ddl import backslash_literal
from landbridge.schema.filters import where_clause
from landbridge.schema.fit import Pairing
from landbridge.schema.model import Relation, TableSchema
from landbridge.schema.names import qualify, quote
from landbridge.schema.native import take_apart

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor

TRIES = 100  # as many windows may be published between two statements of ours
CLOCKS = ("time", "timestamp", "timestamptz")
TEXTS = ("text", "varchar", "string", "char", "character")
Values = Sequence[tuple[str, str]]
Put = Callable[[merging.Session], Published]


def publish(session: Session, landing: Landing, target: Relation) -> Published:
    load = landing.load
    with session.cursor(TargetError, str(target)) as cursor:
        done = _already(cursor, target, load, landing.version)
        if done is None and (arrived := copy(cursor, landing)) != load.rows:
            raise TargetError(f"{target}: {arrived} rows arrived of {load.rows}", hint="run it again")
    if done is None:
        assert landing.standing is not None, "prepare sets it"  # noqa: S101
        windows = Windowed(target, landing.standing, backslash_literal)
        pairings, rows = pairings_of(landing), qualify(landing.relation)
        values = [(p.target.name, quote(p.target.name)) for p in pairings]
        if landing.write.merge:
            put: Put = partial(supersede, windows, landing.write, load, landing.relation, pairings)
        else:
            put = partial(_put, windows, load, values, rows, load.rows)
        done = _published(session, target, load, landing.version, put, alone=landing.write.merge is not None)
    with session.cursor(TargetError, str(target)) as cursor:
        drop(cursor, landing.relation)
    return done


def publish_from(  # noqa: PLR0913, PLR0917  as Target.publish_from, and where both tables are
    session: Session, write: Write, target: Relation, read: Read, source: Relation, load: Load, version: int
) -> Published:
    """`source` is the relation of `read` with all three levels."""
    table = qualify(source)

    def look() -> tuple[Pushed, TableSchema]:
        with session.cursor(TargetError, str(target)) as cursor:
            taken = pushed(schema_of(cursor, read, source, table), read)
            standing = make(cursor, write, target, taken.schema)
            make_book(cursor, target)
        return taken, standing

    taken, standing = patiently(look)
    pairings = lossless(taken.schema, standing, write, partial(_cut, read))
    values = [(p.target.name, _converted(p, quote(taken.names[p.incoming.name]))) for p in pairings]
    rows = (f"({query_of(read, table)}\n)" if read.query else table) + where_clause(read.filter)
    windows = Windowed(target, standing, backslash_literal)
    if write.merge is None:
        put = partial(_put, windows, load, values, rows, None)
        return _published(session, target, load, version, put, alone=False)
    with session.cursor(TargetError, str(target)) as cursor:
        aside = make_landing(cursor, target, load, pairings)
    try:
        _set_aside(session, target, aside, values, rows)
        put = partial(supersede, windows, write, load, aside, pairings)
        done = _published(session, target, load, version, put, alone=True)
    except BaseException:
        with suppress(LandbridgeError):  # what failed matters more, and the next attempt sweeps what is left
            _drop(session, target, aside)
        raise
    _drop(session, target, aside)
    return done


def _set_aside(session: Session, target: Relation, aside: Relation, values: Values, rows: str) -> None:
    names, selected = (", ".join(words) for words in zip(*((quote(c), value) for c, value in values), strict=True))
    with session.cursor(TargetError, str(target)) as cursor:
        cursor.execute(f"INSERT INTO {qualify(aside)} ({names}) SELECT {selected} FROM {rows}")


def _drop(session: Session, target: Relation, aside: Relation) -> None:
    with session.cursor(TargetError, str(target)) as cursor:
        drop(cursor, aside)


def discard(session: Session, target: Relation, load_ids: Sequence[str]) -> int:
    with session.cursor(TargetError, str(target)) as cursor:
        standing = describe(cursor, [target], keys=False)[target]
    if standing is None:
        return 0

    def delete() -> int:
        with session.transaction(TargetError, str(target)) as cursor:
            return Windowed(target, standing, backslash_literal).discard(session_of(cursor), load_ids)

    return patiently(delete)


def count(cursor: "SnowflakeCursor", target: Relation, load_id: str) -> int:
    standing = describe(cursor, [target], keys=False)[target]
    if standing is None:
        raise TargetError(f"{target} is gone", hint="run it again; the table is created")
    return session_of(cursor).ask(Windowed(target, standing, backslash_literal).counting(load_id))


def _put(
    windows: Windowed, load: Load, values: Values, rows: str, landed: int | None, session: merging.Session
) -> Published:
    return windows.put(session, load, values, rows, landed)


def _published(session: Session, target: Relation, load: Load, version: int, put: Put, *, alone: bool) -> Published:
    """In one transaction; `alone`: no other window of the target is published while `put` is at work."""

    def transaction() -> Published:
        with session.transaction(TargetError, str(target)) as cursor:
            if done := _already(cursor, target, load, version):
                return done
            last = _take_number(cursor, target, load, version) if alone else None
            done = put(session_of(cursor))
            last = _take_number(cursor, target, load, version) if last is None else last
            record(cursor, target, last + 1, load, done.rows)
        return done

    return patiently(transaction)


def _already(cursor: "SnowflakeCursor", target: Relation, load: Load, version: int) -> Published | None:
    own = newest(cursor, target, load.load_id)
    return Published(own.rows, "already") if own.version > version else None


def _take_number(cursor: "SnowflakeCursor", target: Relation, load: Load, version: int) -> int:
    """The newest version, after which nobody else comes until this transaction ends."""
    for _ in range(TRIES):
        last = newest(cursor, target).version
        if book.supersede(cursor, target, last, load):
            if _already(cursor, target, load, version):
                raise TargetError(f"{target}: another attempt at this window was faster", code=LOCKED)
            return last
    raise TargetError(f"{target}: other loads are published all the time", hint="run it again", code=LOCKED)


def _cut(read: Read, pairing: Pairing) -> bool:
    """Digits of a second end without a word, and offsets do; a text that is too long is an error."""
    incoming, target = pairing.incoming, pairing.target
    if incoming.type.kind in CLOCKS and (incoming.type.precision or 0) > (target.type.precision or 0):
        return True
    has, keeps = (take_apart(column.native or "")[0] == "timestamp_tz" for column in (incoming, target))
    return has and not keeps and "offset" not in read.accept_loss.get(incoming.name, ())


def _converted(pairing: Pairing, name: str) -> str:
    """As it stands, so that the database looks whether it fits: a cast would cut."""
    incoming, target = pairing.incoming, pairing.target.type.kind
    if incoming.type.kind == "json":
        return f"TO_JSON({name})" if target == "text" else f"TO_VARIANT({name})"
    if incoming.type.kind == "text" and take_apart(incoming.native or "text")[0] not in TEXTS:
        return f"TO_VARCHAR({name})"
    return name
