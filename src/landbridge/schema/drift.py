"""Drift: what changed between two looks at a table (docs/metadata-change-tracking.md, "Changes")."""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from landbridge.schema.fit import fit
from landbridge.schema.metadata import ColumnMetadata, ForeignKey, TableMetadata
from landbridge.schema.names import fold, plain

Kind = Literal[
    "column_added",
    "column_removed",
    "column_renamed",
    "column_type_changed",
    "column_nullability_changed",
    "column_position_changed",
    "column_default_changed",
    "column_identity_changed",
    "column_comment_changed",
    "column_collation_changed",
    "primary_key_changed",
    "unique_keys_changed",
    "foreign_keys_changed",
    "table_comment_changed",
    "clustering_key_changed",
]
ORDER: tuple[Kind, ...] = get_args(Kind)
# how many of a kind there are, in words: of one and of several; a table has only one of what has no plural
COUNTED: dict[Kind, tuple[str, str]] = {
    "column_added": ("column added", "columns added"),
    "column_removed": ("column removed", "columns removed"),
    "column_renamed": ("column renamed", "columns renamed"),
    "column_type_changed": ("type changed", "types changed"),
    "column_nullability_changed": ("nullability changed", "nullabilities changed"),
    "column_position_changed": ("position changed", "positions changed"),
    "column_default_changed": ("default changed", "defaults changed"),
    "column_identity_changed": ("identity changed", "identities changed"),
    "column_comment_changed": ("comment changed", "comments changed"),
    "column_collation_changed": ("collation changed", "collations changed"),
}


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference; `before` and `after` as people write them, None for what is not there.

    `column` is the name after the change (before it, for one that went), None for what is the table's own.
    `guessed`: a rename that nobody told us of.
    """

    kind: Kind
    column: str | None = None
    before: str | None = None
    after: str | None = None
    safe: bool
    guessed: bool = False

    @property
    def line(self) -> str:
        """The change as alerts and logs tell it; one line whatever a name or a comment holds."""
        title = self.kind.replace("_", " ").capitalize()
        before, after = _shown(self.before), _shown(self.after)
        if self.kind == "column_renamed":
            doubt = ", as it seems" if self.guessed else ""
            return f"~ {title}{doubt}: {plain(self.before or '')} → {plain(self.after or '')}"
        if self.column is None:
            return f"~ {title}: {before} → {after}"
        if self.kind == "column_added":
            return f"+ {title}: {plain(self.column)} ({after})"
        if self.kind == "column_removed":
            return f"- {title}: {plain(self.column)} ({before})"
        return f"~ {title}: {plain(self.column)}: {before} → {after}"


def _shown(text: str | None) -> str:
    if text is None:
        return "none"
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)


def changes(before: TableMetadata, after: TableMetadata) -> tuple[Change, ...]:
    """What changed, in the order of the kinds, then of the columns; a rename is told where it is likely.

    Names that differ only in case and fold to one are one column, for the target's is the same.
    """
    same = paired(before.schema.names, after.schema.names)
    return compare(before, after, same, _likely_rename(before, after, same))


def summary(changes: Iterable[Change]) -> str:
    """Counts by kind, in the order of the kinds: `2 columns added, 1 type changed`."""
    counts = Counter(change.kind for change in changes)
    words = [_counted(kind, counts[kind]) for kind in ORDER if counts[kind]]
    return ", ".join(words) or "no changes"


def _counted(kind: Kind, count: int) -> str:
    if kind not in COUNTED:
        return kind.replace("_", " ")
    one, several = COUNTED[kind]
    return f"{count} {one if count == 1 else several}"


def paired(before: Sequence[str], after: Sequence[str], key: Callable[[str], str] = fold) -> dict[str, str]:
    """Old name → new name of the columns that stayed: named the same, else the only two of one `key`."""
    pairs = {name: name for name in before if name in after}
    left, came = _by_key(before, pairs, key), _by_key(after, pairs, key)
    alone = {word: names[0] for word, names in came.items() if len(names) == 1}
    return pairs | {names[0]: alone[word] for word, names in left.items() if len(names) == 1 and word in alone}


def _by_key(names: Iterable[str], known: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if name not in known:
            found[key(name)].append(name)
    return found


def compare(
    before: TableMetadata, after: TableMetadata, pairs: Mapping[str, str], guess: Mapping[str, str] | None = None
) -> tuple[Change, ...]:
    """What differs, where `pairs` says which column of `before` is which of `after`; keys do not follow a `guess`."""
    guess = guess or {}
    found = [*_columns(before, after, {**pairs, **guess}), *_table(before, after, pairs)]
    found = [replace(c, guessed=True) if c.kind == "column_renamed" and c.before in guess else c for c in found]
    return tuple(sorted(found, key=lambda change: ORDER.index(change.kind)))


def _columns(before: TableMetadata, after: TableMetadata, pairs: Mapping[str, str]) -> Iterator[Change]:
    for column in before.columns:
        if column.name not in pairs:
            yield Change(kind="column_removed", column=column.name, before=column.data_type, safe=False)
    stayed = {to: old for old in before.columns if (to := pairs.get(old.name))}
    for column in after.columns:
        if column.name in stayed:
            yield from _column(stayed[column.name], column)
        else:
            safe = column.is_nullable or column.column.has_default
            yield Change(kind="column_added", column=column.name, after=column.data_type, safe=safe)
    yield from _moved(before.schema.names, after.schema.names, pairs)


def _column(old: ColumnMetadata, new: ColumnMetadata) -> Iterator[Change]:
    def change(kind: Kind, before: str | None, after: str | None, *, safe: bool) -> Change:
        return Change(kind=kind, column=new.name, before=before, after=after, safe=safe)

    if old.name != new.name:
        yield change("column_renamed", old.name, new.name, safe=fold(old.name) == fold(new.name))
    if (old.type, old.data_type) != (new.type, new.data_type):
        words = (str(old.type), str(new.type)) if old.data_type == new.data_type else (old.data_type, new.data_type)
        yield change("column_type_changed", *words, safe=fit(old.type, new.type) in ("exact", "widened"))
    if old.is_nullable != new.is_nullable:
        words = ("NULL", "NOT NULL") if old.is_nullable else ("NOT NULL", "NULL")
        yield change("column_nullability_changed", *words, safe=new.is_nullable)
    if old.default_value != new.default_value:
        yield change("column_default_changed", old.default_value, new.default_value, safe=True)
    if old.identity != new.identity:
        yield change("column_identity_changed", old.identity, new.identity, safe=True)
    if old.comment != new.comment:
        yield change("column_comment_changed", old.comment, new.comment, safe=True)
    if old.collation != new.collation:
        yield change("column_collation_changed", old.collation, new.collation, safe=False)


def _moved(before: Sequence[str], after: Sequence[str], pairs: Mapping[str, str]) -> Iterator[Change]:
    """The fewest columns that must move so that the others, which stayed, stand in their old order."""
    old_place = {pairs[name]: place for place, name in enumerate(before) if name in pairs}
    stayed = [name for name in after if name in old_place]
    still = _longest_increasing([old_place[name] for name in stayed])
    for name in stayed:
        if old_place[name] not in still:
            places = str(old_place[name] + 1), str(after.index(name) + 1)
            yield Change(kind="column_position_changed", column=name, before=places[0], after=places[1], safe=True)


def _longest_increasing(numbers: Sequence[int]) -> set[int]:
    """The numbers of one longest increasing subsequence; `numbers` differ from each other."""
    ends: list[int] = []  # by length less one: the smallest number that such a sequence can end with
    previous: dict[int, int | None] = {}
    for number in numbers:
        length = bisect_left(ends, number)
        previous[number] = ends[length - 1] if length else None
        ends[length : length + 1] = [number]
    found = set()
    at = ends[-1] if ends else None
    while at is not None:
        found.add(at)
        at = previous[at]
    return found


def _table(before: TableMetadata, after: TableMetadata, pairs: Mapping[str, str]) -> Iterator[Change]:
    """Keys are compared by the columns that they mean, whatever those are called now."""

    def change(kind: Kind, old: str | None, new: str | None, *, safe: bool) -> Iterator[Change]:
        if old != new:
            yield Change(kind=kind, before=old, after=new, safe=safe)

    def now(key: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(pairs.get(name, name) for name in key)

    foreign = [ForeignKey(now(key.columns), key.references, key.referenced_columns) for key in before.foreign_keys]
    yield from change("primary_key_changed", _keys([now(before.primary_key)]), _keys([after.primary_key]), safe=False)
    yield from change("unique_keys_changed", _keys(map(now, before.unique_keys)), _keys(after.unique_keys), safe=False)
    yield from change("foreign_keys_changed", _foreign(foreign), _foreign(after.foreign_keys), safe=True)
    yield from change("table_comment_changed", before.comment, after.comment, safe=True)
    yield from change("clustering_key_changed", before.clustering_key, after.clustering_key, safe=True)


def _keys(keys: Iterable[tuple[str, ...]]) -> str | None:
    return ", ".join(f"({', '.join(map(plain, key))})" for key in sorted(keys) if key) or None


def _foreign(keys: Iterable[ForeignKey]) -> str | None:
    told = (f"{_keys([key.columns])} references {key.references} {_keys([key.referenced_columns])}" for key in keys)
    return ", ".join(sorted(told)) or None


def _likely_rename(before: TableMetadata, after: TableMetadata, same: Mapping[str, str]) -> dict[str, str]:
    """Old and new name of the one column that seems renamed; empty where none does, or more than one might be."""
    went = [(place, column) for place, column in enumerate(before.columns) if column.name not in same]
    came = [(place, column) for place, column in enumerate(after.columns) if column.name not in same.values()]
    if len(went) != 1 or len(came) != 1:
        return {}
    (left, old), (right, new) = went[0], came[0]
    neighbours = {same[name] for name in before.schema.names[:left]} == set(after.schema.names[:right])
    alike = (old.type, old.data_type, old.is_nullable) == (new.type, new.data_type, new.is_nullable)
    return {old.name: new.name} if neighbours and alike else {}
