"""`landbridge keys generate`."""

from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli.keys.show import print_lines
from landbridge.cli.options import ProjectFolder, open_project
from landbridge.errors import UsageError
from landbridge.sealing.keyring import Keyring, default_signer_name
from landbridge.sealing.passphrase import new_passphrase

AskPassphrase = Annotated[
    bool, typer.Option("--passphrase", help="Lock the identity: ask for a passphrase, now and whenever it opens.")
]


def generate_command(
    *,
    name: Annotated[
        str | None, typer.Option("--name", help="Name of this side's signatures [default: the host].")
    ] = None,
    passphrase: AskPassphrase = False,
    ssh: Annotated[
        Path | None, typer.Option("--ssh", metavar="FILE", help="Open with this OpenSSH private key instead.")
    ] = None,
    project: ProjectFolder = None,
) -> None:
    """Make this side's keys: one to open what is sealed for us, one to sign what we export. What is there stays."""
    keyring = Keyring(open_project(project).keys)
    if passphrase and ssh:
        raise UsageError("--passphrase locks a new identity, --ssh takes one that is there", hint="choose one")
    keyring.generate(name or default_signer_name(), new_passphrase=new_passphrase() if passphrase else None, ssh=ssh)
    typer.echo(f"wrote {keyring.folder}; its secret files never leave this host", err=True)
    print_lines(keyring.own_recipient, keyring.own_verifier)
