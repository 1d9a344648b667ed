"""config/tables.yaml: the seed's form, the general form, and every way to get them wrong."""

from datetime import timedelta

import pytest

from landbridge.config.tables import Table
from landbridge.contracts.values import Filter, Read, Write
from landbridge.schema.model import Relation
from tests.config.conftest import Lines, Load

CONNECTIONS = """
connections:
  snowflake: {type: duckdb, path: warehouse.duckdb, database: PROD_DB}
  postgres: {type: postgres, host: h, database: d, user: u}
"""

SEED = """
tables:
  - name: "financial_data"
    snowflake:
      database: "PROD_DB"
      schema: "PUBLIC"\x20
      table: "FINANCIAL_DATA"
      # Optional: Filter data during export
      filter:
        - "WHERE SECID IN (SELECT SECID FROM PUBLIC.VW_ACTIVE_FUNDS)"
        - "AND _TIMESTAMPTO LIKE '%9999%'"
    postgres:
      schema: "public"
      table: "financial_data"
    sync_mode: "full"
    schedule: "daily"
    encryption: true
    compression: true
"""

SHORT = "tables: [{name: a, source: {connection: snowflake, table: t}, target: {connection: postgres, table: u}, %s}]"


def test_the_seed_as_it_stands(load: Load):
    """The snippet of seed 000 loads unchanged."""
    assert load(CONNECTIONS, SEED).tables == (
        Table(
            name="financial_data",
            read=Read(
                "snowflake",
                Relation("FINANCIAL_DATA", "PUBLIC", "PROD_DB"),
                None,
                Filter("(SECID IN (SELECT SECID FROM PUBLIC.VW_ACTIVE_FUNDS)) AND (_TIMESTAMPTO LIKE '%9999%')"),
            ),
            write=Write("postgres", Relation("financial_data", "public")),
            schedule=timedelta(days=1),
            encryption=True,
            compression=True,
        ),
    )


def test_the_general_form(load: Load):
    """Any connection, outer levels left to its defaults; the two forms mix."""
    tables = """
x-where: &where "a = 1"
x-place: &place {connection: snowflake, database: D, schema: S}
tables:
  - name: a
    source:
      <<: *place
      table: T
      filter: *where
      source_query: SELECT * FROM {table}
    target: {connection: postgres, table: t}
  - name: b
    source: {<<: *place, table: U, database: null, filter: }
    postgres: {schema: public, table: u}
"""
    a, b = load(CONNECTIONS, tables).tables
    assert a.read == Read("snowflake", Relation("T", "S", "D"), "SELECT * FROM {table}", Filter("(a = 1)"))
    assert a.write == Write("postgres", Relation("t"))
    assert (a.schedule, a.encryption, a.compression, a.write.mode) == (None, True, True, "full")
    assert b.read == Read("snowflake", Relation("U", "S"))
    assert b.write == Write("postgres", Relation("u", "public"))


def test_indexes(load: Load, lines: Lines):
    """Both forms of a target take them; what is no list of names is told."""
    a, b, c = load(
        CONNECTIONS,
        """
x-from: &from {connection: snowflake, table: T}
tables:
  - {name: a, source: *from, postgres: {schema: public, table: t, indexes: [day, SECID]}}
  - {name: b, source: *from, target: {connection: postgres, table: u, indexes: [day]}}
  - {name: c, source: *from, target: {connection: postgres, table: v}}
""",
    ).tables
    assert (a.indexes, b.indexes, c.indexes) == (("day", "SECID"), ("day",), ())
    wrong = SHORT.replace("table: u", 'table: u, indexes: [day, ""]') % ""
    assert lines(CONNECTIONS, wrong) == [
        "config/tables.yaml:1: tables[0].target.indexes[1]: must not be empty or hold NUL"
    ]


