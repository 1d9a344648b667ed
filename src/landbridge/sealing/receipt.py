"""Receipts: that a parcel's rows are loaded, as a short code and as the text of a signed note (docs/receipts.md)."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce

from landbridge.errors import ReceiptRefused, UnknownVersion, UsageError

FORMAT = "landbridge-receipt/1"
MOST_BYTES = 8192
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's
SIGNS = 16  # the last one checks the others
_READ_AS = str.maketrans("OIL", "011", "- \t")
_GENERATOR = 0b100101  # x^5 + x^2 + 1
_CODE = "(?:[0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}"
_TEXT = re.compile(
    rf"{FORMAT}\nparcel (?P<parcel>[0-9a-f]{{32}})\n(?:rows (?P<rows>0|[1-9][0-9]{{0,17}})\n)?"
    rf"loaded (?P<loaded>[0-9]{{4}}(?:-[0-9]{{2}}){{2}}T[0-9]{{2}}(?::[0-9]{{2}}){{2}}Z)\n(?:code (?P<code>{_CODE})\n)?"
)


@dataclass(frozen=True)
class Receipt:
    """One parcel, loaded. `rows` None where its size is hidden, `code` None where it was made without a key."""

    parcel_id: str
    rows: int | None
    loaded_at: datetime
    code: str | None


def code_of(receipt_key: str, parcel_id: str, row_count: int) -> str:
    """The code of a loaded parcel, in four groups; `receipt_key` is the hex text of its manifest."""
    message = f"{FORMAT}\n{parcel_id}\n{row_count}\n".encode()
    digest = hmac.digest(bytes.fromhex(receipt_key), message, "sha256")
    number = int.from_bytes(digest) >> (8 * len(digest) - 5 * (SIGNS - 1))
    values = [number >> 5 * place & 31 for place in reversed(range(SIGNS - 1))]
    return _grouped([*values, _check(values)])


def digest_of(code: str) -> str:
    """What the exporting side keeps of a code, as 64 hex digits."""
    return hashlib.sha256(code.encode()).hexdigest()


def read_code(typed: str) -> str:
    """The code that somebody typed or heard, as it is printed. Raises UsageError where it cannot be one."""
    signs = typed.upper().translate(_READ_AS)
    values = [ALPHABET.find(sign) for sign in signs]
    if len(values) != SIGNS or -1 in values or _check(values[:-1]) != values[-1]:
        raise UsageError(
            f"the code {typed[:40]!a} is mistyped", hint="16 signs, like XDBH-NP3D-K2TE-EMZ1; read it again"
        )
    return _grouped(values)


def _check(values: list[int]) -> int:
    """By which all, each times its own power of x, add up to 0: with one wrong, or two exchanged, they never do."""
    return reduce(lambda total, value: _times_x(total ^ value), values, 0)


def _times_x(value: int) -> int:
    doubled = value << 1
    return doubled ^ _GENERATOR if doubled & 32 else doubled


def _grouped(values: list[int]) -> str:
    signs = "".join(ALPHABET[value] for value in values)
    return "-".join(signs[start : start + 4] for start in range(0, SIGNS, 4))


def receipt_text(receipt: Receipt) -> str:
    """What is signed."""
    lines = [FORMAT, f"parcel {receipt.parcel_id}"]
    if receipt.rows is not None:
        lines.append(f"rows {receipt.rows}")
    lines.append(f"loaded {receipt.loaded_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")
    if receipt.code is not None:
        lines.append(f"code {receipt.code}")
    return "\n".join(lines) + "\n"


def read_receipt(text: str) -> Receipt:
    """Back from `receipt_text`, once its signature was verified. Raises UnknownVersion, ReceiptRefused."""
    first = text.partition("\n")[0]
    if first != FORMAT and re.fullmatch("landbridge-receipt/[0-9]{1,6}", first):
        raise UnknownVersion(
            f"a receipt of format {first}; this landbridge reads {FORMAT}", hint="update landbridge here"
        )
    found = _TEXT.fullmatch(text)
    try:
        if found:
            loaded_at = datetime.fromisoformat(found["loaded"])
            rows = int(found["rows"]) if found["rows"] is not None else None
            return Receipt(found["parcel"], rows, loaded_at, found["code"] and read_code(found["code"]))
    except ValueError:
        pass  # no such day
    raise ReceiptRefused("it is signed, but it is no receipt")
