"""Whom this side trusts: to open what it exports, to sign what it imports; and whom it trusts no more."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from landbridge.errors import ConfigError, UsageError
from landbridge.sealing import files, lists
from landbridge.sealing.lists import Kind, PublicKey

_SECRET = re.compile("SECRET-KEY|PRIVATE[+ ]KEY|AGE-PLUGIN|BEGIN AGE", re.IGNORECASE)
_FILES: dict[Kind, str] = {"recipient": "recipients.txt", "signer": "signers.txt"}


@dataclass(frozen=True)
class TrustStore:
    """The lists of a key folder. A key counts if it is in the list of its kind and not in that of the revoked."""

    folder: Path

    def path(self, kind: Kind) -> Path:
        return self.folder / _FILES[kind]

    @property
    def _revoked(self) -> Path:
        return self.folder / "revoked.txt"

    def trusted(self, kind: Kind) -> tuple[PublicKey, ...]:
        """The keys of a kind that count. Raises ConfigError, AccessDenied."""
        gone = {key.text for key in self.revoked()}
        keys = lists.read(self.path(kind))
        if any(key.kind != kind for key in keys):
            raise ConfigError(f"{self.path(kind)} holds a key that is no {kind}", hint="remove the line")
        return tuple(key for key in keys if key.text not in gone)

    def revoked(self) -> tuple[PublicKey, ...]:
        """Keys of both kinds, marked with the day."""
        return lists.read(self._revoked)

    def trust(self, line: str, *, name: str = "", escrow: bool = False, again: bool = False) -> PublicKey:
        """Add a recipient or a verifier key; adding it again changes nothing but its name and mark, where given.

        Raises UsageError for anything else, above all for a secret, and for a revoked key unless `again`.
        """
        key = public_line(line, name=name, escrow=escrow)
        with files.changing(self.folder):
            gone = next((one for one in self.revoked() if one.text == key.text), None)
            if gone and not again:
                raise UsageError(
                    f"this {key.kind} was {gone.mark}: {key.fingerprint}",
                    hint="ask the other side for its new key; --again trusts this one all the same",
                )
            path = self.path(key.kind)
            known = next((one for one in lists.read(path) if one.text == key.text), None)
            if known:
                key = replace(key, name=name or known.name, mark=key.mark or known.mark)
            if key != known:
                lists.edit(path, lambda text: lists.with_key(text, key))
            lists.edit(self._revoked, lambda text: lists.without_key(text, key.text))
        return key

    def revoke(self, key: PublicKey) -> None:
        """Trust a key no more; again changes nothing."""
        with files.changing(self.folder):
            if key.text not in {one.text for one in self.revoked()}:
                marked = replace(key, mark=f"revoked {datetime.now(UTC):%Y-%m-%d}")
                lists.edit(self._revoked, lambda text: lists.with_key(text, marked))  # it counts from here on
            lists.edit(self.path(key.kind), lambda text: lists.without_key(text, key.text))


def public_line(line: str, *, name: str = "", escrow: bool = False) -> PublicKey:
    """The key that somebody gave us. Raises UsageError where it is a secret, or no key at all."""
    refuse_secret(line)
    try:
        return lists.public_key(line, name=lists.checked_name(name), mark="escrow" if escrow else "")
    except ValueError as error:
        raise UsageError(
            f"neither a recipient (age1…, ssh-…) nor a signer key (name+id+base64): {error}",
            hint="landbridge keys show, on the other side, prints both",
        ) from error


def refuse_secret(text: str) -> None:
    """Raises UsageError, loudly and without the text, where it holds a secret key."""
    if _SECRET.search(text):
        raise UsageError(
            "THIS IS A SECRET KEY; it must never leave the side that it was made on",
            hint="if it was sent or pasted anywhere, make new keys there; what to ask for is `landbridge keys show`",
        )
