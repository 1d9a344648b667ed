"""`landbridge keys show`."""

import typer

from landbridge.cli.options import AsJson, ProjectFolder, open_project
from landbridge.cli.text import print_json
from landbridge.sealing.keyring import Keyring


def show_command(*, as_json: AsJson = False, project: ProjectFolder = None) -> None:
    """Print this side's public lines, and whom it trusts. Nothing secret is shown."""
    keyring = Keyring(open_project(project).keys)
    if as_json:
        print_json(
            {
                "recipient": keyring.own_recipient,
                "signer": keyring.own_verifier,
                "trusted_recipients": keyring.trusted_recipients(),
                "trusted_signers": keyring.trusted_signers(),
            }
        )
        return
    print_keys(keyring)
    for heading, lines in (("seals for", keyring.trusted_recipients()), ("trusts", keyring.trusted_signers())):
        typer.echo(f"{heading}: {', '.join(lines) or 'nobody yet'}", err=True)


def print_keys(keyring: Keyring) -> None:
    """The two lines to carry to the other side; the advice around them goes to stderr."""
    recipient, verifier = keyring.own_recipient, keyring.own_verifier
    typer.echo("on the other side:  landbridge keys trust LINE LINE  with these two lines", err=True)
    typer.echo(recipient)
    typer.echo(verifier)
