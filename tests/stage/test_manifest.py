"""Manifest and index: what is written comes back, and what does not add up is refused by name."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import ParcelDamaged, ParcelError, UnknownVersion
from landbridge.schema.model import Relation
from landbridge.schema.traits import Traits
from landbridge.stage.index import IndexEntry, index_text, parse_index
from landbridge.stage.manifest import Altered, LoadHints, PartEntry, manifest_from_json, manifest_to_json, numbered
from landbridge.stage.naming import new_parcel_id, parcel_folder, part_name
from tests.stage.parcels import manifest_of

HASH = "ab" * 32
ID = "01a1fcaff6dd75c29b64f6e4be2cc781"
PART = PartEntry(0, "part-3fa91c2e-0000-00000.parquet.age", 5, 0, 9, HASH, 20, HASH)
MANIFEST = manifest_of([PART, replace(PART, file="part-3fa91c2e-0001-00000.parquet.age", rows=2)], parcel_id=ID)
NEWER = "update landbridge"


def changed(**fields):
    """The manifest's JSON with dotted fields set."""
    data = json.loads(manifest_to_json(MANIFEST))
    for path, value in fields.items():
        *outer, last = path.split("__")
        inner = data
        for key in outer:
            inner = inner[int(key) if key.isdigit() else key]
        inner[last] = value
    return json.dumps(data).encode()


def test_a_manifest_comes_back_equal():
    """Every field survives JSON, with and without what is optional."""
    hinted = replace(MANIFEST, load_hints=LoadHints(Relation("fin", "public")), parts=(), row_count=0)
    altered = (Altered("b", "B", None), Altered("mail", "MAIL", "hash"))
    told = replace(MANIFEST, source=replace(MANIFEST.source, columns=altered), ddl={"duckdb": "CREATE TABLE …"})
    looked = replace(MANIFEST, traits=(Traits("id", True, True, -(2**63), 2**63 - 1), Traits("memo", nul_bytes=True)))
    for manifest in (MANIFEST, hinted, told, looked, replace(MANIFEST, traits=())):
        assert manifest_from_json(manifest_to_json(manifest)) == manifest


def test_what_came_later_may_be_missing():
    """A manifest of an earlier version has no DDL, tells of no columns that were altered, and of no values."""
    data = json.loads(manifest_to_json(MANIFEST))
    del data["ddl"], data["traits"], data["source"]["columns"]
    assert manifest_from_json(json.dumps(data).encode()) == replace(MANIFEST, traits=None)


def test_parts_are_counted_through():
    """Numbers and first rows run over all parts in their order."""
    assert [(p.number, p.first_row, p.rows) for p in numbered([PART, PART, PART])] == [(0, 0, 5), (1, 5, 5), (2, 10, 5)]


def test_unknown_fields_are_ignored():
    """A later minor version may add fields anywhere."""
    data = changed(colour="red", source__mood="blue", parts__0__padding=7, schema__columns__0__mask="hash")
    assert manifest_from_json(data) == MANIFEST


