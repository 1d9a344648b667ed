"""What a PostgreSQL database has: its tables described, created, and what `doctor` asks of it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from landbridge.connectors.local import is_local
from landbridge.connectors.postgres.session import Server
from landbridge.connectors.statements import first_word
from landbridge.contracts.values import Check
from landbridge.errors import ConfigError, TargetError
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import folded, quote
from landbridge.schema.postgres import create_table, parse_type

if TYPE_CHECKING:
    from landbridge.connectors.postgres.session import Connection

MAX_SKEW = 2.0  # seconds between the server's clock and ours

# a domain is described as the type below it: that is how its values travel
COLUMNS = """
SELECT c.relname, a.attname,
       CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
                      ELSE format_type(a.atttypid, a.atttypmod) END,
       NOT (a.attnotnull OR t.typnotnull),
       a.atthasdef OR a.attidentity <> '' OR t.typdefault IS NOT NULL,
       array_position(i.indkey::int2[], a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    AND array_position(i.indkey::int2[], a.attnum) < i.indnkeyatts
WHERE n.nspname = coalesce(%s, current_schema()) AND c.relname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.relname, a.attnum
"""

ENDINGS = ("commit", "end", "rollback", "abort", "prepare", "begin", "start", "savepoint", "release")
CHANGES = ("INSERT", "UPDATE", "DELETE", "MERGE")

GRANTS = """
SELECT (SELECT coalesce(bool_and(has_table_privilege(c.oid, p)), true) FROM unnest(%(needs)s::text[]) AS p),
       pg_has_role(c.relowner, 'USAGE')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = coalesce(%(schema)s, current_schema()) AND c.relname = %(table)s
"""

MAY_CREATE = """
SELECT CASE WHEN EXISTS (SELECT FROM pg_namespace WHERE nspname = coalesce(%(schema)s, current_schema()))
            THEN has_schema_privilege(coalesce(%(schema)s, current_schema()), 'CREATE')
            ELSE has_database_privilege(current_database(), 'CREATE') END
"""


def locate(server: Server, relation: Relation) -> Relation:
    """The relation without its database level. Raises ConfigError where that is another than the connection's."""
    if relation.database not in (None, server.database):
        raise ConfigError(
            f"{relation} is not in database {server.database} that the connection opens",
            hint="declare a connection of its own for the other database",
        )
    return Relation(relation.table, relation.schema)


def describe(connection: "Connection", relations: Sequence[Relation]) -> dict[Relation, TableSchema | None]:
    """See Catalog.describe; a relation without a schema is looked up in the first one of search_path."""
    found: dict[Relation, TableSchema | None] = dict.fromkeys(relations)
    tables: dict[str | None, list[str]] = defaultdict(list)
    for relation in relations:
        tables[relation.schema].append(relation.table)
    for schema, names in tables.items():
        columns: dict[str, list[Column]] = defaultdict(list)
        keys: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for table, name, native, nullable, has_default, place in connection.execute(COLUMNS, [schema, names]):
            columns[table].append(Column(name, parse_type(native), nullable, native, has_default))
            if place is not None:
                keys[table].append((place, name))
        for relation in relations:
            if relation.schema == schema and relation.table in columns:
                key = tuple(name for _, name in sorted(keys[relation.table]))
                found[relation] = TableSchema(tuple(columns[relation.table]), key)
    return found


def create(connection: "Connection", relation: Relation, schema: TableSchema) -> bool:
    """See Catalog.create; a schema that is missing is created with the table, in one transaction."""
    with connection.transaction():
        if describe(connection, [relation])[relation] is not None:
            return False
        if relation.schema and value(connection, "SELECT to_regnamespace(%s) IS NULL", quote(relation.schema)):
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {quote(relation.schema)}")
        connection.execute(create_table(relation, folded(schema)))
    return True


def value(connection: "Connection", sql: str, *values: object) -> Any:  # noqa: ANN401 - the statement says what it is
    """The one value of a statement that gives one row of one column; None where it gives no row."""
    row = connection.execute(sql, values or None).fetchone()
    return row[0] if row else None


def run(connection: "Connection", statements: Sequence[str]) -> list[int]:
    """See Catalog.run_sql; binary results take one statement of each text."""
    changed = []
    with connection.transaction():
        for statement in statements:
            if (word := first_word(statement)) in ENDINGS:
                raise TargetError(f"{word} would end the transaction", hint="all statements are done in one")
            done = connection.execute(statement.encode(), binary=True)
            changed.append(done.rowcount if (done.statusmessage or "").startswith(CHANGES) else 0)
    return changed


def checks(
    connection: "Connection",
    server: Server,
    reads: Sequence[Relation],
    writes: Sequence[Relation],
) -> Iterator[Check]:
    """What can be asked once logged in; see Catalog.check."""
    yield _tls(connection, server)
    version = connection.info.server_version // 10_000
    yield Check("version", version >= 14, f"PostgreSQL {version}", None if version >= 14 else "14 or newer is tested")
    skew = (value(connection, "SELECT clock_timestamp()") - datetime.now(UTC)).total_seconds()
    yield Check(
        "clock",
        abs(skew) <= MAX_SKEW,
        f"server is {abs(skew):.1f} s {'ahead' if skew > 0 else 'behind'}",
        None if abs(skew) <= MAX_SKEW else "let both machines take their time from NTP",
    )
    for relation in reads:
        yield _readable(connection, relation)
    for relation in writes:
        yield _writable(connection, relation)


def _tls(connection: "Connection", server: Server) -> Check:
    version = value(connection, "SELECT version FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()")
    if version:
        return Check("tls", ok=True, detail=version)
    if is_local(server.host):
        return Check("tls", ok=True, detail="none, on this machine")
    return Check("tls", ok=False, detail="none", hint="set sslmode: require, or better verify-full")


def _readable(connection: "Connection", relation: Relation) -> Check:
    found = _grants(connection, relation, ["SELECT"])
    if not found:
        return Check(f"read {relation}", ok=False, detail="no such table", hint="check its name in tables.yaml")
    if found[0]:
        return Check(f"read {relation}", ok=True, detail="SELECT is granted")
    return Check(f"read {relation}", ok=False, detail="SELECT is not granted", hint=f"GRANT SELECT ON {relation}")


def _writable(connection: "Connection", relation: Relation) -> Check:
    """Landing tables and landbridge_loads need CREATE on the schema, whether the target is there or not."""
    may_create = connection.execute(MAY_CREATE, {"schema": relation.schema}).fetchone() == (True,)
    found = _grants(connection, relation, ["SELECT", "INSERT", "DELETE"])
    missing = [] if may_create else ["CREATE on its schema"]
    if found and not found[0]:
        missing.append("SELECT, INSERT and DELETE on the table")
    if missing:
        lacking = " and ".join(missing)
        return Check(f"write {relation}", ok=False, detail=f"{lacking} is not granted", hint=f"grant {lacking}")
    if not found:
        return Check(f"write {relation}", ok=True, detail="will be created")
    how = "can be swapped" if found[1] else "belongs to another role: rows are rewritten, not swapped"
    return Check(f"write {relation}", ok=True, detail=how)


def _grants(connection: "Connection", relation: Relation, needs: list[str]) -> tuple[Any, ...] | None:
    names = {"schema": relation.schema, "table": relation.table, "needs": needs}
    return connection.execute(GRANTS, names).fetchone()