def test_accepted_losses(load: Load, lines: Lines):
    """In one order, whatever that of the file, so that plans are equal; a name that is none is told with its line."""
    one = load(CONNECTIONS, SHORT % 'accept_loss: {B: [nul_bytes], "a b": [out_of_range, nanoseconds, nanoseconds]}')
    other = load(CONNECTIONS, SHORT % 'accept_loss: {"a b": [nanoseconds, out_of_range], B: [nul_bytes]}')
    accepted = {"B": ("nul_bytes",), "a b": ("nanoseconds", "out_of_range")}
    known = "known: nanoseconds, nul_bytes, offset, out_of_range"
    assert one.tables[0].write == Write("postgres", Relation("u"), accept_loss=accepted)
    assert repr(one.tables[0].write) == repr(other.tables[0].write)
    assert load(CONNECTIONS, SHORT % "").tables[0].write.accept_loss == {}
    wrong = "accept_loss:\n {A: [\n nanosecond],\n B: nul_bytes,\n C: [12, {}]}"
    assert lines(CONNECTIONS, SHORT % wrong) == [
        "config/tables.yaml:3: tables[0].accept_loss.A[0]: unknown loss; did you mean 'nanoseconds'?",
        "config/tables.yaml:4: tables[0].accept_loss.B: must be a list",
        f"config/tables.yaml:5: tables[0].accept_loss.C[0]: unknown loss; {known}",
        f"config/tables.yaml:5: tables[0].accept_loss.C[1]: unknown loss; {known}",
    ]


def test_defaults(load: Load):
    """A table's own word, also a null schedule, over landbridge.yaml's defaults."""
    declared = CONNECTIONS + "defaults: {encryption: false, compression: false, schedule: 6h}"
    table = load(declared, SHORT % "sync_mode: full").tables[0]
    assert (table.encryption, table.compression, table.schedule) == (False, False, timedelta(hours=6))
    table = load(declared, SHORT % "encryption: true, compression: true, schedule: null").tables[0]
    assert (table.encryption, table.compression, table.schedule) == (True, True, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hourly", timedelta(hours=1)),
        ("daily", timedelta(days=1)),
        ("weekly", timedelta(days=7)),
        ("monthly", timedelta(days=30)),
        ("90m", timedelta(minutes=90)),
        ("1d", timedelta(days=1)),
        ("2 w", timedelta(days=14)),
        ("99999w", timedelta(weeks=99999)),
        ("1h 30m", timedelta(minutes=90)),
        ("PT1.5H", timedelta(minutes=90)),
    ],
)
def test_schedules(load: Load, text: str, expected: timedelta):
    """Words and durations."""
    assert load(CONNECTIONS, SHORT % f"schedule: {text}").tables[0].schedule == expected


@pytest.mark.parametrize("text", ["yearly", "0h", "5", "1:30", "-1d", "6H", "100000w", "1mo", "no", "[6h]", "''"])
def test_schedules_that_are_none(lines: Lines, text: str):
    """Everything else says what can be written."""
    assert lines(CONNECTIONS, SHORT % f"schedule: {text}") == [
        "config/tables.yaml:1: tables[0].schedule: must be hourly, daily, weekly, monthly, or like 90m, 6h, 1d, 2w"
    ]


@pytest.mark.parametrize("name", ["a", "A b.c-d", "x" * 128, "größe", "..."])
def test_names(load: Load, name: str):
    """Whatever can name a file."""
    assert load(CONNECTIONS, SHORT.replace("name: a", f'name: "{name}"') % "").tables[0].name == name


NO_FILE = "must name a file: no '/' or '\\', nothing unprintable, not empty, '.' or '..'"
OPEN_QUOTE = "filter item 1 leaves a quote or a comment open (a quote inside a text is doubled, not escaped)"
KNOWN = (
    "accept_loss, columns, compression, deletes, encryption, exclude, max_delta, merge_keys, name, null_watermark, …"
)
UNKNOWN = f"unknown key; known: {KNOWN}"
TOO_LONG = "too long for a file's name: at most 128 characters, and 200 bytes in UTF-8"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ('""', NO_FILE),
        ('"."', NO_FILE),
        ('".."', NO_FILE),
        ("a/b", NO_FILE),
        ("a\\b", NO_FILE),
        (r'"a\0"', NO_FILE),
        (r'"a\nb"', NO_FILE),
        (r'"a\u202eb"', NO_FILE),
        ("x" * 129, TOO_LONG),
        ("表" * 67, TOO_LONG),
        ("no", "must be text, but YAML reads this as true or false; quote it"),
        ("on", "must be text, but YAML reads this as true or false; quote it"),
        ("12", "must be text, but YAML reads this as a number; quote it"),
        ("1_0.5", "must be text, but YAML reads this as a number; quote it"),
        ("", "must be text, but is empty"),
        ("~", "must be text, but is empty"),
        ("[a]", "must be text"),
    ],
)
def test_names_that_are_none(lines: Lines, name: str, expected: str):
    """Names become file names; what YAML does not read as text has to be quoted."""
    tables = SHORT.replace("name: a", f"name: {name}") % ""
    assert lines(CONNECTIONS, tables) == [f"config/tables.yaml:1: tables[0].name: {expected}"]


