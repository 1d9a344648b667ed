"""What an index proves without opening anything."""

import hashlib
from pathlib import Path

from landbridge.sealing.note import Signers
from landbridge.stage.evidence import Evidence, evidence
from landbridge.stage.location import open_store
from tests.stage.parcels import VERIFIER, export


def test_of_a_signed_index(tmp_path: Path):
    """Its own hash, the parcel that it names, and who signed it, whatever the folder is called."""
    store = open_store(str(tmp_path))
    folder = export(store)
    digest = hashlib.sha256((tmp_path / folder / "index").read_bytes()).hexdigest()
    parcel_id = folder.rpartition("/")[2]
    assert evidence(store, folder, Signers([VERIFIER])) == Evidence(parcel_id, digest, "exporter.example/one")
    (tmp_path / folder).rename(tmp_path / "fin" / "moved")
    assert evidence(store, "fin/moved", Signers([VERIFIER])).parcel_id == parcel_id


def test_of_one_that_nobody_known_signed(tmp_path: Path):
    """Nothing is taken from it but its hash; of no index, not even that."""
    store = open_store(str(tmp_path))
    folder = export(store)
    parcel_id = folder.rpartition("/")[2]
    index = tmp_path / folder / "index"
    digest = hashlib.sha256(index.read_bytes()).hexdigest()
    assert evidence(store, folder, Signers([])) == Evidence(parcel_id, digest)
    index.write_bytes(b"\xff")
    assert evidence(store, folder, Signers([VERIFIER])) == Evidence(parcel_id, hashlib.sha256(b"\xff").hexdigest())
    index.unlink()
    assert evidence(store, folder, Signers([VERIFIER])) == Evidence(parcel_id)
