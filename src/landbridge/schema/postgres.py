"""PostgreSQL's types: read as `format_type()` writes them, written as DDL."""

from landbridge.errors import SchemaMismatch
from landbridge.schema import ddl
from landbridge.schema.model import Kind, Relation, TableSchema, Type
from landbridge.schema.native import take_apart

MAX_VARCHAR = 10_485_760  # characters that varchar(n) can declare
MAX_NAME = 63  # bytes of a name that the server keeps
MICROSECONDS = 6

KINDS: dict[str, Kind] = {
    "boolean": "boolean",
    "smallint": "int16",
    "integer": "int32",
    "bigint": "int64",
    "real": "float32",
    "double precision": "float64",
    "bytea": "binary",
    "date": "date",
    "json": "json",
    "jsonb": "json",
    "uuid": "uuid",
}
CLOCKS: dict[str, Kind] = {
    "time": "time",
    "time without time zone": "time",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "timestamp with time zone": "timestamptz",
}
WORDS: dict[Kind, str] = {
    "boolean": "BOOLEAN",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "REAL",
    "float64": "DOUBLE PRECISION",
    "binary": "BYTEA",
    "date": "DATE",
    "time": "TIME{}",
    "timestamp": "TIMESTAMP{}",
    "timestamptz": "TIMESTAMP{} WITH TIME ZONE",
    "json": "JSONB",
    "uuid": "UUID",
}


def parse_type(native: str) -> Type:
    """The type that `native` means; text for one that has no kind of its own (arrays, enums, domains, interval, …)."""
    words, numbers = take_apart(native)
    first = numbers[0] if numbers else None
    if words in KINDS:
        return Type(KINDS[words])
    if words in CLOCKS:
        return Type(CLOCKS[words], precision=MICROSECONDS if first is None else first)
    if words in ("numeric", "decimal"):
        return Type("decimal", *(*numbers, 0)[:2]) if numbers else Type("decimal")
    if words in ("character", "char"):
        return Type("char", length=first or 1)
    return Type("text", length=first if words in ("character varying", "varchar") else None)


def render_type(kind: Type) -> str:
    """The DDL word for `kind`; a clock's nine digits become the six that PostgreSQL has."""
    if kind.kind == "decimal":
        return _decimal(kind)
    if kind.kind == "char":
        return f"CHAR({kind.length or 1})"
    if kind.kind == "text":
        return f"VARCHAR({kind.length})" if kind.length and kind.length <= MAX_VARCHAR else "TEXT"
    coarse = kind.precision is not None and kind.precision < MICROSECONDS
    return WORDS[kind.kind].format(f"({kind.precision})" if coarse else "")


def _decimal(kind: Type) -> str:
    """Seed 000, section 0.5; but above 18 digits the bound stays, so that a value beyond it is refused."""
    if kind.precision is None:
        return "NUMERIC"
    if not kind.scale:
        for digits, word in ((4, "SMALLINT"), (9, "INTEGER"), (18, "BIGINT")):
            if kind.precision <= digits:
                return word
    return f"NUMERIC({kind.precision},{kind.scale or 0})"


def create_table(relation: Relation, schema: TableSchema) -> str:
    """CREATE TABLE IF NOT EXISTS. Raises SchemaMismatch for a name over 63 bytes: the server would cut it silently."""
    names = (*relation.levels, *schema.names)
    if long := [name for name in names if len(name.encode()) > MAX_NAME]:
        raise SchemaMismatch(
            "\n".join(f"name {name} is longer than the {MAX_NAME} bytes that postgres keeps" for name in long),
            hint="give it a shorter name (`as` in columns of the table), or name another target table",
        )
    return ddl.create_table(relation, schema, render_type)
