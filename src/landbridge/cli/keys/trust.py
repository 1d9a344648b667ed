"""`landbridge keys trust LINE…`."""

from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli.options import ProjectFolder, open_project
from landbridge.errors import UsageError
from landbridge.sealing.keyring import Keyring
from landbridge.sealing.lists import PublicKey
from landbridge.sealing.passphrase import new_passphrase
from landbridge.sealing.trust import public_line


def trust_command(
    lines: Annotated[
        list[str] | None, typer.Argument(metavar="[LINE…]", help="What `keys show` printed on the other side.")
    ] = None,
    *,
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A file with such lines, as it was carried here.")
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="What to call the recipient here [default: as its side's signer].")
    ] = "",
    escrow: Annotated[
        bool, typer.Option("--escrow", help="Mark the recipient as the escrow key; its side's signer is left out.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also a key that was revoked here.")] = False,
    passphrase: Annotated[
        Path | None,
        typer.Option("--passphrase", metavar="FILE", help="Make a recipient that opens with FILE and a passphrase."),
    ] = None,
    project: ProjectFolder = None,
) -> None:
    """Seal for the other side's recipient, and accept parcels that its signer signed."""
    keyring = Keyring(open_project(project).keys)
    given = [*(lines or ()), *(_lines(source) if source else ())]
    if bool(given) == bool(passphrase):
        raise UsageError("say whom: LINE…, --from FILE, or --passphrase FILE", hint="landbridge keys trust --help")
    if passphrase:
        key = keyring.trust_passphrase(passphrase, new_passphrase(), name=name, escrow=escrow)
        _say(key)
        typer.echo(f"carry {passphrase} to the other side's key folder as passphrase.age, and keep no copy", err=True)
        return
    keys = [public_line(line, name=name) for line in given]  # all are looked at before one is trusted
    signers = [key for key in keys if key.kind == "signer"]
    if escrow and len(signers) == len(keys):
        raise UsageError("an escrow key opens parcels, and a signer's key does not", hint="give its recipient, age1…")
    side = signers[0].name if len(signers) == 1 and len(keys) == 2 else ""
    for key in keys:
        if not (escrow and key in signers):
            _say(keyring.trust(key.text, name=key.name or side, escrow=escrow, again=again))


def _say(key: PublicKey) -> None:
    typer.echo(f"trusted: {key.kind} {key.text} {key.fingerprint}")


def _lines(source: Path) -> list[str]:
    try:
        text = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{source} cannot be read as text", hint=f"ls -l {source}") from error
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
