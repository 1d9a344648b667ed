"""Reading a parcel, in the order of docs/parcel.md: nothing is believed before it is signed, nothing decrypted
before its hash is right, no row handed out before its part is whole.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from landbridge.errors import NotSigned, ParcelDamaged, ParcelError, ParcelMissing, ParcelSwapped, WronglySigned
from landbridge.schema.arrow import arrow_schema
from landbridge.sealing import age, note
from landbridge.sealing.note import Signers
from landbridge.stage.index import Index, IndexEntry, parse_index
from landbridge.stage.location import Store
from landbridge.stage.manifest import Manifest, PartEntry, manifest_from_json
from landbridge.stage.memory import bounded
from landbridge.stage.naming import HIDDEN_FOLDER, INDEX, PARCEL_ID
from landbridge.stage.refusal import Fault, carry_again, refusal

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 64 * 1024
MOST_INDEX = 40 << 20  # bytes: a hundred and thirty for each of manifest.MOST_PARTS
MADE_SO = "it was signed like this, and carrying it again does not help: export the table again"
MOST_MEMORY = 2 << 30  # bytes for one batch while it is decoded; a row group of ours is 16 MiB, or one row


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
        return replace(self, index=index, manifest=replace(self.manifest, parts=(), keys=None, row_count=0))

    def of_keys(self) -> "Parcel":
        """The same, as if the keys that it brings were its rows; see Manifest.of_keys."""
        return replace(self, manifest=self.manifest.of_keys())


@dataclass(frozen=True)
class SignedIndex:
    """An index whose signature is right; `note` are its bytes as they were verified."""

    index: Index
    signer: str
    note: bytes = field(repr=False)


def find_parcels(store: Store, table: str) -> list[str]:
    """Folders of the table's finished parcels, oldest first; sound or not. Raises Unreachable, AccessDenied."""
    return list_parcels(store, table)[0]


def list_parcels(store: Store, table: str) -> tuple[list[str], list[str]]:
    """Folders of the table's finished parcels and of its unfinished ones, each oldest first, by one listing."""
    store.reach()
    levels = [path.split("/") for path in store.files(table)]
    found = {"/".join(p[:2]) for p in levels if len(p) == 3 and PARCEL_ID.fullmatch(p[1])}
    whole = {"/".join(p[:2]) for p in levels if len(p) == 3 and p[2] == INDEX}
    return sorted(found & whole), sorted(found - whole)


def find_obfuscated(store: Store) -> list[str]:
    """Folders of obfuscated parcels, finished or not, in no meaningful order; what they hold must be opened.

    Raises Unreachable, AccessDenied.
    """
    store.reach()
    return [name for name in store.folders() if HIDDEN_FOLDER.fullmatch(name)]


def is_finished(store: Store, folder: str) -> bool:
    """Whether `folder` holds a finished parcel, sound or not."""
    return f"{folder}/{INDEX}" in store.files(folder)


def open_parcel(store: Store, folder: str, *, signers: Signers, identities: Sequence[str]) -> Parcel:
    """Check all but the parts' contents. `identities` may be empty for a parcel that is not sealed.

    Raises ParcelMissing, ParcelDamaged (both name the files to carry), NotTrusted, CannotOpen, UnknownVersion.
    """
    signed = read_index(store, folder, signers)
    index = signed.index
    if faults := differing(folder, index.files, store.files(folder)):
        raise refusal(folder, index.parcel_id, faults)
    return Parcel(folder, index, _read_manifest(store, folder, index, identities), signed.signer)


def peek_parcel(
    store: Store, folder: str, *, signers: Signers, identities: Sequence[str]
) -> tuple[Manifest, ParcelError | None]:
    """The manifest of a parcel, be its parts there or not, and what `open_parcel` would then refuse it for.

    Raises as `open_parcel` where not even its manifest can be believed.
    """
    index = read_index(store, folder, signers).index
    manifest = _read_manifest(store, folder, index, identities)
    faults = differing(folder, index.files, store.files(folder))
    return manifest, refusal(folder, index.parcel_id, faults) if faults else None


