"""The table model: what a table is, in words that no single database owns."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import FailFast

Kind = Literal[
    "boolean",
    "int16",
    "int32",
    "int64",
    "decimal",
    "float32",
    "float64",
    "char",
    "text",
    "binary",
    "date",
    "time",
    "timestamp",
    "timestamptz",
    "json",
    "uuid",
]

KINDS = frozenset(get_args(Kind))


@dataclass(frozen=True)
class Relation:
    """A table's name in its database; outer levels may be None where the connection's defaults apply."""

    table: str
    schema: str | None = None
    database: str | None = None

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that are set, outermost first: what a connector quotes and joins with dots."""
        return tuple(x for x in (self.database, self.schema, self.table) if x is not None)

    def __str__(self) -> str:
        return ".".join(self.levels)


@dataclass(frozen=True)
class Type:
    """A column's type. Which fields mean something depends on the kind.

    decimal: `precision` digits in all, `scale` of them after the point; both None where the source sets no bound.
    char, text: `length` in characters, None for no bound.
    time, timestamp, timestamptz: `precision` in digits of a second: 6 (microseconds) or 9 (nanoseconds), or fewer
    than 6 where the database declares fewer.
    timestamptz is an instant, kept in UTC; timestamp is a wall clock without a zone.
    """

    kind: Kind
    precision: int | None = None
    scale: int | None = None
    length: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of type: {self.kind}")

    def __str__(self) -> str:
        if self.kind == "decimal" and self.precision is not None:
            return f"decimal({self.precision},{self.scale})"
        if self.length is not None:
            return f"{self.kind}({self.length})"
        if self.kind in ("time", "timestamp", "timestamptz") and self.precision not in (None, 6):
            return f"{self.kind}({self.precision})"
        return self.kind


@dataclass(frozen=True)
class Column:
    """One column; `native` is the type as its own database writes it, for people and for the DDL of the same kind."""

    name: str
    type: Type
    nullable: bool = True
    native: str | None = None
    has_default: bool = False


@dataclass(frozen=True)
class TableSchema:
    """Columns in their order, and the names of the primary key's columns, in the key's order.

    Where it is read from JSON, the first wrong column is told: errors for a million would fill the memory.
    """

    columns: Annotated[tuple[Column, ...], FailFast()]
    primary_key: Annotated[tuple[str, ...], FailFast()] = ()

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


def schema_to_json(schema: TableSchema) -> dict[str, Any]:
    """A JSON object with every field that is set; `schema_from_json` gives the equal schema back."""
    columns = []
    for column in schema.columns:
        entry = asdict(column)
        entry["type"] = {k: v for k, v in entry["type"].items() if v is not None}
        columns.append({k: v for k, v in entry.items() if v is not None})
    return {"columns": columns, "primary_key": list(schema.primary_key)}


def schema_from_json(data: Mapping[str, Any]) -> TableSchema:
    """Raises KeyError, TypeError or ValueError where `data` is not what `schema_to_json` writes."""
    columns = tuple(Column(**{**entry, "type": Type(**entry["type"])}) for entry in data["columns"])
    return TableSchema(columns, tuple(data["primary_key"]))
