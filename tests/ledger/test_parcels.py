"""Parcels: the chain of those written here, and the memory of those that arrived."""

from datetime import UTC, datetime, timedelta

import pytest

from landbridge.errors import RunError
from landbridge.ledger import parcels
from landbridge.ledger.marks import Mark
from tests.ledger.processes import at_once

AS_OF = datetime(2026, 1, 31, 5, 0, 0, 7, tzinfo=UTC)
MARK = Mark(parcel_id="p1", pipeline_name="orders", basis="of the read")


def reserve(db, run_id, parcel_id, name="orders"):
    return parcels.reserve(
        db,
        pipeline_name=name,
        parcel_id=parcel_id,
        location="/parcels",
        folder=f"{name}/{parcel_id}",
        as_of=AS_OF,
        pipeline_id=run_id,
    )


def arrive(db, run_id, parcel_id, sequence, state="loaded"):
    return parcels.record_in(
        db,
        pipeline_name="orders",
        parcel_id=parcel_id,
        sequence=sequence,
        location="/carried",
        folder=f"orders/{parcel_id}",
        as_of=AS_OF,
        row_count=5,
        byte_count=99,
        state=state,
        pipeline_id=run_id,
    )


def test_a_parcel_is_written_and_sealed(db, run_id):
    """A reserved parcel is being written until it is sealed, once; the counts are known before."""
    slot = reserve(db, run_id, "p1")
    assert (slot.state, slot.sequence, slot.as_of, slot.row_count) == ("writing", 1, AS_OF, None)
    assert parcels.writing(db, "orders") == [slot]
    parcels.counted(db, MARK, row_count=5, byte_count=99)
    sealed = parcels.seal(db, "p1")
    assert (sealed.state, sealed.row_count, sealed.byte_count) == ("sealed", 5, 99)
    assert parcels.writing(db, "orders") == []
    for change in (lambda: parcels.seal(db, "p1"), lambda: parcels.counted(db, MARK, row_count=0, byte_count=0)):
        with pytest.raises(RunError, match="writing"):
            change()
    assert parcels.list_parcels(db) == [sealed]


def test_sequences_have_no_holes_but_the_abandoned(db, run_id):
    """Each pipeline counts its own parcels; an abandoned one gives its number back, twice over as once."""
    assert [reserve(db, run_id, "p1").sequence, reserve(db, run_id, "p2").sequence] == [1, 2]
    assert reserve(db, run_id, "q1", "customers").sequence == 1
    assert parcels.abandon(db, "p2").sequence is None
    assert parcels.abandon(db, "p2").state == "abandoned"
    assert reserve(db, run_id, "p3").sequence == 2
    parcels.seal(db, "p3")
    assert parcels.abandon(db, "p3").state == "abandoned"
    with pytest.raises(RunError, match="no parcel p9"):
        parcels.abandon(db, "p9")


def test_no_two_parcels_at_one_place_in_the_chain(db, run_id):
    """The database itself refuses a second out parcel with a sequence number, or with an id."""
    reserve(db, run_id, "p1")
    with pytest.raises(RunError):
        reserve(db, run_id, "p1")
    reserve(db, run_id, "p2")
    with pytest.raises(RunError), db.begin() as connection:
        connection.execute(parcels.parcels.update().values(sequence=1))


def test_reserved_at_once(url, db, run_id, tmp_path):
    """Threads of processes that reserve for one pipeline at the same moment get a number each, without holes."""
    code = f"""
from concurrent.futures import ThreadPoolExecutor
from landbridge.ledger import parcels
db = open_database(url)
def reserve(number):
    parcel_id = f"{{ready.name}}-{{number}}"
    return parcels.reserve(db, pipeline_name="orders", parcel_id=parcel_id, location="", folder="",
        as_of=None, pipeline_id={run_id!r}).sequence
with ThreadPoolExecutor(3) as threads:
    print(*threads.map(reserve, range(6)))
"""
    said = at_once(code, url=url, folder=tmp_path, processes=2)
    assert sorted(int(number) for words in said for number in words.split()) == list(range(1, 13))


def test_one_parcel_out_and_in(db, run_id):
    """A project that writes a parcel may load it too: one row for each direction."""
    reserve(db, run_id, "p1")
    parcels.seal(db, "p1")
    arrive(db, run_id, "p1", 1)
    assert [row.state for row in parcels.list_parcels(db, "orders", "out")] == ["sealed"]
    assert [row.state for row in parcels.list_parcels(db, "orders", "in")] == ["loaded"]
    assert parcels.list_parcels(db, "customers") == []


def test_last_loaded_is_the_highest(db, run_id):
    """The newest loaded parcel is the one with the highest sequence, in whatever order they came."""
    assert parcels.last_loaded(db, "orders") is None
    arrive(db, run_id, "p3", 3)
    arrive(db, run_id, "p2", 2)
    arrive(db, run_id, "p4", 4, "refused")
    last = parcels.last_loaded(db, "orders")
    assert (last.parcel_id, last.sequence, last.row_count, last.byte_count) == ("p3", 3, 5, 99)


def test_refused_may_be_loaded_later_and_loaded_stays(db, run_id):
    """A parcel carried again can be loaded; a damaged copy of a loaded one does not undo that."""
    refused = arrive(db, run_id, "p1", 1, "refused")
    loaded = arrive(db, run_id, "p1", 1)
    assert (loaded.state, loaded.created_at) == ("loaded", refused.created_at)
    assert arrive(db, run_id, "p1", 1, "refused") == loaded
    assert loaded.updated_at - refused.updated_at < timedelta(seconds=30)


def test_a_parcel_belongs_to_a_run(db):
    """A parcel of a run that does not exist is refused: foreign keys hold on both databases."""
    with pytest.raises(RunError):
        reserve(db, "no_such_run", "p1")
