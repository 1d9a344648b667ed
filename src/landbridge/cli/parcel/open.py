"""`landbridge parcel open PARCEL --to FOLDER`."""

from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli.options import From, ProjectFolder, open_world, place
from landbridge.cli.parcel.show import ParcelName
from landbridge.cli.text import rows
from landbridge.engine.carrying.shelf import find_one, open_shelved
from landbridge.errors import UsageError
from landbridge.stage.location import open_store
from landbridge.stage.manifest import manifest_to_json
from landbridge.stage.reading import plain_part


def open_command(
    parcel: ParcelName,
    *,
    to: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="A new or empty folder for the PLAIN files.")],
    source: From = None,
    project: ProjectFolder = None,
) -> None:
    """Write a parcel's parts as plain Parquet files, and its manifest as JSON: for looking, not for loading."""
    if to.exists() and any(to.iterdir()):
        raise UsageError(f"{to} is not empty", hint="name a new folder")
    with open_world(project, changing=False) as world:
        location = place(source) or world.project.imports
        store, identities = open_store(location), world.identities
        folder = find_one(location, parcel)
        opened = open_shelved(world, location, folder)
        to.mkdir(parents=True, exist_ok=True)
        for entry in opened.manifest.parts:
            data = plain_part(store, opened, entry, identities)
            (to / f"part-{entry.number:05d}.parquet").write_bytes(data)
        (to / "manifest.json").write_bytes(manifest_to_json(opened.manifest))
    typer.echo(f"wrote {rows(opened.manifest.row_count)} in {len(opened.manifest.parts)} plain Parquet files to {to}")
