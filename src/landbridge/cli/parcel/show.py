"""`landbridge parcel show PARCEL`."""

from typing import Annotated

import typer

from landbridge.cli.options import AsJson, From, ProjectFolder, open_world, place
from landbridge.cli.text import print_table, rows, size
from landbridge.engine.shelf import find_one, open_shelved
from landbridge.schema.filters import where_clause
from landbridge.stage.manifest import Manifest, manifest_to_json
from landbridge.stage.reading import Parcel

ParcelName = Annotated[str, typer.Argument(metavar="PARCEL", help="Its id, the beginning of it, or TABLE/ID.")]


def show_command(
    parcel: ParcelName, *, source: From = None, as_json: AsJson = False, project: ProjectFolder = None
) -> None:
    """What a parcel holds: source, columns, parts. Needs the keys if it is sealed."""
    with open_world(project, changing=False) as world:
        location = place(source) or world.project.imports
        opened = open_shelved(world, location, find_one(location, parcel))
    if as_json:
        typer.echo(manifest_to_json(opened.manifest).decode(), nl=False)
    else:
        _print(opened)


def _print(parcel: Parcel) -> None:
    manifest = parcel.manifest
    for name, value in _facts(manifest).items():
        typer.echo(f"{name:<10}{value}")
    typer.echo(f"{'signed by':<10}{parcel.signer}\n")
    print_table(("column", "type", "source type"), [(c.name, str(c.type), c.native) for c in manifest.schema.columns])
    typer.echo("")
    parts = [(p.number, p.file, p.rows, size(p.sealed_bytes)) for p in manifest.parts]
    print_table(("part", "file", "rows", "size"), parts)


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
