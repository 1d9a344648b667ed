"""Structure: how a standing table differs from the one that its database would make of what is wanted."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from landbridge.schema.alter import Dialect
from landbridge.schema.drift import Change, Kind, compare, paired
from landbridge.schema.metadata import ColumnMetadata, TableMetadata
from landbridge.schema.migration import WORDS, landed
from landbridge.schema.names import plain

SAID: Mapping[Kind, Callable[[Change], str]] = {
    "column_removed": lambda c: f"column {plain(c.column or '')} ({c.before}) is missing",
    "column_added": lambda c: f"column {plain(c.column or '')} ({c.after}) is only in the target",
    "column_renamed": lambda c: f"column {plain(c.before or '')} is called {plain(c.after or '')}",
    "column_type_changed": lambda c: f"column {plain(c.column or '')} is {c.after}, not {c.before}",
    "column_nullability_changed": lambda c: f"column {plain(c.column or '')} is {c.after}, not {c.before}",
    "column_position_changed": lambda c: f"column {plain(c.column or '')} is number {c.after}, not {c.before}",
    "primary_key_changed": lambda c: f"the primary key is {c.after or 'none'}, not {c.before or 'none'}",
    "unique_keys_changed": lambda c: f"the unique keys are {c.after or 'none'}, not {c.before or 'none'}",
}


def differences(standing: TableMetadata, wanted: TableMetadata, dialect: Dialect) -> tuple[str, ...]:
    """A line for each difference of names, types, nullability, keys and order; () where there is none.

    `wanted` bears the target's names. Types are compared by what they hold, in the words of the database itself:
    VARCHAR(8) and character varying(8) are one. Defaults, comments, indexes and foreign keys are not compared.
    """
    words = WORDS[dialect]
    goals = tuple(landed(column, wanted.primary_key, words) for column in wanted.columns)
    pairs = paired(tuple(goal.name for goal in goals), standing.schema.names, words.key)
    made = replace(
        wanted,
        columns=tuple(_in_words_of(standing.column(pairs.get(goal.name, "")), goal) for goal in goals),
        unique_keys=tuple(sorted(wanted.unique_keys)),
    )
    return tuple(SAID[change.kind](change) for change in compare(made, standing, pairs) if change.kind in SAID)


def _in_words_of(old: ColumnMetadata | None, goal: ColumnMetadata) -> ColumnMetadata:
    return goal if old is None or old.type != goal.type else replace(goal, data_type=old.data_type)
