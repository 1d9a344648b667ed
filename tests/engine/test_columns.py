"""Columns chosen, renamed and masked, all the way: what leaves, what the parcel says of it, what arrives."""

import hashlib
import hmac
from pathlib import Path

import pytest

from landbridge.engine.forecast import forecast
from landbridge.engine.plan import plan_run
from landbridge.errors import ConfigError
from landbridge.ledger import runs
from landbridge.sealing.note import Signers
from landbridge.stage.location import open_store
from landbridge.stage.manifest import Altered, Manifest
from landbridge.stage.reading import find_parcels, open_parcel
from tests.engine.conftest import OpenWorld
from tests.engine.projects import (
    MART,
    WAREHOUSE,
    declare,
    export_table,
    import_table,
    in_duckdb,
    introduce,
    make_project,
    run,
    table,
)

KEY = "0123456789abcdef" * 4
STAFF = (
    """CREATE TABLE staff (id INTEGER PRIMARY KEY, secid INTEGER, email VARCHAR, salary DECIMAL(10, 2) NOT NULL,
    country VARCHAR, notes VARCHAR)""",
    """INSERT INTO staff SELECT i, i * 10, CASE WHEN i > 1 THEN 'canary' || i % 3 || '@x.org' END, 77777.25 + i,
    'canary-land', 'canary in the notes' FROM range(1, 7) r(i)""",
)
COLUMNS = (
    ", columns: [{name: secid, as: security_id}, {name: email, mask: hash}, {name: salary, mask: 'null'},"
    " {name: country, mask: constant, value: XX}, '*'], exclude: [notes]"
)


def digest(text: str) -> str:
    return hmac.digest(KEY.encode(), text.encode(), hashlib.sha256).hex()[:32]


def masking(folder: Path, *connections: str, more: str = COLUMNS, key: str | None = KEY) -> Path:
    tables = [table("staff", target="mart", more=more + ", encryption: false, compression: false")]
    return make_project(folder, *connections, tables=tables, settings=f"masking_key: {key}" if key else "")


def manifest(folder: Path) -> Manifest:
    """Of the only parcel in exports, as its own side sees it."""
    store = open_store(str(folder / "exports"))
    (found,) = find_parcels(store, "staff")
    verifier = (folder / "keys" / "signers.txt").read_text().split()[-1]
    return open_parcel(store, found, signers=Signers([verifier]), identities=()).manifest


def test_what_arrives(tmp_path: Path, open_world: OpenWorld) -> None:
    """Across the gap, to a side that has no masking key: hashes join, NULL stays NULL, nothing else came along."""
    inside, outside = masking(tmp_path / "inside", WAREHOUSE), masking(tmp_path / "outside", MART, key=None)
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", *STAFF)
    export_table(open_world(inside), "staff")
    (inside / "exports").rename(outside / "imports")
    import_table(open_world(outside), "staff")
    mails = [None, *(digest(f"canary{i % 3}@x.org") for i in range(2, 7))]
    assert in_duckdb(outside / "mart.duckdb", "FROM staff ORDER BY id") == [
        (i, i * 10, mail, None, "XX") for i, mail in enumerate(mails, start=1)
    ]
    described = in_duckdb(outside / "mart.duckdb", "SELECT column_name, column_type, key FROM (DESCRIBE staff)")
    assert described == [
        ("id", "INTEGER", "PRI"),
        ("security_id", "INTEGER", None),
        ("email", "VARCHAR", None),
        ("salary", "DECIMAL(10,2)", None),
        ("country", "VARCHAR", None),
    ]


def test_no_masked_value_is_in_a_file(tmp_path: Path, open_world: OpenWorld) -> None:
    """Not in the parcel, not sealed and not compressed here, and not in the drive table; nor is the key."""
    inside = masking(tmp_path / "inside", WAREHOUSE.replace("warehouse.duckdb", "../warehouse.duckdb"))
    in_duckdb(tmp_path / "warehouse.duckdb", *STAFF)
    export_table(open_world(inside), "staff")
    files = {path: path.read_bytes() for path in inside.rglob("*") if path.is_file() and path.suffix != ".yaml"}
    assert any(path.suffix == ".parquet" and digest("canary2@x.org").encode() in data for path, data in files.items())
    assert [path for path, data in files.items() if b"canary" in data or KEY.encode() in data] == []


