"""Parcels onto media: the newest of each table, or those that were named (docs/media.md)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from landbridge.engine.carrying.shelf import acceptable, find_one, parcel_folders
from landbridge.engine.world import World
from landbridge.errors import ParcelMissing, UsageError
from landbridge.ledger import parcels
from landbridge.stage.copying import check_room, copy_own, export_index_at, is_leftover, needed, put_index, put_once
from landbridge.stage.index import IndexEntry
from landbridge.stage.location import Store, open_store
from landbridge.stage.naming import EXPORT_INDEX, INDEX, is_portable
from landbridge.stage.reading import SignedIndex, differing, read_index
from landbridge.stage.refusal import refusal
from landbridge.stage.volumes import (
    ABOUT,
    LEAST_SIZE,
    VOLUME,
    about,
    distribute,
    room_of,
    volume_name,
    volume_store,
)


@dataclass(frozen=True)
class Packed:
    """One medium that is finished; `copied` of its `files` had to be written, the rest was there."""

    place: str
    files: int
    copied: int
    size: int  # bytes of all files that it holds of parcels


@dataclass(frozen=True)
class _Load:
    """What is to be carried: the parcels by folder, and the export index where one of them is obfuscated."""

    source: Store
    parcels: Mapping[str, SignedIndex]
    export_index: bytes | None

    @property
    def timeless(self) -> bool:
        return any(signed.index.obfuscated for signed in self.parcels.values())


def pack(
    world: World, names: Sequence[str], *, source: str, place: str, volume_size: int | None = None
) -> Iterator[Packed]:
    """Copy parcels from `source` to `place`, or to volumes of at most `volume_size` bytes below it.

    Raises UsageError, ParcelMissing, ParcelDamaged, NotTrusted, WorldError; all that can be known beforehand is
    raised before the first byte is written.
    """
    load = _load(world, names, source)
    target = open_store(place)
    if volume_size is None:
        yield from _onto([target], [_all_files(load)], load)
        return
    if volume_size < LEAST_SIZE:
        raise UsageError(f"a volume of {volume_size:,} bytes is too small", hint="--volume-size 650MiB, 4.7GB, 25GB …")
    room = room_of(volume_size, load.parcels, load.export_index or b"")
    plan = distribute({folder: signed.index.files for folder, signed in load.parcels.items()}, room)
    volumes = [volume_store(target, number) for number in range(1, len(plan) + 1)]
    _refuse_others(target, plan)
    for number, packed in enumerate(_onto(volumes, plan, load), 1):
        put_once(volumes[number - 1], ABOUT, about(number, len(plan), _where(plan)), timeless=load.timeless)
        yield packed


def _load(world: World, names: Sequence[str], location: str) -> _Load:
    source = open_store(location)
    folders = [find_one(location, name) for name in names] or _newest(world, location)
    for folder in folders:
        if not is_portable(folder.partition("/")[0]):
            raise UsageError(
                f"{folder}: FAT, exFAT, NTFS and DVDs do not take a folder of this name",
                hint="rename the table in config/tables.yaml, or export it with --obfuscate",
            )
    signers = acceptable(world)
    load = {folder: read_index(source, folder, signers) for folder in sorted(set(folders))}
    for folder, signed in load.items():
        if faults := differing(folder, signed.index.files, source.files(folder)):
            raise refusal(folder, None, faults)
    hidden = any(signed.index.obfuscated for signed in load.values())
    return _Load(source, load, export_index_at(source) if hidden else None)


def _newest(world: World, location: str) -> list[str]:
    """The finished parcel with the highest number of each table, as the drive table knows them; ids grow as well."""
    written = parcels.list_parcels(world.ledger, direction="out")
    known = {row.folder: row for row in written if row.location == location and row.state == "sealed"}
    newest: dict[str, tuple[int, str]] = {}
    for folder, files in parcel_folders(location).items():
        if INDEX not in files:
            continue
        row = known.get(folder)
        table = row.pipeline_name if row else folder.rpartition("/")[0] or folder
        newest[table] = max(newest.get(table, (0, "")), (row.sequence or 0 if row else 0, folder))
    if not newest:
        raise ParcelMissing(f"no finished parcel at {location}", hint="landbridge export-data --all")
    return [folder for _, folder in newest.values()]


def _all_files(load: _Load) -> list[tuple[str, IndexEntry]]:
    return [(folder, file) for folder, signed in load.parcels.items() for file in signed.index.files]


def _where(plan: Sequence[Sequence[tuple[str, IndexEntry]]]) -> dict[str, dict[str, int]]:
    """For volume.json: parcel's folder, file's name, number of the volume."""
    where: dict[str, dict[str, int]] = {}
    for number, files in enumerate(plan, 1):
        for folder, file in files:
            where.setdefault(folder, {})[file.name] = number
    return where


def _onto(volumes: Sequence[Store], plan: Sequence[Sequence[tuple[str, IndexEntry]]], load: _Load) -> Iterator[Packed]:
    """Fill each volume: files, then indexes, then the export index."""
    check_room(volumes[0], sum(_needed(*volume) for volume in zip(volumes, plan, strict=True)))
    for volume, files in zip(volumes, plan, strict=True):
        copied = 0
        for folder, file in files:
            copied += copy_own(load.source, volume, folder, load.parcels[folder].index, file)
        for folder, signed in load.parcels.items():
            put_index(volume, folder, signed)
        if load.export_index is not None:
            put_once(volume, EXPORT_INDEX, load.export_index, timeless=True)
        yield Packed(volume.describe(), len(files), copied, sum(file.bytes for _, file in files))


def _needed(volume: Store, files: Sequence[tuple[str, IndexEntry]]) -> int:
    return needed(volume, {f"{folder}/{file.name}": file.bytes for folder, file in files})


def _refuse_others(place: Store, plan: Sequence[Sequence[tuple[str, IndexEntry]]]) -> None:
    """Raise UsageError where volumes hold what this packing would not put there: they would be mixed, and too large."""
    ours = {f"{volume_name(n)}/{folder}/{file.name}" for n, files in enumerate(plan, 1) for folder, file in files}
    folders = {folder for files in plan for folder, _ in files}
    shared = {ABOUT, EXPORT_INDEX, *(f"{folder}/{INDEX}" for folder in folders)}
    ours |= {f"{volume_name(n)}/{path}" for n in range(1, len(plan) + 1) for path in shared}
    for path in place.files(""):
        if not VOLUME.fullmatch(path.partition("/")[0]) or path in ours:
            continue
        if is_leftover(path, {known.rpartition("/")[2] for known in ours}):
            place.delete(path)
        else:
            raise UsageError(f"{place.describe(path)} is of another packing", hint="name an empty folder")
