"""`landbridge parcel check PARCEL`."""

import typer

from landbridge.cli.main import report
from landbridge.cli.options import From, ProjectFolder, open_world, place
from landbridge.cli.parcel.show import ParcelName
from landbridge.engine.shelf import acceptable, find_one
from landbridge.stage.location import open_store
from landbridge.stage.reading import check_parcel


def check_command(parcel: ParcelName, *, source: From = None, project: ProjectFolder = None) -> None:
    """Compare every byte with what was signed; with the keys, read every row too. Exit code 1 if anything is wrong."""
    with open_world(project, changing=False) as world:
        location = place(source) or world.project.imports
        folder = find_one(location, parcel)
        identities = world.identities
        faults = check_parcel(
            open_store(location),
            folder,
            verifiers=acceptable(world),
            identities=identities,
            revoked=world.keyring.revoked_signers(),
        )
    for fault in faults:
        report(fault)
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{folder}: sound, every row can be read")
