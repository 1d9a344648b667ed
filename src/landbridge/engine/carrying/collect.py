"""Parcels from media into the imports: from one volume after the other, until each is complete (docs/media.md)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from landbridge.engine.carrying.shelf import parcel_folders
from landbridge.engine.events import Notice
from landbridge.engine.world import World
from landbridge.errors import NotTrusted, ParcelDamaged, ParcelError, ParcelMissing
from landbridge.stage.copying import check_room, copy_file, export_index_at, lacking, needed, put_index, put_once
from landbridge.stage.index import IndexEntry
from landbridge.stage.location import Store, open_store
from landbridge.stage.naming import EXPORT_INDEX, INDEX, parcel_folder
from landbridge.stage.reading import SignedIndex, read_index
from landbridge.stage.volumes import read_about, volumes_at


@dataclass(frozen=True)
class Collected:
    """How far one parcel has come. `missing`: the names of its files, each with the volume that holds it, if told."""

    folder: str
    files: int
    copied: int
    missing: Mapping[str, int | None]
    faults: tuple[ParcelError, ...]

    @property
    def complete(self) -> bool:
        return not self.missing and not self.faults


@dataclass(frozen=True)
class _Carried:
    """One parcel as the medium has it: `here` are the files of its index that lie on these volumes, and where."""

    folder: str
    signed: SignedIndex
    here: tuple[tuple[Store, IndexEntry], ...]


def collect(world: World, place: str, to: str) -> Iterator[Collected]:
    """Copy all that is on the medium at `place` to `to`, parcel by parcel.

    A parcel that cannot be believed or read is one Collected with its faults. Raises ParcelMissing where the
    medium holds no parcel at all, and WorldError.
    """
    volumes, target = volumes_at(open_store(place)), open_store(to)
    folders = _folders(volumes)
    if not folders:
        raise ParcelMissing(f"no parcel at {place}", hint="landbridge parcel pack makes media; is it the right folder?")
    where = _told(world, volumes)
    carried: list[_Carried] = []
    for folder in folders:
        try:
            carried.append(_carried(world, folder, volumes, target))
        except ParcelError as error:
            yield Collected(folder, 0, 0, {}, (error,))
    check_room(target, needed(target, {f"{o.folder}/{file.name}": file.bytes for o in carried for _, file in o.here}))
    for one in carried:
        yield _collect(one, target, where.get(one.folder, {}))
    _export_index(volumes, target)


def _folders(volumes: Sequence[Store]) -> list[str]:
    """Of parcels whose index is on a volume."""
    found = (parcel_folders(volume.location).items() for volume in volumes)
    return sorted({folder for each in found for folder, files in each if INDEX in files})


def _told(world: World, volumes: Sequence[Store]) -> Mapping[str, Mapping[str, int]]:
    """What the volumes themselves say about which file is where: advice, for telling people."""
    where: dict[str, Mapping[str, int]] = {}
    for volume in volumes:
        try:
            about = read_about(volume)
        except ParcelDamaged as error:
            world.emit(Notice(f"{error.message}: it is passed over"))
        else:
            where |= about.parcels if about else {}
    return where


def _carried(world: World, folder: str, volumes: Sequence[Store], target: Store) -> _Carried:
    signers = world.keyring.signers()
    having = [volume for volume in volumes if f"{folder}/{INDEX}" in volume.files(folder)]
    signed, *others = [read_index(volume, folder, signers) for volume in having]
    if any(other.index != signed.index for other in others):
        raise ParcelDamaged(f"{folder}: the volumes hold indexes of different parcels", hint="collect one by one")
    _check_name(folder, signed)
    if target.is_there() and f"{folder}/{INDEX}" in target.files(folder):
        _check_same(read_index(target, folder, signers), signed, target.describe(folder))
    listings = [(volume, volume.files(folder)) for volume in volumes]
    here = [
        (volume, file) for file in signed.index.files for volume, files in listings if f"{folder}/{file.name}" in files
    ]
    return _Carried(folder, signed, tuple(here))


def _check_name(folder: str, signed: SignedIndex) -> None:
    """The folder's name came with the medium: it may lead nowhere else, nor stand for another parcel."""
    table, _, name = folder.rpartition("/")
    if signed.index.obfuscated and not table:
        return
    try:
        expected = parcel_folder(table, signed.index.parcel_id)
    except ValueError as error:
        raise NotTrusted(f"{folder!a} is no name of a parcel's folder") from error
    if folder != expected:
        raise NotTrusted(f"{folder} holds parcel {signed.index.parcel_id} under another name: {name}")


def _check_same(ours: SignedIndex, theirs: SignedIndex, where: str) -> None:
    if ours.index != theirs.index:
        raise ParcelDamaged(f"another parcel is at {where} already", hint="move that one away, if it is not needed")


def _collect(one: _Carried, target: Store, where: Mapping[str, int]) -> Collected:
    copied = 0
    faults: dict[str, ParcelError] = {}
    for volume, file in one.here:
        try:
            copied += copy_file(volume, target, one.folder, one.signed.index, file)
            faults.pop(file.name, None)
        except ParcelError as error:
            faults[file.name] = error
    missing = lacking(one.signed.index, target.files(one.folder), one.folder)
    if not missing and not faults:
        put_index(target, one.folder, one.signed)
    absent = {name: where.get(name) for name in missing if name not in faults}
    return Collected(one.folder, len(one.signed.index.files), copied, absent, tuple(faults.values()))


def _export_index(volumes: Sequence[Store], target: Store) -> None:
    for volume in volumes:
        data = export_index_at(volume)
        if data is not None:
            put_once(target, EXPORT_INDEX, data, timeless=True)
            return
