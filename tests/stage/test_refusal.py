"""Refusal: every harm on the way gives its own error, before a row is handed out, and names the file."""

import shutil
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import (
    CannotOpen,
    NotSigned,
    NotTrusted,
    ParcelDamaged,
    ParcelMissing,
    ParcelSwapped,
    UnknownVersion,
    WronglySigned,
)
from landbridge.sealing.age import new_identity, seal
from landbridge.sealing.note import Signers, new_signer, sign
from landbridge.stage.index import IndexEntry, index_text
from landbridge.stage.location import Store, open_store
from landbridge.stage.naming import PART_NAME
from landbridge.stage.reading import check_parcel, open_parcel, read_part
from landbridge.stage.writing import PartSettings
from tests.stage.parcels import CLEAR, IDENTITY, RECIPIENT, SIGNER, VERIFIER, ZSTD, export, fin

OTHER_IDENTITY, OTHER_RECIPIENT = new_identity()
OTHER_SIGNER, OTHER_VERIFIER = new_signer("exporter.example/one")
OURS = Signers([VERIFIER])
TWO_PARTS = PartSettings((RECIPIENT,), ZSTD, part_size=1)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "carried"))


def load(store, folder, *, signers=OURS, identities=(IDENTITY,)):
    """What an import does: open, then read all parts."""
    parcel = open_parcel(store, folder, signers=signers, identities=identities)
    return [list(read_part(store, parcel, entry, identities)) for entry in parcel.manifest.parts]


def refused(store, folder, error, *, names=None, **keys):
    """Loading raises exactly `error`, naming a file, and `check_parcel` finds it too."""
    with pytest.raises(error, match=names) as caught:
        load(store, folder, **keys)
    assert type(caught.value) is error
    found = check_parcel(
        store,
        folder,
        signers=keys.get("signers", OURS),
        identities=keys.get("identities", [IDENTITY]),
    )
    assert error in {type(fault) for fault in found}


def paths(store: Store, folder: str) -> dict[str, Path]:
    """Files of the parcel by kind: index, manifest, part."""
    found = {path.rpartition("/")[2]: store.root / path for path in store.files(folder)}
    return {name.partition(".")[0].partition("-")[0]: path for name, path in sorted(found.items(), reverse=True)}


@pytest.mark.parametrize("kind", ["manifest", "part"])
def test_a_flipped_bit_is_damage(store, kind):
    """In the manifest, or in a part: ParcelDamaged, with the file to carry again."""
    folder = export(store)
    path = paths(store, folder)[kind]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    refused(store, folder, ParcelDamaged, names=path.name)
    (fault,) = check_parcel(store, folder, signers=Signers([VERIFIER]), identities=None)
    assert fault.hint.endswith(f"export-data --resend {folder[-32:]} --part {path.name} --to MEDIUM")


def test_a_flipped_bit_in_the_index_is_not_trusted(store):
    """The text no longer fits the signature."""
    folder = export(store)
    path = paths(store, folder)["index"]
    path.write_bytes(path.read_bytes().replace(b" manifest", b"0 manifest"))
    refused(store, folder, WronglySigned, names="index")


@pytest.mark.parametrize("kind", ["manifest", "part"])
@pytest.mark.parametrize("change", [lambda d: d[:-1], lambda d: d + b"\0", lambda _: b""])
def test_a_wrong_length_is_damage(store, kind, change):
    """Cut, lengthened or empty: seen by the listing, before anything is read."""
    folder = export(store)
    path = paths(store, folder)[kind]
    path.write_bytes(change(path.read_bytes()))
    refused(store, folder, ParcelDamaged, names=path.name)


@pytest.mark.parametrize("kind", ["index", "manifest", "part"])
def test_a_missing_file_is_missing(store, kind):
    """Without its index the parcel is unfinished; without another file it was not carried whole."""
    folder = export(store)
    path = paths(store, folder)[kind]
    path.unlink()
    refused(store, folder, ParcelMissing, names=path.name)


def test_all_missing_files_are_named_at_once(store):
    """What to carry again is one list, not one error a time; where it is too long to be typed, it is the parcel."""
    for count, told in ((20, "MEDIUM"), (21, "… and 1 more")):
        folder = export(store, [fin(i, 1) for i in range(count)], settings=TWO_PARTS)
        names = sorted(path.name for path in (store.root / folder).glob("part-*"))
        for name in names:
            (store.root / folder / name).unlink()
        with pytest.raises(ParcelMissing) as caught:
            load(store, folder)
        message, hint = caught.value.message, caught.value.hint
        assert [name for name in names[:20] if f"{name} is missing" not in message] == []
        assert told in f"{message} {hint}"
        assert hint.count("--part part-") == (20 if count == 20 else 0)


