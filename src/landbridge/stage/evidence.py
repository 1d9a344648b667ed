"""What the index in a parcel's folder proves to somebody who opens nothing."""

import hashlib
from dataclasses import dataclass

from landbridge.errors import ParcelError, ParcelMissing
from landbridge.sealing import note
from landbridge.sealing.note import Signers
from landbridge.stage.index import parse_index
from landbridge.stage.location import Store
from landbridge.stage.naming import INDEX
from landbridge.stage.reading import MOST_INDEX


@dataclass(frozen=True)
class Evidence:
    """`index_sha256` None: there is no index. `signer` None: nobody known signed it, and the id is the folder's name.

    The hash is that of the file as it lies there; it fixes every byte of the parcel.
    """

    parcel_id: str
    index_sha256: str | None = None
    signer: str | None = None


def evidence(store: Store, folder: str, signers: Signers) -> Evidence:
    """Raises Unreachable, AccessDenied; whatever is wrong with the index itself is no error here."""
    name = folder.rpartition("/")[2]
    try:
        data = store.get(f"{folder}/{INDEX}", most=MOST_INDEX)
    except ParcelMissing:
        return Evidence(name)
    digest = hashlib.sha256(data).hexdigest()
    try:
        text, signer = note.verify(data.decode(), *signers)
        return Evidence(parse_index(text).parcel_id, digest, signer)
    except (UnicodeDecodeError, ParcelError):
        return Evidence(name, digest)
