"""Where parcels lie, where the drive table lives, and the declarations that users bring along."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import obstore
import psycopg
import pytest
from obstore.store import S3Store

from landbridge.errors import NotTrusted, ParcelDamaged
from landbridge.sealing import note
from landbridge.sealing.keyring import Keyring
from tests.engine.conftest import OpenWorld
from tests.engine.projects import (
    FUNDS,
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
    variables,
)
from tests.servers.s3 import S3Server

SEED = """\
tables:
  - name: "financial_data"
    snowflake:
      database: "PROD_DB"
      schema: "PUBLIC" 
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
"""  # noqa: W291 - as the seed has it
PROD_DB = """
    CREATE SCHEMA PUBLIC;
    CREATE TABLE PUBLIC.FINANCIAL_DATA (SECID VARCHAR, PRICE DECIMAL(18, 6), _TIMESTAMPTO VARCHAR);
    INSERT INTO PUBLIC.FINANCIAL_DATA VALUES
        ('A', 1.5, '9999-12-31'), ('A', 1.4, '2024-01-31'), ('B', 2.5, '9999-12-31'), ('C', NULL, '9999-12-31');
    CREATE VIEW PUBLIC.VW_ACTIVE_FUNDS AS SELECT SECID FROM PUBLIC.FINANCIAL_DATA WHERE SECID <> 'B'
"""
CLEAR = ", encryption: false, compression: false"


def two_sides(folder: Path, *, more: str = "") -> tuple[Path, Path]:
    """Inside has funds, outside takes them; they trust each other."""
    entry = table("funds", target="mart", more=more)
    inside = make_project(folder / "inside", WAREHOUSE, tables=[entry])
    outside = make_project(folder / "outside", MART, tables=[entry])
    introduce(inside, outside)
    in_duckdb(inside / "warehouse.duckdb", FUNDS)
    return inside, outside


def test_the_seeds_own_tables_yaml(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """What users of the seed have runs as it is, with a DuckDB file in the place of their warehouse."""
    project = make_project(tmp_path, "snowflake: {type: duckdb, path: warehouse.duckdb, database: PROD_DB}")
    in_duckdb(project / "warehouse.duckdb", PROD_DB)
    (project / "config" / "tables.yaml").write_text(SEED)
    (project / ".env").write_text(variables(pg_url))
    row = run(open_world(project), "financial_data")
    assert row.phases["audit"].details["target_count"] == 2
    with psycopg.connect(pg_url) as connection:
        found = connection.execute("SELECT secid, price::text, _timestampto FROM public.financial_data ORDER BY secid")
        assert found.fetchall() == [("A", "1.500000", "9999-12-31"), ("C", None, "9999-12-31")]


def test_clear_parcels(tmp_path: Path, open_world: OpenWorld) -> None:
    """Not encrypted, not compressed: any Parquet reader reads the parts; they are signed, and need no identity."""
    inside, outside = two_sides(tmp_path, more=CLEAR)
    exported = export_table(open_world(inside), "funds")
    folder = inside / "exports" / "funds" / str(exported.parcel_id)
    assert sorted(path.suffix for path in folder.iterdir()) == ["", ".json", ".parquet"]
    parts = f"'{folder}/part-*.parquet'"
    assert duckdb.sql(f"FROM {parts} ORDER BY id").fetchall() == [(1, "alpha"), (2, "beta"), (3, None)]
    assert duckdb.sql(f"SELECT DISTINCT compression FROM parquet_metadata({parts})").fetchall() == [("UNCOMPRESSED",)]
    index = (folder / "index").read_text()
    text, signer = note.verify(index, [Keyring(inside / "keys").own_verifier])
    assert (signer, f"parcel {exported.parcel_id}" in text) == ("inside", True)
    (outside / "keys" / "identity.txt").unlink()
    import_table(open_world(outside), "funds", str(inside / "exports"))
    assert in_duckdb(outside / "mart.duckdb", "SELECT count(*) FROM funds") == [(3,)]


def test_clear_parcels_are_not_to_be_changed(tmp_path: Path, open_world: OpenWorld) -> None:
    """A part or an index that somebody rewrote is refused, though everybody can read it."""
    inside, outside = two_sides(tmp_path, more=CLEAR)
    folder = inside / "exports" / "funds" / str(export_table(open_world(inside), "funds").parcel_id)
    (part,) = folder.glob("part-*")
    sound, index = part.read_bytes(), (folder / "index").read_text()
    part.write_bytes(sound.replace(b"alpha", b"gamma"))
    with pytest.raises(ParcelDamaged, match=part.name):
        import_table(open_world(outside), "funds", str(inside / "exports"))
    part.write_bytes(sound)
    (folder / "index").write_text(index.replace(index.split()[3][:8], "00000000", 1))
    with pytest.raises(NotTrusted, match="index"):
        import_table(open_world(outside), "funds", str(inside / "exports"))


def test_s3(tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An object store can be the place where parcels are left and found; the workers find their way to it too."""
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    inside, outside = two_sides(tmp_path)
    bucket = s3.new_bucket()
    place = f"s3://{bucket}/for/outside"
    [exported] = landbridge("export-data", "--table", "funds", "--to", place, "--project", inside)
    keys = [found["path"] for found in obstore.list(S3Store(bucket)).collect()]
    assert {key.rpartition("/")[0] for key in keys} == {f"for/outside/funds/{exported['parcel_id']}"}
    assert sorted(key.rpartition(".")[2] for key in keys if not key.endswith("/index")) == ["age", "age"]
    assert not (inside / "exports").exists()
    [arrived] = landbridge("import-data", "--table", "funds", "--from", place, "--project", outside)
    assert (arrived["parcel_id"], arrived["row_count"]) == (exported["parcel_id"], 3)


def landbridge(*words: str | Path) -> list[dict[str, Any]]:
    """A command in a process of its own, as its workers see the environment that it started with."""
    command = [sys.executable, "-m", "landbridge", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_drive_table_in_postgres(tmp_path: Path, open_world: OpenWorld, pg_url: str) -> None:
    """The drive table can be a PostgreSQL database; its password is in no row of it."""
    tables = [table("funds", target="mart")]
    project = make_project(tmp_path, WAREHOUSE, MART, tables=tables, settings=f"drive_table: {pg_url}")
    in_duckdb(project / "warehouse.duckdb", FUNDS)
    first = run(open_world(project), "funds")
    declare(project, table("funds", source=", filter: id > 1", target="mart"))
    second = run(open_world(project), "funds")
    with psycopg.connect(pg_url) as connection:
        rows = connection.execute(
            "SELECT pipeline_id, pipeline_status, audit_phase ->> 'target_count', fence"
            " FROM pipeline_execution_drive ORDER BY fence"
        ).fetchall()
        everything = connection.execute("SELECT string_agg(d::text, '') FROM pipeline_execution_drive d").fetchone()
    assert rows == [(first.pipeline_id, "SUCCESS", "3", 1), (second.pipeline_id, "SUCCESS", "2", 2)]
    assert pg_url.split(":")[2].partition("@")[0] not in str(everything)
    assert not (project / "state").exists()
