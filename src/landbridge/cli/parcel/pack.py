"""`landbridge parcel pack [PARCEL…] --to PLACE`."""

from typing import Annotated

import typer

from landbridge.cli.options import AsJson, ProjectFolder, open_world, place
from landbridge.cli.text import files, print_json, size
from landbridge.config.project import read_size
from landbridge.engine.carrying.pack import Packed, pack
from landbridge.errors import UsageError


def pack_command(
    parcel: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PARCEL]...", help="As in `parcel show` [default: newest of each table]."),
    ] = None,
    *,
    to: Annotated[str, typer.Option("--to", metavar="PLACE", help="The medium: a folder or URL.")],
    source: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="Where they lie [default: the project's exports].")
    ] = None,
    volume_size: Annotated[
        str | None, typer.Option("--volume-size", metavar="SIZE", help="Cut into volumes: 650MiB, 4.7GB …")
    ] = None,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Copy parcels onto a medium, or into volumes to be burned one by one; each byte is compared with the signature."""
    with open_world(project, changing=False) as world:
        packing = pack(
            world,
            parcel or (),
            source=place(source) or world.project.exports,
            place=place(to) or to,
            volume_size=_bytes(volume_size) if volume_size else None,
        )
        packed: list[Packed] = []
        for one in packing:
            packed.append(one)
            if not as_json:
                typer.echo(f"{one.place}: {files(one.files)}, {size(one.size)}; {one.copied} copied")
    if as_json:
        print_json([{"place": p.place, "files": p.files, "copied": p.copied, "bytes": p.size} for p in packed])


def _bytes(text: str) -> int:
    try:
        return read_size(text)
    except ValueError as error:
        raise UsageError(f"--volume-size {error}", hint="650MiB, 4.7GB") from None
