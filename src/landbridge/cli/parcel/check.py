"""`landbridge parcel check PARCEL`."""

import typer

from landbridge.cli.main import report
from landbridge.cli.options import From, ProjectFolder, open_world, place
from landbridge.cli.parcel.show import ParcelName
from landbridge.engine.carrying.custody import check
from landbridge.engine.carrying.shelf import find_one


def check_command(parcel: ParcelName, *, source: From = None, project: ProjectFolder = None) -> None:
    """Compare every byte with what was signed; with the keys, read every row too. Exit code 1 if anything is wrong.

    What was found is written into the custody log.
    """
    with open_world(project) as world:
        location = place(source) or world.project.imports
        folder = find_one(location, parcel)
        checked = check(world, location, folder)
    for fault in checked.faults:
        report(fault)
    if checked.faults:
        raise typer.Exit(1)
    rows = "every row can be read" if checked.rows_read else "every byte is as it was signed; its rows are sealed"
    typer.echo(f"{folder}: sound, {rows}")
