"""Migration: the SQL that makes the wanted table of a standing one (docs/metadata-change-tracking.md, "Migrations")."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from landbridge.errors import SchemaMismatch
from landbridge.schema import alter, duckdb, postgres, rebuild, snowflake
from landbridge.schema.alter import Dialect, Step, Way
from landbridge.schema.conversion import refused
from landbridge.schema.drift import Change, Kind, compare, paired, summary
from landbridge.schema.fit import loadable
from landbridge.schema.metadata import ColumnMetadata, TableMetadata
from landbridge.schema.model import Relation, TableSchema, Type
from landbridge.schema.names import fold, plain, unfold

HINT = "--create-postgres --drop-existing makes the target anew; or change the one or the other by hand"
CAST_LITERAL = re.compile(r"('(?:[^']|'')*')::[\w ]+(\(\d+\))?")  # as PostgreSQL's catalogue writes a literal


@dataclass(frozen=True)
class Migration:
    """Steps for one transaction, in order; `after` is the table that then stands."""

    relation: Relation
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    after: TableMetadata

    @property
    def safe(self) -> bool:
        return all(change.safe for change in self.changes)

    @property
    def summary(self) -> str:
        return summary(self.changes)


@dataclass(frozen=True)
class Words:
    """A dialect; `key` is equal for names that are one column."""

    parse_type: Callable[[str], Type]
    render_type: Callable[[Type], str]
    create_table: Callable[[Relation, TableSchema], str]
    key: Callable[[str], str]


UNDONE: dict[Kind, tuple[str, ...]] = {
    "column_type_changed": ("type", "data_type"),
    "column_nullability_changed": ("is_nullable",),
}
WORDS: dict[Dialect, Words] = {
    "postgres": Words(postgres.parse_type, postgres.render_type, postgres.create_table, fold),
    "duckdb": Words(duckdb.parse_type, duckdb.render_type, duckdb.create_table, str.lower),
    "snowflake": Words(snowflake.parse_type, snowflake.render_type, snowflake.create_table, unfold),
}


def migration(
    standing: TableMetadata,
    wanted: TableMetadata,
    dialect: Dialect,
    relation: Relation,
    *,
    renames: Mapping[str, str] | None = None,
) -> Migration:
    """The way from `standing` to `wanted`, whose columns bear the target's names and whose defaults are its SQL.

    `renames` maps standing names to wanted ones; nothing is taken for renamed that is not in it, but for names that
    are one to the dialect. Columns that stay keep their places, new ones follow. Raises SchemaMismatch, a line for
    each problem, where no SQL keeps the rows or the database cannot hold the table.
    """
    words, renames = WORDS[dialect], renames or {}
    if problems := _wrong_renames(standing, wanted, renames, words):
        raise SchemaMismatch("\n".join(problems), hint="name a column that stands, and a new one that is wanted")
    left = [name for name in standing.schema.names if name not in renames]
    came = [name for name in wanted.schema.names if name not in renames.values()]
    pairs = {**renames, **paired(left, came, words.key)}
    way = Way(relation, standing, _after(standing, wanted, pairs, words), pairs, dialect)
    if problems := refused(way.stayed()):
        raise SchemaMismatch("\n".join(problems), hint=HINT)
    words.create_table(relation, way.after.schema)  # what cannot be created cannot be migrated to either
    changes = tuple(
        _classed(change, dialect) for change in compare(standing, way.after, pairs) if change.kind in alter.KINDS
    )
    steps = rebuild.steps if rebuild.needed(way, changes) else alter.steps
    return Migration(relation, changes, tuple(steps(way, changes)), way.after)


def as_far_as_safe(standing: TableMetadata, whole: Migration) -> TableMetadata:
    """What is wanted as far as the way there breaks nothing: the table after `whole`, its breaking changes undone."""
    breaking = [change for change in whole.changes if not change.safe]
    was = {change.column: change.before for change in whole.changes if change.kind == "column_renamed"}
    columns = {column.name: column for column in whole.after.columns}
    for change in breaking:
        name = change.column or ""
        old = standing.column(was.get(name) or name)
        if change.kind == "column_added":
            del columns[name]
        elif old is not None and change.kind == "column_removed":
            columns[name] = old
        elif old is not None and change.kind in UNDONE:
            columns[name] = replace(columns[name], **{field: getattr(old, field) for field in UNDONE[change.kind]})
    back = {change.column: change.before for change in breaking if change.kind == "column_renamed"}
    kept = (replace(column, name=back.get(column.name) or column.name) for column in columns.values())
    keys = {change.kind for change in breaking}
    return replace(
        whole.after,
        columns=tuple(kept),
        primary_key=standing.primary_key if "primary_key_changed" in keys or back else whole.after.primary_key,
        unique_keys=standing.unique_keys if "unique_keys_changed" in keys or back else whole.after.unique_keys,
    )


def _wrong_renames(
    standing: TableMetadata, wanted: TableMetadata, renames: Mapping[str, str], words: Words
) -> list[str]:
    stand = {words.key(name) for name in standing.schema.names}
    return [
        f"column {plain(old)} cannot be renamed to {plain(new)}: {problem}"
        for old, new in renames.items()
        for wrong, problem in (
            (standing.column(old) is None, "it does not stand"),
            (wanted.column(new) is None, "that is not wanted"),
            (wanted.column(old) is not None, "it is wanted as it is"),
            (words.key(new) in stand - {words.key(old)}, "that stands already"),
            (list(renames.values()).count(new) > 1, "so would another be"),
        )
        if wrong
    ]


def _after(standing: TableMetadata, wanted: TableMetadata, pairs: Mapping[str, str], words: Words) -> TableMetadata:
    goals = {column.name: landed(column, wanted.primary_key, words) for column in wanted.columns}
    stay = [_merged(old, goals[pairs[old.name]]) for old in standing.columns if old.name in pairs]
    added = [goal for name, goal in goals.items() if name not in pairs.values()]
    keys = tuple(sorted(wanted.unique_keys))
    return replace(standing, columns=(*stay, *added), primary_key=wanted.primary_key, unique_keys=keys)


def landed(column: ColumnMetadata, key: Sequence[str], words: Words) -> ColumnMetadata:
    """The column as the dialect would make it: `decimal(9,0)` is an INTEGER in PostgreSQL."""
    native = words.render_type(column.type)
    return ColumnMetadata(
        name=column.name,
        data_type=native,
        type=words.parse_type(native),
        is_nullable=column.is_nullable and column.name not in key,
        default_value=column.default_value,
    )


def _merged(old: ColumnMetadata, goal: ColumnMetadata) -> ColumnMetadata:
    """`goal` with what a migration leaves alone: identity, collation, comment, and the database's words for it."""
    fits = old.type == goal.type and loadable(old.column)
    kind = old if fits else goal
    same_default = old.identity is not None or _default(old.default_value) == _default(goal.default_value)
    return replace(
        old,
        name=goal.name,
        type=kind.type,
        data_type=kind.data_type,
        is_nullable=goal.is_nullable,
        default_value=old.default_value if same_default else goal.default_value,
    )


def _default(text: str | None) -> str | None:
    """A default as it is compared: PostgreSQL writes `'x'` back as `'x'::text`."""
    literal = CAST_LITERAL.fullmatch(text or "")
    return literal[1] if literal else text


def _classed(change: Change, dialect: Dialect) -> Change:
    """Who reads the target finds a column only by its name, except that DuckDB's ignore case."""
    if change.kind != "column_renamed":
        return change
    same = (change.before or "").lower() == (change.after or "").lower()
    return replace(change, safe=dialect == "duckdb" and same)
