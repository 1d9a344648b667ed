"""Chain of custody: what happens to parcels here, as entries of this side's log (docs/custody.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from landbridge.engine.carrying.shelf import acceptable, check_shelved
from landbridge.engine.plan import Plan
from landbridge.engine.world import World
from landbridge.errors import CustodyBroken, ParcelError, UsageError, WorldError
from landbridge.ledger import custody
from landbridge.ledger.chain import Entry, verified
from landbridge.ledger.custody import CustodyEvent
from landbridge.ledger.parcels import ParcelRow
from landbridge.ledger.runs import Run, get_run
from landbridge.stage.evidence import evidence
from landbridge.stage.location import Store, open_store
from landbridge.stage.manifest import Manifest

MOST_FAULTS = 10  # told one by one; a parcel that was lost as a whole has thousands


@dataclass(frozen=True)
class Checked:
    """What a look at a parcel found; `rows_read`: not only its bytes were compared."""

    faults: Sequence[ParcelError]
    rows_read: bool


def happened(
    world: World,
    event: Literal["exported", "checked", "refused", "imported", "resent", "purged"],
    store: Store,
    folder: str,
    *,
    pipeline_name: str | None,
    **details: Any,  # noqa: ANN401  JSON values
) -> CustodyEvent:
    """An event at the parcel in `folder`, with what its index proves now, to be signed by this side if it can."""
    found = evidence(store, folder, acceptable(world))
    seen = {"location": store.describe(folder), "index_sha256": found.index_sha256, "signer": found.signer}
    return CustodyEvent(
        event=event,
        parcel_id=found.parcel_id,
        pipeline_name=pipeline_name,
        details={**seen, **details},
        signer=world.signer,
    )


def exported(world: World, slot: ParcelRow) -> CustodyEvent | None:
    """A parcel that is whole now; None for the stage of a one-hop run, which is carried by nobody."""
    if get_run(world.ledger, slot.pipeline_id).job_kind != "export":
        return None
    return happened(
        world,
        "exported",
        open_store(slot.location),
        slot.folder,
        pipeline_name=slot.pipeline_name,
        row_count=slot.row_count,
        byte_count=slot.byte_count,
        sequence=slot.sequence,
        pipeline_id=slot.pipeline_id,
    )


def imported(world: World, plan: Plan, row: Run, manifest: Manifest, receipt: str | None) -> CustodyEvent | None:
    """A parcel whose rows the target has; None where the log says so already, and this run loaded nothing."""
    told = custody.latest(world.ledger, pipeline_name=plan.pipeline_name, event="imported")
    loaded_before = row.phases["stage_to_target_transfer"].details.get("published_by") == "already"
    if loaded_before and told and told.details["load_id"] == row.load_id:
        return None
    return happened(
        world,
        "imported",
        open_store(plan.location),
        str(plan.parcel),
        pipeline_name=plan.pipeline_name,
        row_count=manifest.row_count,
        sequence=manifest.sequence,
        load_id=row.load_id,
        target=f"{plan.write.connection}: {plan.write.relation}" if plan.write else None,
        pipeline_id=row.pipeline_id,
        accepted_losses=row.phases["stage_to_target_transfer"].details.get("accepted_losses", {}),
        receipt=receipt,
    )


def check(world: World, location: str, folder: str) -> Checked:
    """Look at every byte of a parcel, and with the keys at every row, and write into the log what was found."""
    faults, parcel = check_shelved(world, location, folder)
    checked = Checked(faults, rows_read=parcel is not None and not faults)
    event = happened(
        world,
        "checked",
        open_store(location),
        folder,
        pipeline_name=parcel.manifest.pipeline_name if parcel else None,
        result="faults" if faults else "sound",
        rows_read=checked.rows_read,
        fault_count=len(faults),
        faults=[fault.message for fault in faults[:MOST_FAULTS]],
    )
    custody.record(world.ledger, event)
    return checked


def as_far_as_whole(world: World) -> tuple[list[Entry], CustodyBroken | None]:
    """The entries of this side's log that are as they were written; what is wrong with the next, None for no more."""
    entries: list[Entry] = []
    try:
        entries.extend(verified(custody.lines(world.ledger), world.own_verifiers, world.keyring.own_revoked()))
    except CustodyBroken as broken:
        return entries, broken
    return entries, None


def export_log(world: World, path: Path) -> None:
    """Write the log as it is stored, whole or not; a file that is there holds its beginning, and is gone on with.

    Raises CustodyBroken where it does not, WorldError where the file cannot be written.
    """
    try:
        with path.open("a+b") as file:
            file.seek(0)
            for line in custody.lines(world.ledger):
                data = f"{line.line}\n".encode()
                held = file.read(len(data))
                if not data.startswith(held):
                    raise _differs(path, f"entry {line.number}")
                file.write(data[len(held) :])
            if file.read(1):
                raise _differs(path, "its end")
    except OSError as error:
        raise WorldError(f"{path}: {(error.strerror or str(error)).lower()}", hint="name another file") from error


def _differs(path: Path, where: str) -> CustodyBroken:
    return CustodyBroken(
        f"the custody log does not go on from {path}: they differ at {where}", hint="which of the two was changed?"
    )


def of_parcel(entries: Iterable[Entry], name: str) -> list[Entry]:
    """The entries of one parcel, by its id or the beginning of it; UsageError where that is none, or several."""
    found = [entry for entry in entries if entry.parcel_id.startswith(name)]
    ids = {entry.parcel_id for entry in found}
    if len(ids) != 1:
        problem = f"{len(ids)} parcels match {name!r}" if ids else f"no parcel {name!r}"
        raise UsageError(f"{problem} in the custody log", hint="landbridge custody shows all of it")
    return found
