"""Target: where rows are loaded."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from landbridge.contracts.values import Landing, Load, Loaded, Published, Read, Write
from landbridge.schema.fidelity import Holds
from landbridge.schema.model import TableSchema

if TYPE_CHECKING:
    import pyarrow as pa

LOADS = "landbridge_loads"  # the table of loads beside the targets, in each of their schemas
TAG = "landbridge_load_id"  # of each row of a window the load that brought it; a column of the target


class Target(Protocol):
    """Obligations: readers see the old rows until `publish` returns, and all the new ones from then on.

    Rows and load id become visible in one transaction, in the table `landbridge_loads` of the target's
    schema: one row per load, `version` counting up per target table. Nothing but `publish`, `publish_from` and
    `discard` touches the target table. What a dead attempt left is found by `sweep`.

    Write mode `window`: each row carries its load's id in the column TAG, and a load replaces the rows with its own.
    Windows of one target are published in any order, and at the same time. Where the write has `merge`, a load also
    takes the place of all rows with its keys, and leaves out those that are older by `newest_by` than what another load
    has brought (docs/pipelines.md, "Keys"): `changed` then counts `older` as well.
    """

    holds: Holds

    def loaded(self, write: Write, load_id: str) -> int | None:
        """Rows that the newest load of this target left there, if it was this one; else None.

        Of a window the rows that it brought the last time, whatever came after it.
        """
        ...

    def newest_load(self, write: Write) -> Loaded:
        """The newest load of this target, whoever's."""
        ...

    def prepare(self, write: Write, schema: TableSchema, load: Load, *, only_keys: bool = False) -> Landing:
        """Make an empty landing table shaped after the target; create the target if it is missing.

        `only_keys`: for the keys of the source, whose columns alone are in `schema`.
        Raises SchemaMismatch where the target cannot hold `schema`, before anything is made. For windows a target
        is made with TAG and without a key, for a row that changes comes again with a later one; where one stands
        without TAG, a column of that name arrives, or one of the keys does not, that is a SchemaMismatch as well.
        """
        ...

    def append(self, landing: Landing, batches: "Iterable[pa.RecordBatch]", first_row: int) -> int:
        """Add batches to the landing table and return how many rows; durable on return, all or nothing.

        Any process may call it, up to `landing.streams` at once. `first_row` numbers the first row in
        errors, from 0. What `holds` does not, and `write.accept_loss` names, is left out of the values
        (docs/types.md, "Losses"). Raises ValueDoesNotFit, TargetError, Unreachable.
        """
        ...

    def publish(self, landing: Landing, keys: Landing | None = None) -> Published:
        """In one transaction: do with the landing's rows what docs/sync-modes.md says of the write's mode, and
        record the load id with the rows that the target has then.

        `keys` holds all keys of the source: rows of others go. Refuses (LeaseLost) where another load was
        published since `prepare`: `landing.version` is the fence that keeps out a process which lost its lease
        and does not know it yet. Refuses (TargetError) where the landing does not hold `load.rows` rows, and where
        the target's newest load is none of `load.follows`. If what came in between is this very load id, nothing
        is published again.

        A window knows neither fence nor chain: only a newer version of its own load id keeps it out (`already`).
        Raises TargetError where the target would not hold exactly the rows that landed, less those that are older; for
        keys that are NULL, and where of several rows of one key none is the newest.
        """
        ...

    def publish_from(self, write: Write, read: Read, load: Load, version: int) -> Published:
        """Publish a window from what is read on this very connection: one INSERT … SELECT, nothing lands.

        Only for write mode window; else as `prepare` and `publish`, `version` being that of `newest_load` when the
        work began. `load.rows` is not looked at. A column TAG of what is read is left out. Raises SchemaMismatch
        where the database itself would round or cut a value, and for masks, before a row is touched.
        """
        ...

    def discard(self, write: Write, load_ids: Sequence[str]) -> int:
        """Delete the rows with these ids in TAG, and no others, in one transaction; how many they were.

        0 where the table is gone. `landbridge_loads` keeps its lines. Raises TargetError where not all of them go.
        """
        ...

    def drop(self, landing: Landing) -> None:
        """Drop a landing that will not be published, and nothing else; fine where it is gone already."""
        ...

    def count(self, write: Write, load_id: str | None = None) -> int:
        """Rows in the target table now; of a history those of all versions. `load_id`: those with it in TAG."""
        ...

    def left(self, write: Write, keep: str | None = None, load_id: str | None = None) -> list[str]:
        """Names of the landing tables of this target that other attempts than `keep` left; `load_id`: at this load.

        One that a living process of another project fills is not among them, where the system can tell.
        """
        ...

    def sweep(self, write: Write, keep: str | None = None, load_id: str | None = None) -> list[str]:
        """Drop those that are `left`; return their names."""
        ...
