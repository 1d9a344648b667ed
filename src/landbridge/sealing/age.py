"""Sealing in the age format, https://age-encryption.org/v1, to X25519 and SSH recipients; locking with a passphrase.

Keys are text, as `age` takes them: identities `AGE-SECRET-KEY-1…` or the whole of an OpenSSH private key, recipients
`age1…`, `ssh-ed25519 …` or `ssh-rsa …`. pyrage holds the GIL for the whole of a call: seal in processes, not threads.
"""

from collections.abc import Sequence
from typing import Any

from landbridge.errors import AccessDenied, CannotOpen, ConfigError, ParcelDamaged

_OTHER_KEYS = "No matching keys found"
_WRONG_PASSPHRASE = "Decryption failed"  # noqa: S105 - pyrage's words
_PEM = "-----BEGIN "


def new_identity() -> tuple[str, str]:
    """A fresh key pair: the secret `AGE-SECRET-KEY-1…`, and the recipient `age1…` that others seal for."""
    from pyrage import x25519

    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def recipient_of(identity: str) -> str:
    """The recipient of a secret key. Raises ValueError, without the secret, where it is none."""
    return ssh_recipient_of(identity) if identity.startswith(_PEM) else str(_identity(identity).to_public())


def ssh_recipient_of(identity: str) -> str:
    """The recipient of an OpenSSH private key. Raises ValueError, without the secret, where age cannot open by it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_private_key

    if not identity.startswith(_PEM):
        raise ValueError("not an OpenSSH private key")
    _identity(identity)
    try:
        public = load_ssh_private_key(identity.encode(), None).public_key()
    except ValueError as error:
        raise ValueError("not in OpenSSH's own format, which `ssh-keygen -p -f FILE` makes of it") from error
    return public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def check_recipient(recipient: str) -> None:
    """Raises ValueError where `recipient` is neither an X25519 key (`age1…`) nor an SSH key that age knows."""
    _recipient(recipient)


def seal(data: bytes, recipients: Sequence[str]) -> bytes:
    """Encrypt `data` for each of `recipients`; any one of their identities opens it.

    Raises ConfigError for a recipient that is none, or for no recipients at all.
    """
    import pyrage

    try:
        return bytes(pyrage.encrypt(data, [_recipient(recipient) for recipient in recipients]))
    except (ValueError, pyrage.EncryptError) as error:
        raise ConfigError(f"cannot seal: {str(error).lower().rstrip('.')}", hint="landbridge keys show") from error


def open_sealed(data: bytes, identities: Sequence[str]) -> bytes:
    """Decrypt what `seal` made. Check its hash first: nothing unverified should reach a decoder.

    Raises CannotOpen where none of `identities` fits, ParcelDamaged where the bytes are broken.
    """
    import pyrage

    if not identities:
        raise CannotOpen("sealed, and this side has no keys to open it", hint="landbridge keys generate")
    try:
        return bytes(pyrage.decrypt(data, [_identity(identity) for identity in identities]))
    except ValueError as error:
        raise ConfigError(f"cannot open: {error}", hint="landbridge keys show") from error
    except pyrage.DecryptError as error:
        if str(error) == _OTHER_KEYS:
            raise CannotOpen(
                "sealed for other keys than the ones here",
                hint="export again after `landbridge keys trust age1…` with this side's recipient on the other side",
            ) from error
        raise ParcelDamaged(f"not a whole age file: {str(error).lower()}") from error


def lock(text: str, passphrase: str) -> bytes:
    """An identity file that a passphrase protects, as text: `age --decrypt -i` takes it. Takes about two seconds."""
    import pyrage

    return bytes(pyrage.passphrase.encrypt(text.encode(), passphrase, armored=True))


def unlock(data: bytes, passphrase: str) -> str:
    """What `lock` or `age --passphrase` made, in the clear; as slow, and takes up to a gigabyte of memory meanwhile.

    Raises AccessDenied for another passphrase, and ValueError for what no passphrase opens.
    """
    import pyrage

    try:
        return bytes(pyrage.passphrase.decrypt(data, passphrase)).decode()
    except pyrage.DecryptError as error:
        if str(error) == _WRONG_PASSPHRASE:
            raise AccessDenied("wrong passphrase") from error
        said = str(error).partition("\n")[0].lower().rstrip(".")
        raise ValueError(f"not a whole age file that a passphrase locks: {said}") from error


def _recipient(text: str) -> Any:  # noqa: ANN401 - pyrage has no types
    from pyrage import RecipientError, ssh, x25519

    kind = ssh.Recipient if text.startswith("ssh-") else x25519.Recipient
    try:
        return kind.from_str(text)
    except RecipientError as error:
        raise ValueError(
            "not an SSH key that age seals for (ssh-ed25519, ssh-rsa)"
            if kind is ssh.Recipient
            else "not an age recipient"
        ) from error


def _identity(text: str) -> Any:  # noqa: ANN401 - pyrage has no types
    from pyrage import IdentityError, ssh, x25519

    if not text.startswith(_PEM):
        try:
            return x25519.Identity.from_str(text)
        except IdentityError as error:
            raise ValueError("not an age identity") from error
    try:
        return ssh.Identity.from_buffer(text.encode())
    except IdentityError as error:
        if "decrypted first" in str(error):
            raise ValueError("an SSH key with a passphrase of its own, which only ssh can ask for") from error
        raise ValueError("not an SSH key that age opens with (ed25519, rsa)") from error
