"""The whole DDL of a target table, as `metadata/ddl/{table}_create.sql` has it (docs/metadata-change-tracking.md)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from landbridge.errors import SchemaMismatch
from landbridge.schema.ddl import Dialect
from landbridge.schema.defaults import translated
from landbridge.schema.dialects import TARGETS
from landbridge.schema.metadata import ColumnMetadata, ForeignKey, TableMetadata
from landbridge.schema.model import Column, Relation, TableSchema
from landbridge.schema.names import did_you_mean, folded, qualify
from landbridge.schema.native import take_apart

# how a type begins whose values are the very text that a default of theirs shows; intervals, arrays, … are not
LITERAL = (
    "text",
    "tinytext",
    "mediumtext",
    "longtext",
    "varchar",
    "character varying",
    "string",
    "citext",
    "enum",
    "json",
    "variant",
)
LONGEST_COMMENT = {"table": 2_048, "column": 1_024}  # characters, of MySQL; the others take more


def table_ddl(
    dialect: str,
    relation: Relation,
    table: TableMetadata,
    *,
    source_dialect: str,
    indexes: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> str:
    """CREATE TABLE of `relation` for the columns of `table`, its indexes and comments, then what was left out, and why.

    `dialect` is one of `TARGETS`; defaults are read as `source_dialect` writes them. Names are folded and quoted.
    Raises SchemaMismatch for names, keys or indexes that cannot be.
    """
    new = _NewTable(dialect, TARGETS[dialect], relation, table, source_dialect, tuple(indexes))
    lines = [f"-- {_in_a_line(text)}" for text in (*new.left_out(), *remarks)]
    return "\n\n".join([*(f"{one};" for one in new.statements()), *(["\n".join(lines)] if lines else [])]) + "\n"


def table_statements(
    dialect: str, relation: Relation, table: TableMetadata, *, source_dialect: str, indexes: Sequence[str] = ()
) -> tuple[str, ...]:
    """The statements of `table_ddl`, to be executed in their order. Raises as that does."""
    return _NewTable(dialect, TARGETS[dialect], relation, table, source_dialect, tuple(indexes)).statements()


def as_target(dialect: str, table: TableMetadata, *, source_dialect: str) -> TableMetadata:
    """The table under the names and with the defaults that `table_ddl` gives it."""
    new = _NewTable(dialect, TARGETS[dialect], Relation("_"), table, source_dialect, ())
    return replace(
        table,
        columns=tuple(
            replace(
                column,
                name=new.dialect.fold(column.name),
                default_value=None if column.identity else new.default(column),
            )
            for column in table.columns
        ),
        primary_key=new.schema.primary_key,
        unique_keys=tuple(new.unique_keys),
        foreign_keys=(),
    )


@dataclass(frozen=True)
class _NewTable:
    name: str
    dialect: Dialect
    relation: Relation
    table: TableMetadata
    source: str
    wanted: tuple[str, ...]

    @cached_property
    def schema(self) -> TableSchema:
        return folded(self.table.schema, self.dialect.fold)

    @cached_property
    def unique_keys(self) -> list[tuple[str, ...]]:
        keys = (tuple(map(self.dialect.fold, key)) for key in self.table.unique_keys)
        return [key for key in dict.fromkeys(keys) if {*key} != {*self.schema.primary_key}]

    @cached_property
    def indexes(self) -> list[Column]:
        """The columns to be indexed, each once; that of a primary key of one column is by its key."""
        names = {name.casefold(): name for name in reversed(self.schema.names)}
        unknown = [name for name in self.wanted if name not in self.schema.names and name.casefold() not in names]
        if unknown:
            raise SchemaMismatch(
                "\n".join(f"no column {name!r} to index{did_you_mean(name, self.schema.names)}" for name in unknown),
                hint="see indexes of the table in config/tables.yaml",
            )
        found = dict.fromkeys(name if name in self.schema.names else names[name.casefold()] for name in self.wanted)
        return [
            column for column in map(self.schema.column, found) if column and (column.name,) != self.schema.primary_key
        ]

    @cached_property
    def types(self) -> dict[str, str]:
        keyed = {name for key in self.keys for name in key} | {column.name for column in self.indexes}
        return dict(self.dialect.types(self.schema, keyed))

    @property
    def keys(self) -> list[tuple[str, ...]]:
        return [key for key in (self.schema.primary_key, *self.unique_keys) if key]

    @property
    def place(self) -> str:
        return qualify(self.relation, self.dialect.quote)

    def statements(self) -> tuple[str, ...]:
        """Raises SchemaMismatch for what the database does not take."""
        self._check()
        return (self._create(), *self._beside())

    def _check(self) -> None:
        names = (*self.relation.levels, *self.schema.names)
        if wrong := [name for name in names if not name or not _is_text(name)]:
            raise SchemaMismatch("\n".join(f"not a name that SQL can hold: {name!r}" for name in wrong))
        missing = [name for key in self.keys for name in key if name not in self.schema.names]
        if missing:
            raise SchemaMismatch("\n".join(f"a key names column {name!r}, which is not there" for name in missing))
        self.dialect.check(self.relation, self.schema, self.keys)

    def _create(self) -> str:
        quote = self.dialect.quote
        lines = [self._define(column) for column in self.table.columns]
        if self.schema.primary_key:
            lines.append(f"PRIMARY KEY ({self._list(self.schema.primary_key)})")
        for key in self.unique_keys:
            name = self.dialect.short("_".join(("uq", self.relation.table, *key)))
            lines.append(f"CONSTRAINT {quote(name)} UNIQUE ({self._list(key)})")
        if self.dialect.within:
            lines += [f"INDEX {self._index(column)} ({self.dialect.index_part(column)})" for column in self.indexes]
        body = ",\n".join(f"    {line}" for line in lines)
        comment = f" COMMENT = {self._text(self.table.comment)}" if self._inline(self.table.comment, "table") else ""
        return f"CREATE TABLE IF NOT EXISTS {self.place} (\n{body}\n){self.dialect.suffix}{comment}"

    def _beside(self) -> Iterator[str]:
        """The statements that follow CREATE TABLE."""
        if self.dialect.within:
            return
        for indexed in self.indexes if self.dialect.has_indexes else ():
            part = self.dialect.index_part(indexed)
            yield f"CREATE INDEX IF NOT EXISTS {self._index(indexed)} ON {self.place} ({part})"
        if self.table.comment and _is_text(self.table.comment):
            yield f"COMMENT ON TABLE {self.place} IS {self._text(self.table.comment)}"
        for column in self.table.columns:
            if column.comment and _is_text(column.comment):
                name = self.dialect.quote(self.dialect.fold(column.name))
                yield f"COMMENT ON COLUMN {self.place}.{name} IS {self._text(column.comment)}"

    def left_out(self) -> Iterator[str]:
        """What the source has and this table has not, a line each."""
        identity = self._identities
        for column in self.table.columns:
            name = self.dialect.fold(column.name)
            if column.identity and name not in identity:
                yield f"left out: identity ({column.identity}) of {name}"
            elif column.default_value is not None and not column.identity and self.default(column) is None:
                yield f"left out: default of {name}, in {self.source} {column.default_value}"
            if column.comment and not self._commented(column.comment, "column"):
                yield f"comment of {name}: {column.comment}"
        if self.table.comment and not self._commented(self.table.comment, "table"):
            yield f"comment: {self.table.comment}"
        yield from (_foreign(key, self.dialect) for key in self.table.foreign_keys)
        if not self.dialect.has_indexes:
            yield from (f"left out: index on {column.name}, {self.name} has none" for column in self.indexes)

    @cached_property
    def _identities(self) -> dict[str, str]:
        """The clauses of identity columns by name; only the first can lead a key (MySQL has one to a table)."""
        names = [self.dialect.fold(column.name) for column in self.table.columns if column.identity]
        leaders = {key[0] for key in self.keys}
        clauses = {n: self.dialect.identity(self.types[n], n in leaders and n == names[0]) for n in names}
        return {name: clause for name, clause in clauses.items() if clause}

    def _define(self, column: ColumnMetadata) -> str:
        name = self.dialect.fold(column.name)
        words = [self.dialect.quote(name), self.types[name]]
        if not column.is_nullable:
            words.append("NOT NULL")
        default = None if column.identity else self.default(column)
        if default not in (None, "NULL"):
            words.append(f"DEFAULT {default}")
        if clause := self._identities.get(name):
            words.append(clause)
        if self._inline(column.comment, "column"):
            words.append(f"COMMENT {self._text(column.comment)}")
        return " ".join(words)

    def default(self, column: ColumnMetadata) -> str | None:
        """Its default in the target's words; None where it has none there."""
        words = take_apart(column.data_type)[0]
        literal = column.type.kind not in ("text", "json") or (words.startswith(LITERAL) and "[" not in words)
        if column.default_value is None or not literal:
            return None
        return translated(column.default_value, self.source, self.name, column.type)

    def _commented(self, comment: str, of: str) -> bool:
        return self._inline(comment, of) if self.dialect.within else _is_text(comment)

    def _inline(self, comment: str | None, of: str) -> bool:
        return bool(self.dialect.within and comment and _is_text(comment) and len(comment) <= LONGEST_COMMENT[of])

    def _text(self, comment: str | None) -> str:
        return self.dialect.literal(comment or "")

    def _index(self, column: Column) -> str:
        return self.dialect.quote(self.dialect.short(f"idx_{self.relation.table}_{column.name}"))

    def _list(self, key: Sequence[str]) -> str:
        return ", ".join(map(self.dialect.quote, key))


def _foreign(key: ForeignKey, dialect: Dialect) -> str:
    return (
        f"left out: foreign key ({', '.join(map(dialect.fold, key.columns))}) to {key.references} "
        f"({', '.join(key.referenced_columns)}): tables are loaded one by one"
    )


def _is_text(text: str) -> bool:
    """False for what no SQL text holds: NUL, and half a character."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _in_a_line(text: str) -> str:
    """`text` with all that is not printable escaped: nothing ends the line, or hides in it."""
    return "".join(x if x.isprintable() else x.encode("unicode_escape").decode() for x in text)
