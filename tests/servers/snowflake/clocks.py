"""How many digits of a second a column was declared with. DuckDB keeps six for all, and fakesnow does not tell."""

from fakesnow.conn import FakeSnowflakeConnection
from sqlglot import exp

from tests.servers.snowflake import keys

DEFAULT = 9
CLOCKS = ("TIME", "TIMESTAMP", "DATETIME")
DECLARED: dict[tuple[str, str, str], dict[str, int]] = {}  # by table; of its columns those of other than nine


def clock_digits(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """INFORMATION_SCHEMA.COLUMNS.DATETIME_PRECISION is what CREATE TABLE said. fakesnow has no such column."""
    if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema):
        declared = {keys.name(column.this): digits for column in statement.this.find_all(exp.ColumnDef)
                    if (digits := _digits(column)) is not None}  # fmt: skip
        DECLARED[keys.full_name(connection, statement.this.this)] = declared
        return statement
    if not any(table.name.upper() == "COLUMNS" for table in statement.find_all(exp.Table)):
        return statement
    for column in list(statement.find_all(exp.Column)):
        if column.name.upper() == "DATETIME_PRECISION":
            column.replace(
                _precision().as_("DATETIME_PRECISION") if isinstance(column.parent, exp.Select) else _precision()
            )
    return statement


def _digits(column: exp.ColumnDef) -> int | None:
    kind = column.args.get("kind")
    if kind is None or not kind.sql("snowflake").upper().startswith(CLOCKS) or not kind.expressions:
        return None
    return int(kind.expressions[0].name)


def _precision() -> exp.Expr:
    told = exp.Case()
    for (database, schema, table), columns in DECLARED.items():
        for column, digits in columns.items():
            place = {"table_catalog": database, "table_schema": schema, "table_name": table, "column_name": column}
            here = exp.and_(*(exp.column(name).eq(exp.Literal.string(value)) for name, value in place.items()))
            told = told.when(here, exp.Literal.number(digits))
    clock = exp.or_(*(exp.column("data_type").like(f"{word}%") for word in CLOCKS))
    return told.when(clock, exp.Literal.number(DEFAULT)).else_(exp.null())