def test_every_mistake_at_once(lines: Lines):
    """Unknown and missing keys, wrong types and forms: one line each, in the order of the file."""
    assert lines(
        CONNECTIONS,
        """
tables:
  - nmae: a
    snowflake: {database: D, schema: S, table: "", filter: [no]}
    postgres:
      schema: public
      tabel: x
    encryption: "yes"
  - name: b
    snowflake:
    source: {connection: snowflake, table: t, source_query: select 1}
  - name: c
    source: {connection: snowflake, table: t, filter: {a: b}}
    target: {conection: postgres, table: t, databse: 1}
    sync_mode: fulll
  - name: d
    snowflake: {database: D, schema: S, table: T, filter: "a = 'CANARY"}
    postgres: {schema: s, table: t, connection: x}
    merge_kyes: [a]
  - name: B
    postgres: {schema: s, table: t}
    target: {connection: postgres, table: t}
    compression:
  - e
  - "indexes": []
""",
    ) == [
        "config/tables.yaml:3: tables[0].name: missing",
        "config/tables.yaml:3: tables[0].nmae: unknown key; did you mean 'name'?",
        "config/tables.yaml:4: tables[0].snowflake.table: must not be empty or hold NUL",
        "config/tables.yaml:4: tables[0].snowflake.filter: filter item 1 is bool, not text",
        "config/tables.yaml:5: tables[0].postgres.table: missing",
        "config/tables.yaml:7: tables[0].postgres.tabel: unknown key; did you mean 'table'?",
        "config/tables.yaml:8: tables[0].encryption: must be true or false",
        "config/tables.yaml:9: tables[1].target: missing; write 'postgres' or 'target'",
        "config/tables.yaml:10: tables[1].snowflake: must be a mapping of keys to values",
        "config/tables.yaml:11: tables[1].source: one source too many, beside 'snowflake'",
        "config/tables.yaml:11: tables[1].source.source_query: must hold {table} where the table's name belongs",
        "config/tables.yaml:13: tables[2].source.filter: must be text or a list of texts",
        "config/tables.yaml:14: tables[2].target.connection: missing",
        "config/tables.yaml:14: tables[2].target.conection: unknown key; did you mean 'connection'?",
        "config/tables.yaml:14: tables[2].target.databse: unknown key; did you mean 'database'?",
        "config/tables.yaml:15: tables[2].sync_mode: must be 'full', 'incremental', 'upsert' or 'scd2'",
        f"config/tables.yaml:17: tables[3].snowflake.filter: {OPEN_QUOTE}",
        "config/tables.yaml:18: tables[3].postgres.connection: unknown key; known: indexes, schema, table",
        "config/tables.yaml:19: tables[3].merge_kyes: unknown key; did you mean 'merge_keys'?",
        "config/tables.yaml:20: tables[4].name: also the name of tables[1]; case makes no difference",
        "config/tables.yaml:20: tables[4].source: missing; write 'snowflake' or 'source'",
        "config/tables.yaml:22: tables[4].target: one target too many, beside 'postgres'",
        "config/tables.yaml:23: tables[4].compression: must be true or false",
        "config/tables.yaml:24: tables[5]: must be a mapping of keys to values",
        "config/tables.yaml:25: tables[6].name: missing",
        f"config/tables.yaml:25: tables[6].indexes: {UNKNOWN}",
        "config/tables.yaml:25: tables[6].source: missing; write 'snowflake' or 'source'",
        "config/tables.yaml:25: tables[6].target: missing; write 'postgres' or 'target'",
    ]


