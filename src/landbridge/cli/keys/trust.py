"""`landbridge keys trust LINE…`."""

from typing import Annotated

import typer

from landbridge.cli.options import ProjectFolder, open_project
from landbridge.sealing.keyring import Keyring


def trust_command(
    lines: Annotated[list[str], typer.Argument(metavar="LINE…", help="What `keys show` printed on the other side.")],
    *,
    project: ProjectFolder = None,
) -> None:
    """Seal for the other side's recipient, and accept parcels that its signer signed."""
    keyring = Keyring(open_project(project).keys)
    for line in lines:
        typer.echo(f"trusted: {keyring.trust(line)} {line}")
