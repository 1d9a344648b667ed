"""What a DuckDB load does to its target, within the caller's transaction."""

from dataclasses import replace
from typing import TYPE_CHECKING

from landbridge.connectors.duckdb import sql
from landbridge.connectors.merging import Session, merge, merging_of, settle
from landbridge.contracts.values import Landing, Published
from landbridge.schema.model import Column
from landbridge.schema.names import qualify, quote

if TYPE_CHECKING:
    import duckdb

    from landbridge.schema.model import TableSchema


def publish(
    connection: "duckdb.DuckDBPyConnection",
    landing: Landing,
    keys: Landing | None,
    standing: "TableSchema",
    left: int,
) -> Published:
    """All rows replaced, or merged (docs/sync-modes.md, "What a load does"); `left`: rows that the load before left."""
    merging = replace(merging_of(landing, keys, landing.write.relation, standing), comparable=_comparable)
    session = session_of(connection)
    if not landing.load.replaces(landing.write):
        keyed = {p.target.name for p in map(merging.pairing, merging.keys)} == set(standing.primary_key)
        rows, changed = merge(merging, session, left=left, keyed=keyed)
        return Published(rows, "merge", changed=changed)
    rows = landing.load.rows - settle(merging, session)
    if gone := merging.without_gone():
        rows -= session.do(gone)
    target = qualify(landing.write.relation)
    columns = ", ".join(quote(pairing.target.name) for pairing in merging.pairings)
    connection.execute(f"DELETE FROM {target}")
    connection.execute(f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {qualify(landing.relation)}")
    return Published(rows, "rewrite", "a DuckDB table keeps its keys and views that way")


def session_of(connection: "duckdb.DuckDBPyConnection") -> Session:
    return Session(lambda text: _number(connection, text), lambda text: _number(connection, text))


def _comparable(expression: str, column: Column) -> str:
    """By its bytes, where a collation of the target takes different texts for equal."""
    return f"encode({expression})" if column.type.kind in ("text", "char") else expression


def _number(connection: "duckdb.DuckDBPyConnection", text: str) -> int:
    """Of a statement that changes rows, how many."""
    return int(sql.fetch(connection, text)[0][0])