def test_no_tables(lines: Lines, load: Load):
    """A list may be empty; no list, no file, an empty file are problems."""
    assert load("", "tables: []\nx-a: 1").tables == ()
    expected = {
        "tables:": "config/tables.yaml:1: tables: must be a list",
        "tables: {}": "config/tables.yaml:1: tables: must be a list",
        "tabels: []": "config/tables.yaml:1: tabels: unknown key; did you mean 'tables'?",
        "": "config/tables.yaml: empty; list the tables under 'tables:'",
        "# nothing": "config/tables.yaml: empty; list the tables under 'tables:'",
        "[]": "config/tables.yaml:1: must be a mapping of keys to values",
        "tables: [": "config/tables.yaml:2: not YAML: did not find expected node content",
        "tables: []\na: 1": "config/tables.yaml:2: a: unknown key; known: tables",
    }
    for text, line in expected.items():
        assert lines("", text)[-1:] == [line]


def test_unknown_connections(lines: Lines, load: Load):
    """One of the two must be here, for the other may live across the gap; with neither, both are named."""
    only = "connections: {%s: {type: duckdb, path: w.duckdb}}"
    assert load(only % "snowflake", SEED).tables[0].write.connection == "postgres"
    assert load(only % "postgres", SEED).tables[0].read.connection == "snowflake"
    assert lines(
        only % "snowflak",
        SEED + "\n  - {name: b, source: {connection: x, table: t}, target: {connection: y, table: t}}",
    ) == [
        "config/tables.yaml:4: tables[0].snowflake: no connection is called 'snowflake'; did you mean 'snowflak'?",
        "config/tables.yaml:12: tables[0].postgres: no connection is called 'postgres'; known: snowflak",
        "config/tables.yaml:20: tables[1].source.connection: no connection is called 'x'; known: snowflak",
        "config/tables.yaml:20: tables[1].target.connection: no connection is called 'y'; known: snowflak",
    ]
    assert lines("", SEED)[0].endswith("no connection is called 'snowflake'; known: none")
    broken = lines("connections: {snowflake: {type: duckdb}}", SEED)
    assert broken == ["landbridge.yaml:1: connections.snowflake.path: missing"]
    assert lines("connections: [", SEED) == ["landbridge.yaml:2: not YAML: did not find expected node content"]


def test_names_are_obfuscated_where_the_nearest_word_says_so(load: Load):
    """The table's own word, then the defaults of landbridge.yaml, then OBFUSCATE_NAMES, then not."""
    table = SHORT % ""
    own = SHORT % "obfuscate_names: false"
    defaults = CONNECTIONS + "defaults: {obfuscate_names: true}\n"
    variable = "OBFUSCATE_NAMES=true\n"
    assert not load(CONNECTIONS, table).tables[0].obfuscate_names
    assert load(CONNECTIONS, table, variable).tables[0].obfuscate_names
    assert load(defaults, table, "OBFUSCATE_NAMES=false\n").tables[0].obfuscate_names
    assert not load(defaults, own, variable).tables[0].obfuscate_names


def test_only_sealed_names_are_obfuscated(lines: Lines):
    """Hidden names around rows in the clear would be a promise that is not kept."""
    tables = SHORT % "encryption: false, obfuscate_names: true"
    assert lines(CONNECTIONS, tables) == [
        "config/tables.yaml:1: tables[0].obfuscate_names: names are obfuscated only where encryption is true"
    ]


@pytest.mark.parametrize(("text", "value"), [("5", 5.0), ("1.5", 1.5), ("off", False), ("false", False), ("~", None)])
def test_max_delta(load: Load, text: str, value: object):
    """A number above 1, or off; of the table, else of the defaults, else not set."""
    own = load(CONNECTIONS + "defaults: {max_delta: 7}\n", SHORT % f"max_delta: {text}").tables[0].max_delta
    assert (own, type(own)) == (value, type(value))
    assert load(CONNECTIONS + f"defaults: {{max_delta: {text}}}\n", SHORT % "").tables[0].max_delta == value
    assert load(CONNECTIONS, SHORT % "").tables[0].max_delta is None


@pytest.mark.parametrize("text", ["1", "0", "-3", ".inf", ".nan", "true", "'5'", "[5]", "{}", "10%"])
def test_no_max_delta(lines: Lines, text: str):
    """Neither what would stop everything, nor text."""
    expected = "config/tables.yaml:1: tables[0].max_delta: must be a number above 1, or off"
    assert lines(CONNECTIONS, SHORT % f"max_delta: {text}") == [expected]
