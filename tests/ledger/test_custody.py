"""The custody log in the drive database: written whole or not at all, by one after the other."""

import getpass
import subprocess
import sys
from pathlib import Path

import pytest

from landbridge.errors import ConfigError, RunError
from landbridge.ledger import custody, parcels
from landbridge.ledger.chain import verified
from landbridge.ledger.custody import CustodyEvent
from landbridge.sealing.note import new_signer
from tests.ledger.processes import at_once
from tests.ledger.test_parcels import reserve

SIGNER, VERIFIER = new_signer("inside")
OTHER, _ = new_signer("other")
PAGE = Path(__file__).parents[2] / "docs" / "custody.md"
MANY = """
from landbridge.ledger import custody
from landbridge.ledger.custody import CustodyEvent
database = open_database(url)
for number in range(12):
    event = CustodyEvent(event="checked", parcel_id=ready.name, pipeline_name=None, details={"n": number}, signer=None)
    custody.record(database, event)
database.close()
"""


def event(name="exported", parcel_id="p1", pipeline_name="orders", signer=SIGNER, **details) -> CustodyEvent:
    return CustodyEvent(event=name, parcel_id=parcel_id, pipeline_name=pipeline_name, details=details, signer=signer)


def entries(db):
    return list(verified(custody.lines(db), [VERIFIER]))


def test_events_become_a_chain(db):
    """Entries are numbered, hold the hash of the one before, the clock of the database and who did it."""
    before = [custody.record(db, event(row_count=3)), custody.record(db, event("checked", faults=[]))]
    found = entries(db)
    assert found == before
    assert [(one.number, one.event, one.parcel_id, one.pipeline_name) for one in found] == [
        (1, "exported", "p1", "orders"),
        (2, "checked", "p1", "orders"),
    ]
    assert found[1].previous == found[0].hash
    assert found[0].details == {"row_count": 3}
    with db.read() as connection:
        assert abs((db.now(connection) - found[1].time).total_seconds()) < 30


def test_processes_take_turns(db, url, tmp_path):
    """Of processes that write at once each gets its own numbers: the chain has neither gap nor fork."""
    at_once(MANY, url=url, folder=tmp_path, processes=4)
    found = list(verified(custody.lines(db), []))
    assert [one.number for one in found] == list(range(1, 49))
    for writer in {one.parcel_id for one in found}:
        assert [one.details["n"] for one in found if one.parcel_id == writer] == list(range(12))


def test_pages(db, monkeypatch):
    """A log that is read page by page is the same log, also where it fills the last page."""
    monkeypatch.setattr(custody, "PAGE", 2)
    for number in range(4):
        custody.record(db, event(n=number))
    assert [one.details["n"] for one in entries(db)] == [0, 1, 2, 3]
    custody.record(db, event(n=4))
    assert len(entries(db)) == 5


def test_with_its_change_or_not_at_all(db, run_id):
    """A change of a parcel and its entry are one: where either cannot be, neither is."""
    reserve(db, run_id, "p1")
    parcels.seal(db, "p1", event())
    assert [one.event for one in entries(db)] == ["exported"]
    with pytest.raises(RunError):
        parcels.seal(db, "p1", event())
    reserve(db, run_id, "p2")
    with pytest.raises(ConfigError, match="signing key is not there"):
        parcels.seal(db, "p2", event(parcel_id="p2", signer=None))
    assert [row.state for row in parcels.list_parcels(db)] == ["sealed", "writing"]
    assert len(entries(db)) == 1


def test_once_signed_always_signed(db):
    """Entries may begin unsigned; after the first signed one the key must be there, or nothing is written."""
    custody.record(db, event(signer=None))
    custody.record(db, event())
    with pytest.raises(ConfigError, match="the custody log is signed") as refused:
        custody.record(db, event(signer=None))
    assert refused.value.hint
    assert [one.signed_by for one in entries(db)] == [None, "inside"]


def test_purged_parcels_keep_their_number(db, run_id):
    """A parcel that is purged where it was written says so, one elsewhere does not; numbers go on."""
    for name in ("p1", "p2"):
        reserve(db, run_id, name)
        parcels.seal(db, name)
    parcels.purge(db, "p1", "/elsewhere", event("purged"))
    parcels.purge(db, "p2", "/parcels", event("purged", "p2"))
    assert [(row.state, row.sequence) for row in parcels.list_parcels(db)] == [("sealed", 1), ("purged", 2)]
    assert reserve(db, run_id, "p3").sequence == 3
    assert [one.parcel_id for one in entries(db)] == ["p1", "p2"]


def test_latest(db):
    """The newest entry of a parcel, of a table, of an event."""
    assert custody.latest(db, parcel_id="p1") is None
    custody.record(db, event("imported", "p1", load_id="a"))
    custody.record(db, event("purged", "p1"))
    custody.record(db, event("imported", "p2", "other", load_id="b"))
    assert custody.latest(db, parcel_id="p1").event == "purged"
    assert custody.latest(db, pipeline_name="orders", event="imported").details == {"load_id": "a"}
    assert custody.latest(db, parcel_id="p3") is None


def test_names_that_databases_cannot_store(db):
    """File names are any bytes; an entry that quotes them is written on every database, and can be printed."""
    custody.record(db, event(message="nul \0, surrogate \udcff, ä"))
    assert entries(db)[0].details == {"message": r"nul \x00, surrogate \udcff, ä"}


def test_the_operating_system_says_who(monkeypatch):
    """Variables do not decide who did it."""
    monkeypatch.setenv("USER", "somebody-else")
    monkeypatch.setenv("LOGNAME", "somebody-else")
    assert getpass.getuser() == "somebody-else"
    assert "somebody-else" not in custody.actor()


@pytest.fixture
def exported(db, tmp_path) -> Path:
    """A log of three entries as a file."""
    for number in range(3):
        custody.record(db, event(n=number))
    path = tmp_path / "custody.jsonl"
    path.write_text("".join(f"{line.line}\n" for line in custody.lines(db)))
    return path


def by_hand(recipe: int, *words: object) -> tuple[int, str]:
    """Exit code and output of a program of docs/custody.md."""
    blocks = [each.partition("```")[0] for each in PAGE.read_text().split("```python\n")[1:]]
    command = [sys.executable, "-I", "-W", "ignore", "-c", blocks[recipe], *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_chain_by_hand(db, exported):
    """The page's first program proves an exported log without landbridge, and says where a changed one breaks."""
    assert by_hand(0, exported) == (0, f"3 entries, head {entries(db)[-1].hash}\n")
    shown = subprocess.run(f"sed -n 2p {exported} | sha256sum", shell=True, capture_output=True, text=True, check=True)  # noqa: S602  as the page has it
    assert shown.stdout.split()[0] == entries(db)[2].previous
    exported.write_text(exported.read_text().replace('"n":1', '"n":7'))
    assert by_hand(0, exported) == (1, "broken at entry 3\n")


def test_the_signatures_by_hand(exported):
    """The page's second program proves who signed: with another key, or after a change, it fails."""
    assert by_hand(1, exported, VERIFIER) == (0, "all signed by inside\n")
    assert by_hand(1, exported, new_signer("inside")[1])[1] == "signed by another key\n"
    exported.write_text(exported.read_text().replace('"n":1', '"n":7'))
    code, said = by_hand(1, exported, VERIFIER)
    assert (code, "InvalidSignature" in said) == (1, True)
