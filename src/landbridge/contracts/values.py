"""The values that cross the contracts: all frozen, printable, picklable; none holds a credential."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from landbridge.schema.changes import Changes, Deletes, Mode
from landbridge.schema.columns import Columns
from landbridge.schema.fidelity import Accepted
from landbridge.schema.filters import Filter as Filter  # noqa: PLC0414 - part of these values, said by a lower floor
from landbridge.schema.model import Relation, TableSchema


@dataclass(frozen=True)
class Read:
    """What is read: a relation, or `query` with `{table}` standing for it, then the filter outside of that.

    Of its columns those that `columns` chooses, by their names at the source; renaming and masking come later.
    """

    connection: str
    relation: Relation
    query: str | None = None
    filter: Filter = field(default_factory=Filter)
    columns: Columns = field(default_factory=Columns)
    accept_loss: Accepted = field(default_factory=dict)  # of which only `offset` happens where rows are read
    changes: Changes | None = None  # None: all rows, which replace those of the target


@dataclass(frozen=True)
class Instant:
    """One state of a source that is held open, for the snapshots of several tables."""

    as_of: datetime  # by the source's clock, UTC
    name: str | None = None  # what the source knows it by


@dataclass(frozen=True)
class Part:
    """An independent piece of a read; any process can read it while its snapshot is open."""

    connection: str
    number: int
    sql: str  # complete SELECT in the source's dialect
    schema: TableSchema
    alone: bool = False  # the only part of its read: it may use the whole machine
    snapshot: str | None = None  # what the source needs to see the same instant from another process
    payload: object = field(default=None, repr=False)  # what the source hands to its own `batches`, picklable


@dataclass(frozen=True)
class Snapshot:
    """One instant of a source: schema, row count and parts all agree with each other."""

    schema: TableSchema
    rows: int
    parts: tuple[Part, ...]
    as_of: datetime  # by the source's clock, UTC


WriteMode = Mode | Literal["window"]  # window: rows with the load's id are replaced, and no others


@dataclass(frozen=True)
class Merge:
    """How rows meet those of the target; columns as they arrive (docs/sync-modes.md, "Keys").

    `validity` are the target's own two columns of a history.
    """

    keys: tuple[str, ...]
    newest_by: str | None = None
    deletes: Deletes = "ignored"
    deleted_by: str | None = None
    validity: tuple[str, str] | None = None


@dataclass(frozen=True)
class Write:
    """What is written: the relation, the mode, how rows of one key meet (None: no keys), and what may be lost by it."""

    connection: str
    relation: Relation
    mode: WriteMode = "full"
    accept_loss: Accepted = field(default_factory=dict)
    merge: Merge | None = None

    @property
    def sync_mode(self) -> Mode:
        """That of a table's write; a window's has none."""
        assert self.mode != "window", "asked of tables only"  # noqa: S101
        return self.mode


@dataclass(frozen=True)
class Load:
    """Who loads what: the same `load_id` for every attempt at the same work."""

    load_id: str
    pipeline_name: str
    parcel_id: str
    attempt: str  # unique for each attempt: names of what it leaves half done carry it
    rows: int  # what the manifest says must arrive
    first: bool = True  # of its chain, or of mode full: its rows are all that there are
    as_of: datetime | None = None  # the instant that the rows show; needed for a history
    follows: tuple[str, ...] = ()  # loads of which one must be the target's newest; not asked of a first one

    whole: bool = False  # every load of this table brings all rows

    def keeps(self, write: Write) -> bool:
        """Whether the rows of the load before must be there."""
        return write.mode != "window" and (not self.first or (self.whole and write.mode == "scd2"))

    def replaces(self, write: Write) -> bool:
        """Whether these rows take the place of all others."""
        return self.first and write.mode not in ("scd2", "window")


@dataclass(frozen=True)
class Landing:
    """A table that nobody reads yet, made by `prepare`, filled by `append`, gone after `publish`."""

    write: Write
    relation: Relation
    schema: TableSchema  # of the batches that arrive
    load: Load
    version: int  # how many loads this target has seen; publish refuses if another came in between
    streams: int | None = None  # how many processes may append at once; None: as many as there are
    standing: TableSchema | None = None  # the target's columns, where asking for them again is dear
    append_bytes: int = 0  # what one append had better bring: as many parts of a parcel as reach it
    only_keys: bool = False  # its columns are the keys of a merge, and nothing is published from it by itself


@dataclass(frozen=True)
class Published:
    """What one publish did: rows now visible, and how: `rewrite` is DELETE + INSERT … SELECT.

    `changed` counts rows by what became of them, where not all were replaced. Of a `window` the rows are its own.
    """

    rows: int
    how: Literal["swap", "rewrite", "merge", "window", "already"]
    why: str = ""  # for a rewrite: what depends on the table
    changed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Loaded:
    """The newest load of a target, as `landbridge_loads` has it; version 0, no ids, where there was none."""

    version: int = 0
    load_id: str | None = None
    rows: int = 0  # that it left in the target; of a window its own
    parcel_id: str | None = None


@dataclass(frozen=True)
class Check:
    """One line of `doctor`: `ok` None means that it could not be asked, and `detail` says why."""

    name: str
    ok: bool | None
    detail: str
    hint: str | None = None
