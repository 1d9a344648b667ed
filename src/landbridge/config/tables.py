"""config/tables.yaml: which source table is kept in step with which target table (seed 000, section 0.2)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from landbridge.config.columns import Identifier, read_columns
from landbridge.config.document import Document, read_document
from landbridge.config.fields import FileName, Level, RowFilter, Schedule, SourceQuery
from landbridge.config.modes import ModeKeys, read_mode, temporal_of
from landbridge.config.problems import Keys, Problems
from landbridge.config.validation import validate
from landbridge.contracts.values import Filter, Read, Write
from landbridge.schema.fidelity import LOSSES, Accepted, Loss
from landbridge.schema.model import Relation
from landbridge.schema.names import did_you_mean
from landbridge.schema.temporal import Temporal

FILE = "config/tables.yaml"


@dataclass(frozen=True)
class Table:
    """One source table and its target.

    `schedule` is how old the target may become, None for no matter how old; `max_delta` how many times more or
    fewer rows than the last time are let through: None as the engine finds sensible, False however many. `indexes`
    are columns of the target, whatever their case.
    """

    name: str
    read: Read
    write: Write
    schedule: timedelta | None
    encryption: bool = True
    compression: bool = True
    obfuscate_names: bool = False
    max_delta: "MaxDelta" = None
    indexes: tuple[str, ...] = ()
    temporal: Temporal | None = None


def _max_delta(value: object) -> object:
    if value is None or value is False:
        return value
    if isinstance(value, int | float) and 1 < value < 1e300:
        return float(value)
    raise ValueError("must be a number above 1, or off")


def _loss(value: object) -> object:
    if value not in LOSSES:
        raise ValueError(f"unknown loss{did_you_mean(str(value), LOSSES)}")
    return value


LossName = Annotated[Loss, BeforeValidator(_loss)]
MaxDelta = Annotated[float | Literal[False] | None, BeforeValidator(_max_delta)]


class Strict(BaseModel):
    """A mapping as it is written: no other keys, no other types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Defaults(Strict):
    """What every table has unless it says otherwise."""

    encryption: bool = True
    compression: bool = True
    obfuscate_names: bool = False
    schedule: Schedule | None = None
    max_delta: MaxDelta = None


class _File(Strict):
    tables: list[object]


class _Entry(ModeKeys, Defaults):
    name: FileName
    snowflake: Level = {}
    postgres: Level = {}
    source: Level = {}
    target: Level = {}
    columns: list[object] = []
    exclude: list[Identifier] = []
    accept_loss: dict[str, list[LossName]] = {}


class _Place(Strict):
    table: Identifier
    schema_: Identifier | None = Field(None, alias="schema")


class _Rows(_Place):
    database: Identifier | None = None
    filter: RowFilter = Filter()
    source_query: SourceQuery | None = None


class _Snowflake(_Rows):
    database: Identifier
    schema_: Identifier = Field(alias="schema")


class _Source(_Rows):
    connection: str


class _Goal(_Place):
    indexes: list[Identifier] = []


class _Postgres(_Goal):
    schema_: Identifier = Field(alias="schema")


class _Target(_Goal):
    connection: str
    database: Identifier | None = None


Block = TypeVar("Block", bound=_Place)
SOURCES: Mapping[str, type[_Rows]] = {"snowflake": _Snowflake, "source": _Source}
TARGETS: Mapping[str, type[_Goal]] = {"postgres": _Postgres, "target": _Target}


def read_tables(
    folder: Path, defaults: Defaults, connections: Collection[str] | None, problems: Problems
) -> tuple[Table, ...]:
    """The tables without problems, in their order; `connections` are those declared, None if that is not known."""
    document = read_document(folder, FILE, problems)
    if document is None:
        return ()
    document.drop_free_keys()
    if document.data is None:
        problems.add(document.place(()), "empty; list the tables under 'tables:'")
        return ()
    if (file := validate(_File, document, (), problems)) is None:
        return ()
    _refuse_twins(document, len(file.tables), problems)
    places: list[Keys] = [("tables", number) for number in range(len(file.tables))]
    tables = [_table(document, at, defaults, connections, problems) for at in places]
    _refuse_same_target(document, zip(places, tables, strict=True), problems)
    return tuple(table for table in tables if table is not None)


