"""Row filters: one text or a list of texts, composed into the WHERE and QUALIFY of a read (seed 000, section 0.3)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# What can hide a parenthesis. A backslash before a closing quote matches nothing: databases disagree on what it
# means, so the quote is left over and the item refused. The same for a comment inside a comment.
HIDDEN = re.compile(
    r"""
      '(?:[^'\\]|''|\\[^'])*'
    | "(?:[^"]|"")*"
    | `[^`]*`
    | (\$(?:[A-Za-z_]\w*)?\$).*?\1
    | --[^\n]*
    | /\*(?:(?!/\*).)*?\*/
    """,
    re.DOTALL | re.VERBOSE,
)
LEFT_OPEN = re.compile(r"['\"`]|/\*|\$\$")
LINE_COMMENT = re.compile(r"--|//|\#")
LEADING_WORD = re.compile(r"\s*(where|and|or|qualify)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Filter:
    """Row filter as SQL text of the source: `where` without the word WHERE, `qualify` without QUALIFY.

    Either can be joined to another predicate with AND as it stands.
    """

    where: str | None = None
    qualify: str | None = None


def compose(filter: str | Sequence[str] | None) -> Filter:  # noqa: A002 - named after the key of tables.yaml
    """The items of `filter` joined in their order, each in parentheses of its own.

    Blank items are dropped. An item may start with WHERE, AND, OR or QUALIFY: OR joins it with OR, QUALIFY sets it
    apart, and everything else is joined with AND. Raises ValueError, with a reason, for an item that is no text,
    is empty but for its first word or a comment, holds a semicolon, or leaves a quote, comment or parenthesis open.
    """
    where = qualify = ""
    alternatives = False
    for word, text in _items(filter):
        if word == "QUALIFY":
            qualify += f" AND {text}" if qualify else text
        else:
            alternatives = alternatives or (word == "OR" and where != "")
            where += f" {'OR' if word == 'OR' else 'AND'} {text}" if where else text
    return Filter(f"({where})" if alternatives else where or None, qualify or None)


def where_clause(filter: Filter) -> str:  # noqa: A002 - what it takes is a Filter
    """Text to put behind a FROM clause: ` WHERE …`, a line with ` QUALIFY …`, both, or nothing."""
    clauses = (("WHERE", filter.where), ("QUALIFY", filter.qualify))
    return "\n".join(f" {word} {text}" for word, text in clauses if text)


def _items(given: str | Sequence[str] | None) -> Iterator[tuple[str, str]]:
    """Each item's leading word in upper case, "" for none, and the rest of it in parentheses."""
    items = [given] if isinstance(given, str) else given or []
    for number, item in enumerate(items, start=1):
        if not isinstance(item, str):
            raise ValueError(f"filter item {number} is {type(item).__name__}, not text")  # noqa: TRY004 - one class
        if not item.strip():
            continue
        lead = LEADING_WORD.match(item)
        text = item[lead.end() if lead else 0 :].strip()
        if reason := _nonsense(text):
            raise ValueError(f"filter item {number} {reason}: {item.strip()}")
        # a line comment would swallow a parenthesis that closes on its line
        yield lead.group(1).upper() if lead else "", f"({text}\n)" if LINE_COMMENT.search(text) else f"({text})"


def _nonsense(text: str) -> str | None:
    """Why `text` cannot stand in parentheses as one predicate, None if it can."""
    bare = HIDDEN.sub(" ", text)
    if not bare.strip():
        return "has no condition"
    if LEFT_OPEN.search(bare):
        return "leaves a quote or a comment open (a quote inside a text is doubled, not escaped)"
    if ";" in bare:
        return "holds a semicolon; a filter is a condition, not a statement"
    depth = 0
    for sign in re.findall(r"[()]", bare):
        depth += 1 if sign == "(" else -1
        if depth < 0:
            break
    return "has parentheses that do not pair" if depth else None
