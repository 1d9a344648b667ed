"""Receipts across a gap: what was loaded is known on the other side, by file or by code, and by nothing else."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import pytest

from landbridge.config.project import load_project
from landbridge.engine.carrying.board import board
from landbridge.engine.carrying.custody import as_far_as_whole
from landbridge.engine.carrying.receipts import Heard, hear, issued
from landbridge.engine.events import Event, Notice
from landbridge.engine.standing import standings
from landbridge.engine.sync import export_tables, import_tables
from landbridge.engine.world import World
from landbridge.errors import (
    AuditError,
    NotSigned,
    NotTrusted,
    ReceiptRefused,
    Unreachable,
    UsageError,
    WorldError,
    WronglySigned,
)
from landbridge.ledger import marks, parcels
from landbridge.ledger.marks import Mark
from landbridge.sealing import note
from landbridge.sealing.keyring import Keyring
from landbridge.sealing.receipt import digest_of, read_receipt
from landbridge.stage.location import open_store
from landbridge.stage.manifest import manifest_from_json
from landbridge.stage.reading import open_parcel
from tests.engine.conftest import OpenWorld
from tests.engine.histories import Sides
from tests.engine.kept import Kept
from tests.engine.projects import (
    FUNDS,
    MART,
    PRICES,
    WAREHOUSE,
    export_table,
    import_table,
    in_duckdb,
    introduce,
    make_project,
    run,
    table,
)

Pair = tuple[Path, Path]


@pytest.fixture
def sides(tmp_path: Path) -> Pair:
    return two_sides(tmp_path)


def two_sides(folder: Path) -> Pair:
    """Inside has prices and funds, outside takes them from inside's exports; they trust each other."""
    entries = [table("prices", target="mart"), table("funds", target="mart")]
    inside = make_project(folder / "inside", WAREHOUSE, tables=entries)
    outside = make_project(folder / "outside", MART, tables=entries, settings=f"imports: {inside / 'exports'}")
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", FUNDS, PRICES)
    return inside, outside


def carried(sides: Pair, open_world: Callable[[Path], World], name: str = "funds") -> Path:
    """The receipt file of a table that was exported, carried and loaded."""
    exported = export_table(open_world(sides[0]), name)
    import_table(open_world(sides[1]), name)
    return sides[1] / "receipts" / f"{exported.parcel_id}.txt"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, worker: Executor) -> tuple[Pair, Path, Kept]:
    """Two sides after funds were exported, carried and loaded; the receipt's file."""
    folder, opened = tmp_path_factory.mktemp("receipts"), []

    def open_one(project: Path) -> World:
        opened.append(World(load_project(project, {}), lambda _event: None))
        opened[-1].pool = worker
        return opened[-1]

    sides = two_sides(folder)
    file = carried(sides, open_one)
    for world in opened:
        del world.pool
        world.close()
    return sides, file, Kept(folder)


@pytest.fixture
def arrived(made: tuple[Pair, Path, Kept]) -> tuple[Pair, Path]:
    """Those two sides and that file, for this test alone."""
    sides, file, kept = made
    kept.put_back()
    return sides, file


def heard(world: World, *places: object, codes: tuple[str, ...] = ()) -> list[Heard]:
    return list(hear(world, [str(place) for place in places], codes))


def refused(world: World, *places: object, codes: tuple[str, ...] = ()) -> Exception:
    """Why the one receipt was refused; nothing is confirmed, and nothing written down."""
    (one,) = heard(world, *places, codes=codes)
    assert one.row is None
    assert all(mark.confirmed_at is None for mark in marks.every(world.ledger).values())
    assert "confirmed" not in {entry.event for entry in as_far_as_whole(world)[0]}
    assert one.error is not None
    return one.error


def states(world: World, name: str) -> list[tuple[str, int | None, str]]:
    return [(one.way, one.sequence, one.state) for one in board(world) if one.table == name]