def _table(
    document: Document, at: Keys, defaults: Defaults, connections: Collection[str] | None, problems: Problems
) -> Table | None:
    entry = validate(_Entry, document, at, problems)
    source = _one_of(SOURCES, "source", document, at, problems)
    target = _one_of(TARGETS, "target", document, at, problems)
    if source and target and connections is not None and not {source.connection, target.connection} & {*connections}:
        for side in (source, target):
            unknown = f"no connection is called {side.connection!r}{did_you_mean(side.connection, connections)}"
            problems.add(document.place(side.named), unknown)
    columns = read_columns(document, at, entry.exclude if entry else (), problems)
    if entry is None or source is None or target is None:
        return None
    own = entry.model_fields_set
    encryption = (entry if "encryption" in own else defaults).encryption
    obfuscate_names = (entry if "obfuscate_names" in own else defaults).obfuscate_names
    if obfuscate_names and not encryption:
        where = (*at, "obfuscate_names" if "obfuscate_names" in own else "encryption")
        problems.add(document.place(where), "names are obfuscated only where encryption is true")
    accepted = _accepted(entry.accept_loss)
    changes, merge = read_mode(document, at, entry, columns, problems)
    return Table(
        name=entry.name,
        read=Read(
            source.connection,
            source.relation,
            source.block.source_query,
            source.block.filter,
            columns,
            accepted,
            changes,
        ),
        write=Write(target.connection, target.relation, entry.sync_mode, accepted, merge),
        schedule=(entry if "schedule" in own else defaults).schedule,
        encryption=encryption,
        compression=(entry if "compression" in own else defaults).compression,
        obfuscate_names=obfuscate_names,
        max_delta=(entry if "max_delta" in own else defaults).max_delta,
        indexes=tuple(target.block.indexes),
        temporal=temporal_of(document, at, entry, columns, problems),
    )


def _accepted(losses: Mapping[str, Collection[Loss]]) -> Accepted:
    """In one order, whatever that of the file: plans that accept the same are equal."""
    return {column: tuple(loss for loss in LOSSES if loss in losses[column]) for column in sorted(losses)}


@dataclass(frozen=True)
class _Side(Generic[Block]):
    """One side of a table; `named` are the keys at which its connection is named."""

    connection: str
    named: Keys
    block: Block

    @property
    def relation(self) -> Relation:
        return Relation(self.block.table, self.block.schema_, getattr(self.block, "database", None))


def _one_of(
    forms: Mapping[str, type[Block]], side: str, document: Document, at: Keys, problems: Problems
) -> _Side[Block] | None:
    """The one block of `forms` that the entry has; the short forms are called after their connection."""
    entry = document.get(at)
    given = [key for key in forms if isinstance(entry, dict) and key in entry]
    if isinstance(entry, dict) and not given:
        problems.add(document.place((*at, side)), f"missing; write {' or '.join(repr(key) for key in forms)}")
    for extra in given[1:]:
        problems.add(document.place((*at, extra)), f"one {side} too many, beside {given[0]!r}")
    for key in given:
        block = validate(forms[key], document, (*at, key), problems)
        if block is not None and len(given) == 1:
            named = (*at, key, "connection") if key == side else (*at, key)
            return _Side(getattr(block, "connection", key), named, block)
    return None


def _refuse_same_target(document: Document, found: Iterable[tuple[Keys, Table | None]], problems: Problems) -> None:
    """Two entries with one target would replace each other's rows, each of them well audited."""
    first: dict[tuple[str, Relation], str] = {}
    for keys, table in found:
        if table is None:
            continue
        target = (table.write.connection, table.write.relation)
        if (twin := first.setdefault(target, table.name)) != table.name:
            problems.add(document.place(keys), f"{table.name} has the target of {twin}: {table.write.relation}")


def _refuse_twins(document: Document, count: int, problems: Problems) -> None:
    first: dict[str, int] = {}
    for number in range(count):
        keys = ("tables", number, "name")
        name = document.get(keys)
        if isinstance(name, str) and (twin := first.setdefault(name.casefold(), number)) != number:
            problems.add(document.place(keys), f"also the name of tables[{twin}]; case makes no difference")
