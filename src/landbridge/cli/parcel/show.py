"""`landbridge parcel show PARCEL`."""

from typing import Annotated

import typer

from landbridge.cli.options import AsJson, From, ProjectFolder, open_world, place
from landbridge.cli.text import print_table, rows, size
from landbridge.engine.carrying.shelf import find_one, open_shelved
from landbridge.errors import UsageError
from landbridge.schema.columns import Pick
from landbridge.schema.dialects import DIALECTS
from landbridge.schema.filters import where_clause
from landbridge.schema.model import Column
from landbridge.schema.names import did_you_mean
from landbridge.stage.manifest import Manifest, manifest_to_json
from landbridge.stage.reading import Parcel

ParcelName = Annotated[str, typer.Argument(metavar="PARCEL", help="Its id, the beginning of it, or TABLE/ID.")]


def show_command(
    parcel: ParcelName,
    *,
    ddl: Annotated[
        str | None,
        typer.Option("--ddl", metavar="DIALECT", help="Print the table's CREATE statement: postgres, duckdb."),
    ] = None,
    source: From = None,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """What a parcel holds: source, columns, parts, the table's DDL. Needs the keys if it is sealed."""
    with open_world(project, changing=False) as world:
        location = place(source) or world.project.imports
        opened = open_shelved(world, location, find_one(location, parcel))
    if ddl:
        typer.echo(_statement(opened.manifest, ddl))
    elif as_json:
        typer.echo(manifest_to_json(opened.manifest).decode(), nl=False)
    else:
        _print(opened)


def _statement(manifest: Manifest, dialect: str) -> str:
    if dialect not in DIALECTS:
        raise UsageError(f"no dialect is called {dialect!r}{did_you_mean(dialect, DIALECTS)}")
    if dialect not in manifest.ddl:
        raise UsageError(
            f"parcel {manifest.parcel_id} carries no DDL for {dialect}",
            hint="an earlier version wrote it, or such a table cannot hold it: landbridge create-tables --dry-run",
        )
    return f"{manifest.ddl[dialect]};"


def _print(parcel: Parcel) -> None:
    manifest = parcel.manifest
    for name, value in _facts(manifest).items():
        typer.echo(f"{name:<10}{value}")
    typer.echo(f"{'signed by':<10}{parcel.signer}\n")
    columns = [(c.name, str(c.type), _history(manifest, c)) for c in manifest.schema.columns]
    print_table(("column", "type", "source type"), columns)
    typer.echo("")
    parts = [(p.number, p.file, p.rows, size(p.sealed_bytes)) for p in manifest.parts]
    print_table(("part", "file", "rows", "size"), parts)


def _history(manifest: Manifest, column: Column) -> str | None:
    for one in manifest.source.columns:
        if one.name == column.name:
            return Pick(one.source_name, one.name, one.mask).history(column.native)
    return column.native


def _facts(manifest: Manifest) -> dict[str, str]:
    return {
        "parcel": manifest.parcel_id,
        "table": f"{manifest.pipeline_name}, sequence {manifest.sequence}, {manifest.sync_mode}",
        "source": f"{manifest.source.connection_type}: {manifest.source.relation}",
        "filter": " ".join(where_clause(manifest.source.filter).split()) or "none",
        "as of": f"{manifest.as_of:%Y-%m-%d %H:%M:%S} UTC",
        "rows": rows(manifest.row_count),
        "sealed": manifest.encryption.format or "no",
    }
