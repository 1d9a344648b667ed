"""`landbridge keys revoke WHO…`."""

from typing import Annotated

import typer

from landbridge.cli.options import ProjectFolder, open_project
from landbridge.sealing.keyring import Keyring

MEANS = {
    "recipient": "nothing is sealed for it any more; what was sealed before it still opens",
    "signer": "what it signed is refused from now on",
}


def revoke_command(
    who: Annotated[list[str], typer.Argument(metavar="WHO…", help="Fingerprint or name as in `keys show`, or a line.")],
    *,
    project: ProjectFolder = None,
) -> None:
    """Trust a key no more, whoever asks for it."""
    keyring = Keyring(open_project(project).keys)
    for one in who:
        key = keyring.revoke(one)
        typer.echo(f"revoked: {key.kind} {key.name} {key.fingerprint}; {MEANS[key.kind]}")
    if not keyring.trusted_recipients() and not keyring.trusted_signers():
        typer.echo("nobody is trusted here any more", err=True)
