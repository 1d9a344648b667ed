"""Reading a parcel, in the order of docs/parcel.md: nothing is believed before it is signed, nothing decrypted
before its hash is right, no row handed out before its part is whole.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from landbridge.errors import NotTrusted, ParcelDamaged, ParcelError, ParcelMissing
from landbridge.schema.arrow import arrow_schema
from landbridge.sealing import age, note
from landbridge.stage.index import Index, IndexEntry, parse_index
from landbridge.stage.location import Store
from landbridge.stage.manifest import Manifest, PartEntry, manifest_from_json
from landbridge.stage.naming import HIDDEN_FOLDER, INDEX, PARCEL_ID

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.parquet import FileMetaData

BATCH_ROWS = 64 * 1024
MOST_INDEX = 64 << 20  # bytes: a hundred for each of half a million parts
MOST_ROW_GROUP = 1 << 30  # bytes when decompressed; a writer of ours ends one at 16 MiB
_NAMED = 10


@dataclass(frozen=True)
class Parcel:
    """A parcel whose signature, manifest and presence are checked; its parts are not, before `read_part`."""

    folder: str
    index: Index
    manifest: Manifest
    signer: str

    def without_parts(self) -> "Parcel":
        """What reading one part needs, whose entry is at hand: as small for a million parts as for one."""
        index = replace(self.index, files=(self.index.manifest,))
        return replace(self, index=index, manifest=replace(self.manifest, parts=(), row_count=0))


@dataclass(frozen=True)
class SignedIndex:
    """An index whose signature is right; `note` are its bytes as they were verified."""

    index: Index
    signer: str
    note: bytes = field(repr=False)


def find_parcels(store: Store, table: str) -> list[str]:
    """Folders of the table's finished parcels, oldest first. Whether they are sound is not looked at.

    Raises Unreachable, AccessDenied.
    """
    store.reach()
    levels = [path.split("/") for path in store.files(table)]
    return sorted("/".join(p[:2]) for p in levels if len(p) == 3 and p[2] == INDEX and PARCEL_ID.fullmatch(p[1]))


def find_obfuscated(store: Store) -> list[str]:
    """Folders of finished obfuscated parcels, in no meaningful order; what they hold must be opened to be known.

    Raises Unreachable, AccessDenied.
    """
    store.reach()
    return [name for name in store.folders() if HIDDEN_FOLDER.fullmatch(name) and is_finished(store, name)]


def is_finished(store: Store, folder: str) -> bool:
    """Whether `folder` holds a finished parcel, sound or not."""
    return f"{folder}/{INDEX}" in store.files(folder)


def open_parcel(
    store: Store, folder: str, *, verifiers: Sequence[str], identities: Sequence[str], revoked: Sequence[str] = ()
) -> Parcel:
    """Check all but the parts' contents. `identities` may be empty for a parcel that is not sealed.

    `revoked` are verifier keys by which nothing is accepted; the refusal then says so.

    Raises ParcelMissing, ParcelDamaged (both name the files to carry), NotTrusted, CannotOpen, ParcelError.
    """
    signed = read_index(store, folder, verifiers, revoked)
    check_present(folder, signed.index.files, store.files(folder))
    return Parcel(folder, signed.index, _read_manifest(store, folder, signed.index, identities), signed.signer)


def plain_part(store: Store, parcel: Parcel, entry: PartEntry, identities: Sequence[str]) -> bytes:
    """The part as a Parquet file in memory. Raises ParcelMissing, ParcelDamaged, CannotOpen."""
    data = fetch(store, parcel.folder, IndexEntry(entry.file, entry.sealed_bytes, entry.sealed_sha256))
    with _about(f"{parcel.folder}/{entry.file}"):
        plain = age.open_sealed(data, identities) if parcel.index.sealed else data
        if len(plain) != entry.plain_bytes or hashlib.sha256(plain).hexdigest() != entry.plain_sha256:
            raise ParcelDamaged("what was sealed is not what the manifest says")
    return plain


def read_part(store: Store, parcel: Parcel, entry: PartEntry, identities: Sequence[str]) -> "Iterator[pa.RecordBatch]":
    """The part's rows, in batches of `arrow_schema(parcel.manifest.schema)` and at most BATCH_ROWS rows.

    All checks are done before the first batch. Raises ParcelMissing, ParcelDamaged, CannotOpen.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    plain = plain_part(store, parcel, entry, identities)
    with _about(f"{parcel.folder}/{entry.file}"):
        try:
            file = ParquetFile(pa.BufferReader(plain))
            if not file.schema_arrow.equals(arrow_schema(parcel.manifest.schema)):
                raise ParcelDamaged("its columns are not the manifest's")
            _check_size(file.metadata)
            if file.metadata.num_rows != entry.rows:
                raise ParcelDamaged(f"it has {file.metadata.num_rows} rows, the manifest says {entry.rows}")
            yield from file.iter_batches(BATCH_ROWS, use_threads=False)  # each process has a part of its own
        except pa.ArrowException as error:
            raise ParcelDamaged("it is no readable Parquet file") from error


