"""A parcel that is refused, looked at as a whole: which of its files to carry again, and whose lie in their places."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from landbridge.errors import AccessDenied, ParcelError, ParcelMissing, ParcelSwapped
from landbridge.sealing.note import Signers
from landbridge.stage.index import Index
from landbridge.stage.location import Store
from landbridge.stage.naming import INDEX, MANIFEST_NAME, PARCEL_ID
from landbridge.stage.reading import examined, peek_index, read_index
from landbridge.stage.refusal import Fault, carry_again, refusal

LARGE = 64 << 20  # bytes; parts have 8 MiB unless told otherwise


def survey(store: Store, folder: str, signers: Signers) -> None:
    """Compare every file with the index. Raises one ParcelError that names all that are to be carried again.

    ParcelSwapped where whole files lie in each other's places. Returns where every file is as it was signed.
    """
    index = read_index(store, folder, signers).index
    name = folder.rpartition("/")[2]
    if PARCEL_ID.fullmatch(name) and name != index.parcel_id:
        raise ParcelSwapped(f"{folder} holds the index of parcel {index.parcel_id}", hint=carry_again(name))
    faults = list(_faults(store, folder, index))
    astray = _elsewhere(store, folder, {fault.file for fault in faults if fault.kind is ParcelMissing})
    if index.manifest.name in astray:
        there, _, _ = astray[index.manifest.name].rpartition("/")
        raise ParcelSwapped(f"{folder} holds the index of {there}", hint=carry_again(name, [INDEX]))
    if faults:
        owners = {file.sha256: file.name for file in index.files}
        owners |= _owners(store, {fault.found for fault in faults if fault.found} - set(owners))
        raise refusal(folder, index.parcel_id, [_told(fault, astray, owners) for fault in faults])


def _faults(store: Store, folder: str, index: Index) -> Iterator[Fault]:
    most = max(LARGE, *(file.bytes for file in index.files))  # what lies in a file's place may be larger than that
    for file in index.files:
        found = examined(store, folder, file, most=most)
        if isinstance(found, Fault):
            yield found


def _told(fault: Fault, astray: Mapping[str, str], owners: Mapping[str, str]) -> Fault:
    if fault.file in astray:
        return replace(fault, kind=ParcelSwapped, what=f"is missing, and lies at {astray[fault.file]}")
    if fault.found and fault.found in owners:
        return replace(fault, kind=ParcelSwapped, what=f"holds {owners[fault.found]}")
    return fault


def _elsewhere(store: Store, folder: str, names: Collection[str]) -> dict[str, str]:
    """Where else at this place files of these names lie; not manifests, which can be called alike in every parcel."""
    own = {name for name in names if not MANIFEST_NAME.fullmatch(name)}
    paths = [path for top in _tops(store, own) for path in _files(store, top) if not path.startswith(f"{folder}/")]
    return {name: path for path in paths if (name := path.rpartition("/")[2]) in own}


def _owners(store: Store, hashes: Collection[str]) -> dict[str, str]:
    """Files with these hashes, by what the other indexes at this place say; advice, so no signature is asked for."""
    found: dict[str, str] = {}
    for path in [path for top in _tops(store, hashes) for path in _files(store, top) if path.endswith(f"/{INDEX}")]:
        other = path.removesuffix(f"/{INDEX}")
        with suppress(ParcelError):
            found |= {f.sha256: f"{other}/{f.name}" for f in peek_index(store, other).files if f.sha256 in hashes}
    return found


def _tops(store: Store, wanted: Collection[str]) -> list[str]:
    return store.folders() if wanted else []


def _files(store: Store, top: str) -> dict[str, int]:
    with suppress(AccessDenied):  # a medium has folders of its own, such as lost+found
        return store.files(top)
    return {}
