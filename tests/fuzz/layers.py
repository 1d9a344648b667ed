"""What is fuzzed: each layer of a parcel, those below it made right again, so that a reader gets as far as the harm."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from landbridge.errors import LandbridgeError
from landbridge.sealing import age, note
from landbridge.sealing.note import Signers
from landbridge.stage.copying import export_index_at
from landbridge.stage.evidence import evidence
from landbridge.stage.export_index import Listed, read_export_index, write_export_index
from landbridge.stage.location import Store, open_store
from landbridge.stage.naming import EXPORT_INDEX
from landbridge.stage.reading import Parcel, check_parcel, find_obfuscated, find_parcels, open_parcel, read_part
from landbridge.stage.survey import survey
from landbridge.stage.volumes import ABOUT, about, read_about
from landbridge.stage.writing import PartSettings
from tests.fuzz.mutations import disturbed, mutated
from tests.stage.forging import Carried, Hand
from tests.stage.parcels import CLEAR, IDENTITY, RECIPIENT, SIGNER, VERIFIER, ZSTD, export, fin

HAND = Hand(SIGNER, RECIPIENT, IDENTITY)
BATCHES = [fin(0, 2), fin(2, 1)]  # each row a part
ROWS = pa.Table.from_batches(BATCHES)
KINDS = {
    "named": PartSettings((RECIPIENT,), ZSTD, part_size=1),
    "hidden": PartSettings((RECIPIENT,), ZSTD, part_size=1, obfuscated=True),
    "clear": CLEAR,
}


@dataclass(frozen=True)
class Seed:
    """A place with one sound parcel, an export index and a volume.json, to be copied and harmed."""

    root: Path
    folder: str

    def copied(self, root: Path) -> "Seed":
        shutil.copytree(self.root, root)
        return Seed(root, self.folder)

    @property
    def store(self) -> Store:
        return open_store(str(self.root))

    @property
    def carried(self) -> Carried:
        return Carried(self.root / self.folder)


def make_seed(root: Path, kind: str) -> Seed:
    """One of KINDS."""
    store = open_store(str(root))
    folder = export(store, BATCHES, settings=KINDS[kind])
    made = Seed(root, folder)
    now = open_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY]).manifest.as_of
    listed = [Listed("fin", "0123456789abcdef", made.carried.parcel_id, 1, now, 3, 3)] * 2
    write_export_index(store, listed, created_at=now, recipients=[RECIPIENT], signer=SIGNER)
    (root / ABOUT).write_bytes(about(1, 2, {folder: {"manifest.json.age": 1}}))
    return made


def _any_file(random: Random, seed: Seed) -> None:
    """As an enemy without keys would."""
    paths = sorted(path for path in seed.root.rglob("*") if path.is_file())
    path = random.choice(paths)
    path.write_bytes(mutated(random, path.read_bytes()))


def _index(random: Random, seed: Seed) -> None:
    text = mutated(random, seed.carried.text.encode()).decode(errors="replace")
    signed = "".join(char for char in text if char == "\n" or char.isprintable()).rstrip("\n") + "\n"
    seed.carried.sign(signed, HAND)


def _manifest_as_json(random: Random, seed: Seed) -> None:
    seed.carried.remake(HAND, manifest=lambda document: disturbed(random, document))


def _manifest_as_text(random: Random, seed: Seed) -> None:
    seed.carried.remake(HAND, text=lambda text: mutated(random, text))


def _part(random: Random, seed: Seed) -> None:
    seed.carried.remake(HAND, part=lambda plain: mutated(random, plain))


def _footer(random: Random, seed: Seed) -> None:
    """Parquet's own description of a part, which stands at its end."""

    def change(plain: bytes) -> bytes:
        length = int.from_bytes(plain[-8:-4], "little")
        footer = mutated(random, plain[-8 - length : -8])
        return plain[: -8 - length] + footer + len(footer).to_bytes(4, "little") + plain[-4:]

    seed.carried.remake(HAND, part=change)


def _export_index(random: Random, seed: Seed) -> None:
    path = seed.root / EXPORT_INDEX
    text, _ = note.verify(age.open_sealed(path.read_bytes(), [IDENTITY]).decode(), [VERIFIER])
    if random.randrange(2):
        text = json.dumps(disturbed(random, json.loads(text)), ensure_ascii=True) + "\n"
    else:
        changed = mutated(random, text.encode()).decode(errors="replace")
        text = "".join(filter(str.isprintable, changed)) + "\n"
    path.write_bytes(age.seal(note.sign(text, SIGNER, anonymous=True).encode(), [RECIPIENT]))


def _volume(random: Random, seed: Seed) -> None:
    path = seed.root / ABOUT
    text = json.dumps(disturbed(random, json.loads(path.read_bytes()))).encode()
    path.write_bytes(mutated(random, text) if random.randrange(2) else text)


Layer = Callable[[Random, Seed], None]
LAYERS: dict[str, tuple[Layer, tuple[str, ...]]] = {
    "any file": (_any_file, tuple(KINDS)),
    "index": (_index, tuple(KINDS)),
    "manifest": (_manifest_as_json, ("named", "hidden")),
    "manifest's text": (_manifest_as_text, ("named",)),
    "part": (_part, ("named", "hidden")),
    "part's footer": (_footer, ("named",)),
    "export index": (_export_index, ("hidden",)),
    "volume.json": (_volume, ("named",)),
}


def read_all(seed: Seed) -> pa.Table | None:
    """All that a reader does at a place; the rows, None where the parcel is refused.

    Only a LandbridgeError may come, and its words must be fit for a terminal: AssertionError otherwise.
    """
    store, folder = seed.store, seed.folder
    looks: list[Callable[[], Any]] = [
        lambda: find_parcels(store, "fin"),
        lambda: find_obfuscated(store),
        lambda: evidence(store, folder, Signers([VERIFIER])),
        lambda: survey(store, folder, Signers([VERIFIER])),
        lambda: read_export_index(store, signers=Signers([VERIFIER]), identities=[IDENTITY]),
        lambda: export_index_at(store),
        lambda: read_about(store),
    ]
    for look in looks:
        _refused(look)
    faults = check_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY])
    for fault in faults:
        _check_words(fault)
    rows: list[pa.RecordBatch] = []
    refused = _refused(lambda: rows.extend(_rows(store, folder)))
    assert bool(faults) == refused, f"check says {faults}, and reading {'is refused' if refused else 'goes through'}"
    return None if refused else pa.Table.from_batches(rows)


def _rows(store: Store, folder: str) -> Iterator[pa.RecordBatch]:
    parcel: Parcel = open_parcel(store, folder, signers=Signers([VERIFIER]), identities=[IDENTITY])
    for entry in parcel.manifest.parts:
        yield from read_part(store, parcel, entry, [IDENTITY])


def _refused(look: Callable[[], object]) -> bool:
    try:
        look()
    except LandbridgeError as error:
        _check_words(error)
        return True
    return False


def _check_words(error: LandbridgeError) -> None:
    said = f"{error.message}\n{error.hint or ''}"
    assert all(line.isprintable() for line in said.split("\n")), f"not fit for a terminal: {said!a}"
    assert len(said) < 20_000, f"too long: {said[:200]!a}"
