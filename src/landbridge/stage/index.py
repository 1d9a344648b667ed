"""The index: which files make up a parcel, as the text of a signed note. It tells nothing else."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from landbridge.errors import ParcelDamaged, ParcelError
from landbridge.stage.naming import MANIFEST_NAME, PARCEL_ID, PART_NAME

FORMAT = "landbridge-parcel/1"
_FILE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,17}) (\S+)")


@dataclass(frozen=True, order=True)
class IndexEntry:
    """A file as it is carried."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """The parcel's files, sorted by name: exactly one manifest, any number of parts."""

    parcel_id: str
    files: tuple[IndexEntry, ...]

    @property
    def manifest(self) -> IndexEntry:
        return next(f for f in self.files if MANIFEST_NAME.fullmatch(f.name))

    @property
    def parts(self) -> tuple[IndexEntry, ...]:
        return tuple(f for f in self.files if f != self.manifest)

    @property
    def sealed(self) -> bool:
        return self.manifest.name.endswith(".age")

    @property
    def bytes(self) -> int:
        return sum(f.bytes for f in self.files)


def index_text(parcel_id: str, files: Iterable[IndexEntry]) -> str:
    lines = [f"{f.sha256} {f.bytes} {f.name}" for f in sorted(files)]
    return "\n".join([FORMAT, f"parcel {parcel_id}", *lines]) + "\n"


def parse_index(text: str) -> Index:
    """The index of a text whose signature was verified.

    Raises ParcelError for another format version, ParcelDamaged for what breaks the format's rules.
    """
    version, _, rest = text.partition("\n")
    check_version(version)
    parcel, *lines = rest.removesuffix("\n").split("\n")
    parcel_id = parcel.removeprefix("parcel ")
    if parcel == parcel_id or not PARCEL_ID.fullmatch(parcel_id):
        raise ParcelDamaged("the index names no parcel id")
    files = tuple(_entry(line) for line in lines)
    names = [f.name for f in files]
    if sum(bool(MANIFEST_NAME.fullmatch(name)) for name in names) != 1:
        raise ParcelDamaged("the index does not name exactly one manifest")
    if names != sorted(set(names)) or len({name.endswith(".age") for name in names}) != 1:
        raise ParcelDamaged("the index is not sorted, names a file twice, or mixes sealed files with others")
    return Index(parcel_id, files)


def check_version(version: str) -> None:
    """Raises ParcelError, or ParcelDamaged where `version` is none at all."""
    if version == FORMAT:
        return
    if re.fullmatch("landbridge-parcel/[0-9]{1,4}", version):
        raise ParcelError(f"the parcel is {version}, this landbridge reads {FORMAT}", hint="update landbridge here")
    raise ParcelDamaged("this is no landbridge parcel")


def _entry(line: str) -> IndexEntry:
    match = _FILE.fullmatch(line)
    if not match or not (PART_NAME.fullmatch(match[3]) or MANIFEST_NAME.fullmatch(match[3])):
        raise ParcelDamaged(f"the index holds a line that no parcel has: {line[:120]!a}")
    return IndexEntry(match[3], int(match[2]), match[1])
