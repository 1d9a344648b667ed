"""What can be found, what it means for the user's rows, and what a repair does about it (docs/fsck.md)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """`repair` says what is done about it, None for nothing; a note tells of something that is not wrong."""

    means: str
    repair: str | None = None
    is_note: bool = False


KINDS: Mapping[str, Kind] = {
    "dead_lease": Kind("no row is concerned: the next run takes the table over", "the lease is given back"),
    "dead_run": Kind("the target has the old rows, or all the new ones", "the run is closed as FAILED"),
    "parcel_whole": Kind("its rows can be carried; the drive table does not know that yet", "it is sealed and logged"),
    "parcel_unfinished": Kind("nobody can load it; its rows are still at the source", "it is deleted"),
    "stage_left": Kind(
        "rows lie in the stage that no run will load from there",
        "it is deleted; its mark is kept if the target has the rows",
    ),
    "files_left": Kind("the drive table says that they are gone; nobody needs them", "they are deleted"),
    "landing_left": Kind("nobody reads it; it takes space at the target", "it is dropped"),
    "load_unrecorded": Kind(
        "the target has rows of which the drive table does not know; the next load may be refused",
        "the load is recorded, where parcel, load id and counts agree",
    ),
    "parcel_gone": Kind("unless it was carried, its rows do not reach the target, nor those of parcels after it"),
    "parcel_harmed": Kind(
        "unless it was carried whole, its rows do not reach the target, nor those of parcels after it"
    ),
    "chain_broken": Kind("the other side can load neither it nor any parcel after it"),
    "parcel_unknown": Kind(
        "this side's key signed it: the drive table was set back, and gives numbers and marks out a second time"
    ),
    "target_gone": Kind("the rows that were loaded are not there"),
    "target_unknown": Kind("nothing tells which rows the target has; changes on top of them are refused"),
    "target_other": Kind("the target has other rows than were loaded last; changes on top of them are refused"),
    "target_differs": Kind("something else has written to the target since"),
    "log_broken": Kind("no row is concerned; what the log says from there on is no evidence"),
    "in_work": Kind("it was not checked, for what is half done is as it should be", is_note=True),
    "out_of_reach": Kind("what lies there could not be checked", is_note=True),
    "older_gone": Kind(
        "nothing needs them: later parcels bring the rows, or the target is known to have them", is_note=True
    ),
    "folder_unknown": Kind("it may be another project's; it is never deleted from here", is_note=True),
    "number_unused": Kind("the other side may tell of parcels that it never saw: there were none", is_note=True),
    "no_mark": Kind("nothing tells how far it reads: the next export brings all rows", is_note=True),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """`kind` is a key of KINDS, `mend` what a repair does under the table's lease, `hint` what the user can do.

    `table` None: it is no single table's.
    """

    kind: str
    table: str | None
    where: str
    what: str
    hint: str | None = None
    mend: Callable[[], object] | None = field(default=None, repr=False, compare=False)

    @property
    def means(self) -> str:
        return KINDS[self.kind].means

    @property
    def is_wrong(self) -> bool:
        return not KINDS[self.kind].is_note

    @property
    def repair(self) -> str | None:
        """What --repair does about it; None for nothing."""
        return KINDS[self.kind].repair if self.mend else None
