"""`columns` and `exclude` in tables.yaml, and the key that the mask `hash` asks for."""

import pytest

from landbridge.schema.columns import Columns, Pick
from tests.config.conftest import Lines, Load

KEY = "k" * 32
CONNECTIONS = f"connections: {{here: {{type: duckdb, path: w.duckdb}}}}\nmasking_key: {KEY}"
TABLE = "tables: [{name: a, source: {connection: here, table: t}, target: {connection: there, table: u}, %s}]"
PLAIN = "must be a column's name, in quotes where YAML sees no text, or a mapping"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("schedule: null", Columns()),
        ("columns: ['*']", Columns()),
        ("exclude: [A, B]", Columns(exclude=("A", "B"))),
        ("columns: [A, {name: B}]", Columns((Pick("A"), Pick("B")), others=False)),
        ("columns: [{name: A, as: b}, '*']", Columns((Pick("A", "b"),))),
        ("columns: ['*', {name: A, mask: hash}], exclude: [B]", Columns((Pick("A", None, "hash"),), exclude=("B",))),
        ("columns: [{name: A, mask: 'null'}]", Columns((Pick("A", None, "null"),), others=False)),
        (
            "columns: [{name: A, as: b, mask: constant, value: ''}, {name: B, as: A}]",
            Columns((Pick("A", "b", "constant", ""), Pick("B", "A")), others=False),
        ),
    ],
)
def test_what_can_be_said_of_columns(load: Load, text: str, expected: Columns):
    """Names and mappings, with or without all the others; every form is a value of the table's read."""
    assert load(CONNECTIONS, TABLE % text).tables[0].read.columns == expected


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("columns: null", "columns", "must be a list"),
        ("columns: A", "columns", "must be a list"),
        ("columns: []", "columns", "names no column; leave it out, and all are exported"),
        ("columns: [1]", "columns[0]", PLAIN),
        ("columns: ['']", "columns[0]", PLAIN),
        ("columns: [[A]]", "columns[0]", PLAIN),
        ("columns: [{}]", "columns[0].name", "missing"),
        ("columns: [{nmae: A, name: B}]", "columns[0].nmae", "unknown key; did you mean 'name'?"),
        ("columns: [{name: '*'}]", "columns[0].name", "must be one column's name; '*' stands alone"),
        ("columns: [{name: no}]", "columns[0].name", "must be text, but YAML reads this as true or false; quote it"),
        ("columns: [{name: A, as: ''}]", "columns[0].as", "must not be empty or hold NUL"),
        ("columns: [{name: A, mask: null}]", "columns[0].mask", 'must be hash, constant or, in quotes, "null"'),
        ("columns: [{name: A, mask: md5}]", "columns[0].mask", 'must be hash, constant or, in quotes, "null"'),
        ("columns: [{name: A, mask: constant}]", "columns[0].value", "missing; a constant needs one"),
        (
            "columns: [{name: A, mask: constant, value: 7}]",
            "columns[0].value",
            "must be text, but YAML reads this as a number; quote it",
        ),
        ("columns: [{name: A, value: x}]", "columns[0].value", "goes with mask: constant only"),
        ("columns: [A, {name: A, as: b}]", "columns[1]", "the column is named twice"),
        ("columns: [A, {name: B, as: A}]", "columns[1]", "another column leaves under this name"),
        ("columns: ['*', A], exclude: [A]", "columns[1]", "the column is in 'exclude' too"),
        ("columns: [A], exclude: [B]", "exclude", "leaves nothing out: only what 'columns' names is exported"),
        ("exclude: null", "exclude", "must be a list"),
        ("exclude: [1]", "exclude[0]", "must be text, but YAML reads this as a number; quote it"),
    ],
)
def test_mistakes_have_a_line_each(lines: Lines, text: str, where: str, what: str):
    """What would hide less, or more, than its author meant is refused where the file is read."""
    assert lines(CONNECTIONS, TABLE % text) == [f"config/tables.yaml:1: tables[0].{where}: {what}"]


def test_mistakes_stand_beside_those_of_the_table(lines: Lines):
    """Columns are looked at although the table itself cannot be used."""
    told = lines(CONNECTIONS, "tables:\n  - nmae: a\n    columns:\n      - {name: A, mask: x}\n    exclude: 1")
    assert [line.split(": ")[:2] for line in told[-2:]] == [
        ["config/tables.yaml:4", "tables[0].columns[0].mask"],
        ["config/tables.yaml:5", "tables[0].exclude"],
    ]


def test_a_hash_asks_for_its_key_where_the_source_is(lines: Lines, load: Load):
    """The other side of the gap has no key and needs none."""
    hashes = TABLE % "columns: [{name: EMAIL, mask: hash}]"
    here, there = (f"connections: {{{name}: {{type: duckdb, path: w}}}}" for name in ("here", "there"))
    why = "missing, here or as MASKING_KEY; a hashes column EMAIL"
    assert lines(here, hashes) == [f"landbridge.yaml: masking_key: {why}. `openssl rand -hex 32` prints a key"]
    assert load(there, hashes).masking_key is None
    assert load(here, TABLE % "exclude: [EMAIL]").masking_key is None


def test_where_the_key_may_stand(lines: Lines, load: Load, tmp_path):
    """In the file, in .env, in a file of its own, in a vault; it is in no repr, and a short one is refused."""
    (tmp_path / "key.txt").write_text(KEY + "\n")
    for text, dotenv in (
        (f"masking_key: {KEY}", None),
        ("", f"MASKING_KEY={KEY}"),
        ("masking_key: ${K}", f"K={KEY}"),
        ("masking_key: file:key.txt", None),
        ("masking_key: cmd:cat key.txt", None),
    ):
        project = load(text, dotenv=dotenv)
        assert project.masking_key is not None
        assert project.masking_key.get_secret_value() == KEY
        assert KEY not in repr(project)
        (tmp_path / ".env").unlink(missing_ok=True)
    assert lines("masking_key: CANARY") == [
        "landbridge.yaml:1: masking_key: must have at least 32 characters; `openssl rand -hex 32` prints one"
    ]
    hashes = TABLE % "columns: [{name: EMAIL, mask: hash}]"
    gone = lines("connections: {here: {type: duckdb, path: w}}\nmasking_key: file:gone", hashes)
    assert gone == ["landbridge.yaml:2: masking_key: file cannot be read: no such file or directory"]
