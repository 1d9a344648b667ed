"""JSON files: read by the reader of YAML, so that lines are known, and yet exactly as JSON says it."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.config.document import Document, read_document
from landbridge.config.problems import Problems
from landbridge.errors import ConfigError

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), inner, max_size=3)
    ),
)


def read(text: str) -> Document:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "a.json").write_text(text, encoding="utf-8")
        problems = Problems()
        document = read_document(Path(folder), "a.json", problems)
        problems.raise_if_any()
    assert document is not None
    return document


@given(value=VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 2, "\t"]))
def test_as_json_says_it(value: object, indent: int | str | None, *, ascii_only: bool):
    """Whatever its texts and numbers are, written with escapes or without, indented by blanks or tabs."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read(text).data == value
    assert repr(read(text).data) == repr(value)  # 1 is not 1.0, nor True


def test_lines_are_those_of_the_file():
    """Each value has its own, whatever stands between."""
    document = read('{\n\t"a":\t[\n1e3,\n"\\ud83d\\ude00\\/\\n"],\n\n"b": {"c": -1E-7}}')
    assert document.data == {"a": [1000.0, "\U0001f600/\n"], "b": {"c": -1e-7}}
    assert [document.place(keys).line for keys in [("a",), ("a", 0), ("a", 1), ("b",), ("b", "c")]] == [2, 3, 4, 6, 6]
    assert read(" \n").data is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a": 1,\n "a": CANARY}', ":2: not JSON: expecting value"),
        ('{"a": 1,\n "b": 2,\n "a": "CANARY"}', ":3: a: given twice; keep one"),
        ('{\n"a": 1\n"CANARY": 2}', ":3: not JSON: expecting ',' delimiter"),
        ('{"a": "CANARY\n"}', ":1: not JSON: invalid control character at"),
        ('// CANARY\n{"a": 1}', ":1: not JSON: expecting value"),
        ("a: CANARY", ":1: not JSON: expecting value"),
        ('{"a": NaN}', ": not JSON: holds a number that is none, or is too long"),
        (f'{{"a": {"9" * 5000}}}', ": not JSON: holds a number that is none, or is too long"),
        ("[" * 100_000, ": nested too deeply"),
        ('{"a": "\\ud800"}', ":1: not YAML: "),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_none(text: str, problem: str):
    """Each with its line, where there is one, and without what stands there."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert caught.value.message.startswith(f"a.json{problem}")
    assert "CANARY" not in caught.value.message
