"""Source: where rows are read."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from landbridge.contracts.values import Instant, Part, Read, Snapshot
from landbridge.schema.changes import Newest

if TYPE_CHECKING:
    import pyarrow as pa


class Source(Protocol):
    """Obligations: reading changes nothing; a value arrives as it is or an error says which could not."""

    def instant(self) -> AbstractContextManager[Instant]:
        """Hold one instant of the source open, from which snapshots can be taken until the context ends.

        Raises Unreachable, AccessDenied, SourceError.
        """
        ...

    def snapshot(self, read: Read, instant: Instant | None = None) -> AbstractContextManager[Snapshot]:
        """Open one instant of the source, or look at the one that this very object holds open.

        Schema, count and every part see that instant, from any process, until the context ends. The parts
        are disjoint and together hold each row of the read exactly once. `rows` is counted by the source
        itself, not derived from the parts. The schema is `chosen(all columns, read.columns)`; what is in
        `read.columns.unread` comes as NULL, and the source's values are not looked at.

        Raises SourceError (the source's own words and the query; a table that cannot be seen as of `instant`
        any more), ConfigError for columns that are not there, Unreachable, AccessDenied.
        """
        ...

    def newest(self, read: Read, column: str, instant: Instant) -> Newest:
        """The highest value of a column among the rows of the read, and how many have none, at that instant.

        The value as text: numbers in digits, ISO 8601 with a space for times, in UTC for those with a zone.
        Raises as `snapshot` does.
        """
        ...

    def count_rows(self, read: Read, instant: Instant) -> int:
        """Rows of the read at that instant; raises as `snapshot` does."""
        ...

    def batches(self, part: Part) -> "Iterator[pa.RecordBatch]":
        """Yield the part's rows as record batches of `arrow_schema(part.schema)`, in constant memory.

        May be called in any process, and again for the same part. Raises SourceError when the source
        breaks off: a part never ends early without an error.
        """
        ...