def test_nothing_at_all_is_missing(store):
    """A parcel id that was never there."""
    store.put("fin/x", b"")
    refused(store, "fin/01a1fcaff6dd75c29b64f6e4be2cc781", ParcelMissing)


def test_a_foreign_signer_is_not_trusted(store):
    """Also where the signer has the trusted one's name; and nobody is trusted unless told."""
    folder = export(store, signer=OTHER_SIGNER)
    refused(store, folder, NotTrusted, names="index")
    refused(store, folder, NotTrusted, signers=Signers([]))
    assert load(store, folder, signers=Signers([OTHER_VERIFIER]))


def test_an_unsigned_index_is_not_trusted(store):
    """The right text without a signature; and bytes that are no text."""
    folder = export(store)
    path = paths(store, folder)["index"]
    text = path.read_text().partition("\n\n")[0] + "\n"
    for data in (text.encode(), b"", b"\xff\xfe"):
        path.write_bytes(data)
        refused(store, folder, NotSigned, names="index")


def test_another_identity_cannot_open(store):
    """Sealed for somebody else: CannotOpen at the manifest, before any part."""
    folder = export(store)
    refused(store, folder, CannotOpen, names="manifest", identities=[OTHER_IDENTITY])
    refused(store, folder, CannotOpen, identities=[])


def test_a_part_sealed_for_others_is_named(store):
    """A signer that sealed one part for other keys than the manifest."""
    folder = export(store, settings=PartSettings((OTHER_RECIPIENT,), ZSTD))
    parcel = open_parcel(store, folder, signers=Signers([VERIFIER]), identities=[OTHER_IDENTITY])
    with pytest.raises(CannotOpen, match="part-"):
        list(read_part(store, parcel, parcel.manifest.parts[0], [IDENTITY]))


def test_nothing_is_decrypted_before_its_hash_is_right(store):
    """A flipped manifest is damage also for one who could not open it."""
    folder = export(store)
    path = paths(store, folder)["manifest"]
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    refused(store, folder, ParcelDamaged, names="SHA-256", identities=[OTHER_IDENTITY])


def test_a_part_of_another_parcel_is_damage(store):
    """Same table, same size, same name, same signer and recipient: still not what was signed."""
    one, other = export(store), export(store)
    shutil.copy(paths(store, other)["part"], paths(store, one)["part"])
    refused(store, one, ParcelDamaged, names="part-")


def test_swapped_parts_are_damage(store):
    """Two parts of one parcel that changed names."""
    folder = export(store, [fin(1, 1), fin(2, 1)], settings=TWO_PARTS)
    first, second = sorted((store.root / folder).glob("part-*"))[:2]
    spare = first.with_name("spare")
    for source, target in ((first, spare), (second, first), (spare, second)):
        source.rename(target)
    refused(store, folder, ParcelDamaged, names="part-")


@pytest.mark.parametrize("files", [["index"], ["index", "manifest"]])
def test_the_index_of_another_parcel_does_not_fit(store, files):
    """A sound index (and manifest) of the same signer, laid over another parcel's parts."""
    one, other = export(store), export(store)
    for kind in files:
        shutil.copy(paths(store, other)[kind], paths(store, one)[kind])
    refused(store, one, ParcelDamaged)


def test_a_manifest_of_another_parcel_does_not_fit_a_signed_index(store):
    """Even a signer's own mistake is seen: index and manifest must be of one parcel, and name the same parts."""
    one, other = export(store), export(store)
    shutil.copy(paths(store, other)["manifest"], paths(store, one)["manifest"])
    resign(store, one, parcel_id=one[-32:])
    refused(store, one, ParcelSwapped, names="different parcels")
    resign(store, one, parcel_id=other[-32:])
    refused(store, one, ParcelDamaged, names="different parts")


def resign(store, folder, *, parcel_id, extra=()):
    """A new index over what lies there, by the trusted signer."""
    files = [
        IndexEntry(p.name, len(p.read_bytes()), sha256(p.read_bytes()).hexdigest())
        for p in (store.root / folder).iterdir()
        if p.name != "index"
    ]
    manifest, *parts = sorted(files)
    text = index_text(parcel_id, manifest, [*parts, *extra])
    (store.root / folder / "index").write_text(sign(text, SIGNER))


