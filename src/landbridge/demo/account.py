"""A Snowflake account as the demo's warehouse: its tables there, told from everybody else's, and gone at the end."""

from collections.abc import Iterator
from contextlib import contextmanager

from landbridge.config.project import load_project
from landbridge.connectors.snowflake.book import loads
from landbridge.connectors.snowflake.connector import Snowflake
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.connectors.snowflake.session import fetch
from landbridge.contracts.values import Write
from landbridge.demo.sides import Say, Side
from landbridge.demo.warehouse import SCHEMA, TABLES, build_warehouse
from landbridge.errors import TargetError, UsageError
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify

PREFIX = "LANDBRIDGE_DEMO_"
CONNECTIONS = """\
connections:
  warehouse: {type: duckdb, path: warehouse.duckdb}   # SNOWFLAKE_ACCOUNT and its kin make a connection `snowflake`
"""
TABLE = """\
- name: {name}
  source: {{connection: warehouse, schema: {schema}, table: {table}}}
  target: {{connection: snowflake, table: {name}}}
"""


class Account:
    """The demo's tables in the schema that the connection names."""

    def __init__(self, options: SnowflakeOptions) -> None:
        self.database, self.schema = options.database, options.schema_
        self.where = f"{self.database}.{self.schema} of account {options.account}"
        self.connector = Snowflake("snowflake", options)
        self.tables = [Relation(PREFIX + table, self.schema, self.database) for table in TABLES]
        self.loads = loads(self.tables[0])
        self.has_loads_of_others = True

    def make_room(self) -> None:
        """Drop what an earlier demo kept. Raises UsageError where one of the names is somebody else's table."""
        found = self.connector.describe([*self.tables, self.loads])
        self.has_loads_of_others = found[self.loads] is not None
        ours = self._loaded() if self.has_loads_of_others else set()
        standing = [relation for relation in self.tables if found[relation] is not None]
        if strange := [relation.table for relation in standing if relation.table not in ours]:
            raise UsageError(
                f"in {self.where}, and not made by the demo: {', '.join(strange)}",
                hint="name another schema in SNOWFLAKE_SCHEMA; or drop them, if they can be spared",
            )
        self.clear()

    def clear(self) -> None:
        """Drop the demo's tables, what loads that failed have left of theirs, and what is recorded of both."""
        for relation in self.tables:
            self.connector.sweep(Write(self.connector.name, relation))
        self.connector.execute([f"DROP TABLE IF EXISTS {qualify(relation)}" for relation in self.tables])
        if self.connector.describe([self.loads])[self.loads] is not None:
            self._forget()

    def _loaded(self) -> set[str]:
        """The tables that were loaded under the name that the demo gives such a job."""
        with self.connector.session.cursor(TargetError, str(self.loads)) as cursor:
            query = f"SELECT target_table FROM {qualify(self.loads)} WHERE pipeline_name = target_table"  # noqa: S608
            return {row["target_table"] for row in fetch(cursor, query)}

    def _forget(self) -> None:
        loads = qualify(self.loads)
        with self.connector.session.cursor(TargetError, str(self.loads)) as cursor:
            for relation in self.tables:
                cursor.execute(f"DELETE FROM {loads} WHERE target_table = %s", [relation.table])  # noqa: S608
            (row,) = fetch(cursor, f"SELECT COUNT(*) AS n FROM {loads}")  # noqa: S608
            if not (row["n"] or self.has_loads_of_others):
                cursor.execute(f"DROP TABLE {loads}")


@contextmanager
def filled_account(filler: Side, say: Say, *, keep: bool) -> Iterator[tuple[Account, dict[str, int]]]:
    """The account with the demo's tables, loaded by `filler`, and the rows of each; dropped afterwards unless `keep`.

    Raises UsageError where there is no SNOWFLAKE_ACCOUNT or a name is taken, ConfigError for other variables.
    """
    account = _open(filler)
    say(f"in {account.where}: {', '.join(relation.table for relation in (*account.tables, account.loads))}")
    account.make_room()
    rows = build_warehouse(filler.folder / "warehouse.duckdb")
    tables = [TABLE.format(name=PREFIX + table, schema=SCHEMA, table=table) for table in rows]
    filler.declare(tables="tables:\n" + "".join(tables), connections=CONNECTIONS)
    try:
        filler("run", "--all")
        filler("verify-tables", "--all", "--data")
        yield account, rows
    finally:
        if not keep:
            account.clear()
            say(f"\ndropped again in {account.where}: all that the demo made; --keep lets it stay")


def _open(filler: Side) -> Account:
    options = load_project(filler.folder, filler.environment).connections.get("snowflake")
    if not isinstance(options, SnowflakeOptions):
        raise UsageError(
            "no variable SNOWFLAKE_ACCOUNT: there is no account to show it with",
            hint="export SNOWFLAKE_ACCOUNT, SNOWFLAKE_USER and their kin (docs/configuration.md, Connections)",
        )
    return Account(options)
