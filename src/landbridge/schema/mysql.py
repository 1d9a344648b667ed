"""MySQL's types: read as `COLUMN_TYPE` of its information_schema writes them, written as DDL for 8.0.17 or newer."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from landbridge.errors import SchemaMismatch
from landbridge.schema import ddl
from landbridge.schema.model import Column, Kind, Relation, TableSchema, Type
from landbridge.schema.native import take_apart

KINDS: dict[str, Kind] = {
    "bool": "boolean",
    "boolean": "boolean",
    "tinyint": "int16",
    "tinyint unsigned": "int16",
    "smallint": "int16",
    "smallint unsigned": "int32",
    "mediumint": "int32",
    "mediumint unsigned": "int32",
    "int": "int32",
    "integer": "int32",
    "int unsigned": "int64",
    "bigint": "int64",
    "year": "int16",
    "float": "float32",
    "double": "float64",
    "double precision": "float64",
    "binary": "binary",
    "varbinary": "binary",
    "tinyblob": "binary",
    "blob": "binary",
    "mediumblob": "binary",
    "longblob": "binary",
    "date": "date",
    "json": "json",
}
DECIMALS = {
    "decimal": (10, 0),
    "decimal unsigned": (10, 0),
    "numeric": (10, 0),
    "bigint unsigned": (20, 0),
}
CLOCKS: dict[str, Kind] = {"time": "time", "datetime": "timestamp", "timestamp": "timestamptz"}
WORDS: dict[Kind, str] = {
    "boolean": "BOOLEAN",
    "int16": "SMALLINT",
    "int32": "INT",
    "int64": "BIGINT",
    "float32": "FLOAT",
    "float64": "DOUBLE",
    "binary": "LONGBLOB",
    "date": "DATE",
    "time": "TIME({})",
    "timestamp": "DATETIME({})",
    "timestamptz": "DATETIME({})",
    "json": "JSON",
    "uuid": "CHAR(36)",
}
MICROSECONDS = 6
MAX_DIGITS, MAX_SCALE = 65, 30
MAX_CHAR = 255
MAX_VARCHAR = 16_383  # characters of up to 4 bytes in a row of 65,535
MAX_ROW = 65_535  # bytes of all columns together, texts and blobs without a length counting as pointers
MAX_KEY = 3_072  # bytes of all columns of a key
MAX_NAME = 64  # characters
BYTES = 4  # of a character in utf8mb4
OTHERS = 32  # bytes that a column of another type takes at most


def parse_type(native: str) -> Type:
    """The type that `native` means; text for one that has no kind of its own (ENUM, SET, BIT, GEOMETRY, …).

    `tinyint(1)` is what BOOLEAN becomes. TIMESTAMP is an instant, DATETIME a wall clock.
    """
    words, numbers = take_apart(native)
    words = words.split(" character set ")[0].split(" collate ")[0].removesuffix(" zerofill")
    first = numbers[0] if numbers else None
    if words in KINDS:
        return Type("boolean" if (words, first) == ("tinyint", 1) else KINDS[words])
    if words in CLOCKS:
        return Type(CLOCKS[words], precision=first or 0)
    if words in DECIMALS:
        return Type("decimal", *((*numbers, 0)[:2] if numbers else DECIMALS[words]))
    if words == "char":
        return Type("char", length=first or 1)
    return Type("text", length=first if words == "varchar" else None)


def render_type(kind: Type) -> str:
    """The DDL word for `kind`; LONGTEXT, which keeps its digits, for a decimal that no DECIMAL holds.

    An instant becomes DATETIME in UTC, for TIMESTAMP ends in 2038.
    """
    if kind.kind == "decimal":
        return _decimal(kind)
    if kind.kind in ("char", "text"):
        length = kind.length or (1 if kind.kind == "char" else MAX_VARCHAR + 1)
        if kind.kind == "char" and length <= MAX_CHAR:
            return f"CHAR({length})"
        return f"VARCHAR({length})" if length <= MAX_VARCHAR else "LONGTEXT"
    digits = MICROSECONDS if kind.precision is None else min(kind.precision, MICROSECONDS)
    return WORDS[kind.kind].format(digits)


def _decimal(kind: Type) -> str:
    scale = kind.scale or 0
    if kind.precision is None or kind.precision > MAX_DIGITS or not 0 <= scale <= min(kind.precision, MAX_SCALE):
        return "LONGTEXT"
    return f"DECIMAL({kind.precision},{scale})"


def quote(name: str) -> str:
    """`name` between backticks. Raises ValueError for an empty name or one with NUL."""
    if not name or "\0" in name:
        raise ValueError(f"not a name that SQL can hold: {name!r}")
    return "`" + name.replace("`", "``") + "`"


def _types(schema: TableSchema, keyed: Collection[str]) -> Mapping[str, str]:
    """A row has 65,535 bytes: where they are not enough, the widest texts without key or index become LONGTEXT."""
    types = {column.name: render_type(column.type) for column in schema.columns}
    wide = [name for name, word in types.items() if name not in keyed and word.startswith("VARCHAR")]
    wide.sort(key=lambda name: _size(types[name]))
    while wide and sum(map(_size, types.values())) > MAX_ROW:
        types[wide.pop()] = "LONGTEXT"
    return types


def _size(word: str) -> int:
    """Bytes that a column takes in its row and in a key."""
    words, numbers = take_apart(word)
    return numbers[0] * BYTES + 2 if words in ("char", "varchar") else OTHERS


def _check(relation: Relation, schema: TableSchema, keys: Sequence[Sequence[str]]) -> None:
    _check_names((*relation.levels, *schema.names))
    ddl.refuse_twins(schema.names, "mysql")
    types = {column.name: render_type(column.type) for column in schema.columns}
    problems = [
        f"column {name} is {types[name]}, which can be in no key"
        for key in keys
        for name in key
        if types[name] in ("LONGTEXT", "LONGBLOB", "JSON")
    ]
    problems += [
        f"the key of {', '.join(key)} is longer than the {MAX_KEY} bytes that mysql takes"
        for key in keys
        if sum(_size(types[name]) for name in key) > MAX_KEY
    ]
    if problems:
        raise SchemaMismatch(
            "\n".join(dict.fromkeys(problems)),
            hint="give it a short length: CAST(… AS VARCHAR(100)) in source_query; or mask it: `mask: hash` in columns",
        )


def _check_names(names: Iterable[str]) -> None:
    wrong = [name for name in names if len(name) > MAX_NAME or name.endswith(" ") or max(name) > "\uffff"]
    if wrong:
        raise SchemaMismatch(
            "\n".join(
                f"name {name} is none for mysql: at most {MAX_NAME} characters, none of four bytes, no blank at the end"
                for name in wrong
            ),
            hint=ddl.RENAME,
        )


def _short(name: str) -> str:
    return name if len(name) <= MAX_NAME else ddl.shortened(name, MAX_NAME)


def _index_part(column: Column) -> str:
    """The column, or as much of its beginning as an index takes: that finds rows as well, only less sharply."""
    word = render_type(column.type)
    if word == "JSON":
        raise SchemaMismatch(
            f"column {column.name} is JSON, which mysql cannot index", hint="leave it out of indexes of the table"
        )
    if word == "LONGBLOB":
        return f"{quote(column.name)}({MAX_KEY})"
    whole = word != "LONGTEXT" and _size(word) <= MAX_KEY
    return quote(column.name) if whole else f"{quote(column.name)}({MAX_KEY // BYTES})"


def _identity(word: str, leads_key: bool) -> str | None:  # noqa: FBT001 - as Dialect.identity is called
    return "AUTO_INCREMENT" if leads_key and word in ("SMALLINT", "INT", "BIGINT") else None


DIALECT = ddl.Dialect(
    quote=quote,
    literal=ddl.backslash_literal,
    types=_types,
    check=_check,
    short=_short,
    identity=_identity,
    index_part=_index_part,
    within=True,
    suffix=" DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_bin",  # equal is what the source calls equal
)