@pytest.mark.parametrize("fields", [{"format": "landbridge-parcel/2"}, {"requires": ["padding"]}])
def test_what_a_later_version_needs_is_said(fields):
    """A newer major version, or a feature that may not be ignored, is UnknownVersion with the advice to update."""
    with pytest.raises(UnknownVersion) as caught:
        manifest_from_json(changed(**fields))
    assert caught.value.hint.startswith(NEWER)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"format": "something-else"}, "no landbridge parcel"),
        ({"parcel_id": "../../etc"}, "parcel_id"),
        ({"row_count": 8}, "row_count"),
        ({"row_count": "7"}, "row_count"),
        ({"sequence": 0}, "sequence"),
        ({"as_of": "2026-01-31T23:00:00"}, "as_of"),
        ({"as_of": 5}, "as_of"),
        ({"parts__0__rows": -1}, "parts.0.rows"),
        ({"parts__1__first_row": 4}, "numbered"),
        ({"parts__1__number": 0}, "numbered"),
        ({"parts__1__file": PART.file}, "named twice"),
        ({"parts__0__sealed_sha256": "AB" * 32}, "sealed_sha256"),
        ({"parts": None}, "parts"),
        ({"encryption__format": "rot13"}, "encryption.format"),
        ({"schema__columns__0__type__kind": "money"}, "schema.columns.0.type"),
        ({"schema__columns__1__name": "id"}, "column is named twice"),
        ({"source": []}, "source"),
        ({"traits": {}}, "traits: "),
        ({"traits": [{"column": "id", "earliest": 2**63, "latest": 2**63}]}, "traits.0.earliest"),
        ({"traits": [{"column": "id", "latest": 0}]}, "one end only"),
        ({"traits": [{"column": "id", "nul_bytes": 1}]}, "traits.0.nul_bytes"),
        ({"traits": [{"column": "price"}]}, "column that is not there"),
        ({"traits": [{"column": "id"}, {"column": "id"}]}, "named twice"),
        ({"traits": [{}] * 1000}, "traits.0.column: field required"),
    ],
)
def test_wrong_fields_are_damage_and_named(fields, named):
    """Types, ranges and sums are checked, and the message says which field."""
    with pytest.raises(ParcelDamaged, match=re.escape(named)):
        manifest_from_json(changed(**fields))


def test_missing_fields_are_named():
    """Each required field that is gone is named."""
    data = json.loads(manifest_to_json(MANIFEST))
    del data["row_count"], data["parts"][1]["rows"]
    with pytest.raises(ParcelDamaged, match=r"row_count: field required; parts\.1\.rows: field required"):
        manifest_from_json(json.dumps(data).encode())


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps).map(str.encode)
)
def test_any_bytes_are_refused_quietly(data):
    """Whatever the bytes, the answer is a ParcelError."""
    with pytest.raises(ParcelError):
        manifest_from_json(data)
    with pytest.raises(ParcelError):
        manifest_from_json(b"[" * 5000 + data)


FILES = (IndexEntry("manifest.json.age", 7, HASH), IndexEntry("part-0a.parquet.age", 9, HASH))
FILES += (IndexEntry(PART.file, 20, HASH),)
HIDDEN = tuple(IndexEntry(f"{digit * 16}.enc", 20, HASH) for digit in "a07f")


def test_an_index_comes_back_equal_and_sorted():
    """Its text names version, parcel, the manifest, then the parts by name, and nothing else."""
    text = index_text(ID, FILES[0], reversed(FILES[1:]))
    lines = [f"{HASH} 7 manifest.json.age", f"{HASH} 9 part-0a.parquet.age", f"{HASH} 20 {PART.file}"]
    assert text == "\n".join(["landbridge-parcel/1", f"parcel {ID}", *lines]) + "\n"
    index = parse_index(text)
    assert (index.parcel_id, index.files, index.manifest, index.parts) == (ID, FILES, FILES[0], FILES[1:])
    assert (index.sealed, index.obfuscated, index.bytes) == (True, False, 36)


def test_the_index_of_an_obfuscated_parcel_names_its_manifest_by_place():
    """The first file is the manifest, wherever its name would sort; such a parcel is always sealed."""
    index = parse_index(index_text(ID, HIDDEN[0], reversed(HIDDEN[1:])))
    assert (index.manifest, index.parts) == (HIDDEN[0], HIDDEN[1:])
    assert index.sealed
    assert index.obfuscated


@pytest.mark.parametrize(
    "files",
    [(*FILES, HIDDEN[0]), (HIDDEN[0], *FILES[1:]), (HIDDEN[0], *HIDDEN), (*HIDDEN, IndexEntry("a.enc", 1, HASH))],
)
def test_obfuscated_names_and_others_do_not_mix(files):
    """Nor is a file named twice, nor are other digits taken."""
    with pytest.raises(ParcelDamaged):
        parse_index(index_text(ID, files[0], files[1:]))


