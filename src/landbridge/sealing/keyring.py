"""The key folder: our own two secrets, and the lists of those whom this side trusts (docs/parcel.md, Keys)."""

import os
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from landbridge.errors import AccessDenied, CannotOpen, ConfigError, NotTrusted, UsageError
from landbridge.sealing import age, note

_READ_BY_OTHERS = 0o077
_WRITTEN_BY_OTHERS = 0o022
_SECRET = re.compile("SECRET-KEY|PRIVATE[+ ]KEY|AGE-PLUGIN", re.IGNORECASE)

Kind = Literal["recipient", "signer"]
_TRUSTED: dict[Kind, tuple[str, Callable[[str], None]]] = {
    "recipient": ("recipients.txt", age.check_recipient),
    "signer": ("signers.txt", note.check_verifier),
}


@dataclass(frozen=True)
class Keyring:
    """Keys in `folder`. Nothing is cached: a key that was revoked a moment ago is not used any more."""

    folder: Path

    @property
    def _identity(self) -> Path:
        return self.folder / "identity.txt"

    @property
    def _signing(self) -> Path:
        return self.folder / "signing.key"

    def generate(self, name: str) -> None:
        """Make our own two keys; `name` is what signatures show. Raises UsageError where a key exists already."""
        for path in (self._identity, self._signing):
            if path.exists():
                raise UsageError(f"{path} exists already, and keys are never overwritten", hint="landbridge keys show")
        try:
            signer, _ = note.new_signer(name)
        except ValueError as error:
            raise UsageError(f"{name!r} cannot name a signer: {error}") from error
        secret, recipient = age.new_identity()
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_secret(self._identity, f"# created: {created}\n# public key: {recipient}\n{secret}\n")
        _write_secret(self._signing, f"{signer}\n")

    @property
    def has_identity(self) -> bool:
        """Whether this side ever made keys to open parcels with; clear parcels need none."""
        return self._identity.exists()

    @property
    def has_signing_key(self) -> bool:
        """Whether this side can sign; what it only imports needs no signature of its own."""
        return self._signing.exists()

    def identities(self) -> tuple[str, ...]:
        """Our secrets that open parcels. Raises CannotOpen where there are none, AccessDenied if others can read."""
        lines = _lines(self._identity, age.recipient_of, refused=_READ_BY_OTHERS)
        if not lines:
            raise CannotOpen(f"no identity in {self._identity}", hint="landbridge keys generate")
        return lines

    def signer(self) -> str:
        """Our secret that signs parcels. Raises ConfigError where there is none, AccessDenied if others can read."""
        lines = _lines(self._signing, note.verifier_of, refused=_READ_BY_OTHERS)
        if len(lines) != 1:
            raise ConfigError(f"{len(lines)} keys in {self._signing}, need 1 to sign", hint="landbridge keys generate")
        return lines[0]

    def trusted_recipients(self) -> tuple[str, ...]:
        """Whom parcels are sealed for; () where that is nobody."""
        return self._trusted("recipient")

    def trusted_signers(self) -> tuple[str, ...]:
        """Whose parcels are accepted, as verifier keys; () where that is nobody."""
        return self._trusted("signer")

    def recipients(self) -> tuple[str, ...]:
        """The trusted recipients, for sealing. Raises ConfigError where there is nobody."""
        lines = self.trusted_recipients()
        if not lines:
            raise ConfigError(
                f"nobody to seal for in {self.folder / 'recipients.txt'}",
                hint="landbridge keys trust age1…: the recipient that `landbridge keys show` prints on the other side",
            )
        return lines

    def verifiers(self) -> tuple[str, ...]:
        """The trusted signers, for opening. Raises NotTrusted where that is nobody."""
        lines = self.trusted_signers()
        if not lines:
            raise NotTrusted(
                f"no signer is trusted in {self.folder / 'signers.txt'}",
                hint="landbridge keys trust NAME+…: the key that `landbridge keys show` prints on the other side",
            )
        return lines

    @property
    def own_recipient(self) -> str:
        """What the other side needs to seal for us."""
        return age.recipient_of(self.identities()[0])

    @property
    def own_verifier(self) -> str:
        """What the other side needs to accept our parcels."""
        return note.verifier_of(self.signer())

    def trust(self, line: str) -> Kind:
        """Add an `age1…` recipient or a `name+id+base64` verifier key; adding it again changes nothing.

        Raises UsageError for anything else, and above all for a secret.
        """
        line = line.strip()
        kind = _kind(line)
        path = self.folder / _TRUSTED[kind][0]
        if line not in self._trusted(kind):
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o644)
            cut = path.read_text()[-1:] not in ("", "\n")
            with path.open("a") as file:
                file.write(("\n" if cut else "") + line + "\n")
        return kind

    def _trusted(self, kind: Kind) -> tuple[str, ...]:
        name, check = _TRUSTED[kind]
        return _lines(self.folder / name, check, refused=_WRITTEN_BY_OTHERS)


def default_signer_name() -> str:
    """The host's name, as far as a signer may be called so. It can be read on every parcel's index."""
    return re.sub(r"[\s+]+", "-", platform.node()) or "landbridge"


def _kind(line: str) -> Kind:
    if _SECRET.search(line):
        raise UsageError(
            "THIS IS A SECRET KEY; it must never leave the side that it was made on",
            hint="if it was sent or pasted anywhere, make new keys there; what to ask for is `landbridge keys show`",
        )
    kind: Kind = "recipient" if line.startswith("age1") else "signer"
    try:
        _TRUSTED[kind][1](line)
    except ValueError as error:
        raise UsageError(
            f"neither an age recipient (age1…) nor a signer key (name+id+base64): {error}",
            hint="landbridge keys show, on the other side, prints both",
        ) from error
    return kind


def _lines(path: Path, check: Callable[[str], object], *, refused: int) -> tuple[str, ...]:
    """Keys of a file, () where it is missing. Raises ConfigError with the line's number where one is malformed."""
    if not path.exists():
        return ()
    _check_mode(path.parent, _WRITTEN_BY_OTHERS)
    _check_mode(path, refused)
    found = []
    for number, raw in enumerate(_read(path).splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        try:
            check(line)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: {error}", hint="correct or remove the line") from error
        found.append(line)
    return tuple(found)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except PermissionError as error:
        raise AccessDenied(f"{path} cannot be read by this user", hint=f"ls -l {path}") from error


def _check_mode(path: Path, refused: int) -> None:
    if os.name != "posix":
        return  # permissions are not mode bits there
    mode = path.stat().st_mode & 0o777
    if mode & refused:
        raise AccessDenied(
            f"{path} is open to other users (mode {mode:04o})", hint=f"chmod {mode & ~refused:04o} {path}"
        )


def _write_secret(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
