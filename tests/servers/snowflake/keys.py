"""Primary, unique and foreign keys: known to Snowflake, and never enforced.

They are kept as JSON in DuckDB's comment of the table, so that they follow it through renames and go with it
(fakesnow keeps Snowflake's comments elsewhere). Those of temporary tables are not kept.
"""

import json
from collections.abc import Iterator

from fakesnow.conn import FakeSnowflakeConnection
from snowflake.connector.errors import ProgrammingError
from sqlglot import exp

from tests.servers.snowflake.rows import rows

KEY = {"created_on": str, "database_name": str, "schema_name": str, "table_name": str, "column_name": str}
KEY |= {"key_sequence": int, "constraint_name": str, "rely": str, "comment": str}
IMPORTED = {"created_on": str, "pk_database_name": str, "pk_schema_name": str, "pk_table_name": str}
IMPORTED |= {"pk_column_name": str, "fk_database_name": str, "fk_schema_name": str, "fk_table_name": str}
IMPORTED |= {"fk_column_name": str, "key_sequence": int, "update_rule": str, "delete_rule": str, "fk_name": str}
IMPORTED |= {"pk_name": str, "deferrability": str, "rely": str, "comment": str}
EPOCH = "1970-01-01 00:00:00.000 +0000"


def name(identifier: exp.Expr) -> str:
    """Text of an identifier as Snowflake keeps it."""
    inner = identifier.this if isinstance(identifier, exp.Column | exp.Ordered | exp.ColumnDef) else identifier
    return inner.name if inner.args.get("quoted") else inner.name.upper()


def full_name(connection: FakeSnowflakeConnection, table: exp.Table) -> tuple[str, str, str]:
    """Database, schema and table, the first two from the session where they are not written."""
    database = name(table.args["catalog"]) if table.catalog else connection.database
    schema = name(table.args["db"]) if table.db else connection.schema
    return database, schema, name(table.this)


def taken_out(connection: FakeSnowflakeConnection, expression: exp.Expr) -> list[dict]:
    """Keys of a CREATE TABLE, which DuckDB then does not see. DuckDB, so fakesnow, enforces them.

    What remains of a primary key is that its columns are NOT NULL.
    """
    schema = expression.this
    if not (isinstance(expression, exp.Create) and isinstance(schema, exp.Schema)):
        return []
    keys = [*column_keys(connection, schema), *table_keys(connection, schema.expressions)]
    primary = {x for key in keys if key["kind"] == "PRIMARY" for x in key["columns"]}
    for column in schema.find_all(exp.ColumnDef):
        if name(column) in primary and not column.find(exp.NotNullColumnConstraint):
            column.append("constraints", exp.ColumnConstraint(kind=exp.NotNullColumnConstraint()))
    schema.set("expressions", [x for x in schema.expressions if isinstance(x, exp.ColumnDef) or not is_key(x)])
    return keys


def altered(connection: FakeSnowflakeConnection, action: exp.Expr, keys: list[dict]) -> list[dict]:
    """The keys of a table after one action of an ALTER TABLE, of which DuckDB can do few."""
    kind = action.args.get("kind")
    if isinstance(action, exp.AddConstraint):
        return [*keys, *table_keys(connection, action.expressions)]
    if is_primary_drop(action):
        return [x for x in keys if x["kind"] != "PRIMARY"]
    if isinstance(action, exp.RenameColumn):
        old, new = name(action.this), name(action.args["to"])
        return [x | {"columns": [new if column == old else column for column in x["columns"]]} for x in keys]
    if isinstance(action, exp.Drop) and kind == "CONSTRAINT":
        return [x for x in keys if x["name"] != name(action.args["tables"][0].this)]
    if isinstance(action, exp.Drop) and kind == "COLUMN":
        return [x for x in keys if not {name(column) for column in action.args["tables"]} & set(x["columns"])]
    return keys


def is_primary_drop(action: exp.Expr) -> bool:
    """Whether an action is DROP PRIMARY KEY."""
    return isinstance(action, exp.Command) and action.sql("snowflake").upper() == "DROP PRIMARY KEY"


def is_about_keys(action: exp.Expr) -> bool:
    """Whether an action changes nothing but keys."""
    constraint = isinstance(action, exp.AddConstraint) or action.args.get("kind") == "CONSTRAINT"
    return constraint or is_primary_drop(action)


def is_key(expression: exp.Expr) -> bool:
    """Whether this part of a CREATE TABLE's parentheses is a key."""
    inner = expression.expressions[0] if isinstance(expression, exp.Constraint) else expression
    return isinstance(inner, exp.PrimaryKey | exp.UniqueColumnConstraint | exp.ForeignKey)


def column_keys(connection: FakeSnowflakeConnection, schema: exp.Schema) -> Iterator[dict]:
    """Keys that stand behind a column's type; they are removed there."""
    kinds = {exp.PrimaryKeyColumnConstraint: "PRIMARY", exp.UniqueColumnConstraint: "UNIQUE", exp.Reference: "IMPORTED"}
    for column in schema.expressions:
        if not isinstance(column, exp.ColumnDef):
            continue
        for constraint in list(column.constraints):
            if kind := kinds.get(type(constraint.kind)):
                target = referenced(connection, constraint.kind) if kind == "IMPORTED" else None
                yield key(kind, constraint.args.get("this"), [name(column)], target)
                constraint.pop()


