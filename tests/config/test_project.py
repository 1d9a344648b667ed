"""The project as a whole: settings, finding it, and that nothing but ConfigError ever comes out."""

import pickle
import re
import tempfile
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from landbridge.config.connections import DEFAULTS
from landbridge.config.project import ParcelSettings, find_project, load_project
from landbridge.connectors.registry import OPTIONS
from landbridge.errors import ConfigError, UsageError
from tests.config.conftest import Lines, Load

ROOT = Path(__file__).parents[2]
DRIVE_TABLE = "must be sqlite:///path/to/file.db or postgresql://user:password@host:port/database"
KNOWN = "alerts, connections, defaults, drive_table, exports, imports, imports_keep, keys, masking_key, parcels, …"
UNKNOWN = f"unknown key; known: {KNOWN}"


def test_an_empty_project(load: Load, tmp_path: Path):
    """An empty landbridge.yaml is a project with all defaults, everything below its folder."""
    project = load()
    assert project.folder == tmp_path
    assert (project.connections, project.tables, project.processes) == ({}, (), None)
    assert project.drive_table == f"sqlite:///{tmp_path}/state/drive.db"
    assert [project.exports, project.imports, project.stage] == [
        str(tmp_path / name) for name in ("exports", "imports", "stage")
    ]
    assert project.keys == tmp_path / "keys"
    assert project.parcels == ParcelSettings()
    assert (project.parcels.compression_type, project.parcels.compression_level) == ("zstd", 3)
    assert project.parcels.part_size == 8 * 2**20
    assert pickle.loads(pickle.dumps(project)) == project  # noqa: S301 - our own


def test_settings(load: Load, tmp_path: Path):
    """Absolute paths and URLs stay, relative paths are below the project; sections may be left empty."""
    project = load("""
drive_table: postgresql+psycopg://u:p%40@h:1/d
exports: s3://bucket/exports
imports: /mnt/usb
imports_keep: 30d
stage: ../stage
keys: /keys
processes: 4
parcels: {compression_type: brotli, compression_level: 11, part_size: 64 MiB, require_escrow: true}
connections:
defaults:
x-anything: {goes: [here]}
""")
    assert project.drive_table == "postgresql+psycopg://u:p%40@h:1/d"
    assert (project.exports, project.imports) == ("s3://bucket/exports", "/mnt/usb")
    assert project.stage == str(tmp_path / "../stage")
    assert (project.keys, project.processes, project.imports_keep) == (Path("/keys"), 4, timedelta(days=30))
    assert project.parcels.model_dump() == {
        "compression_type": "brotli",
        "compression_level": 11,
        "part_size": 64 * 2**20,
        "require_escrow": True,
    }
    assert load("drive_table: sqlite:////var/x.db").drive_table == "sqlite:////var/x.db"
    assert load("drive_table: sqlite:///x.db").drive_table == f"sqlite:///{tmp_path}/x.db"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("16MB", 16_000_000),
        ("1MiB", 2**20),
        ("256 mib", 2**28),
        ("2000000", 2_000_000),
        ("2000kB", 2_000_000),
        ("1.5MiB", 1_572_864),
    ],
)
def test_part_sizes(load: Load, text: str, size: int):
    """Decimal and binary units, or bytes."""
    assert load(f"parcels: {{part_size: {text}}}").parcels.part_size == size
    assert load("parcels: {part_size: '${SIZE}'}", environ={"SIZE": text}).parcels.part_size == size


