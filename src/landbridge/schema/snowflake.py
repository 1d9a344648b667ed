"""Snowflake's types: read as its catalogue or a person writes them (seed 000, section 0.5), written as DDL."""

from collections.abc import Iterable
from functools import partial

from landbridge.errors import SchemaMismatch
from landbridge.schema import ddl
from landbridge.schema.model import Kind, Relation, TableSchema, Type
from landbridge.schema.names import quote, unfold
from landbridge.schema.native import take_apart

KINDS: dict[str, Kind] = {
    "int": "int32",
    "integer": "int32",
    "bigint": "int64",
    "smallint": "int16",
    "tinyint": "int16",
    "byteint": "int16",
    "float": "float64",
    "float8": "float64",
    "double": "float64",
    "double precision": "float64",
    "float4": "float32",
    "real": "float32",
    "binary": "binary",
    "varbinary": "binary",
    "boolean": "boolean",
    "date": "date",
    "variant": "json",
    "object": "json",
    "array": "json",
}
CLOCKS: dict[str, Kind] = {
    "time": "time",
    "datetime": "timestamp",
    "timestamp": "timestamp",
    "timestamp_ntz": "timestamp",
    "timestamp_ltz": "timestamptz",
    "timestamp_tz": "timestamptz",
}
DEFAULT_NUMBER = (38, 0)
DEFAULT_DIGITS = 9
DEFAULT_LENGTH = 16_777_216  # of a VARCHAR for which none is written: its catalogue tells no other
MAX_DIGITS = 38
MAX_SCALE = 37
MAX_VARCHAR = 134_217_728  # characters that VARCHAR(n) can declare
MAX_NAME = 255  # characters
MICROSECONDS = 6
# an integer of Snowflake is NUMBER(38,0): the digits that ours need say more
WORDS: dict[Kind, str] = {
    "boolean": "BOOLEAN",
    "int16": "NUMBER(5,0)",
    "int32": "NUMBER(10,0)",
    "int64": "NUMBER(19,0)",
    "float32": "FLOAT",
    "float64": "FLOAT",
    "binary": "BINARY",
    "date": "DATE",
    "time": "TIME({})",
    "timestamp": "TIMESTAMP_NTZ({})",
    "timestamptz": "TIMESTAMP_LTZ({})",
    "json": "VARIANT",
    "uuid": "VARCHAR(36)",
}


def parse_type(native: str) -> Type:
    """The type that `native` means; text for one that has no kind of its own (GEOGRAPHY, VECTOR, …).

    A clock has 9 digits where none are written, and comes out as 9 above microseconds.
    """
    words, numbers = take_apart(native)
    words = words.split(" collate ")[0]
    first = numbers[0] if numbers else None
    if words in KINDS:
        return Type(KINDS[words])
    if words in CLOCKS:
        digits = DEFAULT_DIGITS if first is None else first
        return Type(CLOCKS[words], precision=DEFAULT_DIGITS if digits > MICROSECONDS else digits)
    if words in ("number", "decimal", "numeric"):
        return Type("decimal", *((*numbers, 0)[:2] if numbers else DEFAULT_NUMBER))
    if words in ("char", "character"):
        return Type("char", length=first or 1)
    bounded = words in ("varchar", "string", "text") and first is not None and first < DEFAULT_LENGTH
    return Type("text", length=first if bounded else None)


def render_type(kind: Type) -> str:
    """The DDL word for `kind`; VARCHAR, which keeps its digits, for a decimal that no NUMBER holds."""
    if kind.kind == "decimal":
        return _decimal(kind)
    if kind.kind in ("char", "text"):
        length = kind.length or (1 if kind.kind == "char" else None)  # its CHAR is a VARCHAR, and pads nothing
        return f"VARCHAR({length})" if length and length <= MAX_VARCHAR else "VARCHAR"
    return WORDS[kind.kind].format(MICROSECONDS if kind.precision is None else kind.precision)


def _decimal(kind: Type) -> str:
    scale = kind.scale or 0
    if kind.precision is None or kind.precision > MAX_DIGITS or not 0 <= scale <= min(kind.precision, MAX_SCALE):
        return "VARCHAR"
    return f"NUMBER({kind.precision},{scale})"


def create_table(relation: Relation, schema: TableSchema) -> str:
    """CREATE TABLE IF NOT EXISTS. Raises SchemaMismatch for a name that Snowflake does not take."""
    _check_names((*relation.levels, *schema.names))
    return ddl.create_table(relation, schema, render_type)


def _check_names(names: Iterable[str]) -> None:
    if long := [name for name in names if len(name) > MAX_NAME]:
        raise SchemaMismatch(
            "\n".join(f"name {name} is longer than the {MAX_NAME} characters that snowflake takes" for name in long),
            hint=ddl.RENAME,
        )


def _identity(word: str, _leads_key: bool) -> str | None:  # noqa: FBT001 - as Dialect.identity is called
    """Snowflake's takes the numbers that a load brings."""
    return "AUTOINCREMENT" if word.startswith("NUMBER(") and word.endswith(",0)") else None


DIALECT = ddl.Dialect(
    fold=unfold,
    literal=ddl.backslash_literal,
    types=ddl.rendered(render_type),
    check=lambda relation, schema, _keys: _check_names((*relation.levels, *schema.names)),
    short=partial(ddl.shortened, limit=MAX_NAME),
    identity=_identity,
    index_part=lambda column: quote(column.name),
    has_indexes=False,
)
