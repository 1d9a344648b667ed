"""What `doctor` asks of an account: login, role, warehouse, clock, and the grants that the tables need."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from landbridge.connectors.snowflake.book import loads
from landbridge.connectors.snowflake.catalog import describe, located
from landbridge.connectors.snowflake.memory import MEMORY, refuse_disk
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.connectors.snowflake.session import Session, fetch
from landbridge.connectors.snowflake.unloading import trial
from landbridge.contracts.values import Check
from landbridge.errors import LandbridgeError, SourceError
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify, quote

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor

MAX_SKEW = 2.0  # seconds between the account's clock and ours


def check(session: Session, reads: Sequence[Relation], writes: Sequence[Relation]) -> list[Check]:
    """See Catalog.check."""
    options = session.options
    own_reads = [located(options, relation) for relation in reads]
    own_writes = [located(options, relation) for relation in writes]
    try:
        with session.cursor(SourceError, f"account of {session.name}") as cursor:
            (who,) = fetch(
                cursor,
                "SELECT CURRENT_USER() AS who, CURRENT_ROLE() AS role, CURRENT_WAREHOUSE() AS warehouse, "
                "CURRENT_TIMESTAMP()::TIMESTAMP_LTZ AS now",
            )
            skew = abs((who["now"].astimezone(UTC) - datetime.now(UTC)).total_seconds())
            return [
                Check("login", ok=True, detail=f"{who['who']} at {options.account}, by {options.auth_method}"),
                Check("TLS", ok=options.protocol == "https", detail=options.protocol)
                if options.protocol == "https"
                else Check("TLS", ok=True, detail="none: this machine only"),
                _role(options, who["role"]),
                _warehouse(options, who["warehouse"]),
                Check("clock", ok=skew <= MAX_SKEW, detail=f"{skew:.1f} s from ours"),
                *_tables(cursor, own_reads, "read"),
                *_tables(cursor, own_writes, "write"),
                *(_unload(cursor, options) if options.unload and reads else ()),
                Check(
                    "grants",
                    ok=True,
                    detail="the least that is needed: below",
                    hint=_told(cursor, options, own_reads, own_writes),
                ),
            ]
    except LandbridgeError as error:
        return [Check("login", ok=False, detail=error.message, hint=error.hint)]


def grants(
    options: SnowflakeOptions, reads: Sequence[Relation], writes: Sequence[Relation], there: Sequence[Relation]
) -> list[str]:
    """The statements that give a role just what these tables need, each once; `there` are written tables that stand."""
    role = quote(options.role or "LANDBRIDGE")
    lines = [f"GRANT USAGE ON WAREHOUSE {quote(options.warehouse)} TO ROLE {role};"]
    for relation in (*reads, *writes):
        database, schema = quote(relation.database or ""), qualify(Relation(relation.schema or "", relation.database))
        lines += [
            f"GRANT USAGE ON DATABASE {database} TO ROLE {role};",
            f"GRANT USAGE ON SCHEMA {schema} TO ROLE {role};",
        ]
        if relation in reads:
            lines.append(f"GRANT SELECT ON TABLE {qualify(relation)} TO ROLE {role};")
        if relation in writes:
            lines.append(f"GRANT CREATE TABLE, CREATE STAGE ON SCHEMA {schema} TO ROLE {role};")
    if options.unload and reads:
        database, schema = quote(options.database), qualify(Relation(options.schema_, options.database))
        lines += [
            f"GRANT USAGE ON DATABASE {database} TO ROLE {role};",
            f"GRANT USAGE ON SCHEMA {schema} TO ROLE {role};",
            f"GRANT CREATE STAGE ON SCHEMA {schema} TO ROLE {role};",
        ]
    lines += [f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE {qualify(one)} TO ROLE {role};" for one in there]
    return list(dict.fromkeys(lines))


def _told(
    cursor: "SnowflakeCursor", options: SnowflakeOptions, reads: Sequence[Relation], writes: Sequence[Relation]
) -> str:
    """Of tables that are there; those that landbridge makes, the role owns."""
    books = [loads(relation) for relation in writes]
    found = describe(cursor, [*writes, *dict.fromkeys(books)], keys=False)
    there = [relation for relation, schema in found.items() if schema is not None]
    return "\n".join(["the least that the role needs", *grants(options, reads, writes, there)])


def _role(options: SnowflakeOptions, role: str | None) -> Check:
    wanted = options.role
    ok = role is not None and (wanted is None or wanted.upper() == role.upper())
    return Check("role", ok=ok, detail=role or "none", hint=None if ok else "grant the user the role that is declared")


def _warehouse(options: SnowflakeOptions, warehouse: str | None) -> Check:
    hint = f"GRANT USAGE ON WAREHOUSE {quote(options.warehouse)}"
    return Check("warehouse", ok=bool(warehouse), detail=warehouse or "none", hint=None if warehouse else hint)


def _unload(cursor: "SnowflakeCursor", options: SnowflakeOptions) -> Iterator[Check]:
    """Grants come through roles of roles: what tells is a stage, made and dropped."""
    from snowflake.connector.errors import ProgrammingError

    try:
        refuse_disk()
        yield Check("memory", ok=True, detail=f"{MEMORY}, for what GET writes")
    except LandbridgeError as error:
        yield Check("memory", ok=False, detail=error.message, hint=error.hint)
    where = qualify(Relation(options.schema_, options.database))
    try:
        trial(cursor, options)
        yield Check("unload", ok=True, detail=f"stages can be made in {where}")
    except ProgrammingError:
        hint = "does the schema exist? grant the role what `grants` lists; or set unload: false of the connection"
        yield Check("unload", ok=False, detail=f"no stage can be made in {where}", hint=hint)


def _tables(cursor: "SnowflakeCursor", relations: Sequence[Relation], verb: str) -> Iterator[Check]:
    """A table that a role has no grant for is not there, for that role."""
    found = describe(cursor, relations)
    for relation in relations:
        there = found[relation] is not None
        if verb == "write":
            yield Check(f"write {relation}", ok=True, detail="found" if there else "will be created")
        else:
            hint = None if there else "check its name; or grant the role what `grants` lists"
            yield Check(
                f"read {relation}", ok=there, detail="found" if there else "not there, or not granted", hint=hint
            )
