"""`landbridge parcel check PARCEL`."""

import typer

from landbridge.cli.main import report
from landbridge.cli.options import From, ProjectFolder, open_world, place
from landbridge.cli.parcel.show import ParcelName
from landbridge.engine.shelf import check_shelved, find_one


def check_command(parcel: ParcelName, *, source: From = None, project: ProjectFolder = None) -> None:
    """Compare every byte with what was signed; with the keys, read every row too. Exit code 1 if anything is wrong."""
    with open_world(project, changing=False) as world:
        location = place(source) or world.project.imports
        folder = find_one(location, parcel)
        faults, opened = check_shelved(world, location, folder)
    for fault in faults:
        report(fault)
    if faults:
        raise typer.Exit(1)
    if opened:
        typer.echo(f"{folder}: sound, every row can be read")
    else:
        typer.echo(f"{folder}: every byte is as it was signed; not opened: sealed for other keys than the ones here")
