"""Marks: which one the next read goes on from, and the one word that confirms a parcel."""

import pytest

from landbridge.errors import ConfigError, UsageError
from landbridge.ledger import custody, marks, parcels
from landbridge.ledger.custody import CustodyEvent
from landbridge.ledger.marks import Mark
from landbridge.sealing.note import new_signer
from tests.ledger.test_parcels import reserve

SIGNER, _ = new_signer("inside")


def sealed(db, run_id, parcel_id, receipt=None):
    reserve(db, run_id, parcel_id)
    mark = Mark(parcel_id=parcel_id, pipeline_name="orders", basis="b", until_value=parcel_id, receipt_sha256=receipt)
    parcels.counted(db, mark, row_count=5, byte_count=99)
    parcels.seal(db, parcel_id)
    return mark


def event(parcel_id, signer=SIGNER):
    return CustodyEvent(event="confirmed", parcel_id=parcel_id, pipeline_name="orders", details={}, signer=signer)


def test_a_mark_counts_once_its_parcel_is_sealed(db, run_id):
    """The last exported one is that of the highest number; one that is being written does not count yet."""
    first = sealed(db, run_id, "p1")
    reserve(db, run_id, "p2")
    parcels.counted(db, Mark(parcel_id="p2", pipeline_name="orders", basis="b"), row_count=0, byte_count=0)
    assert marks.exported(db, "orders", "run") == first
    assert (marks.confirmed(db, "orders", "run"), marks.exported(db, "others", "run")) == (None, None)
    assert set(marks.every(db)) == {"p1", "p2"}


def test_confirmed_by_the_first_word(db, run_id):
    """Twice is the same as once: the first time and reason stay, and the custody log says it once."""
    sealed(db, run_id, "p1"), sealed(db, run_id, "p2"), sealed(db, run_id, "p3")
    once = marks.confirm(db, "p2", "receipt", event("p2"))
    again = marks.confirm(db, "p2", "audit", event("p2"))
    assert again == once
    assert once.confirmed_at is not None
    assert once.confirmed_by == "receipt"
    assert marks.confirmed(db, "orders", "run") == once
    assert [entry.parcel_id for entry in custody.told(db, "confirmed")] == ["p2"]
    marks.confirm(db, "p1", "receipt", event("p1"))
    assert marks.confirmed(db, "orders", "run") == once  # an earlier one that is heard of later moves nothing back


def test_the_word_and_the_log_go_together(db, run_id):
    """What cannot be written into a signed log is not confirmed either."""
    sealed(db, run_id, "p1")
    custody.record(db, event("p1"))
    with pytest.raises(ConfigError, match="signing key"):
        marks.confirm(db, "p1", "receipt", event("p1", signer=None))
    assert marks.confirmed(db, "orders", "run") is None


def test_parcels_from_before_there_were_marks(db, run_id):
    """They can be confirmed as well; no read goes on from one, for it has no watermark."""
    reserve(db, run_id, "p1")
    parcels.seal(db, "p1")
    mark = marks.confirm(db, "p1", "receipt")
    assert (mark.pipeline_name, mark.until_value, mark.receipt_sha256) == ("orders", None, None)
    assert marks.confirmed(db, "orders", "run") == mark


def test_what_was_not_written_here(db, run_id):
    """An unknown parcel is refused, and nothing is left of the attempt."""
    with pytest.raises(UsageError, match="no parcel p9"):
        marks.confirm(db, "p9", "receipt", event("p9"))
    assert marks.every(db) == {}
    assert custody.told(db, "confirmed") == []


def test_found_by_its_receipt(db, run_id):
    """By the hash of the code, and by nothing else."""
    mark = sealed(db, run_id, "p1", receipt="ab" * 32)
    sealed(db, run_id, "p2")
    assert marks.of_receipt(db, "ab" * 32) == mark
    assert marks.of_receipt(db, "cd" * 32) is None
    assert parcels.written(db, "p1").row_count == 5
    assert parcels.written(db, "p9") is None


def test_exports_and_runs_are_chains_apart(db, run_id):
    """What one-hop runs have read is no mark for the other side of a gap."""
    sealed(db, run_id, "p1")
    assert marks.exported(db, "orders", "run") is not None
    assert marks.exported(db, "orders", "export") is None
