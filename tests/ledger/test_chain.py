"""The custody log as text: what was written is read back, and whatever is changed afterwards shows."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.errors import ConfigError, CustodyBroken
from landbridge.ledger.chain import NOTHING, Entry, Line, hash_of, read, verified, write
from landbridge.sealing.note import new_signer

SIGNER, VERIFIER = new_signer("inside")
FORGER, _ = new_signer("inside")
TIME = "2026-01-31T23:00:05.000001Z"
details = st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.lists(st.text(), max_size=2))


def line(number: int, previous: str, signer: str | None = SIGNER, **fields) -> Line:
    """An entry as its writer makes it, whoever that is."""
    told = {
        "number": number,
        "time": TIME,
        "event": "exported",
        "parcel_id": f"{number:032x}",
        "pipeline_name": "fin",
        "actor": "ops@inside",
        "details": {"row_count": number},
        "previous": previous,
    } | fields
    text = write(told, signer)
    return Line(number, told["event"], told["parcel_id"], told["pipeline_name"], text, hash_of(text))


def log(*signers: str | None, start: list[Line] | None = None) -> list[Line]:
    """A log that goes on from `start`, an entry for each signer."""
    lines = list(start or [])
    for signer in signers:
        lines.append(line(len(lines) + 1, lines[-1].hash if lines else NOTHING, signer))
    return lines


def broken_at(lines: list[Line], reason: str) -> int:
    """How many entries were given out before the break, which has this reason."""
    found = []
    with pytest.raises(CustodyBroken, match=rf"entry {reason}") as broken:
        found.extend(verified(lines, [VERIFIER]))
    assert broken.value.exit_code == 4
    return len(found)


def test_what_is_written_is_read_back():
    """A whole log gives its entries in order, each with its own hash and whoever signed it."""
    lines = log(SIGNER, SIGNER, SIGNER)
    entries = list(verified(lines, [VERIFIER]))
    assert [entry.number for entry in entries] == [1, 2, 3]
    assert [entry.hash for entry in entries] == [one.hash for one in lines]
    assert [entry.previous for entry in entries] == [NOTHING, lines[0].hash, lines[1].hash]
    assert entries[0].time == datetime(2026, 1, 31, 23, 0, 5, 1, tzinfo=UTC)
    assert (entries[2].details, entries[2].actor, entries[2].signed_by) == ({"row_count": 3}, "ops@inside", "inside")
    assert list(verified([], [VERIFIER])) == []


@settings(max_examples=60, deadline=None)
@given(details, st.sampled_from([None, SIGNER]))
def test_any_details(told, signer):
    """Whatever text an entry holds, it is one line of ASCII, reads back as it was, and its signature fits."""
    one = line(1, NOTHING, signer, details=told)
    assert one.line.isascii()
    assert "\n" not in one.line
    (entry,) = verified([one], [VERIFIER])
    assert entry.details == told


def test_a_line_that_was_changed():
    """One changed character shows at its entry; with a hash to fit, at that entry's signature."""
    lines = log(SIGNER, SIGNER, SIGNER)
    text = lines[1].line.replace('"row_count":2', '"row_count":9')
    lines[1] = replace(lines[1], line=text)
    assert broken_at(lines, "2: it was changed after it was written") == 1
    lines[1] = replace(lines[1], hash=hash_of(text))
    assert broken_at(lines, "2: its signature is not one of this side's") == 1


def test_an_unsigned_line_that_was_changed():
    """Without signatures a changed entry with a hash to fit shows at the one after it."""
    lines = log(None, None, None)
    assert len(list(verified(lines, []))) == 3
    text = lines[1].line.replace('"row_count":2', '"row_count":9')
    lines[1] = replace(lines[1], line=text, hash=hash_of(text))
    assert broken_at(lines, "3: it does not follow on the one before") == 2


@pytest.mark.parametrize(
    "other", [{"event": "checked"}, {"parcel_id": "f" * 32}, {"pipeline_name": "other"}, {"pipeline_name": None}]
)
def test_a_column_that_was_changed(other):
    """What stands beside a line to be asked for in SQL cannot say anything else than the line."""
    lines = log(SIGNER, SIGNER)
    lines[1] = replace(lines[1], **other)
    assert broken_at(lines, "2: it was changed") == 1


def test_entries_that_were_removed():
    """Whether at the beginning or in the middle; renumbering the rest does not help."""
    lines = log(SIGNER, SIGNER, SIGNER)
    assert broken_at(lines[1:], "1: it is missing") == 0
    assert broken_at([lines[0], lines[2]], "2: it is missing") == 1
    assert broken_at([lines[0], replace(lines[2], number=2)], "2: it was changed") == 1


def test_a_log_that_was_made_anew():
    """Who rewrites a signed log with all its hashes lacks the key: another key shows, and so does none."""
    start = log(SIGNER)
    assert broken_at(log(FORGER, SIGNER, start=start), "2: its signature is not one of this side's") == 1
    assert broken_at(log(None, None, start=start), "2: it is not signed, and others before it are") == 1
    assert broken_at(log(FORGER), "1: its signature") == 0


def test_an_entry_of_the_same_signer_elsewhere():
    """A signed entry that is true of another place in the log does not fit here."""
    lines = log(SIGNER, SIGNER, SIGNER)
    assert broken_at([lines[0], replace(lines[1], number=1), lines[2]], "2: it is missing") == 1
    again = line(3, lines[0].hash)
    assert broken_at([*lines[:2], again], "3: it does not follow") == 2


def test_a_signing_key_may_come_later():
    """What was written before this side had a key stays as it is, unsigned."""
    assert [entry.signed_by for entry in verified(log(None, None, SIGNER), [VERIFIER])] == [None, None, "inside"]


def test_an_earlier_key_counts():
    """A log that was signed by several keys of this side, one after the other, is whole."""
    later, verifier = new_signer("inside")
    assert len(list(verified(log(SIGNER, later), [VERIFIER, verifier]))) == 2


def test_a_revoked_key_counts_as_far_as_a_later_one_fixes_it():
    """Whoever stole it can write no entry that is believed, and what it signed before is not lost."""
    later, verifier = new_signer("inside")
    assert len(list(verified(log(SIGNER, SIGNER, later), [verifier], [VERIFIER]))) == 3
    found: list[Entry] = []
    with pytest.raises(CustodyBroken, match="entry 3: signed by a key that was revoked"):
        found.extend(verified(log(SIGNER, later, SIGNER, SIGNER), [verifier], [VERIFIER]))
    assert len(found) == 2
    with pytest.raises(CustodyBroken, match="entry 1: signed by a key that was revoked"):
        list(verified(log(SIGNER), [], [VERIFIER]))


def test_no_key_to_verify_with():
    """A signed log is not called broken where only the key is missing."""
    with pytest.raises(ConfigError, match="the key to verify it with is not there"):
        list(verified(log(SIGNER), []))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "x", '{"number":1}', '{"time":5}'])
def test_no_entry_at_all(text):
    """Anything that is no entry is a break, not a crash."""
    with pytest.raises(CustodyBroken, match="entry 1: it is no entry"):
        read(Line(1, "exported", "p", None, text, hash_of(text)))


def test_the_signature_is_a_signed_note():
    """The line without its signature is the text of a C2SP signed note, and the signature its last line."""
    text = line(1, NOTHING).line
    told = json.loads(text)
    assert list(told) == [*json.loads(line(1, NOTHING, None).line), "signature"]
    assert text.rpartition(',"signature":')[0] + "}" == line(1, NOTHING, None).line
