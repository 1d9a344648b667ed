"""`landbridge keys generate`."""

from typing import Annotated

import typer

from landbridge.cli.keys.show import print_keys
from landbridge.cli.options import ProjectFolder, open_project
from landbridge.sealing.keyring import Keyring, default_signer_name


def generate_command(
    *,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of this side's signatures [default: the host].")
    ] = None,
    project: ProjectFolder = None,
) -> None:
    """Make this side's keys: one to open what is sealed for us, one to sign what we export."""
    keyring = Keyring(open_project(project).keys)
    keyring.generate(name or default_signer_name())
    typer.echo(f"wrote {keyring.folder}; its secret files never leave this host", err=True)
    print_keys(keyring)