def test_mistakes_in_settings(lines: Lines):
    """Each with its line; no value of theirs is shown."""
    assert lines("""exports: s3://CANARY:CANARY@bucket/x
imports: https://x.blob/x?sig=CANARY
stage: ""
keys: no
processes: 0
imports_keep: weekly
parcels: {part_size: CANARY, compression_type: lz4, compression_level: 23, part_sise: 1}
defaults: {encryption: 1, schedule: x, schedul: x}
drive_table: mysql://u:CANARY@h/d
tables: []
"a b\\n": CANARY
""") == [
        "landbridge.yaml:1: exports: no credentials here; object stores take them from their own variables",
        "landbridge.yaml:2: imports: no credentials here; object stores take them from their own variables",
        "landbridge.yaml:3: stage: must be a folder or an object store's URL",
        "landbridge.yaml:4: keys: must be text, but YAML reads this as true or false; quote it",
        "landbridge.yaml:5: processes: must be at least 1",
        "landbridge.yaml:6: imports_keep: must be like 90m, 6h, 1d, 2w",
        "landbridge.yaml:7: parcels.compression_type: must be 'zstd', 'snappy', 'gzip' or 'brotli'",
        "landbridge.yaml:7: parcels.compression_level: must be at most 22",
        "landbridge.yaml:7: parcels.part_size: must be bytes as a whole number, or like 16MB, 64MiB",
        "landbridge.yaml:7: parcels.part_sise: unknown key; did you mean 'part_size'?",
        "landbridge.yaml:8: defaults.encryption: must be true or false",
        "landbridge.yaml:8: defaults.schedule: must be hourly, daily, weekly, monthly, or like 90m, 6h, 1d, 2w",
        "landbridge.yaml:8: defaults.schedul: unknown key; did you mean 'schedule'?",
        f"landbridge.yaml:9: drive_table: {DRIVE_TABLE}",
        "landbridge.yaml:10: tables: unknown key; did you mean 'alerts'?",
        f'landbridge.yaml:11: "a b\\n": {UNKNOWN}',
    ]
    for size in ("1023kB", "1GiB", "5", "true", "2000000.5", ".5GB", "1.1234MB"):
        assert lines(f"parcels: {{part_size: {size}}}")[0].startswith("landbridge.yaml:1: parcels.part_size: must be")
    assert lines("parcels: {compression_type: gzip, compression_level: 10}") == [
        "landbridge.yaml:1: parcels.compression_level: must be at most 9 for gzip"
    ]
    assert lines("", environ={"COMPRESSION_LEVEL": "CANARY"}) == [
        "environment: COMPRESSION_LEVEL: must be a whole number"
    ]


@pytest.mark.parametrize(
    "url", ["CANARY", "sqlite://", "sqlite:///:memory:", "sqlite:///", "postgresql//u:CANARY@h", "5"]
)
def test_drive_tables_that_are_none(lines: Lines, url: str):
    """No database in memory, no other kind, and never the URL itself in the message."""
    assert len(told := lines(f"drive_table: {url if url == '5' else repr(url)}")) == 1
    assert told[0].startswith("landbridge.yaml:1: drive_table: must be ")
    assert "CANARY" not in told[0]


def test_both_files_at_once(lines: Lines):
    """Problems of all files come together, landbridge.yaml's first."""
    assert [line.partition(":")[0] for line in lines("a: 1", "a: 1", "a")] == [
        ".env",
        "landbridge.yaml",
        "config/tables.yaml",
        "config/tables.yaml",
    ]


def test_find_project(load: Load, tmp_path: Path):
    """The nearest folder upwards that has landbridge.yaml."""
    load()
    (tmp_path / "a/b").mkdir(parents=True)
    assert find_project(tmp_path / "a/b") == tmp_path
    assert find_project(tmp_path) == tmp_path
    with tempfile.TemporaryDirectory(dir="/tmp") as empty, pytest.raises(UsageError) as caught:
        find_project(Path(empty))
    assert caught.value.hint == "landbridge init"


def test_table_by_name(load: Load):
    """A name that is not there gives the nearest one."""
    form = "{name: %s, source: {connection: c, table: t}, target: {connection: c, table: %s}}"
    names = ", ".join(form % (name, name) for name in ("prices", "flights"))
    project = load("connections: {c: {type: duckdb, path: w}}", f"tables: [{names}]")
    assert project.table("prices").name == "prices"
    for name, hint in [("PRICE", "did you mean 'prices'?"), ("x", "known: flights, prices")]:
        with pytest.raises(UsageError) as caught:
            project.table(name)
        assert (caught.value.message, caught.value.hint) == (f"no table is called {name!r}", hint)


