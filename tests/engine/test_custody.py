"""Chain of custody across a gap: what each side does is in its log, once, and both logs mean the same parcel."""

import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest

from landbridge.engine.carrying.custody import as_far_as_whole, check, export_log, of_parcel
from landbridge.engine.events import Event, Notice, PhaseBegan, PhaseEnded
from landbridge.engine.world import World
from landbridge.errors import (
    AuditError,
    ConfigError,
    CustodyBroken,
    ParcelDamaged,
    ParcelError,
    ParcelMissing,
    UsageError,
    WorldError,
)
from landbridge.ledger import parcels, runs
from landbridge.ledger.chain import Entry
from tests.engine.conftest import OpenWorld
from tests.engine.projects import (
    FUNDS,
    MART,
    WAREHOUSE,
    export_table,
    import_table,
    in_duckdb,
    introduce,
    make_project,
    run,
    table,
)

Sides = tuple[Path, Path]


@pytest.fixture
def sides(tmp_path: Path) -> Sides:
    """Inside has funds, outside takes them from inside's exports; they trust each other."""
    entry = table("funds", target="mart")
    inside = make_project(tmp_path / "inside", WAREHOUSE, tables=[entry])
    outside = make_project(tmp_path / "outside", MART, tables=[entry], settings=f"imports: {inside / 'exports'}")
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", FUNDS)
    return inside, outside


def told(world: World) -> list[Entry]:
    entries, problem = as_far_as_whole(world)
    assert problem is None
    return entries


def events(world: World) -> list[tuple[str, str]]:
    return [(entry.event, entry.parcel_id) for entry in told(world)]


def the_folder(inside: Path) -> Path:
    (folder,) = (inside / "exports" / "funds").iterdir()
    return folder


def test_both_sides_mean_the_same_parcel(sides: Sides, open_world: OpenWorld) -> None:
    """What was exported and what was imported have one index hash, and `sha256sum` of the carried file is it."""
    inside, outside = (open_world(folder) for folder in sides)
    exported, imported = export_table(inside, "funds"), import_table(outside, "funds")
    (out,), (into,) = told(inside), told(outside)
    folder = the_folder(sides[0])
    index_sha256 = hashlib.sha256((folder / "index").read_bytes()).hexdigest()
    parcel = exported.parcel_id
    assert (out.event, out.parcel_id, out.pipeline_name, out.signed_by) == ("exported", parcel, "funds", "inside")
    assert (into.event, into.parcel_id, into.pipeline_name, into.signed_by) == ("imported", parcel, "funds", "outside")
    seen = {"location": str(folder), "index_sha256": index_sha256, "signer": "inside", "sequence": 1, "row_count": 3}
    size = exported.phases["source_to_stage_transfer"].details["bytes"]
    assert out.details == {**seen, "byte_count": size, "pipeline_id": exported.pipeline_id}
    more = {"load_id": imported.load_id, "target": "mart: main.funds", "pipeline_id": imported.pipeline_id}
    more |= {"accepted_losses": {}, "receipt": imported.phases["audit"].details["receipt"]}
    assert into.details == {**seen, **more}


def test_one_hop_is_carried_by_nobody(tmp_path: Path, open_world: OpenWorld) -> None:
    """The stage of a run is no parcel that anybody hands over: the log stays empty."""
    project = make_project(tmp_path, WAREHOUSE, MART, tables=[table("funds", target="mart")])
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    world = open_world(project)
    run(world, "funds")
    assert told(world) == []


def test_an_export_that_died_is_told_by_the_next(sides: Sides, open_world: OpenWorld) -> None:
    """A whole parcel whose writer died before its entry gets it from the next run, once."""
    world = open_world(sides[0])
    whole = export_table(world, "funds").parcel_id
    (before,) = told(world)
    with sqlite3.connect(sides[0] / "state" / "drive.db") as connection:
        connection.execute("UPDATE landbridge_parcels SET state = 'writing'")
        connection.execute("DELETE FROM landbridge_custody")
    connection.close()
    second = export_table(world, "funds").parcel_id
    third = export_table(world, "funds").parcel_id
    assert events(world) == [("exported", whole), ("exported", second), ("exported", third)]
    assert told(world)[0].details == before.details


def test_an_import_is_told_once(sides: Sides, open_world: OpenWorld) -> None:
    """One that failed after it published is told by the run that audits it; asked for by its id, it is loaded anew."""
    export_table(open_world(sides[0]), "funds")

    def meddle(event: Event) -> None:
        if isinstance(event, PhaseEnded) and event.record.phase_name == "stage_to_target_transfer":
            in_duckdb(sides[1] / "mart.duckdb", "INSERT INTO funds VALUES (4, 'delta')")

    with pytest.raises(AuditError):
        import_table(open_world(sides[1], meddle), "funds")
    world = open_world(sides[1])
    assert told(world) == []
    in_duckdb(sides[1] / "mart.duckdb", "DELETE FROM funds WHERE id = 4")
    healed = import_table(world, "funds")
    assert healed.phases["stage_to_target_transfer"].details["published_by"] == "already"
    assert events(world) == [("imported", healed.parcel_id)]
    in_duckdb(sides[1] / "mart.duckdb", "UPDATE funds SET name = 'x'")
    again = import_table(world, "funds", parcel_id=healed.parcel_id)
    assert again.phases["stage_to_target_transfer"].details["published_by"] == "rewrite"
    assert events(world) == [("imported", healed.parcel_id)] * 2