@pytest.mark.parametrize(
    "name",
    [
        "../" + PART.file,
        "/etc/passwd",
        "part-3fa91c2e/../x.parquet.age",
        "part-3fa91c2e-0\\x.parquet.age",
        "C:part-3fa91c2e.parquet.age",
        "part-3fa91c2e-0000-00000.parquet.age.exe",
        "part-3fa91c2e-0000-00000.PARQUET.age",
        "part-.parquet.age",
        "index",
        "manifest.json",
        "manifest.json.age",
        ".part-3fa91c2e-0000-00000.parquet.age",
        "part-3fa91c2e-\u0660\u0660.parquet.age",
        "part-3fa91c2e-0000-00000.parquet",
    ],
)
def test_an_index_with_any_other_file_name_is_refused(name):
    """Also where it is signed: path tricks, second manifests, and a mix of sealed and clear."""
    with pytest.raises(ParcelDamaged):
        parse_index(index_text(ID, FILES[0], [*FILES[1:], IndexEntry(name, 1, HASH)]))


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.replace("landbridge", "landbrigde"),
        lambda t: t.replace("/1", "/one"),
        lambda t: t.replace(f"parcel {ID}", "parcel ../x"),
        lambda t: t.replace(f"parcel {ID}\n", ""),
        lambda t: "\n".join([*t.splitlines()[:2], *reversed(t.splitlines()[2:])]) + "\n",
        lambda t: t + t.splitlines()[-1] + "\n",
        lambda t: t.replace(" 7 ", " 07 "),
        lambda t: t.replace(" 7 ", " -7 "),
        lambda t: t.replace(" 7 ", " 7" + "0" * 30 + " "),
        lambda t: t.replace(" 7 ", "  7 "),
        lambda t: t + "\n",
        lambda t: t.replace(HASH, HASH.upper()),
        lambda t: "\n".join(t.splitlines()[:2]) + "\n",
        lambda _: "",
    ],
)
def test_an_index_that_breaks_the_rules_is_damage(change):
    """One spelling only: what reads differently is refused."""
    with pytest.raises(ParcelDamaged):
        parse_index(change(index_text(ID, FILES[0], FILES[1:])))


def test_an_index_of_a_later_version_asks_for_an_update():
    """The version is looked at before anything else in the text."""
    with pytest.raises(UnknownVersion) as caught:
        parse_index("landbridge-parcel/2\nwho knows what\n")
    assert caught.value.hint.startswith(NEWER)


@given(st.text(max_size=200).map(lambda text: f"landbridge-parcel/1\nparcel {ID}\n{text}"))
def test_any_index_text_is_refused_quietly(text):
    """Whatever follows the head, the answer is ParcelDamaged."""
    with pytest.raises(ParcelDamaged):
        parse_index(text)


def test_parcel_ids_are_unique_and_grow_with_time():
    """UUIDs of version 7: the first 12 digits are the clock, the rest is chance."""
    ids = [new_parcel_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert [i[:12] for i in ids] == sorted(i[:12] for i in ids)
    assert all(re.fullmatch("[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", i) for i in ids)


@pytest.mark.parametrize("table", ["", ".", "..", "a/b", "a\\b", "a\0b", "a\nb"])
def test_a_table_name_never_leads_out_of_its_folder(table):
    """Names that a file system reads as a path are refused."""
    with pytest.raises(ValueError, match="table name"):
        parcel_folder(table, ID)


def test_names_that_could_not_be_read_back_are_not_given():
    """A stem or parcel id of another form is a mistake of the caller."""
    assert part_name("3fa91c2e-0004", 12, sealed=True) == "part-3fa91c2e-0004-00012.parquet.age"
    with pytest.raises(ValueError, match="begin the name"):
        part_name("../x", 1, sealed=False)
    with pytest.raises(ValueError, match="parcel id"):
        parcel_folder("fin", "../x")