@pytest.mark.parametrize("by", ["file", "code"])
def test_changes_go_on_from_what_has_arrived(tmp_path: Path, open_world: OpenWorld, by: str) -> None:
    """Of three parcels two are lost: from the confirmed one all is brought once more, and the target is equal."""
    both = Sides(tmp_path, "upsert")

    def export(begins_at: str = "exported") -> str:
        world = open_world(both.inside)
        both.source(f"INSERT INTO t VALUES ({len(both.exported())}, 0, {100 * len(both.exported()) + 1})")
        (result,) = export_tables(world, [world.project.table("t")], location=None, begins_at=begins_at)
        assert result.run is not None, result.error
        return str(result.run.parcel_id)

    def load() -> None:
        world = open_world(both.outside)
        tables = [world.project.table("t")]
        results = list(import_tables(world, tables, location=str(both.medium), parcel_id=None))
        assert [one.error for one in results] == [None] * len(results)

    first, _lost, _late = export(), export(), export()
    both.carry(first)
    load()
    inside = open_world(both.inside)
    (receipt,) = issued(open_world(both.outside))
    assert (receipt.parcel_id, receipt.sequence, receipt.rows) == (first, 1, 1)
    found = heard(inside, receipt.file) if by == "file" else heard(inside, codes=(str(receipt.code),))
    assert [(one.row.parcel_id, one.again) for one in found if one.row] == [(first, False)]
    fourth = export("confirmed")
    mark = marks.of_parcel(inside.ledger, fourth)
    assert mark is not None
    assert mark.follows == first
    both.carry(fourth)
    load()
    assert both.target() == sorted(both.source("SELECT * FROM t"))
    files = [both.outside / "receipts" / f"{parcel_id}.txt" for parcel_id in (first, fourth)]
    assert [one.again for one in heard(inside, *files)] == [True, False]
    told = [("out", 1, "loaded"), ("out", 2, "superseded"), ("out", 3, "superseded"), ("out", 4, "loaded")]
    assert states(inside, "t") == told


def test_the_file(arrived: tuple[Pair, Path], open_world: OpenWorld) -> None:
    """It is signed by the importing side, tells parcel, rows and code, and no name of a table."""
    sides, file = arrived
    text, signer = note.verify(file.read_text(), [Keyring(sides[1] / "keys").own_verifier])
    receipt = read_receipt(text)
    assert (signer, receipt.parcel_id, receipt.rows) == ("outside", file.stem, 3)
    assert "funds" not in file.read_text()
    imported = import_table(open_world(sides[1]), "funds", parcel_id=file.stem)
    assert imported.phases["audit"].details["receipt"] == receipt.code
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_exporting_side_keeps_no_key(arrived: tuple[Pair, Path], open_world: OpenWorld) -> None:
    """Nothing of the code or its key stands in its drive table: only the hash; the parcel has the key, sealed."""
    sides, file = arrived
    code = str(read_receipt(file.read_text().partition("\n—")[0]).code)
    inside, outside = open_world(sides[0]), open_world(sides[1])
    mark = marks.of_parcel(inside.ledger, file.stem)
    assert mark is not None
    assert mark.receipt_sha256 == digest_of(code) == hashlib.sha256(code.encode()).hexdigest()
    store = open_store(str(sides[0] / "exports"))
    signers, folder = outside.keyring.signers(), f"funds/{file.stem}"
    key = open_parcel(store, folder, signers=signers, identities=outside.identities).manifest.receipt_key
    assert key is not None
    for path in sides[0].rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes()
            assert code.encode() not in path.read_bytes()


def test_both_forms_are_the_same_word(arrived: tuple[Pair, Path], open_world: OpenWorld) -> None:
    """File, code, folder, in any number: the log says once who signed, and for which bytes."""
    sides, file = arrived
    world = open_world(sides[0])
    code = str(issued(open_world(sides[1]))[0].code)
    found = heard(world, file, file.parent, sides[1], codes=(code, code.lower()))
    assert [(one.again, one.error) for one in found] == [(False, None)] + [(True, None)] * 4
    entries, problem = as_far_as_whole(world)
    assert problem is None
    (exported, confirmed) = entries
    assert (confirmed.event, confirmed.parcel_id, confirmed.signed_by) == ("confirmed", file.stem, "inside")
    seen = {key: exported.details[key] for key in ("location", "index_sha256", "row_count", "sequence")}
    loaded_at = confirmed.details["loaded_at"]
    assert confirmed.details == {**seen, "by": "file", "signer": "outside", "loaded_at": loaded_at}
    mark = marks.of_parcel(world.ledger, file.stem)
    assert mark is not None
    assert mark.confirmed_by == "receipt"


def test_every_changed_byte_is_refused(arrived: tuple[Pair, Path], open_world: OpenWorld) -> None:
    """Wherever it is: text, signature or between; and a file cut short, and one that is no text."""
    sides, receipt = arrived
    sound = receipt.read_bytes()
    world, file = open_world(sides[0]), sides[0] / "carried.txt"
    for place in range(len(sound)):
        file.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        (one,) = heard(world, file)
        assert isinstance(one.error, (NotTrusted, ReceiptRefused)), place
    file.write_bytes(sound.replace(b"rows 3", b"rows 4"))
    assert isinstance(refused(world, file), WronglySigned)
    for cut in (b"", sound[:-30], b"\xff\xfe" + sound):
        file.write_bytes(cut)
        assert isinstance(refused(world, file), NotSigned)
    file.write_bytes(sound)
    assert heard(world, file)[0].row is not None