def test_what_is_refused_before_it_is_opened(sides: Sides, open_world: OpenWorld) -> None:
    """A parcel that lacks a file is refused; the entry has the class, the message and the index that was there."""
    parcel = export_table(open_world(sides[0]), "funds").parcel_id
    for part in (sides[0] / "exports").rglob("part-*"):
        part.unlink()
    world = open_world(sides[1])
    with pytest.raises(ParcelMissing) as refusal:
        import_table(world, "funds")
    (entry,) = told(world)
    assert (entry.event, entry.parcel_id, entry.pipeline_name) == ("refused", parcel, "funds")
    assert (entry.details["error"], entry.details["message"]) == ("ParcelMissing", refusal.value.message)
    assert entry.details["signer"] == "inside"
    assert entry.details["index_sha256"] == hashlib.sha256((the_folder(sides[0]) / "index").read_bytes()).hexdigest()


def test_what_is_refused_while_it_is_loaded(sides: Sides, open_world: OpenWorld) -> None:
    """A damaged part shows only when it is read: that is a refusal too, and the next copy may be imported."""
    parcel = export_table(open_world(sides[0]), "funds").parcel_id
    (part,) = (sides[0] / "exports").rglob("part-*")
    sound = part.read_bytes()
    part.write_bytes(sound[:-1] + b"?")
    world = open_world(sides[1])
    with pytest.raises(ParcelDamaged):
        import_table(world, "funds")
    assert [row.state for row in parcels.list_parcels(world.ledger, "funds", "in")] == ["refused"]
    part.write_bytes(sound)
    import_table(world, "funds")
    assert events(world) == [("refused", parcel), ("imported", parcel)]


def test_an_index_by_nobody_known(sides: Sides, open_world: OpenWorld) -> None:
    """Of an index that nobody trusted signed only the hash is taken, and the name of its folder."""
    export_table(open_world(sides[0]), "funds")
    folder = the_folder(sides[0])
    folder.rename(folder.with_name("0" * 32))
    (sides[1] / "keys" / "signers.txt").unlink()
    world = open_world(sides[1])
    with pytest.raises(ParcelError):
        import_table(world, "funds")
    (entry,) = told(world)
    assert (entry.parcel_id, entry.details["signer"]) == ("0" * 32, None)
    assert len(entry.details["index_sha256"]) == 64


def test_a_refusal_that_cannot_be_written_down(sides: Sides, open_world: OpenWorld) -> None:
    """Where the log cannot be written, the refusal is what is told, and a notice says what is missing."""
    export_table(open_world(sides[0]), "funds")
    import_table(open_world(sides[1]), "funds")
    in_duckdb(sides[1] / "mart.duckdb", "DELETE FROM funds")
    (part,) = (sides[0] / "exports").rglob("part-*")
    part.write_bytes(part.read_bytes()[:-1] + b"?")
    heard: list[Event] = []

    def lose_the_key(event: Event) -> None:
        heard.append(event)
        if isinstance(event, PhaseBegan) and event.phase == "stage_to_target_transfer":
            (sides[1] / "keys" / "signing.key").unlink()

    world = open_world(sides[1], lose_the_key)
    with pytest.raises(ParcelDamaged):
        import_table(world, "funds", parcel_id=the_folder(sides[0]).name)
    notice = (
        "the refusal is not in the custody log: the custody log is signed, and this side's signing key is not there"
    )
    assert Notice(notice) in heard
    failed = runs.latest_run(world.ledger, "funds", "import")
    assert failed is not None
    assert failed.pipeline_status == "FAILED"


def test_nothing_is_done_that_could_not_be_told(sides: Sides, open_world: OpenWorld) -> None:
    """A side that signs its log, and whose key is gone, loads nothing."""
    export_table(open_world(sides[0]), "funds")
    import_table(open_world(sides[1]), "funds")
    export_table(open_world(sides[0]), "funds")
    (sides[1] / "keys" / "signing.key").unlink()
    world = open_world(sides[1])
    with pytest.raises(ConfigError, match="signing key is not there"):
        import_table(world, "funds")
    failed = runs.latest_run(world.ledger, "funds", "import")
    assert failed is not None
    assert failed.phase_failed == "pre_validation"


def test_a_side_without_a_signing_key(sides: Sides, open_world: OpenWorld) -> None:
    """Who only imports needs no signing key; its log is whole without signatures."""
    export_table(open_world(sides[0]), "funds")
    (sides[1] / "keys" / "signing.key").unlink()
    world = open_world(sides[1])
    import_table(world, "funds")
    assert [(entry.event, entry.signed_by) for entry in told(world)] == [("imported", None)]


