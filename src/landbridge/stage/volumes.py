"""Parcels over several media: which file goes on which volume (docs/media.md)."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from landbridge.errors import ParcelDamaged, ParcelMissing, UsageError
from landbridge.stage.folders import refuse_links
from landbridge.stage.index import IndexEntry
from landbridge.stage.location import Store, open_store
from landbridge.stage.reading import MOST_INDEX, SignedIndex

VOLUME = re.compile(r"volume-[0-9]{3,9}")
ABOUT = "volume.json"
BLOCK = 2048  # of DVDs and CDs
LEAST_SIZE = 2 << 20
_FILE_SYSTEM = 1 << 20
_MOST = 999_999_999

Number = Annotated[int, Field(ge=1, le=_MOST)]


@dataclass(frozen=True)
class About:
    """volume.json: this volume's number, how many there are, and on which each file of each parcel's folder is."""

    format: Literal["landbridge-volume/1"]
    volume: Number
    volumes: Number
    parcels: dict[str, dict[str, Number]]


_DOCUMENT = TypeAdapter(About)


def volume_name(number: int) -> str:
    """`volume-001`."""
    return f"volume-{number:03}"


def taken(size: int) -> int:
    """Bytes that a file or folder of `size` bytes takes of a volume: its blocks, and two for its entries."""
    return (-(-size // BLOCK) + 2) * BLOCK


def distribute(parcels: Mapping[str, Sequence[IndexEntry]], room: int) -> list[list[tuple[str, IndexEntry]]]:
    """Each volume's files, as (parcel's folder, file), in their order: a volume ends where the next file is too large.

    `room`: bytes that files may take of a volume. Raises UsageError for a file that fits on none.
    """
    volumes: list[list[tuple[str, IndexEntry]]] = []
    left = -1
    for folder, files in parcels.items():
        for file in files:
            needed = taken(file.bytes)
            if needed > room:
                raise UsageError(
                    f"{folder}/{file.name} has {file.bytes:,} bytes; a volume has room for {max(room, 0):,}",
                    hint="a larger --volume-size; or lower parcels.part_size in landbridge.yaml, and export again",
                )
            if needed > left or not volumes:
                volumes.append([])
                left = room
            volumes[-1].append((folder, file))
            left -= needed
    return volumes


def room_of(size: int, parcels: Mapping[str, SignedIndex], export_index: bytes) -> int:
    """What a volume of `size` bytes has left beside what is on every volume: indexes, volume.json, file system."""
    most = about(_MOST, _MOST, {folder: dict.fromkeys(_names(one), _MOST) for folder, one in parcels.items()})
    indexes = sum(taken(len(one.note)) + 2 * taken(0) for one in parcels.values())
    return size - _FILE_SYSTEM - indexes - taken(len(export_index)) - taken(len(most))


def _names(signed: SignedIndex) -> Iterator[str]:
    return (file.name for file in signed.index.files)


def about(number: int, of: int, parcels: Mapping[str, Mapping[str, int]]) -> bytes:
    """The bytes of a volume's volume.json."""
    document = {"format": "landbridge-volume/1", "volume": number, "volumes": of, "parcels": parcels}
    return (json.dumps(document, ensure_ascii=False) + "\n").encode()


def read_about(volume: Store) -> About | None:
    """None where there is none: a medium without volumes. Raises ParcelDamaged for one that cannot be used."""
    try:
        return _DOCUMENT.validate_json(volume.get(ABOUT, most=MOST_INDEX), strict=True)
    except ParcelMissing:
        return None
    except ValidationError as error:
        raise ParcelDamaged(f"{volume.describe(ABOUT)} is not one that this version knows") from error


def volume_store(place: Store, number: int) -> Store:
    """One volume as a place of parcels. Raises WorldError where its folder is a link."""
    if place.root is not None:
        refuse_links(place.root / volume_name(number), place.root)
    return open_store(f"{place.location.rstrip('/')}/{volume_name(number)}")


def volumes_at(place: Store) -> list[Store]:
    """The volumes that lie side by side at a place, and the place itself: a parcel may lie beside them."""
    place.reach()
    root = place.location.rstrip("/")
    named = [open_store(f"{root}/{name}") for name in place.folders() if VOLUME.fullmatch(name)]
    # a table may be called `volume-001` as well: its folder has no volume.json
    return [*(store for store in named if ABOUT in store.files("")), place]
