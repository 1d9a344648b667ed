"""DuckDB's types: read as `duckdb_columns()` writes them, written as DDL."""

from landbridge.schema import ddl
from landbridge.schema.arrow import NANOSECONDS, travels_as_text
from landbridge.schema.model import Kind, Relation, TableSchema, Type
from landbridge.schema.names import quote
from landbridge.schema.native import take_apart

TYPES = {
    "boolean": Type("boolean"),
    "tinyint": Type("int16"),
    "utinyint": Type("int16"),
    "smallint": Type("int16"),
    "usmallint": Type("int32"),
    "integer": Type("int32"),
    "uinteger": Type("int64"),
    "bigint": Type("int64"),
    "ubigint": Type("decimal", 20, 0),
    "hugeint": Type("decimal", 39, 0),
    "uhugeint": Type("decimal", 39, 0),
    "float": Type("float32"),
    "double": Type("float64"),
    "blob": Type("binary"),
    "date": Type("date"),
    "time": Type("time", 6),
    "time_ns": Type("time", 9),
    "timestamp_s": Type("timestamp", 0),
    "timestamp_ms": Type("timestamp", 3),
    "timestamp": Type("timestamp", 6),
    "timestamp_ns": Type("timestamp", 9),
    "timestamp with time zone": Type("timestamptz", 6),
    "timestamptz_ns": Type("timestamptz", 9),
    "json": Type("json"),
    "uuid": Type("uuid"),
}
DEFAULT_DECIMAL = (18, 3)
WORDS: dict[Kind, str] = {
    "boolean": "BOOLEAN",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "char": "VARCHAR",
    "text": "VARCHAR",
    "binary": "BLOB",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMP WITH TIME ZONE",
    "json": "JSON",
    "uuid": "UUID",
}


def parse_type(native: str) -> Type:
    """The type that `native` means; text for one that has no kind of its own (INTERVAL, BIT, ENUM, …)."""
    if native.endswith("]") or native.upper().startswith(("STRUCT(", "MAP(", "UNION(")):
        return Type("json")
    words, numbers = take_apart(native)
    if words in ("decimal", "numeric"):
        return Type("decimal", *((*numbers, 0)[:2] if numbers else DEFAULT_DECIMAL))
    return TYPES.get(words, Type("text"))


def render_type(kind: Type) -> str:
    """The DDL word for `kind`; VARCHAR, which keeps its digits, for a decimal that no DuckDB decimal holds."""
    if kind.kind == "decimal":
        return "VARCHAR" if travels_as_text(kind) else f"DECIMAL({kind.precision},{kind.scale or 0})"
    if kind.precision == NANOSECONDS and kind.kind in ("time", "timestamp"):
        return f"{WORDS[kind.kind]}_NS"
    return WORDS[kind.kind]


def create_table(relation: Relation, schema: TableSchema) -> str:
    """CREATE TABLE IF NOT EXISTS; lengths of text are not declared, DuckDB would not keep them."""
    return ddl.create_table(relation, schema, render_type)


DIALECT = ddl.Dialect(
    literal=ddl.literal,
    types=ddl.rendered(render_type),
    check=lambda _relation, schema, _keys: ddl.refuse_twins(schema.names, "duckdb"),
    identity=lambda _word, _leads_key: None,  # it would be a sequence, another object to make and to drop
    index_part=lambda column: quote(column.name),
)
