"""The custody log as text: lines of JSON, each of which fixes all before it. The format is docs/custody.md."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from landbridge.errors import ConfigError, CustodyBroken, NotTrusted
from landbridge.sealing import note

NOTHING = "0" * 64  # what the first entry has for the hash of the one before
_SIGNATURE = ',"signature":'


@dataclass(frozen=True)
class Line:
    """An entry as it is stored, without its line feed; the other fields repeat it, to be asked for in SQL."""

    number: int
    event: str
    parcel_id: str
    pipeline_name: str | None
    line: str
    hash: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An entry as it is read; the fields are those of its line, and its own hash."""

    number: int
    time: datetime
    event: str
    parcel_id: str
    pipeline_name: str | None
    actor: str
    details: Mapping[str, Any]
    previous: str
    signature: str | None = None
    hash: str

    @property
    def signed_by(self) -> str | None:
        """The signer's name."""
        return self.signature.rpartition(" ")[0] if self.signature else None


def write(fields: Mapping[str, Any], signer: str | None) -> str:
    """The line of an entry, signed where there is a key; `fields` are all but the signature, in their order."""
    text = _json(fields)
    if signer is None:
        return text
    signature = note.sign(f"{text}\n", signer).rpartition("\n— ")[2].rstrip("\n")
    return _json({**fields, "signature": signature})


def hash_of(line: str) -> str:
    return hashlib.sha256(f"{line}\n".encode()).hexdigest()


def is_signed(line: str) -> bool:
    return _SIGNATURE in line


def read(line: Line) -> Entry:
    """The entry of a line. Raises CustodyBroken where it is none, or says otherwise than what is stored beside it."""
    try:
        fields = json.loads(line.line)
        entry = Entry(**{**fields, "time": datetime.fromisoformat(fields["time"])}, hash=line.hash)
    except (ValueError, TypeError, KeyError) as error:
        raise CustodyBroken(f"custody log, entry {line.number}: it is no entry", hint=_HINT) from error
    told = (entry.number, entry.event, entry.parcel_id, entry.pipeline_name)
    if told != (line.number, line.event, line.parcel_id, line.pipeline_name) or line.hash != hash_of(line.line):
        raise CustodyBroken(f"custody log, entry {line.number}: it was changed after it was written", hint=_HINT)
    return entry


def verified(lines: Iterable[Line], verifiers: Sequence[str], revoked: Sequence[str] = ()) -> Iterator[Entry]:
    """The entries of a whole log, each when it and all before it are known to be as they were written.

    `revoked` are keys of this side that count no more: what they signed stands only if a later entry is signed by
    one of `verifiers`, and so fixes it. Raises CustodyBroken at the first that is not whole: changed, missing, put in
    between, signed by none of these, or not signed though one before it is; ConfigError where the log is signed and
    there are no verifiers.
    """
    before, signed, doubtful = NOTHING, False, list[Entry]()
    for number, line in enumerate(lines, 1):
        if line.number != number:
            raise CustodyBroken(f"custody log, entry {number}: it is missing", hint=_HINT)
        entry = read(line)
        if entry.previous != before:
            raise CustodyBroken(f"custody log, entry {number}: it does not follow on the one before", hint=_HINT)
        signed = signed or entry.signature is not None
        counts = not signed or _counts(line, entry, verifiers, revoked)
        before = entry.hash
        doubtful.append(entry)
        if counts:
            yield from doubtful
            doubtful.clear()
    if doubtful:
        raise CustodyBroken(
            f"custody log, entry {doubtful[0].number}: signed by a key that was revoked, and by no other since",
            hint=_HINT,
        )


def _counts(line: Line, entry: Entry, verifiers: Sequence[str], revoked: Sequence[str]) -> bool:
    """Whether its signature is by one of `verifiers`, and not of `revoked`. Raises CustodyBroken, ConfigError."""
    if entry.signature is None:
        raise CustodyBroken(f"custody log, entry {line.number}: it is not signed, and others before it are", hint=_HINT)
    if not verifiers and not revoked:
        raise ConfigError("the custody log is signed, and the key to verify it with is not there", hint=_KEY)
    if _is_by(line, entry, verifiers):
        return True
    if _is_by(line, entry, revoked):
        return False
    raise CustodyBroken(f"custody log, entry {line.number}: its signature is not one of this side's", hint=_HINT)


def _is_by(line: Line, entry: Entry, verifiers: Sequence[str]) -> bool:
    text = line.line.rpartition(_SIGNATURE)[0] + "}\n"
    try:
        note.verify(f"{text}\n— {entry.signature}\n", verifiers)
    except NotTrusted:
        return False
    return True


def _json(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, separators=(",", ":"), allow_nan=False)


_KEY = "put signing.key back into the folder of keys"
_HINT = "landbridge custody --export FILE keeps it as it is now; docs/custody.md shows how to check it by hand"
