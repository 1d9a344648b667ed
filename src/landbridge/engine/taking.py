"""What one read takes of its table: all rows, or those that changed since the mark (docs/sync-modes.md, "The mark")."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace

from landbridge.contracts.values import Instant, Read, Snapshot
from landbridge.engine.events import Notice
from landbridge.engine.narrowing import narrowed, whole_of
from landbridge.engine.plan import Plan
from landbridge.engine.world import World
from landbridge.errors import RunError, SourceError
from landbridge.ledger import marks
from landbridge.ledger.marks import Mark
from landbridge.schema.changes import Changes, Newest, Range, beyond, condition, position, reach
from landbridge.schema.columns import Columns

ALL = Range(None, None)
ANEW = "--full-reload: all rows once more, as a new chain"


@dataclass(frozen=True)
class Taken:
    """One instant of a table, as far as it is read. `keys`: all keys of the source, where they are to be brought.

    `follows` None: all rows. `unsettled` rows are left for the next time.
    """

    rows: Snapshot
    basis: str
    keys: Snapshot | None = None
    follows: str | None = None
    range: Range = ALL
    unsettled: int = 0
    watermark_type: str | None = None

    @property
    def is_nothing(self) -> bool:
        """Nothing that a parcel would be needed for."""
        return self.follows is not None and self.rows.rows == 0 and self.keys is None

    @property
    def table_rows(self) -> int | None:
        """How many rows the whole table has; None where that was not asked."""
        if self.keys:
            return self.keys.rows
        return self.rows.rows if self.follows is None else None


@contextmanager
def taking(plan: Plan, read: Read, world: World) -> Iterator[Taken]:
    """Hold what is to be read open. Raises as Source does, and RunError where the mark does not count any more."""
    basis = basis_of(read)
    if read.changes is None:
        with world.snapshot(read) as rows:
            yield Taken(rows, basis)
        return
    mark = mark_before(plan, read, world)
    with world.instant(read.connection) as instant, ExitStack() as snapshots:
        source, whole = world.connector(read.connection), whole_of(read)
        taken, some, unsettled, watermark_type = ALL, whole, 0, None
        if column := read.changes.watermark_column:
            newest = source.newest(whole, column, instant)
            _refuse_nulls(read, newest)
            _refuse_another_type(mark, newest)
            taken = reach(read.changes, newest, instant.as_of, mark.until_value if mark else None)
            if not read.changes.settle_delay:
                _tell_of_a_step_back(world, mark, newest)
            keyed = bool(read.changes.merge_keys)  # what is not settled may come now, and again: it is known by its key
            some = narrowed(whole, condition(newest.column, taken, read.changes.null_watermark, above=keyed))
            unsettled = 0 if keyed else _left(world, whole, newest, taken, instant)
            watermark_type = str(newest.column.type)
        rows = snapshots.enter_context(source.snapshot(some, instant))
        _refuse_new_columns(mark, rows)
        keys = None
        if read.changes.brings_keys and (mark or plan.sync_mode == "scd2"):  # else all rows are replaced
            keys = snapshots.enter_context(source.snapshot(_keys_of(whole, read.changes), instant))
        yield Taken(rows, basis, keys, mark.parcel_id if mark else None, taken, unsettled, watermark_type)


def basis_of(read: Read) -> str:
    """Of what decides which rows there are: a mark counts only as long as that stays the same."""
    changes = read.changes and Changes(read.changes.merge_keys, read.changes.watermark_column)
    text = json.dumps(asdict(replace(read, accept_loss={}, changes=changes)), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def mark_before(plan: Plan, read: Read, world: World) -> Mark | None:
    """The mark at which the read begins; None for all rows. Raises RunError where it does not count any more."""
    if plan.begins_at == "nothing" or read.changes is None or read.changes.watermark_column is None:
        return None
    asked = marks.confirmed if plan.begins_at == "confirmed" else marks.exported
    mark = asked(world.ledger, plan.pipeline_name, plan.job_kind)
    if mark is None or mark.until_value is None:
        return None
    if mark.basis != basis_of(read):
        raise RunError(
            f"filter, query, columns or keys are not those of parcel {mark.parcel_id} any more; "
            "rows that are read now for the first time may lie below its mark, and would be missed",
            hint=ANEW,
        )
    return mark


def _refuse_another_type(mark: Mark | None, newest: Newest) -> None:
    kind = str(newest.column.type)
    if mark and mark.watermark_type not in (None, kind):
        raise RunError(
            f"{newest.column.name} is {kind}, and was {mark.watermark_type} when parcel {mark.parcel_id} was read: "
            "its mark says something else now",
            hint=ANEW,
        )


def _refuse_new_columns(mark: Mark | None, rows: Snapshot) -> None:
    """Rows that do not change would never bring the values that they have there."""
    known = mark.read_columns if mark else None
    if known is not None and (new := [name for name in rows.schema.names if name not in known]):
        raise RunError(
            f"columns that the source did not have at the last read: {', '.join(new)}; of rows that do not change "
            "their values would never arrive",
            hint=f"{ANEW} (migrate-tables adds the columns at the target); or exclude them",
        )


def _tell_of_a_step_back(world: World, mark: Mark | None, newest: Newest) -> None:
    kind = newest.column.type
    if mark is None or mark.until_value is None or newest.value is None:
        return
    if position(newest.value, kind) < position(mark.until_value, kind):
        told = (
            f"the highest {newest.column.name} of the source lies below the mark {mark.until_value}: were rows deleted"
        )
        world.emit(
            Notice(f"{told}, or was the table set back? rows that come below it are not read; --full-reload reads all")
        )


def _refuse_nulls(read: Read, newest: Newest) -> None:
    if newest.nulls and read.changes and read.changes.null_watermark == "refuse":
        raise SourceError(
            f"{read.relation}: {newest.nulls} rows have no {newest.column.name}: no mark would ever reach them",
            hint="null_watermark: exclude, or include (with merge_keys), in config/tables.yaml; or fill the column",
        )


def _left(world: World, whole: Read, newest: Newest, taken: Range, instant: Instant) -> int:
    above = beyond(newest.column, taken)
    if newest.value is None or above is None or newest.value == taken.until:
        return 0
    return world.connector(whole.connection).count_rows(narrowed(whole, above), instant)


def _keys_of(whole: Read, changes: Changes) -> Read:
    picks = tuple(whole.columns.pick(name) for name in changes.merge_keys)
    return replace(whole, columns=Columns(picks, others=False))