def plain_part(store: Store, parcel: Parcel, entry: PartEntry, identities: Sequence[str]) -> bytes:
    """The part as a Parquet file in memory. Raises ParcelMissing, ParcelDamaged, CannotOpen."""
    carried = IndexEntry(entry.file, entry.sealed_bytes, entry.sealed_sha256)
    data = fetch(store, parcel.folder, parcel.index.parcel_id, carried)
    with _about(f"{parcel.folder}/{entry.file}"):
        plain = age.open_sealed(data, identities) if parcel.index.sealed else data
        if len(plain) != entry.plain_bytes or hashlib.sha256(plain).hexdigest() != entry.plain_sha256:
            raise ParcelDamaged("what was sealed is not what the manifest says")
    return plain


def read_part(store: Store, parcel: Parcel, entry: PartEntry, identities: Sequence[str]) -> "Iterator[pa.RecordBatch]":
    """The part's rows, in batches of `arrow_schema(parcel.manifest.schema)` and at most BATCH_ROWS rows.

    All checks that need no row are done before the first batch. Raises ParcelMissing, ParcelDamaged, CannotOpen.
    """
    import pyarrow as pa

    plain = plain_part(store, parcel, entry, identities)
    with _about(f"{parcel.folder}/{entry.file}"):
        try:
            yield from _rows(plain, parcel, entry)
        except MemoryError as error:
            raise ParcelDamaged(f"it needs more than {MOST_MEMORY} bytes of memory to be read") from error
        except (pa.ArrowException, OSError, ValueError) as error:  # pyarrow's own words for broken files are all three
            raise ParcelDamaged("it is no readable Parquet file") from error


