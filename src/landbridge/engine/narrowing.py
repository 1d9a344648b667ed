"""A read with one more condition."""

from dataclasses import replace

from landbridge.contracts.values import Filter, Read
from landbridge.schema.filters import where_clause


def whole_of(read: Read) -> Read:
    """The same rows, by a read whose filter can take one more condition: a QUALIFY ranks all of them."""
    if not read.filter.qualify:
        return read
    table = f"({read.query}\n) AS ranked" if read.query else "{table}"
    ranked = f"SELECT * FROM {table}{where_clause(read.filter)}"  # noqa: S608  the filter is the user's own SQL
    return replace(read, query=ranked, filter=Filter())


def narrowed(read: Read, more: str) -> Read:
    where = f"({read.filter.where}\n) AND {more}" if read.filter.where else more
    return replace(read, filter=Filter(where))
