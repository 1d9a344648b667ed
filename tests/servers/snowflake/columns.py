"""What INFORMATION_SCHEMA.COLUMNS tells of columns and fakesnow does not keep: digits of clocks, and comments."""

from collections import defaultdict

from fakesnow.conn import FakeSnowflakeConnection
from sqlglot import exp

from tests.servers.snowflake import keys
from tests.servers.snowflake.rows import succeeded

DEFAULT_DIGITS = 9
CLOCKS = ("TIME", "TIMESTAMP", "DATETIME")
Place = tuple[str, str, str]
DIGITS: dict[Place, dict[str, int]] = defaultdict(dict)
COMMENTS: dict[Place, dict[str, str]] = defaultdict(dict)
LOCAL: dict[Place, set[str]] = defaultdict(set)  # columns that were declared TIMESTAMP_LTZ


def declared(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """CREATE TABLE says how many digits a clock has, and if it keeps offsets. DuckDB keeps six, and none, for all."""
    if isinstance(statement, exp.Create) and isinstance(statement.this, exp.Schema):
        place = keys.full_name(connection, statement.this.this)
        COMMENTS.pop(place, None)
        found = ((keys.name(column.this), _digits(column)) for column in statement.this.find_all(exp.ColumnDef))
        clocks = {keys.name(x.this): x.args.get("kind") for x in statement.this.find_all(exp.ColumnDef)}
        LOCAL[place] = {name for name, kind in clocks.items() if kind and kind.this == exp.DataType.Type.TIMESTAMPLTZ}
        DIGITS[place] = {column: digits for column, digits in found if digits is not None}
    return statement


def commented(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """COMMENT ON takes any text, also on a column. fakesnow fails at quotes, and in a server at columns."""
    if not isinstance(statement, exp.Comment) or not isinstance(statement.expression, exp.Literal):
        return statement
    text = statement.expression.name
    if statement.args.get("kind") != "COLUMN":
        statement.set("expression", exp.Literal.string(text.replace("'", "''")))
        return statement
    column = statement.this
    table = exp.table_(column.args["table"], column.args.get("db"), column.args.get("catalog"))
    COMMENTS[keys.full_name(connection, table)][keys.name(column.this)] = text
    return succeeded()


def told(connection: FakeSnowflakeConnection, statement: exp.Expr) -> exp.Expr:
    """INFORMATION_SCHEMA.COLUMNS has digits, comments, TIMESTAMP_LTZ. fakesnow lacks the first, and tells no others."""
    if not any(table.name.upper() == "COLUMNS" for table in statement.find_all(exp.Table)):
        return statement
    answers = {"DATETIME_PRECISION": _precision, "COMMENT": _comment, "DATA_TYPE": _data_type}
    for column in list(statement.find_all(exp.Column)):
        name = column.name.upper()
        if name in answers and isinstance(column.parent, exp.Select):
            column.replace(answers[name]().as_(name))
    return statement


def _digits(column: exp.ColumnDef) -> int | None:
    kind = column.args.get("kind")
    if kind is None or not kind.sql("snowflake").upper().startswith(CLOCKS) or not kind.expressions:
        return None
    return int(kind.expressions[0].name)


def _precision() -> exp.Expr:
    clock = exp.or_(*(exp.column("data_type").like(f"{word}%") for word in CLOCKS))
    known = _by_column({place: {c: exp.Literal.number(n) for c, n in found.items()} for place, found in DIGITS.items()})
    return known.when(clock, exp.Literal.number(DEFAULT_DIGITS)).else_(exp.null())


def _comment() -> exp.Expr:
    found = {place: {c: exp.Literal.string(text) for c, text in own.items()} for place, own in COMMENTS.items()}
    return _by_column(found).when(exp.false(), exp.Literal.string("")).else_(exp.null())


def _data_type() -> exp.Expr:
    local = {place: dict.fromkeys(own, exp.Literal.string("TIMESTAMP_LTZ")) for place, own in LOCAL.items()}
    return _by_column(local).when(exp.false(), exp.Literal.string("")).else_(exp.column("data_type"))


def _by_column(values: dict[Place, dict[str, exp.Expr]]) -> exp.Case:
    case = exp.Case()
    for (database, schema, table), columns in values.items():
        for column, value in columns.items():
            place = {"table_catalog": database, "table_schema": schema, "table_name": table, "column_name": column}
            here = exp.and_(*(exp.column(name).eq(exp.Literal.string(text)) for name, text in place.items()))
            case = case.when(here, value)
    return case