def _rows(plain: bytes, parcel: Parcel, entry: PartEntry) -> "Iterator[pa.RecordBatch]":
    """Nothing in the file is believed: not its counts, not its sizes, not that its text is text."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    with bounded(MOST_MEMORY):
        file = ParquetFile(pa.BufferReader(plain))
        if not file.schema_arrow.equals(arrow_schema(parcel.manifest.schema)):
            raise ParcelDamaged("its columns are not the manifest's")
        if file.metadata.num_rows != entry.rows:
            raise ParcelDamaged(f"it has {file.metadata.num_rows} rows, the manifest says {entry.rows}")
        batches = file.iter_batches(BATCH_ROWS, use_threads=False)  # each process has a part of its own
    rows = 0
    while True:
        with bounded(MOST_MEMORY):
            if (batch := next(batches, None)) is None:
                break
            batch.validate(full=True)
        rows += batch.num_rows
        yield batch
    if rows != entry.rows:
        raise ParcelDamaged(f"it says that it has {entry.rows} rows, and holds {rows}")


def check_parcel(store: Store, folder: str, *, signers: Signers, identities: Sequence[str] | None) -> list[ParcelError]:
    """Every fault that can be found, at most one for each file; [] for a sound parcel.

    Without identities (None): signature, presence, sizes and hashes. With them, and always for a parcel that is
    not sealed: also the manifest, and that every row can be read. Raises no ParcelError: it returns them.
    """
    try:
        signed = read_index(store, folder, signers)
    except ParcelError as error:
        return [error]
    faults: list[ParcelError] = []
    for file in signed.index.files:
        try:
            fetch(store, folder, signed.index.parcel_id, file)
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
    for one in (parcel, parcel.of_keys()) if parcel.manifest.keys is not None else (parcel,):
        for part in one.manifest.parts:
            try:
                for _ in read_part(store, one, part, identities):
                    pass
            except ParcelError as error:
                faults.append(error)
    return faults


def read_index(store: Store, folder: str, signers: Signers) -> SignedIndex:
    """Raises ParcelMissing, NotTrusted, ParcelDamaged, UnknownVersion."""
    path = f"{folder}/{INDEX}"
    again = carry_again(folder.rpartition("/")[2], [INDEX])
    try:
        data = store.get(path, most=MOST_INDEX)
    except ParcelMissing as error:
        raise ParcelMissing(
            f"{store.describe(path)} is not there: the parcel is unfinished, or not all of it was carried", hint=again
        ) from error
    except ParcelDamaged as error:
        raise ParcelDamaged(error.message, hint=again) from error
    with _about(path):
        try:
            text, signer = note.verify(data.decode(), *signers)
        except UnicodeDecodeError as error:
            raise NotSigned("not a signed note: it is not text", hint=again) from error
        except (NotSigned, WronglySigned) as error:
            raise type(error)(error.message, hint=again) from error
        return SignedIndex(parse_index(text), signer, data)


def peek_index(store: Store, folder: str) -> Index:
    """The index as it stands, whoever signed it: advice, never proof. Raises ParcelError."""
    try:
        text = store.get(f"{folder}/{INDEX}", most=MOST_INDEX).decode()
    except UnicodeDecodeError as error:
        raise NotSigned(f"{folder}/{INDEX} is not text") from error
    return parse_index(text.rpartition("\n\n")[0] + "\n")


def _read_manifest(store: Store, folder: str, index: Index, identities: Sequence[str]) -> Manifest:
    data = fetch(store, folder, index.parcel_id, index.manifest)
    with _about(f"{folder}/{index.manifest.name}"):
        manifest = manifest_from_json(age.open_sealed(data, identities) if index.sealed else data)
        if manifest.parcel_id != index.parcel_id:
            raise ParcelSwapped("manifest and index are of different parcels")
        if index.sealed != (manifest.encryption.format == "age"):
            raise ParcelDamaged("manifest and index disagree on encryption")
        parts = [IndexEntry(part.file, part.sealed_bytes, part.sealed_sha256) for part in manifest.all_parts]
        if sorted(parts) != list(index.parts):
            raise ParcelDamaged("manifest and index name different parts")
    return manifest


def differing(folder: str, files: Iterable[IndexEntry], present: Mapping[str, int]) -> list[Fault]:
    """What a listing of `folder` tells: files that are not there, or not of their size."""
    sizes = [(file, present.get(f"{folder}/{file.name}")) for file in files]
    return [fault for file, size in sizes if (fault := _size_fault(file, size))]


def _size_fault(file: IndexEntry, size: int | None) -> Fault | None:
    if size is None:
        return Fault(file.name, ParcelMissing, "is missing")
    if size == file.bytes:
        return None
    return Fault(
        file.name, ParcelDamaged, f"is {'cut' if size < file.bytes else 'too long'}: {size} of {file.bytes} bytes"
    )


def fetch(store: Store, folder: str, parcel_id: str, file: IndexEntry) -> bytes:
    """The file's bytes as they were signed. Raises ParcelMissing, ParcelDamaged."""
    found = examined(store, folder, file, most=file.bytes)
    if isinstance(found, Fault):
        raise refusal(folder, parcel_id, [found])
    return found


def examined(store: Store, folder: str, file: IndexEntry, *, most: int) -> bytes | Fault:
    """The file's bytes as they were signed, or what is wrong with them; no more than `most` bytes are read."""
    path = f"{folder}/{file.name}"
    try:
        data = store.get(path, most=most)
    except ParcelMissing:
        return Fault(file.name, ParcelMissing, "is missing")
    except ParcelDamaged as error:
        return Fault(file.name, ParcelDamaged, error.message.removeprefix(f"{store.describe(path)} "))
    found = hashlib.sha256(data).hexdigest()
    if fault := _size_fault(file, len(data)):
        return replace(fault, found=found)
    if found != file.sha256:
        return Fault(file.name, ParcelDamaged, "is not what was signed: its SHA-256 differs", found)
    return data


@contextmanager
def _about(where: str) -> Iterator[None]:
    """Say in a parcel's error which file it is about; what is damaged though it was signed, was so at its making."""
    try:
        yield
    except ParcelError as error:
        hint = error.hint or (MADE_SO if isinstance(error, ParcelDamaged) else None)
        raise type(error)(f"{where}: {error.message}", hint=hint) from error
