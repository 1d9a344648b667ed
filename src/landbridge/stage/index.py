"""The index: which files make up a parcel, as the text of a signed note. It tells nothing else."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from landbridge.errors import ParcelDamaged, UnknownVersion
from landbridge.stage.naming import HIDDEN_NAME, MANIFEST_NAME, PARCEL_ID, PART_NAME

FORMAT = "landbridge-parcel/1"
MOST_FILE = 1 << 30  # bytes: a reader holds a file in memory
_FILE = re.compile(r"([0-9a-f]{64}) (0|[1-9][0-9]{0,17}) (\S+)")


@dataclass(frozen=True, order=True)
class IndexEntry:
    """A file as it is carried."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Index:
    """The parcel's files: the manifest, then any number of parts, sorted by name."""

    parcel_id: str
    files: tuple[IndexEntry, ...]

    @property
    def manifest(self) -> IndexEntry:
        return self.files[0]

    @property
    def parts(self) -> tuple[IndexEntry, ...]:
        return self.files[1:]

    @property
    def sealed(self) -> bool:
        return self.obfuscated or self.manifest.name.endswith(".age")

    @property
    def obfuscated(self) -> bool:
        return HIDDEN_NAME.fullmatch(self.manifest.name) is not None

    @property
    def bytes(self) -> int:
        return sum(f.bytes for f in self.files)


def index_text(parcel_id: str, manifest: IndexEntry, parts: Iterable[IndexEntry]) -> str:
    lines = [f"{f.sha256} {f.bytes} {f.name}" for f in (manifest, *sorted(parts))]
    return "\n".join([FORMAT, f"parcel {parcel_id}", *lines]) + "\n"


def parse_index(text: str) -> Index:
    """The index of a text whose signature was verified.

    Raises UnknownVersion for another format version, ParcelDamaged for what breaks the format's rules.
    """
    version, _, rest = text.partition("\n")
    check_version(version)
    parcel, *lines = rest.removesuffix("\n").split("\n")
    parcel_id = parcel.removeprefix("parcel ")
    if parcel == parcel_id or not PARCEL_ID.fullmatch(parcel_id):
        raise ParcelDamaged("the index names no parcel id")
    files = tuple(_entry(line) for line in lines)
    _check_names([f.name for f in files])
    if (largest := max(f.bytes for f in files)) > MOST_FILE:
        raise ParcelDamaged(f"the index names a file of {largest} bytes; {MOST_FILE} are accepted")
    return Index(parcel_id, files)


def _check_names(names: Sequence[str]) -> None:
    manifest, *parts = names or [""]
    hidden = HIDDEN_NAME.fullmatch(manifest)
    if not hidden and not MANIFEST_NAME.fullmatch(manifest):
        raise ParcelDamaged("the index does not begin with a manifest")
    if not all((HIDDEN_NAME if hidden else PART_NAME).fullmatch(name) for name in parts):
        raise ParcelDamaged("the index names files of other kinds than parts, or mixes obfuscated names with others")
    if parts != sorted(set(parts) - {manifest}) or len({name.endswith(".age") for name in names}) != 1:
        raise ParcelDamaged("the index is not sorted, names a file twice, or mixes sealed files with others")


def check_version(version: str) -> None:
    """Raises UnknownVersion, or ParcelDamaged where `version` is none at all."""
    if version == FORMAT:
        return
    if re.fullmatch("landbridge-parcel/[0-9]{1,4}", version):
        raise UnknownVersion(f"the parcel is {version}, this landbridge reads {FORMAT}", hint="update landbridge here")
    raise ParcelDamaged("this is no landbridge parcel")


def _entry(line: str) -> IndexEntry:
    match = _FILE.fullmatch(line)
    if not match:
        raise ParcelDamaged(f"the index holds a line that no parcel has: {line[:120]!a}")
    return IndexEntry(match[3], int(match[2]), match[1])