def _check_size(metadata: "FileMetaData") -> None:
    """A row group is decompressed as a whole: even a signed one must not fill the memory."""
    sizes = (metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if (largest := max(sizes, default=0)) > MOST_ROW_GROUP:
        raise ParcelDamaged(f"it holds a row group of {largest} bytes; {MOST_ROW_GROUP} are accepted")


def check_parcel(
    store: Store,
    folder: str,
    *,
    verifiers: Sequence[str],
    identities: Sequence[str] | None,
    revoked: Sequence[str] = (),
) -> list[ParcelError]:
    """Every fault that can be found, at most one for each file; [] for a sound parcel.

    Without identities (None): signature, presence, sizes and hashes. With them, and always for a parcel that is
    not sealed: also the manifest, and that every row can be read. Raises no ParcelError: it returns them.
    """
    try:
        signed = read_index(store, folder, verifiers, revoked)
    except ParcelError as error:
        return [error]
    faults: list[ParcelError] = []
    for file in signed.index.files:
        try:
            fetch(store, folder, file)
        except ParcelError as error:
            faults.append(error)
    if faults or (identities is None and signed.index.sealed):
        return faults
    return _contents(store, folder, signed.index, signed.signer, identities or ())


def _contents(store: Store, folder: str, index: Index, signer: str, identities: Sequence[str]) -> list[ParcelError]:
    try:
        parcel = Parcel(folder, index, _read_manifest(store, folder, index, identities), signer)
    except ParcelError as error:
        return [error]
    faults: list[ParcelError] = []
    for part in parcel.manifest.parts:
        try:
            for _ in read_part(store, parcel, part, identities):
                pass
        except ParcelError as error:
            faults.append(error)
    return faults


def check_present(folder: str, files: Iterable[IndexEntry], present: Mapping[str, int]) -> None:
    """Compare with a listing of `folder`. Raises ParcelMissing or ParcelDamaged, naming the files to carry."""
    missing, wrong = [], []
    for file in files:
        size = present.get(f"{folder}/{file.name}")
        if size is None:
            missing.append(file.name)
        elif size != file.bytes:
            wrong.append(f"{file.name} ({size} of {file.bytes} bytes)")
    if missing:
        raise ParcelMissing(f"{folder} lacks {_some(missing)}", hint=f"carry again: {_some(missing)}")
    if wrong:
        raise ParcelDamaged(f"{folder} holds files of the wrong size: {_some(wrong)}", hint="carry these files again")


def read_index(store: Store, folder: str, verifiers: Sequence[str], revoked: Sequence[str] = ()) -> SignedIndex:
    """Raises ParcelMissing, NotTrusted, ParcelDamaged, ParcelError."""
    path = f"{folder}/{INDEX}"
    try:
        data = store.get(path, most=MOST_INDEX)
    except ParcelMissing as error:
        raise ParcelMissing(
            f"{store.describe(path)} is not there: the parcel is unfinished, or not all of it was carried",
            hint=f"carry the whole folder {folder} again",
        ) from error
    with _about(path):
        try:
            text, signer = note.verify(data.decode(), verifiers, revoked)
        except UnicodeDecodeError as error:
            raise NotTrusted("not a signed note: it is not text") from error
        return SignedIndex(parse_index(text), signer, data)


def _read_manifest(store: Store, folder: str, index: Index, identities: Sequence[str]) -> Manifest:
    data = fetch(store, folder, index.manifest)
    with _about(f"{folder}/{index.manifest.name}"):
        manifest = manifest_from_json(age.open_sealed(data, identities) if index.sealed else data)
        if manifest.parcel_id != index.parcel_id:
            raise ParcelDamaged("manifest and index are of different parcels")
        if index.sealed != (manifest.encryption.format == "age"):
            raise ParcelDamaged("manifest and index disagree on encryption")
        parts = [IndexEntry(part.file, part.sealed_bytes, part.sealed_sha256) for part in manifest.parts]
        if sorted(parts) != list(index.parts):
            raise ParcelDamaged("manifest and index name different parts")
    return manifest


def fetch(store: Store, folder: str, file: IndexEntry) -> bytes:
    """A file as it was signed. Raises ParcelMissing, ParcelDamaged."""
    path = f"{folder}/{file.name}"
    try:
        data = store.get(path, most=file.bytes)
    except ParcelMissing as error:
        raise ParcelMissing(error.message, hint=f"carry again: {path}") from error
    if len(data) != file.bytes:
        raise ParcelDamaged(f"{path} has {len(data)} of {file.bytes} bytes", hint=f"carry again: {path}")
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise ParcelDamaged(f"{path} is not what was signed: its SHA-256 differs", hint=f"carry again: {path}")
    return data


@contextmanager
def _about(where: str) -> Iterator[None]:
    """Say in a parcel's error which file it is about."""
    try:
        yield
    except ParcelError as error:
        raise type(error)(f"{where}: {error.message}", hint=error.hint) from error


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
