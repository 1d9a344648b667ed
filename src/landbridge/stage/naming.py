"""Names of parcels and their files. They keep things apart and carry no meaning (docs/parcel.md)."""

import re
import secrets
import time
from uuid import UUID

INDEX = "index"
PARCEL_ID = re.compile("[0-9a-f]{32}")
MANIFEST_NAME = re.compile(r"manifest\.json(\.age)?")
PART_NAME = re.compile(r"part-[0-9a-f]{1,32}(-[0-9]{1,10}){0,4}\.parquet(\.age)?")
HIDDEN_FOLDER = re.compile("[0-9a-f]{16}")
HIDDEN_NAME = re.compile(r"[0-9a-f]{16}\.enc")
EXPORT_INDEX = ".export_index.enc"
_NOT_PORTABLE = re.compile(r'[<>:"|?*\\\x00-\x1f]|[. ]$|^ |^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)', re.IGNORECASE)


def new_parcel_id(after: str = "") -> str:
    """32 hex digits, a UUIDv7 (RFC 9562): milliseconds since 1970, then 74 random bits. Later ids sort later.

    With `after`, an id, also where the clock was set back since that one was made.
    """
    version, variant = 7 << 76, 2 << 62
    value = secrets.randbits(80) & ~(0xF << 76) & ~(0x3 << 62)
    made = UUID(int=time.time_ns() // 1_000_000 << 80 | value | version | variant).hex
    return made if made > after else f"{int(after, 16) + 1:032x}"


def parcel_folder(table: str, parcel_id: str) -> str:
    """`{table}/{parcel_id}`. Raises ValueError for a name that would lead out of its folder."""
    if table in ("", ".", "..") or re.search(r"[/\\\x00-\x1f]", table):
        raise ValueError(f"table name {table!r} cannot be a folder's name")
    if not PARCEL_ID.fullmatch(parcel_id):
        raise ValueError(f"parcel id {parcel_id!r} is not 32 hex digits")
    return f"{table}/{parcel_id}"


def is_portable(name: str) -> bool:
    """Whether FAT, exFAT, NTFS and Joliet take a file or folder of this name."""
    return _NOT_PORTABLE.search(name) is None


def hidden_folder() -> str:
    """A folder for an obfuscated parcel: 16 random hex digits."""
    return secrets.token_hex(8)


def hidden_name() -> str:
    """A file of an obfuscated parcel, whichever: `{16 random hex digits}.enc`."""
    return f"{secrets.token_hex(8)}.enc"


def part_name(stem: str, number: int, *, sealed: bool) -> str:
    """Name of a stem's part; `stem` is hex digits, then groups of digits: `3fa91c2e-0004`. ValueError otherwise."""
    name = f"part-{stem}-{number:05d}.parquet" + (".age" if sealed else "")
    if not PART_NAME.fullmatch(name):
        raise ValueError(f"{stem!r} cannot begin the name of a part")
    return name


def manifest_name(*, sealed: bool) -> str:
    return "manifest.json.age" if sealed else "manifest.json"
