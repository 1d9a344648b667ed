"""Sealing in the age format, https://age-encryption.org/v1, to X25519 recipients.

pyrage holds the GIL for the whole of a call: seal parts in processes, not in threads.
"""

from collections.abc import Sequence

from landbridge.errors import CannotOpen, ConfigError, ParcelDamaged

_OTHER_KEYS = "No matching keys found"


def new_identity() -> tuple[str, str]:
    """A fresh key pair: the secret `AGE-SECRET-KEY-1…`, and the recipient `age1…` that others seal for."""
    from pyrage import x25519

    identity = x25519.Identity.generate()
    return str(identity), str(identity.to_public())


def recipient_of(identity: str) -> str:
    """The recipient `age1…` of a secret key. Raises ValueError, without the secret, where it is none."""
    from pyrage import IdentityError, x25519

    try:
        return str(x25519.Identity.from_str(identity).to_public())
    except IdentityError as error:
        raise ValueError("not an age identity") from error


def check_recipient(recipient: str) -> None:
    """Raises ValueError where `recipient` is not the `age1…` of an X25519 key."""
    from pyrage import RecipientError, x25519

    try:
        x25519.Recipient.from_str(recipient)
    except RecipientError as error:
        raise ValueError("not an age recipient") from error


def seal(data: bytes, recipients: Sequence[str]) -> bytes:
    """Encrypt `data` for each of `recipients`; any one of their identities opens it.

    Raises ConfigError for a recipient that is none, or for no recipients at all.
    """
    import pyrage

    try:
        return bytes(pyrage.encrypt(data, [pyrage.x25519.Recipient.from_str(r) for r in recipients]))
    except (pyrage.RecipientError, pyrage.EncryptError) as error:
        raise ConfigError(f"cannot seal: {str(error).lower().rstrip('.')}", hint="landbridge keys show") from error


def open_sealed(data: bytes, identities: Sequence[str]) -> bytes:
    """Decrypt what `seal` made. Check its hash first: nothing unverified should reach a decoder.

    Raises CannotOpen where none of `identities` fits, ParcelDamaged where the bytes are broken.
    """
    import pyrage

    if not identities:
        raise CannotOpen("sealed, and this side has no keys to open it", hint="landbridge keys generate")
    try:
        keys = [pyrage.x25519.Identity.from_str(i) for i in identities]
        return bytes(pyrage.decrypt(data, keys))
    except pyrage.IdentityError as error:
        raise ConfigError("cannot open: not an age identity", hint="landbridge keys show") from error
    except pyrage.DecryptError as error:
        if str(error) == _OTHER_KEYS:
            raise CannotOpen(
                "sealed for other keys than the ones here",
                hint="export again after `landbridge keys trust age1…` with this side's recipient on the other side",
            ) from error
        raise ParcelDamaged(f"not a whole age file: {str(error).lower()}") from error
