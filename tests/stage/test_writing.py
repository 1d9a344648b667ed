"""Writing: parts of the right size, nothing in the clear, nothing signed that is not whole."""

import os
import pickle
import secrets
from pathlib import Path

import pyarrow as pa
import pytest

from landbridge.errors import ParcelDamaged, ParcelError, ParcelMissing
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.sealing.age import open_sealed
from landbridge.sealing.note import Signers
from landbridge.stage.location import open_store
from landbridge.stage.manifest import Compression, numbered
from landbridge.stage.naming import new_parcel_id, parcel_folder
from landbridge.stage.reading import check_parcel, find_parcels, is_finished, open_parcel, read_part
from landbridge.stage.writing import (
    ROW_GROUP_ROWS,
    PartSettings,
    delete_parcel,
    delete_unfinished,
    seal_parcel,
    write_parts,
)
from tests.stage.parcels import (
    CANARY,
    CLEAR,
    FIN,
    IDENTITY,
    RECIPIENT,
    SEALED,
    SIGNER,
    VERIFIER,
    ZSTD,
    export,
    fin,
    manifest_of,
)

KIB = 1024
NOISE = TableSchema((Column("noise", Type("binary")),))


def noise(rows, size):
    """Rows that no compression makes smaller."""
    return pa.RecordBatch.from_arrays(
        [pa.array([secrets.token_bytes(size) for _ in range(rows)])], schema=arrow_schema(NOISE)
    )


def parts_of(store, batches, *, schema=FIN, settings=SEALED, stem="3fa91c2e-0000", folder="fin/x"):
    return write_parts(store, folder, batches, schema=arrow_schema(schema), settings=settings, stem=stem)


@pytest.fixture
def store(tmp_path):
    return open_store(str(tmp_path / "stage"))


@pytest.mark.parametrize("batches", [[noise(1000, KIB)], [noise(10, KIB) for _ in range(100)]])
def test_parts_end_at_the_part_size(store, batches):
    """1 MiB in parts of 128 KiB: none much larger, none but the last smaller; however the rows arrive."""
    entries = parts_of(store, batches, schema=NOISE, settings=PartSettings((RECIPIENT,), ZSTD, part_size=128 * KIB))
    assert sum(e.rows for e in entries) == 1000
    assert all(128 * KIB <= e.plain_bytes < 300 * KIB for e in entries[:-1])
    assert len(entries) >= 4
    assert entries == list(numbered(entries))
    assert {f"fin/x/{e.file}": e.sealed_bytes for e in entries} == store.files("fin/x")


def test_small_batches_are_gathered_into_row_groups(store):
    """Many small batches make one part with few row groups, of at most 128k rows each."""
    (entry,) = parts_of(store, (fin(i * 10_000, 10_000) for i in range(15)), settings=CLEAR)
    file = pa.parquet.ParquetFile(store.root / "fin/x" / entry.file)
    groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    assert groups == [130_000, 20_000]
    assert max(groups) <= ROW_GROUP_ROWS


def test_a_dictionary_only_where_values_repeat(store):
    """Unique values are written plain, however many NULLs stand between; what repeats is written by dictionary."""
    names = (("unique", "text"), ("gaps", "int64"), ("repeats", "text"), ("a.dot", "date"), ("nothing", "text"))
    schema = TableSchema(tuple(Column(name, Type(kind)) for name, kind in names))
    rows = 30_000
    batch = pa.RecordBatch.from_arrays(
        [
            pa.array([f"value {i}" for i in range(rows)]),
            pa.array([i if i % 3 == 0 else None for i in range(rows)], pa.int64()),
            pa.array([f"value {i % 100}" for i in range(rows)]),
            pa.array([i % 50 for i in range(rows)], pa.int32()).cast(pa.date32()),
            pa.nulls(rows, pa.string()),
        ],
        schema=arrow_schema(schema),
    )
    (entry,) = parts_of(store, [batch], schema=schema, settings=CLEAR)
    group = pa.parquet.ParquetFile(store.root / "fin/x" / entry.file).metadata.row_group(0)
    by_dictionary = [group.column(i).has_dictionary_page for i in range(5)]
    assert by_dictionary == [False, False, True, True, False]


@pytest.mark.parametrize("compression", ["zstd", None])
def test_no_canary_in_any_byte_of_a_sealed_parcel(store, compression):
    """Neither rows nor column names, filter or pipeline's schema stand in the clear; unsealed they do."""
    sealed = export(store, settings=PartSettings((RECIPIENT,), Compression(compression)), table="t1")
    clear = export(store, settings=PartSettings(None, Compression(None)), table="t2")
    words = [CANARY.encode(), b"memo", b"(ID > 0)", b"PUBLIC", b"PAR1"]
    found = {word: [word in store.get(path, most=1 << 30) for path in store.files(sealed)] for word in words}
    assert not any(any(hits) for hits in found.values())
    assert all(any(word in store.get(path, most=1 << 30) for path in store.files(clear)) for word in words)


def test_a_part_is_opened_by_age_and_any_parquet_reader(store):
    """Without any code of ours but age: decrypt the file, and it is a Parquet file with the rows."""
    (entry,) = parts_of(store, [fin(0, 10)])
    plain = open_sealed(store.get(f"fin/x/{entry.file}", most=1 << 30), [IDENTITY])
    assert pa.parquet.read_table(pa.BufferReader(plain)).equals(pa.Table.from_batches([fin(0, 10)]))


