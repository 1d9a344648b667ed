"""Receipts: what an importing side hands out for what it loaded, and what is accepted of it (docs/receipts.md)."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from landbridge.engine.events import Notice
from landbridge.engine.world import World
from landbridge.errors import (
    AuditError,
    LandbridgeError,
    NotSigned,
    NotTrusted,
    ParcelMissing,
    ReceiptRefused,
    UnknownVersion,
)
from landbridge.ledger import custody, marks, parcels
from landbridge.ledger.custody import CustodyEvent
from landbridge.ledger.parcels import ParcelRow
from landbridge.sealing import note
from landbridge.sealing.receipt import MOST_BYTES, Receipt, code_of, digest_of, read_code, read_receipt, receipt_text
from landbridge.stage.location import Store, open_store
from landbridge.stage.manifest import Manifest
from landbridge.stage.reading import Parcel

FILE = re.compile(r"[0-9a-f]{32}\.txt")
AGAIN = "carry it again; `landbridge receipts list` on the importing side tells the code as well"
WHERE = "`landbridge parcels` lists what was exported here; is this the receipt of another project?"


@dataclass(frozen=True)
class Issued:
    """The receipt of a parcel that was loaded here; `file` where it was signed, `code` where the parcel has one."""

    table: str
    sequence: int
    parcel_id: str
    rows: int
    loaded_at: datetime
    code: str | None
    file: str | None


@dataclass(frozen=True)
class Heard:
    """What became of one receipt, a file or a code. `again`: it said nothing new. `row` None: it was refused."""

    receipt: str
    row: ParcelRow | None = None
    again: bool = False
    error: LandbridgeError | None = None


def receipt_code(manifest: Manifest) -> str | None:
    """None for a parcel that was made before there were receipts, or for no gap."""
    if manifest.receipt_key is None:
        return None
    return code_of(manifest.receipt_key, manifest.parcel_id, manifest.row_count)


def expected_receipt(manifest: Manifest) -> str | None:
    """What the exporting side keeps: the hash of the code that will come back."""
    code = receipt_code(manifest)
    return digest_of(code) if code else None


def issue(world: World, parcel: Parcel) -> str | None:
    """Write the receipt of a parcel that was audited just now, if this side can sign; return its code."""
    manifest, hidden = parcel.manifest, parcel.index.obfuscated
    code, signer = receipt_code(manifest), world.signer
    if signer is None:
        world.emit(Notice("no signed receipt: this side has no signing key; `landbridge keys generate` makes one"))
        return code
    rows = None if hidden else manifest.row_count
    receipt = Receipt(manifest.parcel_id, rows, datetime.now(UTC), code)
    signed = note.sign(receipt_text(receipt), signer, anonymous=hidden)
    open_store(world.project.receipts).put(_file(manifest.parcel_id), signed.encode())
    return code


def issued(world: World) -> list[Issued]:
    """All receipts of what was loaded here, as the custody log has it, by table and number."""
    store = open_store(world.project.receipts)
    files = store.files("") if store.is_there() else {}
    newest = {entry.parcel_id: entry for entry in custody.told(world.ledger, "imported")}
    found = [
        Issued(
            table=entry.pipeline_name or "",
            sequence=entry.details["sequence"],
            parcel_id=entry.parcel_id,
            rows=entry.details["row_count"],
            loaded_at=entry.time,
            code=entry.details.get("receipt"),
            file=store.describe(_file(entry.parcel_id)) if _file(entry.parcel_id) in files else None,
        )
        for entry in newest.values()
    ]
    return sorted(found, key=lambda one: (one.table, one.sequence))


def hear(world: World, places: Iterable[str], codes: Iterable[str]) -> Iterator[Heard]:
    """Confirm what each receipt tells of: files, or folders that hold some, and codes. One refused stops no other."""
    for place in places:
        try:
            found = _lying(place)
        except LandbridgeError as error:
            yield Heard(place, error=error)
        else:
            for store, name in found:
                yield _heard(world, store.describe(name), store, name)
    for code in codes:
        yield _heard(world, code)


def _heard(world: World, receipt: str, store: Store | None = None, name: str = "") -> Heard:
    try:
        row, again = _confirm_file(world, store, name) if store else _confirm_code(world, receipt)
    except LandbridgeError as error:
        return Heard(receipt, error=error)
    return Heard(receipt, row, again)


def _lying(place: str) -> list[tuple[Store, str]]:
    """The receipts at a place: the file itself, whatever it is called, or those in the folder and below."""
    path = Path(place)
    if "://" not in place and path.is_file():
        return [(open_store(str(path.parent)), path.name)]
    store = open_store(place)
    store.reach()
    names = sorted(name for name in store.files("") if FILE.fullmatch(name.rpartition("/")[2]))
    if not names:
        raise ReceiptRefused(f"no receipt at {place}", hint="they are called like their parcels, with .txt at the end")
    return [(store, name) for name in names]


def _confirm_file(world: World, store: Store, name: str) -> tuple[ParcelRow, bool]:
    where, signers = store.describe(name), world.keyring.signers()
    try:
        data = store.get(name, most=MOST_BYTES)
    except ParcelMissing as error:
        raise ReceiptRefused(error.message) from error
    try:
        text, signer = note.verify(data.decode(), *signers)
        receipt = read_receipt(text)
    except UnicodeDecodeError as error:
        raise NotSigned(f"{where}: not a signed note: it is no text", hint=AGAIN) from error
    except (NotTrusted, UnknownVersion, ReceiptRefused) as error:
        raise type(error)(f"{where}: {error.message}", hint=error.hint or AGAIN) from error
    return _confirm(world, receipt.parcel_id, "file", receipt, signer)


def _confirm_code(world: World, typed: str) -> tuple[ParcelRow, bool]:
    code = read_code(typed)
    mark = marks.of_receipt(world.ledger, digest_of(code))
    if mark is None:
        raise ReceiptRefused(f"no parcel that was exported here has the receipt {code}", hint=WHERE)
    return _confirm(world, mark.parcel_id, "code", None, None)


def _confirm(
    world: World, parcel_id: str, by: Literal["file", "code"], receipt: Receipt | None, signer: str | None
) -> tuple[ParcelRow, bool]:
    """The row of the parcel that was confirmed, and whether it was before."""
    row = parcels.written(world.ledger, parcel_id)
    if row is None or row.state == "abandoned":
        raise ReceiptRefused(f"no parcel {parcel_id} was exported here", hint=WHERE)
    mark = marks.of_parcel(world.ledger, parcel_id)
    if receipt is not None:
        _compare(row, receipt, mark.receipt_sha256 if mark else None)
    event = _event(world, row, by=by, signer=signer, loaded_at=receipt.loaded_at.isoformat() if receipt else None)
    marks.confirm(world.ledger, parcel_id, "receipt", event)
    return row, mark is not None and mark.confirmed_at is not None


def _compare(row: ParcelRow, receipt: Receipt, expected: str | None) -> None:
    told = f"the receipt of parcel {row.parcel_id} of {row.pipeline_name}"
    if receipt.rows is not None and receipt.rows != row.row_count:
        raise AuditError(
            f"{told} says that {receipt.rows} rows were loaded, and {row.row_count} were exported",
            hint="landbridge custody on both sides: is it the same index?",
        )
    if expected and (receipt.code is None or digest_of(receipt.code) != expected):
        raise ReceiptRefused(f"{told} has not its code: whoever signed it could not open the parcel", hint=WHERE)


def _event(world: World, row: ParcelRow, **details: Any) -> CustodyEvent:  # noqa: ANN401  JSON values
    """Which bytes were meant is what the entry of the export says: they may be gone by now."""
    exported = custody.latest(world.ledger, parcel_id=row.parcel_id, event="exported")
    seen = {key: exported.details[key] if exported else None for key in ("location", "index_sha256")}
    return CustodyEvent(
        event="confirmed",
        parcel_id=row.parcel_id,
        pipeline_name=row.pipeline_name,
        details={**seen, **details, "row_count": row.row_count, "sequence": row.sequence},
        signer=world.signer,
    )


def _file(parcel_id: str) -> str:
    return f"{parcel_id}.txt"
