"""Which columns leave a source, under what name, and what hides their values (docs/configuration.md, "Columns")."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from landbridge.errors import ConfigError
from landbridge.schema.canonical import from_text
from landbridge.schema.metadata import ColumnMetadata, TableMetadata
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import did_you_mean

Mask = Literal["hash", "null", "constant"]

HASHED = Type("text", length=32)  # hex digits
WHERE = "see columns and exclude of the table in config/tables.yaml"


@dataclass(frozen=True)
class Pick:
    """One column of the source: `rename` None keeps its name, `mask` None its values; `value` is of a constant."""

    name: str
    rename: str | None = None
    mask: Mask | None = None
    value: str | None = None

    @property
    def leaves_as(self) -> str:
        return self.rename or self.name

    def history(self, native: str | None) -> str:
        """For people: the type at the source and what became of the column since: `INTEGER, was SECID, hash`."""
        was = f"was {self.name}" if self.leaves_as != self.name else None
        return ", ".join(word for word in (native, was, self.mask) if word)


@dataclass(frozen=True)
class Columns:
    """The columns picked and, with `others`, all that are neither picked nor in `exclude`. By default all of them."""

    picks: tuple[Pick, ...] = ()
    others: bool = True
    exclude: tuple[str, ...] = ()

    def pick(self, name: str) -> Pick:
        """How the source's column of that name leaves."""
        return next((pick for pick in self.picks if pick.name == name), Pick(name))

    @property
    def altered(self) -> dict[str, Pick]:
        """The columns that are not as they were at the source, by the names under which they leave."""
        return {pick.leaves_as: pick for pick in self.picks if pick.leaves_as != pick.name or pick.mask}

    @property
    def unread(self) -> frozenset[str]:
        """Columns that leave without their values: a source delivers NULL for them, and does not look at them."""
        return frozenset(pick.name for pick in self.picks if pick.mask in ("null", "constant"))


def chosen(source: TableSchema, columns: Columns) -> TableSchema:
    """The columns that leave, in the source's order, as they are there; the key only if all of it leaves.

    Raises ConfigError for names that the source does not have, and where nothing is left.
    """
    named = (*(pick.name for pick in columns.picks), *columns.exclude)
    problems = [
        f"the source has no column {name!r}{did_you_mean(name, source.names)}"
        for name in named
        if name not in source.names
    ]
    left = tuple(column for column in source.columns if column.name in named or columns.others)
    left = tuple(column for column in left if column.name not in columns.exclude)
    if not left:
        problems.append("no column is left to export")
    if problems:
        raise ConfigError("\n".join(problems), hint=WHERE)
    names = {column.name for column in left}
    return TableSchema(left, source.primary_key if names.issuperset(source.primary_key) else ())


def leaving(source: TableSchema, columns: Columns) -> TableSchema:
    """What `chosen` gave, as it stands in the parcel: renamed, and of the types that the masks make.

    Raises ConfigError for a constant that its column cannot hold, and for two columns of one name.
    """
    picks = [columns.pick(column.name) for column in source.columns]
    left = tuple(_left(column, pick) for column, pick in zip(source.columns, picks, strict=True))
    names = [column.name for column in left]
    problems = [*_double(names), *_misfits(source, columns)]
    if problems:
        raise ConfigError("\n".join(problems), hint=WHERE)
    key = tuple(names[source.names.index(name)] for name in source.primary_key)
    return TableSchema(left, () if columns.unread.intersection(source.primary_key) else key)


def leaving_table(table: TableMetadata, columns: Columns) -> TableMetadata:
    """What a table looks like where its rows arrive: what is masked has no default and is part of no key."""
    source = chosen(table.schema, columns)
    pairs = list(zip(source.columns, leaving(source, columns).columns, strict=True))
    kept = {was.name: now.name for was, now in pairs if columns.pick(was.name).mask is None}
    told = {column.name: column for column in table.columns}
    return replace(
        table,
        columns=tuple(_arriving(told[was.name], now, masked=was.name not in kept) for was, now in pairs),
        primary_key=leaving(source, columns).primary_key,
        unique_keys=tuple(_renamed(key, kept) for key in table.unique_keys if kept.keys() >= set(key)),
        foreign_keys=tuple(
            replace(key, columns=_renamed(key.columns, kept))
            for key in table.foreign_keys
            if kept.keys() >= set(key.columns)
        ),
    )


def _arriving(was: ColumnMetadata, now: Column, *, masked: bool) -> ColumnMetadata:
    column = replace(was, name=now.name, type=now.type, is_nullable=now.nullable)
    return replace(column, default_value=None, identity=None, collation=None) if masked else column


def _renamed(names: tuple[str, ...], kept: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(kept[name] for name in names)


def _left(column: Column, pick: Pick) -> Column:
    column = replace(column, name=pick.leaves_as)
    if pick.mask == "hash":
        return replace(column, type=HASHED, native=None)
    return replace(column, nullable=True) if pick.mask == "null" else column


def _double(names: list[str]) -> Iterator[str]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two columns would leave as {name!r}"


def _misfits(source: TableSchema, columns: Columns) -> Iterator[str]:
    for pick in columns.picks:
        column = source.column(pick.name)
        if column is None or pick.value is None:
            continue
        try:
            from_text(pick.value, column.type)
        except ValueError:
            yield f"the constant of column {pick.name!r} is no {column.type}"
