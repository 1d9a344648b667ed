"""What is wrong with the files of a parcel, and which of them to carry again: all of it at once, for each round is a
walk to the other side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from landbridge.errors import ParcelDamaged, ParcelError, ParcelMissing, ParcelSwapped

NAMED = 20  # more files than this are not typed by hand: the whole parcel is carried again


@dataclass(frozen=True)
class Fault:
    """One file that is not as it was signed; `found` is the SHA-256 of what lies there, where it was read."""

    file: str
    kind: type[ParcelError]
    what: str
    found: str | None = None


def refusal(folder: str, parcel_id: str | None, faults: Sequence[Fault]) -> ParcelError:
    """One error for all of `faults`: of the gravest kind, with a line for each file.

    The hint is the command that sends them again. On the exporting side, without `parcel_id`, only a new parcel helps.
    """
    kinds = {fault.kind for fault in faults}
    kind = next(each for each in (ParcelDamaged, ParcelSwapped, ParcelMissing) if each in kinds)
    lines = [f"{fault.file} {fault.what}" for fault in faults[:NAMED]]
    if len(faults) > NAMED:
        lines.append(f"… and {len(faults) - NAMED} more; `landbridge parcel check {folder}` names all")
    what = "are missing" if kinds == {ParcelMissing} else "are not as they were signed"
    head = f"{folder}/" if len(faults) == 1 else f"{folder}: {len(faults)} files {what}\n  "
    hint = carry_again(parcel_id, [fault.file for fault in faults]) if parcel_id else "landbridge export-data"
    return kind(head + "\n  ".join(lines), hint=hint)


def carry_again(parcel: str, files: Sequence[str] = ()) -> str:
    """The hint with the command to type on the other side: for these files; for the whole parcel if none or many."""
    parts = "".join(f" --part {file}" for file in files) if len(files) <= NAMED else ""
    return f"on the exporting side: landbridge export-data --resend {parcel}{parts} --to MEDIUM"
