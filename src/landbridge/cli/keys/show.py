"""`landbridge keys show`."""

from collections.abc import Iterator
from dataclasses import dataclass

import typer

from landbridge.cli.options import AsJson, ProjectFolder, open_project
from landbridge.cli.text import print_json, print_table
from landbridge.sealing.keyring import Keyring
from landbridge.sealing.lists import PublicKey, public_key


@dataclass(frozen=True)
class Entry:
    """One line of what is shown: `whose` is `ours`, `trusted` or `revoked`."""

    whose: str
    key: PublicKey


def show_command(*, as_json: AsJson = False, project: ProjectFolder = None) -> None:
    """Print this side's public lines, and whom it trusts. Nothing secret is shown."""
    keyring = Keyring(open_project(project).keys)
    found = list(entries(keyring))
    opens_own = keyring.opens_own()
    if as_json:
        print_json(
            {
                "recipient": keyring.own_recipient,
                "signer": keyring.own_verifier,
                "opens_own_parcels": bool(opens_own),
                "keys": [_entry(one) for one in found],
            }
        )
        return
    print_lines(keyring.own_recipient, keyring.own_verifier)
    lines = [(one.whose, one.key.kind, one.key.name, one.key.fingerprint, one.key.mark) for one in found]
    print_table(("whose", "what", "name", "fingerprint", ""), lines, err=True)
    for key in opens_own:
        typer.echo(f"this side can open what it exports: {key.fingerprint} is its own", err=True)


def entries(keyring: Keyring) -> Iterator[Entry]:
    """Our own two current keys, those that are trusted, those that were revoked."""
    for line in (keyring.own_recipient, keyring.own_verifier):
        yield Entry("ours", public_key(line))
    for key in (*keyring.store.trusted("recipient"), *keyring.store.trusted("signer")):
        yield Entry("trusted", key)
    for key in keyring.store.revoked():
        yield Entry("revoked", key)


def _entry(one: Entry) -> dict[str, str]:
    return {
        "whose": one.whose,
        "kind": one.key.kind,
        "name": one.key.name,
        "mark": one.key.mark,
        "fingerprint": one.key.fingerprint,
        "line": one.key.text,
    }


def print_lines(*lines: str) -> None:
    """Lines to carry to the other side; the advice around them goes to stderr."""
    words = " ".join(["LINE"] * len(lines))
    which = {1: "this line", 2: "these two lines"}[len(lines)]
    typer.echo(f"on the other side:  landbridge keys trust {words}  with {which}", err=True)
    for line in lines:
        typer.echo(line)
