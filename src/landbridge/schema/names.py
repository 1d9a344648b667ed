"""Names: how an identifier is quoted, what it is called at the target, and which one was meant."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches

from landbridge.errors import SchemaMismatch
from landbridge.schema.model import Relation, TableSchema


def quote(name: str) -> str:
    """`name` between double quotes, with those inside doubled. Raises ValueError for an empty name or one with NUL."""
    if not name or "\0" in name:
        raise ValueError(f"not a name that SQL can hold: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def qualify(relation: Relation, quote: Callable[[str], str] = quote) -> str:
    """The relation's levels, each quoted, outermost first, joined with dots."""
    return ".".join(quote(level) for level in relation.levels)


def fold(name: str) -> str:
    """THE identifier rule: a name without lower-case letters is lower-cased at the target, any other is kept."""
    return name if any(letter.islower() for letter in name) else name.lower()


def unfold(name: str) -> str:
    """The same for Snowflake, whose own names are upper case: one without upper-case letters is upper-cased."""
    return name if any(letter.isupper() for letter in name) else name.upper()


def folded(schema: TableSchema, rule: Callable[[str], str] = fold) -> TableSchema:
    """`schema` with columns and key folded. Raises SchemaMismatch where two columns fold to one name."""
    sources: dict[str, list[str]] = {}
    for name in schema.names:
        sources.setdefault(rule(name), []).append(name)
    clashes = [f"columns {', '.join(names)} would all be named {to}" for to, names in sources.items() if len(names) > 1]
    if clashes:
        raise SchemaMismatch("\n".join(clashes), hint="rename all but one of them: `as` in columns of the table")
    columns = tuple(replace(column, name=rule(column.name)) for column in schema.columns)
    return TableSchema(columns, tuple(map(rule, schema.primary_key)))


def plain(name: str) -> str:
    """`name` as it is shown in messages: one that is no plain word is quoted and escaped."""
    return name if re.fullmatch(r"[\w-]+", name) else json.dumps(name)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The name that was most likely meant; None where nothing is near."""
    names = {name.casefold(): name for name in sorted(known)}
    near = get_close_matches(word.casefold(), names, n=1, cutoff=0.65)
    return names[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'table'?`, or, where nothing is near, `; known: …` with the first ten."""
    names = sorted(known)
    if near := nearest(word, names):
        return f"; did you mean {near!r}?"
    shown = [plain(name) for name in names]
    return f"; known: {', '.join(shown[:10] + ['…'] * (len(shown) > 10)) or 'none'}"