def test_a_part_that_is_no_parquet_or_another_table_is_damage(store):
    """A signer's broken part: the plain hash, the format, the columns and the row count are all checked."""
    folder = export(store)
    parcel = open_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY])
    (entry,) = parcel.manifest.parts
    schema = replace(parcel.manifest.schema, columns=parcel.manifest.schema.columns[:2])
    junk = seal(b"junk", [RECIPIENT])
    path = store.root / folder / entry.file
    for harmed, changed, said in (
        (entry, replace(parcel, manifest=replace(parcel.manifest, schema=schema)), "columns"),
        (replace(entry, rows=999), parcel, "1000 rows, the manifest says 999"),
        (replace(entry, plain_sha256="0" * 64), parcel, "what was sealed"),
        (replace(entry, plain_bytes=1), parcel, "what was sealed"),
    ):
        with pytest.raises(ParcelDamaged, match=said):
            list(read_part(store, changed, harmed, [IDENTITY]))
    path.write_bytes(junk)
    harmed = replace(
        entry,
        sealed_bytes=len(junk),
        sealed_sha256=sha256(junk).hexdigest(),
        plain_bytes=4,
        plain_sha256=sha256(b"junk").hexdigest(),
    )
    with pytest.raises(ParcelDamaged, match="no readable Parquet"):
        list(read_part(store, parcel, harmed, [IDENTITY]))


def test_a_signed_index_cannot_name_files_outside(store):
    """Path tricks are refused even when the trusted signer wrote them; the file is not opened."""
    folder = export(store)
    store.put("secret", b"x")
    resign(store, folder, parcel_id=folder[-32:], extra=[IndexEntry("../../secret", 1, "0" * 64)])
    refused(store, folder, ParcelDamaged, names="index")


def test_a_later_version_is_refused_with_the_advice_to_update(store):
    """Format 2 is neither damage nor distrust."""
    folder = export(store)
    text = index_text(folder[-32:], IndexEntry("manifest.json", 1, "0" * 64), []).replace("/1", "/2")
    (store.root / folder / "index").write_text(sign(text, SIGNER))
    refused(store, folder, UnknownVersion, names="landbridge-parcel/2")


def test_a_clear_parcel_cannot_stand_in_for_a_sealed_one(store):
    """Removing the encryption means new files, and those nobody signed."""
    folder, clear = export(store), export(store, settings=CLEAR)
    for path in (store.root / clear).iterdir():
        if path.name != "index":
            shutil.copy(path, store.root / folder)
    for path in (store.root / folder).glob("*.age"):
        path.unlink()
    refused(store, folder, ParcelMissing)


def test_names_mean_nothing_and_strangers_are_ignored(store):
    """A renamed folder still opens as what it is; files that the index does not name are not looked at."""
    folder = export(store)
    parcel_id = folder[-32:]
    (store.root / "elsewhere").mkdir()
    (store.root / folder).rename(store.root / "elsewhere" / ("0" * 32))
    moved = "elsewhere/" + "0" * 32
    store.put(f"{moved}/part-deadbeef-0000-00000.parquet.age", b"a zombie's part")
    store.put(f"{moved}/.part-3fa91c2e-0000-00000.parquet.age.0a0b0c0d", b"half a put")
    parcel = open_parcel(store, moved, signers=Signers([VERIFIER]), identities=[IDENTITY])
    assert (parcel.manifest.parcel_id, parcel.manifest.pipeline_name) == (parcel_id, "fin")
    assert parcel.signer == "exporter.example/one"
    assert sum(b.num_rows for part in load(store, moved) for b in part) == 1000


def test_check_finds_every_broken_part_at_once(store):
    """Each broken file has its own finding, and one without keys finds the same."""
    folder = export(store, [fin(i, 1) for i in range(5)], settings=TWO_PARTS)
    parts = sorted((store.root / folder).glob("part-*"))
    for path in parts[1:4]:
        path.write_bytes(path.read_bytes()[::-1])
    for identities in (None, [IDENTITY]):
        faults = check_parcel(store, folder, signers=Signers([VERIFIER]), identities=identities)
        assert [next(p.name for p in parts if p.name in str(f)) for f in faults] == [p.name for p in parts[1:4]]


SOUND = open_store("memory:///")
FOLDER = export(SOUND)
FILES = {path: SOUND.get(path, most=1 << 30) for path in SOUND.files(FOLDER)}


@given(st.sampled_from(sorted(FILES)), st.floats(0, 1, exclude_max=True), st.integers(0, 255))
def test_no_changed_byte_is_accepted_anywhere(path, place, byte):
    """Any byte of any file: refused as damage or distrust, or it is the byte that was there."""
    data = bytearray(FILES[path])
    data[int(place * len(data))] = byte
    harmed = open_store("memory:///")
    for other, content in FILES.items():
        harmed.put(other, bytes(data) if other == path else content)
    if bytes(data) == FILES[path]:
        assert load(harmed, FOLDER)
    else:
        with pytest.raises((ParcelDamaged, NotTrusted)):
            load(harmed, FOLDER)


def test_part_names_are_the_only_ones_read():
    """The pattern is anchored: nothing before or after it."""
    assert all(PART_NAME.fullmatch(p.rpartition("/")[2]) for p in FILES if "part-" in p)
    assert not PART_NAME.fullmatch("part-3fa91c2e-0000-00000.parquet.age\n")