def test_what_the_manifest_says(tmp_path: Path, open_world: OpenWorld) -> None:
    """Names and masks of what was changed, not what was left out; never a value. Its DDL is that of what leaves."""
    inside = masking(tmp_path, WAREHOUSE)
    introduce(inside, inside)
    in_duckdb(inside / "warehouse.duckdb", *STAFF)
    export_table(open_world(inside), "staff")
    found = manifest(inside)
    assert found.source.columns == (
        Altered("security_id", "secid", None),
        Altered("email", "email", "hash"),
        Altered("salary", "salary", "null"),
        Altered("country", "country", "constant"),
    )
    assert found.schema.names == ("id", "security_id", "email", "salary", "country")
    assert found.requires == ()
    assert found.load_hints.relation is not None
    assert found.load_hints.relation.levels == ("main", "staff")
    assert found.ddl == {
        "postgres": 'CREATE TABLE IF NOT EXISTS "main"."staff" (\n    "id" INTEGER NOT NULL,\n'
        '    "security_id" INTEGER,\n    "email" VARCHAR(32),\n    "salary" NUMERIC(10,2),\n    "country" TEXT,\n'
        '    PRIMARY KEY ("id")\n)',
        "duckdb": 'CREATE TABLE IF NOT EXISTS "main"."staff" (\n    "id" INTEGER NOT NULL,\n'
        '    "security_id" INTEGER,\n    "email" VARCHAR,\n    "salary" DECIMAL(10,2),\n    "country" VARCHAR,\n'
        '    PRIMARY KEY ("id")\n)',
    }


def test_the_filter_sees_what_is_masked(tmp_path: Path, open_world: OpenWorld) -> None:
    """Rows are chosen by the source's values: of masked columns, of columns that stay at home, by either name."""
    project = masking(tmp_path, WAREHOUSE, MART)
    in_duckdb(project / "warehouse.duckdb", *STAFF)
    rows = ", filter: [\"country = 'canary-land'\", salary < 77782, \"notes LIKE '%notes'\", secid > 10]"
    declare(project, table("staff", source=rows, target="mart", more=COLUMNS))
    run(open_world(project), "staff")
    assert in_duckdb(project / "mart.duckdb", "SELECT id FROM staff ORDER BY id") == [(2,), (3,), (4,)]


def test_a_column_that_is_not_there_is_found_before_a_row_moves(tmp_path: Path, open_world: OpenWorld) -> None:
    """By the plan and by pre-validation, with a suggestion; a query's by the read."""
    project = masking(tmp_path, WAREHOUSE, MART, more=", exclude: [note, salery]")
    in_duckdb(project / "warehouse.duckdb", *STAFF)
    world = open_world(project)
    with pytest.raises(ConfigError, match="no column 'salery'; did you mean 'salary'"):
        forecast(plan_run(world.project, world.project.table("staff")), world)
    with pytest.raises(ConfigError, match="no column 'note'; did you mean 'notes'"):
        run(world, "staff")
    failed = runs.latest_run(world.ledger, "staff", "run")
    assert failed is not None
    assert failed.phase_failed == "pre_validation"
    query = ", source_query: 'SELECT * FROM {table}'"
    declare(project, table("staff", source=query, more=", exclude: [note], encryption: false"))
    world = open_world(project)
    with pytest.raises(ConfigError, match="no column 'note'; did you mean 'notes'"):
        export_table(world, "staff")


def test_a_constant_that_does_not_fit_is_found_before_a_row_moves(tmp_path: Path, open_world: OpenWorld) -> None:
    """The column and its type are named."""
    more = ", columns: ['*', {name: salary, mask: constant, value: much}]"
    project = masking(tmp_path, WAREHOUSE, MART, more=more)
    in_duckdb(project / "warehouse.duckdb", *STAFF)
    world = open_world(project)
    with pytest.raises(ConfigError, match=r"the constant of column 'salary' is no decimal\(10,2\)"):
        run(world, "staff")
    failed = runs.latest_run(world.ledger, "staff", "run")
    assert failed is not None
    assert failed.phase_failed == "pre_validation"


def test_other_columns_are_another_plan(tmp_path: Path, open_world: OpenWorld) -> None:
    """What was read with other masks is not loaded by a later attempt."""
    project = masking(tmp_path, WAREHOUSE, MART)
    plans = []
    for more in ("", COLUMNS, COLUMNS.replace("XX", "YY"), COLUMNS.replace("hash", "'null'"), ", exclude: [notes]"):
        declare(project, table("staff", target="mart", more=more))
        loaded = open_world(project).project
        plans.append(plan_run(loaded, loaded.table("staff")).digest())
    assert len(set(plans)) == 5
