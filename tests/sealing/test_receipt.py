"""Receipts as text: codes that survive a telephone, and notes that have one way to be written."""

import re
import string
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from landbridge.errors import ReceiptRefused, UnknownVersion, UsageError
from landbridge.sealing.receipt import (
    ALPHABET,
    MOST_BYTES,
    Receipt,
    code_of,
    digest_of,
    read_code,
    read_receipt,
    receipt_text,
)

PAGE = (Path(__file__).parents[2] / "docs" / "receipts.md").read_text()
KEY, PARCEL = "000102030405060708090a0b0c0d0e0f", "01a1fcaff6dd75c29b64f6e4be2cc781"
CODE = "XDBH-NP3D-K2TE-EMZ1"
RECEIPT = Receipt(PARCEL, 50, datetime(2026, 1, 31, 23, 10, 5, tzinfo=UTC), CODE)
hexes = st.text("0123456789abcdef", min_size=32, max_size=32)
codes = st.builds(code_of, hexes, hexes, st.integers(0, 2**63 - 1))


def test_the_example_of_the_page():
    """The page's key, parcel and rows make the page's code and hash; whoever changes the recipe changes the page."""
    assert code_of(KEY, PARCEL, 50) == CODE
    assert f"{CODE}`, SHA-256\n`{digest_of(CODE)}`" in PAGE
    assert f"key `{KEY}`, parcel `{PARCEL}`, 50 rows" in PAGE


@given(codes, st.data())
def test_a_code_is_read_however_it_is_typed(code: str, data: st.DataObject):
    """In any case, with any dashes and blanks or none, and with the letters that look like digits."""
    alike = {"0": "0Oo", "1": "1IiLl"}
    typed = "".join(
        data.draw(st.sampled_from(alike.get(sign, sign + sign.lower())))
        + data.draw(st.sampled_from(["", "-", " ", " - "]))
        for sign in code.replace("-", "")
    )
    assert read_code(typed) == code


@given(codes, st.integers(0, 15), st.sampled_from(ALPHABET + "U?"))
def test_one_wrong_sign_is_noticed(code: str, place: int, sign: str):
    """Whichever it is, the check sign included; also a sign that no code has."""
    signs = list(code.replace("-", ""))
    if signs[place] == sign:
        return
    signs[place] = sign
    with pytest.raises(UsageError, match="mistyped"):
        read_code("".join(signs))


@given(codes, st.integers(0, 15), st.integers(0, 15))
@example(CODE, 14, 15)
def test_two_exchanged_signs_are_noticed(code: str, one: int, other: int):
    """Neighbours or not, the check sign included."""
    signs = list(code.replace("-", ""))
    if signs[one] == signs[other]:
        return
    signs[one], signs[other] = signs[other], signs[one]
    with pytest.raises(UsageError, match="mistyped"):
        read_code("".join(signs))


@given(codes, st.integers(0, 15), st.sampled_from(string.ascii_uppercase + string.digits))
def test_a_sign_too_few_or_too_many_is_noticed(code: str, place: int, sign: str):
    """A code has 16 signs, and nothing else is one: nothing, and words neither."""
    signs = code.replace("-", "")
    for typed in (signs[:place] + signs[place + 1 :], signs[:place] + sign + signs[place:], "", "received with thanks"):
        with pytest.raises(UsageError, match="mistyped"):
            read_code(typed)


@given(hexes, hexes, st.integers(0, 2**63 - 2))
def test_key_parcel_and_rows_all_count(key: str, parcel: str, rows: int):
    """Another key, another parcel or another number of rows has another code."""
    other_key, other_parcel = (f"{int(text[0], 16) ^ 1:x}{text[1:]}" for text in (key, parcel))
    made = [(key, parcel, rows), (other_key, parcel, rows), (key, other_parcel, rows), (key, parcel, rows + 1)]
    assert len({code_of(*one) for one in made}) == 4


@pytest.mark.parametrize("given_up", [{}, {"rows": None}, {"code": None}, {"rows": None, "code": None}, {"rows": 0}])
def test_a_receipt_comes_back_equal(given_up: dict):
    """With and without what is optional; and it is as small as the page says."""
    receipt = replace(RECEIPT, **given_up)
    assert read_receipt(receipt_text(receipt)) == receipt
    assert len(receipt_text(receipt)) < 300 < MOST_BYTES


def test_the_page_shows_one():
    """The text that is signed is the page's example, to the byte."""
    (shown,) = re.findall(r"^```\n(landbridge-receipt/1\n.*?\n)\n—", PAGE, re.DOTALL | re.MULTILINE)
    assert receipt_text(RECEIPT) == shown


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rows 50", "rows 050"),
        ("rows 50", "rows  50"),
        ("rows 50", "rows -1"),
        ("rows 50\n", "rows 50\nrows 50\n"),
        ("loaded 2026-01-31", "loaded 2026-02-31"),
        ("loaded 2026-01-31T23:10:05Z\n", ""),
        ("Z\n", "Z\nmore\n"),
        (f"parcel {PARCEL}\n", ""),
        (PARCEL, PARCEL.upper()),
        (CODE, CODE.lower()),
        ("landbridge-receipt/1", "landbridge-parcel/1"),
    ],
)
def test_there_is_one_way_to_write_it(before: str, after: str):
    """Anything else is refused, though a trusted signer signed it; so is whatever else that one signed."""
    changed = receipt_text(RECEIPT).replace(before, after)
    assert changed != receipt_text(RECEIPT)
    with pytest.raises(ReceiptRefused, match="no receipt"):
        read_receipt(changed)


def test_a_later_version():
    """It is not taken for this one, and the advice is to update."""
    with pytest.raises(UnknownVersion, match="landbridge-receipt/2"):
        read_receipt(receipt_text(RECEIPT).replace("receipt/1", "receipt/2"))
