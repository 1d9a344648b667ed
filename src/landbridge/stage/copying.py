"""Files of parcels from one place to another: as they were signed, or not at all."""

import re
from collections.abc import Collection, Mapping

from landbridge.errors import ParcelDamaged, ParcelError, ParcelMissing, WorldError
from landbridge.stage.index import Index, IndexEntry
from landbridge.stage.location import Store
from landbridge.stage.naming import EXPORT_INDEX, INDEX
from landbridge.stage.reading import MOST_INDEX, SignedIndex, examined, fetch
from landbridge.stage.refusal import Fault
from landbridge.stage.volumes import taken

_LEFTOVER = re.compile(r"\.(.+)\.[0-9a-f]{8}")  # what folders.write leaves when it is killed


def copy_file(source: Store, target: Store, folder: str, index: Index, file: IndexEntry) -> bool:
    """False where it is there already, and right. Raises ParcelMissing, ParcelDamaged: then nothing was written."""
    if is_copied(target, folder, file):
        if index.obfuscated:
            target.forget_times(f"{folder}/{file.name}")
        return False
    target.put(f"{folder}/{file.name}", fetch(source, folder, index.parcel_id, file), timeless=index.obfuscated)
    return True


def copy_own(source: Store, target: Store, folder: str, index: Index, file: IndexEntry) -> bool:
    """As `copy_file`, on the exporting side: what is damaged here cannot be carried again."""
    try:
        return copy_file(source, target, folder, index, file)
    except ParcelError as error:
        raise ParcelDamaged(f"not copied: {error.message}", hint="landbridge export-data makes a new parcel") from error


def is_copied(target: Store, folder: str, file: IndexEntry) -> bool:
    """Whether it is there, every byte as it was signed."""
    return target.is_there() and not isinstance(examined(target, folder, file, most=file.bytes), Fault)


def lacking(index: Index, present: dict[str, int], folder: str) -> list[str]:
    """Names of the index's files that a listing of the target does not have in their size."""
    return [file.name for file in index.files if present.get(f"{folder}/{file.name}") != file.bytes]


def put_index(target: Store, folder: str, signed: SignedIndex) -> None:
    """From here on it is a parcel; unless it was one before."""
    for path in target.files(folder):
        if is_leftover(path, {INDEX, *(file.name for file in signed.index.files)}):
            target.delete(path)
    put_once(target, f"{folder}/{INDEX}", signed.note, timeless=signed.index.obfuscated)


def is_leftover(path: str, names: Collection[str]) -> bool:
    """Whether it is one of the files `names`, which was being written when its writer was killed."""
    found = _LEFTOVER.fullmatch(path.rpartition("/")[2])
    return found is not None and found[1] in names


def put_once(target: Store, path: str, data: bytes, *, timeless: bool) -> None:
    """Write what is not there in just these bytes."""
    try:
        if target.is_there() and target.get(path, most=len(data)) == data:
            if timeless:
                target.forget_times(path)
            return
    except (ParcelMissing, ParcelDamaged):
        pass
    target.put(path, data, timeless=timeless)


def export_index_at(store: Store) -> bytes | None:
    """The place's export index as it lies there, sealed; it is advice, and its signature is inside."""
    try:
        return store.get(EXPORT_INDEX, most=MOST_INDEX)
    except ParcelMissing:
        return None


def needed(target: Store, sizes: Mapping[str, int]) -> int:
    """Bytes that files of these sizes, by path, will take at the target; those that are there in full take none."""
    present = target.files("")
    return sum(taken(size) for path, size in sizes.items() if present.get(path) != size)


def check_room(target: Store, needed: int) -> None:
    """Raise WorldError where a disk has less than `needed` bytes free; object stores do not tell."""
    free = target.free_bytes()
    if free is not None and free < needed:
        raise WorldError(
            f"{target.describe()}: needs {needed:,} bytes, {free:,} are free",
            hint=f"make room, or take a larger medium: df -h {target.describe()}",
        )