def table_keys(connection: FakeSnowflakeConnection, expressions: list[exp.Expr]) -> Iterator[dict]:
    """Keys that stand beside the columns."""
    for expression in expressions:
        if not is_key(expression):
            continue
        named = isinstance(expression, exp.Constraint)
        inner, constraint = (expression.expressions[0], expression.this) if named else (expression, None)
        if isinstance(inner, exp.PrimaryKey):
            yield key("PRIMARY", constraint, [name(x) for x in inner.expressions])
        elif isinstance(inner, exp.ForeignKey):
            target = referenced(connection, inner.args["reference"])
            yield key("IMPORTED", constraint, [name(x) for x in inner.expressions], target)
        else:
            yield key("UNIQUE", constraint, [name(x) for x in inner.this.expressions])


def key(kind: str, constraint: exp.Expr | None, columns: list[str], target: dict | None = None) -> dict:
    """A key as it is kept."""
    given = name(constraint) if constraint else f"SYS_CONSTRAINT_{kind}_{'_'.join(columns)}"
    return {"kind": kind, "name": given, "columns": columns, "target": target}


def referenced(connection: FakeSnowflakeConnection, reference: exp.Reference) -> dict:
    """What a foreign key points to."""
    schema = reference.this
    table = schema.this if isinstance(schema, exp.Schema) else schema
    columns = [name(x) for x in schema.expressions] if isinstance(schema, exp.Schema) else []
    return {"table": full_name(connection, table), "columns": columns}


def kept(connection: FakeSnowflakeConnection, table: tuple[str, str, str]) -> list[dict]:
    """Keys of a table."""
    known = "SELECT comment FROM duckdb_tables() WHERE (database_name, schema_name, table_name) = (?, ?, ?)"
    found = connection._duck_conn.execute(known, table).fetchone()
    return json.loads(found[0]) if found and found[0] else []


def keep(connection: FakeSnowflakeConnection, table: tuple[str, str, str], keys: list[dict]) -> None:
    """Replace the keys of a table."""
    path = ".".join(exp.to_identifier(x, quoted=True).sql("duckdb") for x in table)
    connection._duck_conn.execute(f"COMMENT ON TABLE {path} IS {exp.Literal.string(json.dumps(keys)).sql('duckdb')}")


def shown(connection: FakeSnowflakeConnection, expression: exp.Expr) -> exp.Expr:
    """SHOW PRIMARY, UNIQUE and IMPORTED KEYS of a table, schema, database or account.

    fakesnow shows no unique keys, and each primary key as an imported one.
    """
    kind = expression.name.upper().removesuffix(" KEYS") if isinstance(expression, exp.Show) else ""
    if kind not in ("PRIMARY", "UNIQUE", "IMPORTED"):
        return expression
    seen = [
        (table, x, at, column)
        for table in in_scope(connection, expression)
        for x in kept(connection, table)
        if x["kind"] == kind
        for at, column in enumerate(x["columns"])
    ]
    if kind != "IMPORTED":
        return rows(KEY, [(EPOCH, *table, column, at + 1, x["name"], "false", None) for table, x, at, column in seen])
    return rows(IMPORTED, [imported(connection, *x) for x in seen])


def imported(connection: FakeSnowflakeConnection, table: tuple, foreign: dict, at: int, column: str) -> tuple:
    """One row of SHOW IMPORTED KEYS."""
    target = tuple(foreign["target"]["table"])
    primary = next((x for x in kept(connection, target) if x["kind"] == "PRIMARY"), {"name": None, "columns": []})
    pointed = foreign["target"]["columns"] or primary["columns"]
    names = (foreign["name"], primary["name"], "NOT DEFERRABLE", "false", None)
    return (EPOCH, *target, pointed[at], *table, column, at + 1, "NO ACTION", "NO ACTION", *names)


def in_scope(connection: FakeSnowflakeConnection, show: exp.Show) -> list[tuple[str, str, str]]:
    """Tables that a SHOW … IN is about. Raises ProgrammingError for a table that does not exist."""
    scope, kind = show.args.get("scope"), show.args.get("scope_kind")
    sql = "SELECT database_name, schema_name, table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY ALL"
    tables = connection._duck_conn.execute(sql).fetchall()
    if kind == "TABLE":
        wanted = full_name(connection, scope)
        if wanted not in tables:
            words = f"SQL compilation error:\nTable '{'.'.join(wanted)}' does not exist or not authorized."
            raise ProgrammingError(msg=words, errno=2003, sqlstate="42S02")
        return [wanted]
    if kind == "SCHEMA":
        database = name(scope.args["db"]) if scope and scope.db else connection.database
        return [x for x in tables if x[:2] == (database, name(scope.this) if scope else connection.schema)]
    if kind == "ACCOUNT" or not connection.database:
        return tables
    return [x for x in tables if x[0] == (name(scope.this) if scope else connection.database)]
