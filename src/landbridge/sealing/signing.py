"""The signing key of this side, and what it replaced."""

from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import ConfigError, UsageError
from landbridge.sealing import files, lists, note


@dataclass(frozen=True)
class Signing:
    """`signing.key` of a key folder, and `retired.txt`: the verifier keys of those before it."""

    folder: Path

    @property
    def path(self) -> Path:
        return self.folder / "signing.key"

    @property
    def retired(self) -> Path:
        return self.folder / "retired.txt"

    def secret(self) -> str:
        """The key that signs. Raises ConfigError where there is not exactly one, AccessDenied if others can read."""
        text = files.read(self.path, files.READ_BY_OTHERS).decode(errors="replace")
        keys = files.keys(self.path, text, note.verifier_of)
        if len(keys) != 1:
            raise ConfigError(f"{len(keys)} keys in {self.path}, need 1 to sign", hint="landbridge keys generate")
        return keys[0]

    def verifier(self) -> str:
        """What others accept our signatures by."""
        return note.verifier_of(self.secret())

    def make(self, name: str) -> None:
        """A new key; one that was there is destroyed. Raises UsageError for a name that no signature can show."""
        files.put(self.path, new_signing_file(name), files.SECRET)

    def rotate(self) -> str:
        """A new key of the same name; the old one is destroyed, its verifier key kept and returned."""
        replaced = lists.public_key(self.verifier())
        lists.edit(self.retired, lambda text: lists.with_key(text, replaced))
        self.make(replaced.name)
        return replaced.text


def new_signing_file(name: str) -> str:
    """The secret of a new key pair. Raises UsageError for a name that no signature can show."""
    try:
        return note.new_signer(name)[0] + "\n"
    except ValueError as error:
        raise UsageError(f"{name!r} cannot name a signer: {error}") from error
