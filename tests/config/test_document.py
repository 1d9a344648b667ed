"""YAML as it may be written by hand: every way to get it wrong is one clean line."""

from pathlib import Path

import pytest

from landbridge.config import document
from landbridge.config.document import read_document
from landbridge.config.problems import Place, Problems
from landbridge.errors import ConfigError
from tests.config.conftest import Lines, Load

NO_TOKEN = "found character that cannot start any token; indent with spaces, and quote a text that starts with a sign"


def test_anchors_aliases_and_merges(tmp_path: Path):
    """Merged keys are there, own ones win, earlier merges win over later; each keeps the line it is written on."""
    (tmp_path / "a.yaml").write_text("a: &a {k: 1, l: 2}\nb: &b\n  l: 3\n  m: 4\nc:\n  <<: [*a, *b]\n  k: 5\nd: *b\n")
    found = read_document(tmp_path, "a.yaml", Problems())
    assert found is not None
    assert found.data == {
        "a": {"k": 1, "l": 2},
        "b": {"l": 3, "m": 4},
        "c": {"k": 5, "l": 2, "m": 4},
        "d": {"l": 3, "m": 4},
    }
    assert found.places["c", "k"] == Place("a.yaml", 7, "c.k")
    assert found.places["c", "l"] == Place("a.yaml", 1, "c.l")
    assert found.places["d", "m"] == Place("a.yaml", 4, "d.m")


def test_dates_stay_text(tmp_path: Path):
    """What YAML 1.1 would read as a date is the text that was written."""
    (tmp_path / "a.yaml").write_text("a: 2024-12-28\nb: =\n")
    found = read_document(tmp_path, "a.yaml", Problems())
    assert found is not None
    assert found.data == {"a": "2024-12-28", "b": "="}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x: [1", "landbridge.yaml:2: not YAML: did not find expected ',' or ']'"),
        ("a: 1\n\tb: 2", "landbridge.yaml:2: not YAML: found a tab character that violates indentation"),
        (
            "\tkeys: a",
            f"landbridge.yaml:1: not YAML: {NO_TOKEN}",
        ),
        ("a: b: c", "landbridge.yaml:1: not YAML: mapping values are not allowed in this context"),
        (
            "keys: *CANARY",
            "landbridge.yaml:1: not YAML: no anchor of this alias's name; quote a text that starts with '*'",
        ),
        (
            "keys: !CANARY a",
            "landbridge.yaml:1: keys: not a plain value; quote a text that starts with '!'",
        ),
        (
            "processes: 0x_",
            "landbridge.yaml:1: processes: looks like a number and is none; quote it",
        ),
        ("x-a: !!timestamp 2024-01-01", "landbridge.yaml:1: x-a: not a plain value; quote a text that starts with '!'"),
        ("x-a: !!set {CANARY}", "landbridge.yaml:1: x-a: not a plain value; quote a text that starts with '!'"),
        ("x-a: <<", "landbridge.yaml:1: x-a: not a plain value; quote a text that starts with '!'"),
        ("a: 1\n---\nb: 2", "landbridge.yaml:2: not YAML: but found another document"),
        ("keys: \x01", "landbridge.yaml: not YAML: control characters are not allowed"),
        ("stage: a\nkeys: b\nstage: c", "landbridge.yaml:3: stage: given twice; keep one"),
        ("parcels:\n  1: 2", "landbridge.yaml:2: parcels: a key that is not text; quote it"),
        ("parcels:\n  [a]: 2", "landbridge.yaml:2: parcels: a key that is not text; quote it"),
        ("parcels:\n  <<: 2", "landbridge.yaml:2: parcels: '<<' takes a mapping or a list of mappings"),
        ("x-a: &a\n  - *a", "landbridge.yaml:1: x-a[0]: an alias of something that it is part of"),
        ("- a", "landbridge.yaml:1: must be a mapping of keys to values"),
        ("CANARY", "landbridge.yaml:1: must be a mapping of keys to values"),
        ("x: " + "[" * 600 + "]" * 600, "landbridge.yaml: nested too deeply"),
    ],
)
def test_each_mistake_is_one_line(lines: Lines, text: str, expected: str):
    """File, line, key path where there is one, and what to do; nothing of the content."""
    assert lines(text) == [expected]


def test_multiplying_aliases(lines: Lines, monkeypatch: pytest.MonkeyPatch):
    """A few lines that stand for billions of values are refused; merges multiply nothing."""
    monkeypatch.setattr(document, "MOST_VALUES", 5000)
    levels = "\n".join(f"x-{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]" for i in range(1, 12))
    merges = "\n".join(f"x-{i}: &l{i} {{<<: [{', '.join([f'*l{i - 1}'] * 10)}]}}" for i in range(1, 40))
    assert lines("x-0: &l0 [a]\n" + levels) == [
        "landbridge.yaml: more than 5000 values; aliases of aliases multiply them"
    ]
    assert lines("x-0: &l0 {a: b}\n" + merges + "\nkeys: 1") == [
        "landbridge.yaml:41: keys: must be text, but YAML reads this as a number; quote it"
    ]


def test_a_merge_of_itself(load: Load):
    """A mapping that merges itself is just itself."""
    assert load("x-a: &a {b: c, <<: *a}").connections == {}


def test_files_that_cannot_be_read(load: Load, tmp_path: Path):
    """No file, a folder in its place, bytes that are no text: a line each, all at once."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/tables.yaml").write_bytes(b"tables: \xff")
    (tmp_path / ".env").mkdir()
    with pytest.raises(ConfigError) as caught:
        load(None, None)
    assert caught.value.message.split("\n") == [
        ".env: cannot be read: is a directory",
        "landbridge.yaml: no such file; `landbridge init` writes one",
        "config/tables.yaml: not UTF-8 text",
    ]


def test_byte_order_mark(load: Load):
    """Editors that write one are forgiven."""
    assert load("\ufeffprocesses: 3").processes == 3
