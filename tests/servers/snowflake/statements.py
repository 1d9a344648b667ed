"""Statements that fakesnow refuses or takes otherwise than Snowflake: one function for each.

Each takes a connection and a parsed statement and returns the statement that fakesnow shall run instead.
"""

import re
from contextlib import nullcontext
from threading import Lock

import duckdb
import fakesnow.conn
import sqlglot
from fakesnow.conn import FakeSnowflakeConnection
from fakesnow.cursor import FakeSnowflakeCursor
from snowflake.connector.errors import Error, ProgrammingError
from sqlglot import exp

from tests.servers.snowflake import columns, keys, stages
from tests.servers.snowflake.rows import rows, succeeded

GRANT = {"created_on": str, "privilege": str, "granted_on": str, "name": str, "granted_to": str}
GRANT |= {"grantee_name": str, "grant_option": str, "granted_by": str}
DDL = re.compile(r"(?i)\s*(create|alter|drop)\b")
ONE_AT_A_TIME = Lock()
ADMINISTRATION = re.compile(
    r"(?i)(grant|revoke)\b|(create|alter|drop)\s+(or\s+replace\s+)?(role|warehouse|user)\b|use\s+secondary\b"
)


def session_parameters(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """ALTER SESSION takes any parameter; QUERY_TAG goes into the log, others have no effect. fakesnow refuses them."""
    if not (isinstance(statement, exp.Alter) and statement.args.get("kind") == "SESSION"):
        return statement
    for item in statement.find_all(exp.SetItem):
        parameter = item.find(exp.Identifier).name.upper()
        if parameter == "AUTOCOMMIT":
            return statement
        if parameter == "QUERY_TAG":
            value = item.find(exp.Literal)
            connection.session.tag = value.name if value else ""
    return succeeded()


def administration(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """GRANT, REVOKE, roles and warehouses are taken, without effect. fakesnow refuses them."""
    return succeeded() if ADMINISTRATION.match(statement.sql("snowflake").strip()) else statement


def current_names(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """CURRENT_ROLE() and the like name what the session uses. fakesnow says `duckdb`, or knows no such function."""
    session = connection.session
    if isinstance(statement, exp.Use) and (kind := str(statement.args["kind"]).lower()) in ("role", "warehouse"):
        setattr(session, kind, keys.name(statement.this.this))
    values = {exp.CurrentRole: session.role, exp.CurrentWarehouse: session.warehouse, exp.CurrentUser: session.user}
    values |= {exp.CurrentAccount: "LANDBRIDGE_TEST", exp.CurrentRegion: "TEST", exp.CurrentSession: str(session.id)}

    def replaced(node: exp.Expr) -> exp.Expr:
        if type(node) not in values:
            return node
        value = values[type(node)]
        return exp.null() if value is None else exp.Literal.string(value)

    return statement.transform(replaced, copy=False)


def grants(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """SHOW GRANTS: one row, the session's role owns its database. fakesnow refuses it."""
    if not (isinstance(statement, exp.Command) and str(statement.this).upper() == "SHOW"):
        return statement
    text = statement.expression
    if not (text if isinstance(text, str) else text.name).strip().upper().startswith("GRANTS"):
        return statement
    role = connection.session.role
    return rows(GRANT, [(keys.EPOCH, "OWNERSHIP", "DATABASE", connection.database, "ROLE", role, "true", role)])


def time_travel(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """AT and BEFORE read a table as it was. fakesnow refuses them; here they are taken, and read the table as it is."""
    for table in statement.find_all(exp.Table):
        table.set("when", None)
    return statement


def truncation(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """TRUNCATE TABLE IF EXISTS. fakesnow hands IF EXISTS to DuckDB, which refuses it."""
    if not (isinstance(statement, exp.TruncateTable) and statement.args.get("exists")):
        return statement
    statement.set("exists", None)
    known = "SELECT 1 FROM duckdb_tables() WHERE (database_name, schema_name, table_name) = (?, ?, ?)"
    names = keys.full_name(connection, statement.expressions[0])
    return statement if connection._duck_conn.execute(known, names).fetchone() else succeeded()


def swap(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """ALTER TABLE … SWAP WITH exchanges the names of two tables, at once. fakesnow refuses it."""
    if not (isinstance(statement, exp.Alter) and statement.find(exp.SwapTable)):
        return statement
    first = keys.full_name(connection, statement.this)
    second = keys.full_name(connection, statement.find(exp.SwapTable).this)
    passing = (*first[:2], "SWAPPING")
    with connection._duck_conn.cursor() as duck:
        duck.begin()
        for table, new in ((first, passing), (second, first), (passing, second)):
            path = ".".join(quoted(x) for x in table)
            duck.execute(f"ALTER TABLE {path} RENAME TO {quoted(new[2])}")
        duck.commit()
    return succeeded()


def quoted(identifier: str) -> str:
    """An identifier in DuckDB's SQL."""
    return exp.to_identifier(identifier, quoted=True).sql("duckdb")


def copy_options(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """FORCE = FALSE and PURGE = FALSE are the defaults; quotes around a value change nothing.

    fakesnow takes both for TRUE (and removes the files), and refuses the quotes.
    """
    if not isinstance(statement, exp.Copy):
        return statement
    params = [x for x in statement.args["params"] if not (is_switch(x) and x.expression == exp.false())]
    for param in params:
        if param.name.upper() == "MATCH_BY_COLUMN_NAME" and isinstance(param.expression, exp.Literal):
            param.set("expression", exp.var(param.expression.name))
    statement.set("params", params)
    return statement


def is_switch(param: exp.CopyParameter) -> bool:
    """Whether a copy option is one that fakesnow takes for TRUE whenever it is named."""
    return param.name.upper() in ("FORCE", "PURGE")


def nanosecond_part(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """DATE_PART(NANOSECOND, …) is of any year. fakesnow asks DuckDB's nanosecond clock, which ends in 2262."""
    for part in list(statement.find_all(exp.Extract)):
        if part.this.name.upper() == "NANOSECOND":
            whole = exp.Extract(this=exp.var("EPOCH_MICROSECOND"), expression=part.expression)
            fraction = sqlglot.parse_one("((x % 1000000 + 1000000) % 1000000) * 1000")
            part.replace(fraction.transform(lambda node, whole=whole: whole if isinstance(node, exp.Column) else node))
    return statement


def nanosecond_difference(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """DATEDIFF(NANOSECOND, …) takes any clock. fakesnow hands it to DuckDB, which has no TIME of nanoseconds."""
    for found in list(statement.find_all(exp.DateDiff)):
        if found.unit and found.unit.name.upper() == "NANOSECOND":
            micros = found.copy()
            micros.set("unit", exp.var("MICROSECOND"))
            found.replace(exp.paren(exp.Mul(this=micros, expression=exp.Literal.number(1000))))
    return statement


def binary_length(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """BINARY(n) is a type; its length is not enforced here. DuckDB, so fakesnow, refuses a length."""
    for kind in statement.find_all(exp.DataType):
        if kind.this in (exp.DataType.Type.BINARY, exp.DataType.Type.VARBINARY):
            kind.set("expressions", [])
    return statement


def likeness(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """LIKE takes a value of any type, as text. fakesnow hands it to DuckDB, which takes text only."""
    for like in statement.find_all(exp.Like, exp.ILike):
        like.set("this", exp.cast(like.this, "VARCHAR"))
    return statement


def ddl_commits(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """DDL commits the transaction in which it is sent. fakesnow lets it be rolled back."""
    if isinstance(statement, exp.Create | exp.Drop | exp.Alter) and connection._in_transaction:
        connection._duck_conn.commit()
        connection._in_transaction = False
    return statement


GAPS = (
    ddl_commits,
    columns.declared,
    columns.commented,
    columns.told,
    session_parameters,
    administration,
    current_names,
    grants,
    time_travel,
    truncation,
    swap,
    binary_length,
    nanosecond_part,
    nanosecond_difference,
    likeness,
    stages.listing,
    stages.removal,
    stages.stage_made,
    stages.stage_drop,
    stages.unload,
    copy_options,
    keys.shown,
)


class Cursor(FakeSnowflakeCursor):
    """fakesnow's cursor, with the gaps filled."""

    def execute(self, command: str, *args, **kwargs) -> FakeSnowflakeCursor:
        """What fails, fails as a SQL error. fakesnow answers 500, upon which connectors try again for minutes."""
        self._keys: tuple | None = None
        try:
            # fakesnow's own tables of columns do not bear two at once
            with ONE_AT_A_TIME if DDL.match(command) else nullcontext():
                super().execute(command, *args, **kwargs)
            if self._keys:
                keys.keep(self._conn, *self._keys)
        except Error:
            raise
        except duckdb.TransactionException as error:
            # Snowflake lets the later one wait, and then go on; DuckDB has no transaction that could
            words = "Statement has locked table in transaction and this lock has not yet been released."
            raise ProgrammingError(msg=f"{words} {error}", errno=625, sqlstate="57014") from error
        except duckdb.ConstraintException as error:
            raise ProgrammingError(msg=str(error), errno=100072, sqlstate="22000") from error
        except Exception as error:
            words = f"not in the test layer: {type(error).__name__}: {error}"
            raise ProgrammingError(msg=words, errno=2, sqlstate="0A000") from error
        self._follow_transaction()
        return self

    def _transform(self, expression: exp.Expr, params) -> exp.Expr:
        for gap in GAPS:
            expression = gap(self._conn, expression)
        return super()._transform(self._without_keys(expression), params)

    def _without_keys(self, expression: exp.Expr) -> exp.Expr:
        """The statement without its keys, which are kept once it has run."""
        if new := keys.taken_out(self._conn, expression):
            if not expression.find(exp.TemporaryProperty):
                self._keys = (keys.full_name(self._conn, expression.this.this), new)
        elif isinstance(expression, exp.Alter) and expression.args.get("kind") == "TABLE":
            table = keys.full_name(self._conn, expression.this)
            before = after = keys.kept(self._conn, table)
            for action in expression.actions:
                after = keys.altered(self._conn, action, after)
            self._keys = (table, after) if after != before else None
            return succeeded() if all(keys.is_about_keys(x) for x in expression.actions) else expression
        return expression

    def _follow_transaction(self) -> None:
        """Note BEGIN, which fakesnow does only in sessions that do not commit by themselves."""
        if isinstance(self._last_transformed, exp.Transaction):
            self._conn._in_transaction = True
        elif isinstance(self._last_transformed, exp.Commit | exp.Rollback):
            self._conn._in_transaction = False


def fill() -> None:
    """Let fakesnow's connections use this cursor."""
    fakesnow.conn.FakeSnowflakeCursor = Cursor
    stages.copy_files_by_name()
