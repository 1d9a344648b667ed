"""Rows that carry their load's id, in DuckDB; `Target` says what each function owes."""

from collections.abc import Sequence
from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from landbridge.connectors.duckdb import catalog, sql
from landbridge.connectors.duckdb.publishing import session_of
from landbridge.connectors.merging import arriving, shaped
from landbridge.connectors.superseding import supersede
from landbridge.connectors.windowed import Windowed, lossless, pushed
from landbridge.contracts.values import Landing, Load, Published, Read, Write
from landbridge.errors import TargetError
from landbridge.schema.arrow import NANOSECONDS
from landbridge.schema.duckdb import render_type
from landbridge.schema.filters import where_clause
from landbridge.schema.fit import Pairing
from landbridge.schema.model import Relation
from landbridge.schema.names import folded, qualify, quote

if TYPE_CHECKING:
    import duckdb

CLOCKS = ("time", "timestamp", "timestamptz")


def publish(connection: "duckdb.DuckDBPyConnection", landing: Landing) -> Published:
    write, load = landing.write, landing.load
    connection.begin()
    done = _already(connection, write.relation, load, landing.version)
    if done is None:
        sql.check_arrived(connection, landing)
        target = windowed(connection, write.relation)
        pairings = arriving(landing.schema, target.standing, write, only_keys=False)
        session, values = session_of(connection), [(p.target.name, quote(p.target.name)) for p in pairings]
        if write.merge:
            done = supersede(target, write, load, landing.relation, pairings, session)
        else:
            done = target.put(session, load, values, qualify(landing.relation), load.rows)
        _record(connection, write.relation, load, done)
    sql.drop(connection, landing)
    connection.commit()
    return done


def publish_from(
    connection: "duckdb.DuckDBPyConnection", write: Write, read: Read, load: Load, version: int
) -> Published:
    connection.begin()
    done = _already(connection, write.relation, load, version)
    if done is None:
        taken = pushed(catalog.schema_of(connection, read), read)
        if catalog.describe(connection, [write.relation])[write.relation] is None:
            catalog.create(connection, write.relation, folded(shaped(taken.schema, write)))
        target = windowed(connection, write.relation)
        pairings = lossless(taken.schema, target.standing, write, _cut)
        values = [(p.target.name, _converted(p, quote(taken.names[p.incoming.name]))) for p in pairings]
        session, source = session_of(connection), f"{sql.source(read)}{where_clause(read.filter)}"
        if write.merge:
            aside = replace(write.relation, table=f"{sql.landing_name(load.load_id)}{token_hex(4)}")
            columns = ", ".join(f"{value} AS {quote(column)}" for column, value in values)
            connection.execute(f"CREATE TABLE {qualify(aside)} AS SELECT {columns} FROM {source}")
            done = supersede(target, write, load, aside, pairings, session)
            connection.execute(f"DROP TABLE {qualify(aside)}")
        else:
            done = target.put(session, load, values, source, None)
        _record(connection, write.relation, load, done)
    connection.commit()
    return done


def discard(connection: "duckdb.DuckDBPyConnection", write: Write, load_ids: Sequence[str]) -> int:
    connection.begin()
    if catalog.describe(connection, [write.relation])[write.relation] is None:
        return 0
    deleted = windowed(connection, write.relation).discard(session_of(connection), load_ids)
    connection.commit()
    return deleted


def windowed(connection: "duckdb.DuckDBPyConnection", target: Relation) -> Windowed:
    """The target as it stands. Raises TargetError where it is gone."""
    standing = catalog.describe(connection, [target])[target]
    if standing is None:
        raise TargetError(f"{target} is gone", hint="run it again; the table is created")
    return Windowed(target, standing)


def _already(connection: "duckdb.DuckDBPyConnection", target: Relation, load: Load, version: int) -> Published | None:
    own = sql.newest_load(connection, target, load.load_id)
    return Published(own.rows, "already") if own.version > version else None


def _record(connection: "duckdb.DuckDBPyConnection", target: Relation, load: Load, done: Published) -> None:
    sql.record_load(connection, target, sql.newest_load(connection, target).version + 1, load, done.rows)


def _cut(pairing: Pairing) -> bool:
    """Nanoseconds end without a word; all else that does not fit is an error."""
    incoming, target = pairing.incoming.type, pairing.target.type
    return incoming.kind in CLOCKS and incoming.precision == NANOSECONDS != target.precision


def _converted(pairing: Pairing, name: str) -> str:
    incoming, target = pairing.incoming, pairing.target
    value = f"to_json({name})" if incoming.type.kind == "json" and incoming.native != "JSON" else name
    return f"CAST({value} AS {target.native or render_type(target.type)})"