@pytest.mark.parametrize(
    ("side", "identity", "rows_read", "name"),
    [(0, True, False, None), (1, True, True, "funds"), (1, False, False, None)],
)
def test_checked(
    sides: Sides, open_world: OpenWorld, *, side: int, identity: bool, rows_read: bool, name: str | None
) -> None:
    """The exporting side, who has no keys, and who has them can all say that every byte is as it was signed."""
    parcel = export_table(open_world(sides[0]), "funds").parcel_id
    if not identity:
        (sides[side] / "keys" / "identity.txt").unlink()
    world = open_world(sides[side])
    checked = check(world, str(sides[0] / "exports"), f"funds/{parcel}")
    assert (checked.faults, checked.rows_read) == ([], rows_read)
    entry = told(world)[-1]
    assert (entry.event, entry.parcel_id, entry.pipeline_name) == ("checked", parcel, name)
    assert entry.details["signer"] == "inside"
    assert {key: entry.details[key] for key in ("result", "rows_read", "fault_count", "faults")} == {
        "result": "sound",
        "rows_read": rows_read,
        "fault_count": 0,
        "faults": [],
    }


def test_checked_and_found_wrong(sides: Sides, open_world: OpenWorld) -> None:
    """Faults are told with their files."""
    parcel = export_table(open_world(sides[0]), "funds").parcel_id
    (part,) = (sides[0] / "exports").rglob("part-*")
    part.write_bytes(part.read_bytes()[:-1])
    for folder in sides:
        world = open_world(folder)
        checked = check(world, str(sides[0] / "exports"), f"funds/{parcel}")
        assert [type(fault) for fault in checked.faults] == [ParcelDamaged]
        entry = told(world)[-1]
        assert (entry.details["result"], entry.details["rows_read"], entry.details["fault_count"]) == (
            "faults",
            False,
            1,
        )
        assert part.name in entry.details["faults"][0]


def test_sealed_for_somebody_else_is_a_fault_of_what_was_carried(sides: Sides, open_world: OpenWorld) -> None:
    """Only of its own parcels a side does not expect to open them."""
    parcel = export_table(open_world(sides[0]), "funds").parcel_id
    other = make_project(sides[0].parent / "other")
    shutil.copy(other / "keys" / "identity.txt", sides[1] / "keys" / "identity.txt")
    checked = check(open_world(sides[1]), str(sides[0] / "exports"), f"funds/{parcel}")
    assert [type(fault).__name__ for fault in checked.faults] == ["CannotOpen"]


def test_a_broken_log(sides: Sides, open_world: OpenWorld) -> None:
    """What comes before the break is given out, and it is said at which entry the break is."""
    world = open_world(sides[0])
    for _ in range(3):
        export_table(world, "funds")
    with sqlite3.connect(sides[0] / "state" / "drive.db") as connection:
        connection.execute("DELETE FROM landbridge_custody WHERE number = 2")
    connection.close()
    entries, problem = as_far_as_whole(world)
    assert [entry.number for entry in entries] == [1]
    assert str(problem) == "custody log, entry 2: it is missing"


def test_an_export_goes_on(sides: Sides, open_world: OpenWorld, tmp_path: Path) -> None:
    """A file of an earlier export is gone on with, however much of it was written; a log that differs is a break."""
    world, file = open_world(sides[0]), tmp_path / "custody.jsonl"
    export_table(world, "funds")
    export_log(world, file)
    first = file.read_bytes()
    export_table(world, "funds")
    export_log(world, file)
    both = file.read_bytes()
    assert both.startswith(first)
    assert both.count(b"\n") == 2
    file.write_bytes(both[:-40])
    export_log(world, file)
    assert file.read_bytes() == both
    file.write_bytes(both + b"{}\n")
    with pytest.raises(CustodyBroken, match="differ at its end"):
        export_log(world, file)
    file.write_bytes(both.replace(b'"number":2', b'"number":3'))
    with pytest.raises(CustodyBroken, match="differ at entry 2"):
        export_log(world, file)
    with pytest.raises(WorldError, match="no such file"):
        export_log(world, tmp_path / "nowhere" / "custody.jsonl")


def test_one_parcel_by_the_beginning_of_its_id(sides: Sides, open_world: OpenWorld) -> None:
    """One parcel at a time: none and several are mistakes of whoever asks."""
    world = open_world(sides[0])
    one, other = (str(export_table(world, "funds").parcel_id) for _ in range(2))
    assert [entry.parcel_id for entry in of_parcel(told(world), one[:20])] == [one]
    with pytest.raises(UsageError, match="2 parcels match"):
        of_parcel(told(world), other[:4])
    with pytest.raises(UsageError, match="no parcel 'f'"):
        of_parcel(told(world), "f")
