"""The format stands: parcels of the first version are read by every later one, and docs/parcel.md shows one."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from landbridge.schema.arrow import arrow_schema
from landbridge.sealing.note import Signers
from landbridge.stage.location import open_store
from landbridge.stage.reading import check_parcel, find_parcels, open_parcel, read_part
from tests.stage.parcels import FIN, fin

GOLDEN = Path(__file__).parent / "golden"
VERIFIER = (GOLDEN / "verifier.txt").read_text().strip()
IDENTITY = (GOLDEN / "identity.txt").read_text().strip()
SPECIFICATION = (Path(__file__).parents[2] / "docs" / "parcel.md").read_text()


@pytest.mark.parametrize("form", ["sealed", "clear"])
def test_parcels_of_version_1_are_read(form):
    """Files that an earlier landbridge wrote open, are sound, and hold the same rows."""
    store = open_store(str(GOLDEN / form))
    (folder,) = find_parcels(store, "fin")
    assert check_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY]) == []
    parcel = open_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY])
    (entry,) = parcel.manifest.parts
    table = pa.Table.from_batches(read_part(store, parcel, entry, [IDENTITY]), arrow_schema(FIN))
    assert parcel.manifest.schema == FIN
    assert table.equals(pa.Table.from_batches([fin(0, 3)]))


def test_the_specification_shows_a_real_parcel():
    """Index, manifest and verifier key printed in the specification are those of a parcel that opens."""
    (index,) = (GOLDEN / "clear").rglob("index")
    for text in (index.read_text(), index.with_name("manifest.json").read_text(), VERIFIER + "\n"):
        assert f"\n{text}```" in SPECIFICATION


def test_every_manifest_field_is_specified():
    """A field that is written is explained."""
    (manifest,) = (GOLDEN / "clear").rglob("manifest.json")
    prose = re.sub(r"```json\n.*?```", "", SPECIFICATION, flags=re.DOTALL)
    fields = set(re.findall(r'"(\w+)":', manifest.read_text()))
    assert {field for field in fields if f"`{field}`" not in prose} == set()