def test_a_receipt_by_somebody_else(sides: Pair, open_world: OpenWorld) -> None:
    """A stranger's is refused; so is one by a signer who is trusted, and could not open the parcel."""
    file, stranger = carried(sides, open_world), make_project(sides[0].parent / "stranger")
    text = file.read_text().partition("\n\n")[0] + "\n"
    signer = Keyring(stranger / "keys").signer()
    world, other = open_world(sides[0]), sides[0] / "other.txt"
    other.write_text(note.sign(text, signer))
    assert type(refused(world, other)) is NotTrusted
    Keyring(sides[0] / "keys").trust(Keyring(stranger / "keys").own_verifier)
    made_up = text.replace(text.partition("code ")[2][:4], "0000")
    for guess in (text.partition("code ")[0], made_up):
        other.write_text(note.sign(guess, signer))
        assert isinstance(refused(world, other), (ReceiptRefused, UsageError))
    Keyring(sides[0] / "keys").revoke("outside")
    assert "revoked" in str(refused(world, file))
    other.write_text(note.sign("landbridge-receipt/1\nanything\n", signer))
    assert "no receipt" in str(refused(world, other))


def test_other_rows_than_were_exported(arrived: tuple[Pair, Path], open_world: OpenWorld) -> None:
    """Counts that differ are no confirmation, whoever signed: what arrived is not what was sent."""
    sides, file = arrived
    text = file.read_text().partition("\n\n")[0] + "\n"
    file.write_text(note.sign(text.replace("rows 3", "rows 2"), Keyring(sides[1] / "keys").signer()))
    error = refused(open_world(sides[0]), file)
    assert isinstance(error, AuditError)
    assert "2 rows were loaded, and 3 were exported" in str(error)


def test_receipts_of_another_project(arrived: tuple[Pair, Path], open_world: OpenWorld, tmp_path: Path) -> None:
    """They are refused by file and by code, and do not stop those that are ours."""
    sides, file = arrived
    other = make_project(tmp_path / "other", WAREHOUSE, tables=[table("funds", target="mart")])
    introduce(other, sides[1])
    world, code = open_world(other), str(issued(open_world(sides[1]))[0].code)
    assert isinstance(refused(world, file), ReceiptRefused)
    error = refused(world, codes=(code,))
    assert isinstance(error, ReceiptRefused)
    assert code in str(error)
    (tmp_path / "stick").mkdir()
    theirs = file.read_text().partition("\n\n")[0].replace(file.stem, "0" * 32) + "\n"
    (tmp_path / "stick" / f"{'0' * 32}.txt").write_text(note.sign(theirs, Keyring(sides[1] / "keys").signer()))
    shutil.copy(file, tmp_path / "stick")
    (tmp_path / "stick" / "notes.txt").write_text("buy milk")
    found = heard(open_world(sides[0]), tmp_path / "stick")
    assert [type(one.error).__name__ for one in found] == ["ReceiptRefused", "NoneType"]


def test_what_is_no_receipt(sides: Pair, open_world: OpenWorld, tmp_path: Path) -> None:
    """A missing place, an empty one, a huge file, a code mistyped: each says what it is."""
    world = open_world(sides[0])
    assert isinstance(refused(world, tmp_path / "nowhere"), Unreachable)
    (tmp_path / "empty").mkdir()
    assert "no receipt at" in str(refused(world, tmp_path / "empty"))
    (tmp_path / "huge.txt").write_bytes(b"x" * 8193)
    assert "8192" in str(refused(world, tmp_path / "huge.txt"))
    assert isinstance(refused(world, codes=("7K3M",)), UsageError)


def test_a_parcel_that_was_given_up(sides: Pair, open_world: OpenWorld) -> None:
    """Its number is another's by now: nothing can confirm it."""
    file, world = carried(sides, open_world), open_world(sides[0])
    parcels.abandon(world.ledger, file.stem)
    assert isinstance(refused(world, file), ReceiptRefused)


def test_a_parcel_that_was_purged_meanwhile(arrived: tuple[Pair, Path], open_world: OpenWorld) -> None:
    """The outbox may be gone altogether: what was exported is known all the same."""
    sides, file = arrived
    shutil.rmtree(sides[0] / "exports")
    world = open_world(sides[0])
    assert heard(world, file)[0].error is None
    assert states(world, "funds") == [("out", 1, "loaded")]