def test_one_target_for_two_tables_is_refused(lines: Lines):
    """They would replace each other's rows, each load well audited."""
    form = "{name: %s, source: {connection: c, table: t}, target: {connection: c, table: u}}"
    told = lines("connections: {c: {type: duckdb, path: w}}", f"tables: [{form % 'prices'}, {form % 'flights'}]")
    assert told == ["config/tables.yaml:1: tables[1]: flights has the target of prices: u"]


WORDS = """
connections tables parcels defaults drive_table exports keys processes part_size type path host password port database
schema table name source target snowflake postgres connection filter source_query sync_mode schedule encryption x-a <<
columns exclude as mask value masking_key
"""
KEYS = st.sampled_from(["", "\n", *WORDS.split()])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats()
    | st.dates()
    | st.binary(max_size=3)
    | st.text(max_size=6)
    | st.sampled_from(["duckdb", "postgres", "full", "upsert", "${A}", "${B:-x}", "$$", "${", "file:x", "cmd:", "16MB"])
    | st.sampled_from(
        ["{table}", "WHERE", "sqlite:///x", "s3://[", "s3://a@b", "a\0", "file:a\0", "..", "6h", "*x", "!x"]
    )
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.integers(), inner, max_size=4)
)
TOP = st.dictionaries(KEYS, VALUES, max_size=4)
ENTRY = st.fixed_dictionaries({"tables": st.lists(VALUES, max_size=2)}) | TOP | VALUES
FRAGMENTS = st.lists(
    st.sampled_from(
        [*"-:?{}[],&*!|>%@`'\"#\n \t=~", "  ", "\n  ", "a", "&a", "*a", "<<", ": ", "- ", "!!int", "tables:"]
    ),
    max_size=12,
).map("".join)


def only_config_errors(landbridge: str, tables: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "config").mkdir()
        (Path(folder) / "landbridge.yaml").write_text(landbridge, encoding="utf-8")
        (Path(folder) / "config/tables.yaml").write_text(tables, encoding="utf-8")
        with suppress(ConfigError):
            load_project(Path(folder), {"A": "1", "POSTGRES_HOST": "h"})


@settings(max_examples=150, deadline=None)
@given(TOP | VALUES, ENTRY)
def test_any_structure(landbridge: object, tables: object):
    """Whatever the files hold, it loads or it is a ConfigError."""
    only_config_errors(yaml.safe_dump(landbridge), yaml.safe_dump(tables))


@settings(max_examples=150, deadline=None)
@given(FRAGMENTS, FRAGMENTS)
def test_any_text(landbridge: str, tables: str):
    """The same for what is hardly YAML, or none."""
    only_config_errors(landbridge, tables)


def test_the_page_names_every_key():
    """docs/configuration.md and .env.example have every key and variable."""
    page = (ROOT / "docs/configuration.md").read_text()
    example = (ROOT / ".env.example").read_text()
    for options in OPTIONS.values():
        for name, info in options.model_fields.items():
            assert f"`{info.alias or name}`" in page
    for name, keys in DEFAULTS.items():
        for key in keys:
            assert f"{name}_{key}=".upper() in example
            assert f"_{key}`".upper() in page
    for name in ("EXPORT_BASE_DIR", "IMPORT_BASE_DIR", "COMPRESSION_TYPE", "COMPRESSION_LEVEL", "MASKING_KEY"):
        assert name in page
        assert f"{name}=" in example


def test_the_example_is_no_mistake(load: Load):
    """.env.example loads as it stands, and with every line uncommented."""
    example = (ROOT / ".env.example").read_text()
    assert load("", dotenv=example).connections == {}
    assert set(load("", dotenv=re.sub(r"(?m)^#(?=[A-Z])", "", example)).connections) == {"snowflake", "postgres"}


def test_the_page_s_tables_load(load: Load):
    """The YAML of docs/configuration.md is a tables.yaml."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/configuration.md").read_text(), re.DOTALL)
    settings = "connections: {warehouse: {type: duckdb, path: w}, snowflake: {type: duckdb, path: s}}"
    settings += f"\nmasking_key: {'k' * 32}"
    names = [[table.name for table in load(settings, block).tables] for block in blocks]
    assert names == [["financial_data", "prices"], ["staff"], ["trades"]]
