"""`landbridge keys rotate`."""

from typing import Annotated

import typer

from landbridge.cli.keys.generate import AskPassphrase
from landbridge.cli.keys.show import print_lines
from landbridge.cli.options import ProjectFolder, open_project
from landbridge.errors import UsageError
from landbridge.sealing.keyring import Keyring
from landbridge.sealing.lists import fingerprint
from landbridge.sealing.passphrase import new_passphrase


def rotate_command(
    *,
    identity: Annotated[
        bool, typer.Option("--identity", help="The key that opens parcels; old ones are kept.")
    ] = False,
    signer: Annotated[bool, typer.Option("--signer", help="The key that signs parcels; the old one is gone.")] = False,
    passphrase: AskPassphrase = False,
    project: ProjectFolder = None,
) -> None:
    """Make a new key of this side, and say what the other side has to do with it."""
    keyring = Keyring(open_project(project).keys)
    if identity == signer or (signer and passphrase):
        raise UsageError("say which: --identity (it may be locked with --passphrase) or --signer", hint="one at a time")
    if identity:
        locked = passphrase or keyring.identity.locked.exists()
        old = keyring.rotate_identity(new_passphrase() if locked else None)
        new, then = keyring.own_recipient, "when it exports with the new one"
    else:
        old = keyring.rotate_signer()
        new, then = keyring.own_verifier, "when all that was signed before is loaded"
    typer.echo(f"{fingerprint(old)} is replaced by {fingerprint(new)}", err=True)
    print_lines(new)
    typer.echo(f"and {then}:  landbridge keys revoke {fingerprint(old)}", err=True)
