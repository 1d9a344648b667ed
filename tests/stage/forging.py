"""Forging: what someone can do to a carried parcel, and what a trusted signer could do who means harm."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from landbridge.sealing.age import open_sealed, seal
from landbridge.sealing.note import sign
from landbridge.stage.index import IndexEntry, index_text, parse_index


@dataclass(frozen=True)
class Hand:
    """Keys to forge with; `identity` opens what is sealed for `recipient`."""

    signer: str
    recipient: str
    identity: str


@dataclass
class Carried:
    """One parcel folder, sealed, its files by what they are; parts in the order of the index."""

    folder: Path
    obfuscated: bool = field(init=False)
    manifest: Path = field(init=False)
    parts: list[Path] = field(init=False)

    def __post_init__(self) -> None:
        index = parse_index(self.text)
        self.obfuscated = index.obfuscated
        self.manifest, *self.parts = [self.folder / file.name for file in index.files]

    @property
    def index(self) -> Path:
        return self.folder / "index"

    @property
    def text(self) -> str:
        """What the index signs."""
        return self.index.read_text().rpartition("\n\n")[0] + "\n"

    @property
    def parcel_id(self) -> str:
        return self.text.splitlines()[1].removeprefix("parcel ")

    def sign(self, text: str, hand: Hand) -> None:
        """Write the index anew with this text."""
        self.index.write_text(sign(text, hand.signer, anonymous=self.obfuscated))

    def resign(self, hand: Hand, *, parcel_id: str | None = None, extra: Sequence[IndexEntry] = ()) -> None:
        """Write the index anew over what lies there now, and over `extra`."""
        manifest, *parts = [_entry(path.name, path.read_bytes()) for path in (self.manifest, *self.parts)]
        self.sign(index_text(parcel_id or self.parcel_id, manifest, [*parts, *extra]), hand)

    def remake(
        self,
        hand: Hand,
        *,
        part: Callable[[bytes], bytes] = lambda plain: plain,
        manifest: Callable[[dict[str, Any]], Any] = lambda _: None,
        text: Callable[[bytes], bytes] = lambda document: document,
        sealed_for: str | None = None,
    ) -> None:
        """Change the first part's plain bytes, then the manifest as an object, then as text; all sealed and signed.

        The part can be `sealed_for` another recipient than the rest.
        """
        document = json.loads(open_sealed(self.manifest.read_bytes(), [hand.identity]))
        if document["parts"]:
            entry = document["parts"][0]
            path = self.folder / entry["file"]
            plain = part(open_sealed(path.read_bytes(), [hand.identity]))
            path.write_bytes(seal(plain, [sealed_for or hand.recipient]))
            for kind, data in (("plain", plain), ("sealed", path.read_bytes())):
                entry |= {f"{kind}_bytes": len(data), f"{kind}_sha256": sha256(data).hexdigest()}
        manifest(document)
        self.manifest.write_bytes(seal(text(json.dumps(document).encode()), [hand.recipient]))
        self.resign(hand)


def _entry(name: str, data: bytes) -> IndexEntry:
    return IndexEntry(name, len(data), sha256(data).hexdigest())
