"""`landbridge init`."""

from pathlib import Path
from typing import Annotated

import typer

from landbridge.sealing.keyring import Keyring, default_signer_name

PROJECT = """\
# A Landbridge project. `landbridge doctor` asks every connection; docs/configuration.md has every key.

connections:
  # warehouse:
  #   type: duckdb
  #   path: warehouse.duckdb
  # postgres:                      # or POSTGRES_HOST, POSTGRES_USER, … in .env
  #   type: postgres
  #   host: localhost
  #   database: financial_data
  #   user: loader
  #   password: ${POSTGRES_PASSWORD}

# exports: exports                 # where export-data writes parcels: a folder or an object-store URL
# imports: imports                 # where import-data looks for carried parcels
# receipts: receipts               # where import-data writes what the exporting side may know of it
# drive_table: sqlite:///state/drive.db
"""
TABLES = """\
tables: []
# - name: financial_data
#   source: {connection: warehouse, schema: main, table: financial_data}
#   target: {connection: postgres, schema: public, table: financial_data}
#   filter goes into source, for example  filter: "WHERE status = 'ACTIVE'"
#   sync_mode: full
#   encryption: true
#   compression: true
"""
IGNORED = """\
.env
keys/
exports/
imports/
receipts/
stage/
state/
"""


def init_command(
    folder: Annotated[Path, typer.Argument(help="Made if missing.")] = Path(),
) -> None:
    """Make a project. Files that are there already are left as they are."""
    folder = folder.resolve()
    (folder / "config").mkdir(parents=True, exist_ok=True)
    for name, text in (("landbridge.yaml", PROJECT), ("config/tables.yaml", TABLES), (".gitignore", IGNORED)):
        _write(folder / name, text)
    keyring = Keyring(folder / "keys")
    if not keyring.is_whole:
        keyring.generate(default_signer_name())
        typer.echo(
            f"wrote {folder / 'keys'}: this side's keys; `landbridge keys show` prints what the other side needs"
        )
    typer.echo(
        "next: name your connections in landbridge.yaml and your tables in config/tables.yaml, then landbridge doctor"
    )


def _write(path: Path, text: str) -> None:
    if path.exists():
        typer.echo(f"kept  {path}")
        return
    unfinished = path.with_name(f".{path.name}.new")  # half a file would be kept for ever
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
    typer.echo(f"wrote {path}")