def test_a_parcel_from_before_there_were_receipts(arrived: tuple[Pair, Path], open_world: OpenWorld) -> None:
    """It has neither key nor mark: it gets a file without a code, and that confirms it."""
    sides, file = arrived
    text = file.read_text().partition("code ")[0]
    file.write_text(note.sign(text, Keyring(sides[1] / "keys").signer()))
    with sqlite3.connect(sides[0] / "state" / "drive.db") as connection:
        connection.execute("DELETE FROM landbridge_marks")
    connection.close()
    world = open_world(sides[0])
    assert [(one.again, one.error) for one in heard(world, file, file)] == [(False, None), (True, None)]
    assert states(world, "funds") == [("out", 1, "loaded")]


def test_without_a_signing_key(sides: Pair, open_world: OpenWorld) -> None:
    """No file, a notice, and the code all the same; a log that is signed on the exporting side is not gone on with."""
    export_table(open_world(sides[0]), "funds")
    (sides[1] / "keys" / "signing.key").unlink()
    told: list[Event] = []
    outside = open_world(sides[1], told.append)
    import_table(outside, "funds")
    assert any(isinstance(one, Notice) and "landbridge keys generate" in one.text for one in told)
    (receipt,) = issued(outside)
    assert receipt.file is None
    assert not (sides[1] / "receipts").exists()
    code = str(receipt.code)
    (sides[0] / "keys" / "signing.key").rename(sides[0] / "keys" / "away")
    (one,) = heard(open_world(sides[0]), codes=(code,))
    assert "signing key is not there" in str(one.error)
    (sides[0] / "keys" / "away").rename(sides[0] / "keys" / "signing.key")
    assert [one.again for one in heard(open_world(sides[0]), codes=(code,))] == [False]


def test_a_hidden_parcel_has_a_receipt_that_tells_nothing(sides: Pair, open_world: OpenWorld) -> None:
    """Neither rows nor the name of the signer; the code is enough."""
    inside, outside = open_world(sides[0]), open_world(sides[1])
    results = export_tables(inside, [inside.project.table("funds")], location=None, obfuscate=True)
    assert [one.error for one in results] == [None]
    import_table(outside, "funds")
    (receipt,) = issued(outside)
    text = Path(str(receipt.file)).read_text()
    assert "rows" not in text
    assert "outside" not in text
    assert "funds" not in text
    assert [one.error for one in heard(inside, receipt.file)] == [None]
    assert states(inside, "funds") == [("out", 1, "loaded")]
    assert states(outside, "funds") == [("in", 1, "loaded")]


