"""Identities: what opens parcels on this side. In the clear, locked with a passphrase, or an OpenSSH private key.

Several lie in one file with the newest on top, so that parcels from before a rotation still open.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from landbridge.errors import CannotOpen, ConfigError, UsageError
from landbridge.sealing import age, files, lists, passphrase

_FITTING = (
    "a key that fits: ssh-keygen -t ed25519 -N '' -f FILE; one with a passphrase: landbridge keys generate --passphrase"
)


@dataclass(frozen=True)
class Identities:
    """Files of a key folder. All of them open; others seal for the newest of `locked`, else of `plain`, else `ssh`."""

    folder: Path

    @property
    def locked(self) -> Path:
        return self.folder / "identity.age"

    @property
    def plain(self) -> Path:
        return self.folder / "identity.txt"

    @property
    def ssh(self) -> Path:
        return self.folder / "identity.ssh"

    @property
    def agreed(self) -> Path:
        """Made and locked by the other side, carried here; only the passphrase was told."""
        return self.folder / "passphrase.age"

    @property
    def _public(self) -> Path:
        return self.folder / "identity.pub"  # of `locked`, so that nobody has to be asked for a passphrase to see it

    @property
    def are_ours(self) -> bool:
        """Whether this side has an identity of its own; a link to one that is gone is none to make another beside."""
        return self.locked.exists() or self.plain.exists() or self.ssh.is_symlink() or self.ssh.exists()

    @property
    def are_there(self) -> bool:
        return self.are_ours or self.agreed.exists()

    @property
    def need_passphrase(self) -> bool:
        return self.locked.exists() or self.agreed.exists()

    def secrets(self) -> tuple[str, ...]:
        """All that may open a parcel. Raises CannotOpen where there is none, AccessDenied if others can read one."""
        return self._some((*self._own(), *_keys(self.agreed, _unlocked(self.agreed))))

    def recipients(self) -> tuple[str, ...]:
        """What others seal with for us: the current one, then those of earlier identities."""
        public = lists.read(self._public) if self.locked.exists() else ()
        own = self._in_the_clear() if public else self._some(self._own())
        return (*(key.text for key in public), *map(age.recipient_of, own))

    def make(self, new_passphrase: str | None) -> None:
        """A new identity on top of those that are there, all of them locked if a passphrase is given.

        Raises ValueError where earlier ones are locked and none is given.
        """
        earlier, clear = _unlocked(self.locked), _clear(self.plain)
        if new_passphrase is None:
            if earlier:
                raise ValueError("identities that are locked stay locked")
            files.put(self.plain, new_identity_file() + clear, files.SECRET)
            return
        text = new_identity_file() + (clear if clear not in earlier else "") + earlier
        files.put(self.locked, age.lock(text, new_passphrase), files.SECRET)
        recipients = map(age.recipient_of, _keys(self.locked, text))
        files.put(self._public, "".join(f"{line}\n" for line in recipients), files.PUBLIC)
        self.plain.unlink(missing_ok=True)
        files.sync(self.folder)

    def link(self, key: Path) -> None:
        """Open with the OpenSSH private key `key` from now on; it stays where it is. Raises UsageError."""
        if not key.is_file():
            raise UsageError(f"no file at {key}", hint="ssh-keygen -t ed25519 makes a key")
        try:
            age.ssh_recipient_of(_clear(key))
        except ValueError as error:
            raise UsageError(f"{key}: {error}", hint=_FITTING) from error
        self.ssh.unlink(missing_ok=True)
        self.ssh.symlink_to(key.resolve())
        files.sync(self.folder)

    def _some(self, found: Iterable[str]) -> tuple[str, ...]:
        secrets = tuple(found)
        if not secrets:
            raise CannotOpen(f"no identity in {self.plain}", hint="landbridge keys generate")
        return secrets

    def _own(self) -> Iterator[str]:
        yield from _keys(self.locked, _unlocked(self.locked))
        yield from self._in_the_clear()

    def _in_the_clear(self) -> Iterator[str]:
        yield from _keys(self.plain, _clear(self.plain))
        yield from _ssh(self.ssh)


def new_identity_file() -> str:
    """A fresh identity, as `age-keygen` writes it."""
    secret, recipient = age.new_identity()
    created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"# created: {created}\n# public key: {recipient}\n{secret}\n"


def _keys(path: Path, text: str) -> tuple[str, ...]:
    return files.keys(path, text, age.recipient_of)


def _clear(path: Path) -> str:
    return files.read(path, files.READ_BY_OTHERS).decode(errors="replace")


def _unlocked(path: Path) -> str:
    return passphrase.unlock(path) if path.exists() else ""


def _ssh(path: Path) -> tuple[str, ...]:
    """An OpenSSH private key is one identity, over many lines."""
    if path.is_symlink() and not path.exists():
        raise CannotOpen(f"{path} is a link to a key that is not there", hint=f"ls -l {path}")
    if not (text := _clear(path)):
        return ()
    try:
        age.ssh_recipient_of(text)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}", hint=_FITTING) from error
    return (text,)