def test_several_writers_make_one_parcel(store):
    """Each writer has its own stem, which its settings reach by pickle; the coordinator numbers and seals."""
    parcel_id = new_parcel_id()
    folder = parcel_folder("fin", parcel_id)
    settings = pickle.loads(pickle.dumps(SEALED))  # noqa: S301 - our own bytes
    entries = [
        entry
        for number, start in enumerate((0, 500, 900))
        for entry in parts_of(store, [fin(start, 500)], settings=settings, stem=f"3fa91c2e-{number:04d}", folder=folder)
    ]
    size = seal_parcel(store, folder, manifest_of(entries, parcel_id=parcel_id), recipients=[RECIPIENT], signer=SIGNER)
    assert size == sum(store.files(folder).values())
    parcel = pickle.loads(  # noqa: S301 - our own bytes
        pickle.dumps(open_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY]))
    )
    assert [(p.number, p.first_row, p.rows) for p in parcel.manifest.parts] == [
        (0, 0, 500),
        (1, 500, 500),
        (2, 1000, 500),
    ]
    last = pa.Table.from_batches(read_part(store, parcel, parcel.manifest.parts[2], [IDENTITY]))
    assert last["id"][0].as_py() == 900


def test_the_index_is_renamed_last_and_only_after_all_else_is_synced(store, monkeypatch):
    """Every part, the manifest and their folder are on the disk before the index appears."""
    done = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor):
        done.append(("fsync", Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    def record_replace(source, target):
        done.append(("replace", Path(source)))
        done.append(("named", Path(target)))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    folder = store.root / export(store)
    named = [path.name for kind, path in done if kind == "named"]
    assert [name.split("-")[0] for name in named] == ["part", "manifest.json.age", "index"]
    for place, (kind, path) in enumerate(done):
        if kind == "replace":
            assert done[place - 1] == ("fsync", path)
        if kind == "named":
            assert done[place + 1] == ("fsync", folder)
    assert ("fsync", store.root.parent) in done
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]


def test_a_sealed_parcel_is_never_written_to_again(store):
    """Sealing it a second time is refused before a byte changes."""
    folder = export(store)
    before = {path: store.get(path, most=1 << 30) for path in store.files(folder)}
    parcel = open_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY])
    with pytest.raises(ParcelError, match="sealed already"):
        seal_parcel(store, folder, parcel.manifest, recipients=[RECIPIENT], signer=SIGNER)
    assert before == {path: store.get(path, most=1 << 30) for path in store.files(folder)}


@pytest.mark.parametrize(
    ("harm", "error"),
    [(Path.unlink, ParcelMissing), (lambda path: path.write_bytes(path.read_bytes()[:-1]), ParcelDamaged)],
)
def test_what_is_not_whole_is_not_signed(store, harm, error):
    """A part that got lost or cut between writing and sealing stops the sealing; there is no index."""
    parcel_id = new_parcel_id()
    folder = parcel_folder("fin", parcel_id)
    (entry,) = parts_of(store, [fin(0, 10)], folder=folder)
    harm(store.root / folder / entry.file)
    with pytest.raises(error, match=entry.file):
        seal_parcel(store, folder, manifest_of([entry], parcel_id=parcel_id), recipients=[RECIPIENT], signer=SIGNER)
    assert not is_finished(store, folder)


def test_manifest_and_recipients_must_agree(store):
    """A manifest that promises encryption is not written in the clear."""
    manifest = manifest_of([], parcel_id=new_parcel_id())
    with pytest.raises(ValueError, match="encryption"):
        seal_parcel(store, "fin/x", manifest, recipients=None, signer=SIGNER)


def test_finished_parcels_are_found_oldest_first(store):
    """Unfinished ones, other tables' and stray files are not parcels."""
    folders = [export(store) for _ in range(3)]
    parts_of(store, [fin(0, 1)], folder=f"fin/{new_parcel_id()}")
    export(store, table="finance")
    store.put("fin/index", b"")
    store.put("fin/not-an-id/index", b"")
    store.put(f"{folders[0]}/deeper/index", b"")
    assert sorted(find_parcels(store, "fin")) == find_parcels(store, "fin")
    assert set(find_parcels(store, "fin")) == set(folders)
    assert find_parcels(store, "nothing") == []


def test_a_parcel_is_deleted_index_first(store, monkeypatch):
    """Killed after the first step, it is no parcel any more; again, the rest goes too, and again is no error."""
    folder = export(store)
    monkeypatch.setattr(type(store), "delete_folder", lambda *_: pytest.fail("killed here"))
    with pytest.raises(pytest.fail.Exception):
        delete_parcel(store, folder)
    monkeypatch.undo()
    assert not is_finished(store, folder)
    assert len(store.files(folder)) == 2
    assert delete_parcel(store, folder) == 2
    assert delete_parcel(store, folder) == 0
    assert not (store.root / folder).exists()


def test_only_unfinished_parcels_are_swept(store):
    """What has an index is refused and stays sound; what has none goes, leftovers of a killed put included."""
    folder = export(store)
    with pytest.raises(ParcelError, match="finished"):
        delete_unfinished(store, folder)
    assert check_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY]) == []
    (store.root / folder / "index").rename(store.root / folder / ".index.0a0b0c0d")
    assert delete_unfinished(store, folder) == 3
    assert delete_unfinished(store, folder) == 0