def test_an_import_that_died_after_its_receipt(
    sides: Pair, open_world: OpenWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next attempt writes the receipt once more, with the same code, and the log says once that it was loaded."""
    file = sides[1] / "receipts" / f"{export_table(open_world(sides[0]), 'funds').parcel_id}.txt"

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parcels, "record_in", die)
    with pytest.raises(KeyboardInterrupt):
        import_table(open_world(sides[1]), "funds")
    monkeypatch.undo()
    before = file.read_text().partition("code ")[2][:19]
    file.unlink()
    assert issued(open_world(sides[1])) == []
    import_table(open_world(sides[1]), "funds")
    (receipt,) = issued(open_world(sides[1]))
    assert (receipt.code, receipt.file) == (before, str(file))
    assert heard(open_world(sides[0]), file)[0].error is None


def test_a_receipt_that_cannot_be_written(sides: Pair, open_world: OpenWorld) -> None:
    """The import fails at its audit, loudly, and goes on there once the place is free: nothing is loaded twice."""
    export_table(open_world(sides[0]), "funds")
    blocked = sides[1] / "receipts"
    blocked.write_text("in the way")
    with pytest.raises(WorldError, match="receipts"):
        import_table(open_world(sides[1]), "funds")
    world = open_world(sides[1])
    assert parcels.list_parcels(world.ledger, "funds", "in") == []
    blocked.unlink()
    resumed = import_table(world, "funds")
    assert resumed.phases["stage_to_target_transfer"].details["published_by"] == "already"
    assert len(list(blocked.iterdir())) == 1


def test_one_hop_needs_none(tmp_path: Path, open_world: OpenWorld) -> None:
    """The audit itself confirms; no key, no code, no file, and nothing in the log."""
    entry = (
        "{name: t, source: {connection: warehouse, schema: main, table: t},"
        " target: {connection: mart, schema: main, table: t},"
        " sync_mode: incremental, watermark_column: id, settle_delay: 0m}"
    )
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[entry])
    in_duckdb(project / "warehouse.duckdb", "CREATE TABLE t AS SELECT 1::BIGINT AS id")
    world = open_world(project)
    moved = run(world, "t")
    (mark,) = marks.every(world.ledger).values()
    assert (mark.confirmed_by, mark.receipt_sha256) == ("audit", None)
    assert "receipt" not in moved.phases["audit"].details
    assert not (project / "receipts").exists()
    assert states(world, "t") == [("out", 1, "loaded")]


def test_the_board(sides: Pair, open_world: OpenWorld) -> None:
    """Each side says where each parcel is: carried or not, whole or not, loaded or passed over, or never seen."""
    inside, outside = open_world(sides[0]), open_world(sides[1])
    medium = sides[1] / "medium"
    ids = [str(export_table(inside, "funds").parcel_id) for _ in range(6)]
    (sides[1] / "landbridge.yaml").write_text(
        (sides[1] / "landbridge.yaml").read_text().replace(str(sides[0] / "exports"), str(medium))
    )
    outside = open_world(sides[1])
    assert board(outside) == []
    for number in (2, 4):
        shutil.copytree(sides[0] / "exports" / "funds" / ids[number - 1], medium / "funds" / ids[number - 1])
    assert states(outside, "funds") == [("in", 2, "arrived"), ("in", 3, "missing"), ("in", 4, "arrived")]
    import_table(outside, "funds")
    shutil.copytree(sides[0] / "exports" / "funds" / ids[4], medium / "funds" / ids[4])
    (medium / "funds" / ids[4] / "index").unlink()
    shutil.copytree(sides[0] / "exports" / "funds" / ids[5], medium / "funds" / ids[5])
    next((medium / "funds" / ids[5]).glob("manifest*")).write_bytes(b"?")
    said = [(one.state, one.sequence, one.parcel_id) for one in board(outside)]
    assert sorted(said, key=str) == sorted(
        [
            ("superseded", 2, ids[1]),
            ("missing", 3, None),
            ("loaded", 4, ids[3]),
            ("unfinished", None, ids[4]),
            ("refused", None, ids[5]),
        ],
        key=str,
    )
    assert [one.error for one in heard(inside, sides[1] / "receipts")] == [None]
    gone = ["superseded"] * 3
    assert [state for _, _, state in states(inside, "funds")] == [*gone, "loaded", "on the way", "on the way"]
    now = inside.ledger
    with now.read() as connection:
        (funds,) = [one for one in standings(inside, now.now(connection)) if one.run]
    assert [one.parcel_id for one in funds.on_the_way] == ids[4:]
    assert funds.confirmed is not None
    assert funds.confirmed.parcel_id == ids[3]


def test_what_was_refused_stays_so(sides: Pair, open_world: OpenWorld) -> None:
    """A parcel whose damage only its load has found is refused on the board, until it is loaded."""
    export_table(open_world(sides[0]), "funds")
    (part,) = (sides[0] / "exports").rglob("part-*")
    sound = part.read_bytes()
    part.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    world = open_world(sides[1])
    with pytest.raises(Exception, match="SHA-256"):
        import_table(world, "funds")
    assert states(world, "funds") == [("in", 1, "refused")]
    part.write_bytes(sound)
    import_table(world, "funds")
    assert states(world, "funds") == [("in", 1, "loaded")]


def test_a_parcel_that_is_being_written_is_not_on_the_way(sides: Pair, open_world: OpenWorld) -> None:
    """Nor is one that was deleted here before anything was heard of it."""
    world = open_world(sides[0])
    first = export_table(world, "funds")
    parcels.emptied(world.ledger, str(first.parcel_id))
    parcels.reserve(
        world.ledger,
        pipeline_name="funds",
        parcel_id="f" * 32,
        location="/x",
        folder="funds/x",
        as_of=None,
        pipeline_id=first.pipeline_id,
    )
    parcels.counted(world.ledger, Mark(parcel_id="f" * 32, pipeline_name="funds", basis=""), row_count=0, byte_count=0)
    assert states(world, "funds") == [("out", 1, "purged"), ("out", 2, "writing")]


def test_an_older_manifest_has_no_key() -> None:
    """A parcel of the first version is read as it always was."""
    golden = Path(__file__).parents[1] / "stage" / "golden" / "clear"
    (path,) = golden.rglob("manifest.json")
    assert "receipt_key" not in json.loads(path.read_text())
    assert manifest_from_json(path.read_bytes()).receipt_key is None
