"""RunsCopy: a copy of the drive table in another system, for dashboards beside the data."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from landbridge.schema.model import Relation


class RunsCopy(Protocol):
    """Obligations: nothing of it is ever replaced or dropped but by a newer state of the same row."""

    relation: Relation

    def create(self) -> None:
        """Make the table if it is missing; one that is there is not touched."""
        ...

    def known(self, since: datetime, until: datetime) -> Mapping[str, datetime]:
        """By `pipeline_id` when each row made between these times was last changed."""
        ...

    def running(self) -> Mapping[str, datetime]:
        """The same of each row that says RUNNING, whenever it was made."""
        ...

    def merge(self, rows: Sequence[str]) -> None:
        """Write rows, each a JSON object by column: those that are there are updated. All of them or none."""
        ...


@runtime_checkable
class TakesRuns(Protocol):
    """A connector that can hold such a copy."""

    def runs_copy(self, schema: str | None, database: str | None) -> RunsCopy:
        """The copy in that schema; None: the connection's own. Nothing is reached yet."""
        ...
