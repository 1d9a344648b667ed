"""The key folder: this side's own two keys, and those whom it trusts (docs/parcel.md, Keys)."""

import platform
import re
from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import ConfigError, NotTrusted, UsageError
from landbridge.sealing import age, files, lists
from landbridge.sealing.identity import Identities, new_identity_file
from landbridge.sealing.lists import PublicKey
from landbridge.sealing.note import Signers
from landbridge.sealing.signing import Signing, new_signing_file
from landbridge.sealing.trust import TrustStore, refuse_secret


@dataclass(frozen=True)
class Keyring:
    """Keys in `folder`. No list is cached: a key that was revoked a moment ago is not used any more."""

    folder: Path

    @property
    def identity(self) -> Identities:
        return Identities(self.folder)

    @property
    def signing(self) -> Signing:
        return Signing(self.folder)

    @property
    def store(self) -> TrustStore:
        return TrustStore(self.folder)

    # this side's own keys

    @property
    def is_whole(self) -> bool:
        """Whether both keys of our own are there: one to open, one to sign."""
        return self.identity.are_ours and self.signing.path.exists()

    @property
    def has_identity(self) -> bool:
        """Whether anything here may open parcels; clear parcels need nothing."""
        return self.identity.are_there

    @property
    def has_signing_key(self) -> bool:
        """Whether this side can sign; what it only imports needs no signature of its own."""
        return self.signing.path.exists()

    def identities(self) -> tuple[str, ...]:
        """Secrets that open parcels. Raises CannotOpen where there are none, AccessDenied if others can read."""
        return self.identity.secrets()

    def signer(self) -> str:
        """Our secret that signs parcels. Raises ConfigError where there is none, AccessDenied if others can read."""
        return self.signing.secret()

    @property
    def own_recipient(self) -> str:
        """What the other side needs to seal for us."""
        return self.identity.recipients()[0]

    @property
    def own_verifier(self) -> str:
        """What the other side needs to accept our parcels."""
        return self.signing.verifier()

    def own_verifiers(self) -> tuple[str, ...]:
        """By which our own parcels are known: the key that signs now, and those that it replaced."""
        gone = self.revoked_signers()
        return (self.own_verifier, *(key.text for key in lists.read(self.signing.retired) if key.text not in gone))

    def own_revoked(self) -> tuple[str, ...]:
        """Signing keys of ours that were replaced, and revoked as well."""
        gone = self.revoked_signers()
        return tuple(key.text for key in lists.read(self.signing.retired) if key.text in gone)

    def generate(self, name: str, *, new_passphrase: str | None = None, ssh: Path | None = None) -> None:
        """Make our own two keys, or the one of them that is missing; `name` is what signatures show.

        The identity is locked with `new_passphrase`, or is the OpenSSH private key `ssh`, if one is given.
        Raises UsageError where nothing is missing: a key is never overwritten.
        """
        new_signing_file(name)  # refuses a name before anything is made
        with files.changing(self.folder):
            asked = new_passphrase is not None or ssh is not None
            if self.is_whole or (self.identity.are_ours and asked):
                raise UsageError(
                    f"{self.folder} has keys already, and keys are never overwritten",
                    hint="landbridge keys show; landbridge keys rotate makes new ones",
                )
            if ssh is not None:
                self.identity.link(ssh)
            elif not self.identity.are_ours:
                self.identity.make(new_passphrase)
            if not self.signing.path.exists():
                self.signing.make(name)

    def rotate_identity(self, new_passphrase: str | None = None) -> str:
        """Make a new identity, and keep the old ones to open older parcels; return the recipient that it replaced."""
        with files.changing(self.folder):
            replaced = self.own_recipient
            self.identity.make(new_passphrase)
        return replaced

    def rotate_signer(self) -> str:
        """Make a new signing key, and destroy the old one; return the verifier key that it replaced."""
        with files.changing(self.folder):
            return self.signing.rotate()

    # whom it trusts

    def trusted_recipients(self) -> tuple[str, ...]:
        """Whom parcels are sealed for; () where that is nobody."""
        return tuple(key.text for key in self.store.trusted("recipient"))

    def trusted_signers(self) -> tuple[str, ...]:
        """Whose parcels are accepted, as verifier keys; () where that is nobody."""
        return tuple(key.text for key in self.store.trusted("signer"))

    def revoked_signers(self) -> tuple[str, ...]:
        """Verifier keys whose parcels are refused by name."""
        return tuple(key.text for key in self.store.revoked() if key.kind == "signer")

    def recipients(self, *, require_escrow: bool = False) -> tuple[str, ...]:
        """The trusted recipients, for sealing. Raises ConfigError where there is nobody, or no escrow key."""
        keys, path = self.store.trusted("recipient"), self.store.path("recipient")
        if not keys:
            raise ConfigError(
                f"nobody to seal for in {path}",
                hint="landbridge keys trust age1…: the recipient that `landbridge keys show` prints on the other side",
            )
        if require_escrow and not any(key.is_escrow for key in keys):
            raise ConfigError(
                f"no escrow key in {path}, and parcels.require_escrow asks for one",
                hint="landbridge keys trust --escrow age1…: the recipient of whoever keeps the escrow key",
            )
        return tuple(key.text for key in keys)

    def signers(self) -> Signers:
        """Whose parcels are opened. Raises NotTrusted where nobody was ever trusted."""
        keys = Signers(self.trusted_signers(), self.revoked_signers())
        if not any(keys):
            raise NotTrusted(
                f"no signer is trusted in {self.store.path('signer')}",
                hint="landbridge keys trust NAME+…: the key that `landbridge keys show` prints on the other side",
            )
        return keys

    def opens_own(self) -> tuple[PublicKey, ...]:
        """Those recipients of our exports whose identity is here: with one of them, this host opens old parcels."""
        own = self.identity.recipients()
        return tuple(key for key in self.store.trusted("recipient") if key.text in own)

    def trust(self, line: str, *, name: str = "", escrow: bool = False, again: bool = False) -> PublicKey:
        """See TrustStore.trust."""
        return self.store.trust(line, name=name, escrow=escrow, again=again)

    def trust_passphrase(self, path: Path, new_passphrase: str, *, name: str = "", escrow: bool = False) -> PublicKey:
        """Write an identity that the passphrase locks to `path`, to be carried, and trust its recipient.

        Raises UsageError where `path` exists.
        """
        if path.exists():
            raise UsageError(f"{path} exists already", hint="name another file, or delete this one")
        text = new_identity_file()
        files.put(path, age.lock(text, new_passphrase), files.SECRET)
        (secret,) = files.keys(path, text, age.recipient_of)
        return self.trust(age.recipient_of(secret), name=name, escrow=escrow)

    def revoke(self, who: str) -> PublicKey:
        """Trust a key no more, named by its fingerprint, its name or its whole line; again changes nothing.

        Raises UsageError where no key, or more than one, is called so.
        """
        key = self._called(who)
        self.store.revoke(key)
        return key

    def _called(self, who: str) -> PublicKey:
        refuse_secret(who)
        trusted = (*self.store.trusted("recipient"), *self.store.trusted("signer"))
        for keys in (trusted, lists.read(self.signing.retired), self.store.revoked()):
            found = [key for key in keys if who in (key.fingerprint, key.name, key.text)]
            if len(found) > 1:
                several = ", ".join(f"{key.kind} {key.fingerprint}" for key in found)
                raise UsageError(f"{len(found)} keys are called {who}: {several}", hint="name one by its fingerprint")
            if found:
                return found[0]
        try:
            return lists.public_key(who)
        except ValueError as error:
            raise UsageError(
                f"no key is called {who} here, and it is no key itself", hint="landbridge keys show"
            ) from error


def default_signer_name() -> str:
    """The host's name, as far as a signer may be called so. It can be read on every parcel's index."""
    return re.sub(r"[\s+]+", "-", platform.node()) or "landbridge"
