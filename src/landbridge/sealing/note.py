"""Signed notes, https://c2sp.org/signed-note: a text, a blank line, and one line for each signature.

Only Ed25519 (type 0x01). Keys are text as Go's sumdb/note writes them:
`PRIVATE+KEY+{name}+{id}+{base64(0x01 || seed)}` and `{name}+{id}+{base64(0x01 || public key)}`.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from landbridge.errors import NotSigned, NotTrusted, WronglySigned

_ED25519 = b"\x01"
_SECRET = "PRIVATE+KEY+"  # noqa: S105 - the public beginning of every signer key
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_MAX_SIGNATURES = 100
_SHOWN = 100  # characters of a stranger's name
ANONYMOUS = "-"


@dataclass(frozen=True)
class _Key:
    name: str
    id: bytes  # 4 bytes
    material: bytes = field(repr=False)  # 32 bytes: seed or public key


def new_signer(name: str) -> tuple[str, str]:
    """A fresh key pair as text: signer (secret) and verifier. Raises ValueError for a name with spaces or `+`."""
    if not _NAME.fullmatch(name):
        raise ValueError("a signer's name is not empty and holds no space and no +")
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    verifier = _text(name, _key_id(name, public), public)
    return _SECRET + _text(name, _key_id(name, public), private.private_bytes_raw()), verifier


def verifier_of(signer: str) -> str:
    """The verifier key of a signer key. Raises ValueError, without the secret, where it is none."""
    key = _read_signer(signer)
    return _text(key.name, key.id, _public(key))


def check_verifier(verifier: str) -> None:
    """Raises ValueError where `verifier` is no Ed25519 verifier key, or its id is not that of its key."""
    _read_verifier(verifier)


def sign(text: str, signer: str, *, anonymous: bool = False) -> str:
    """The signed note; `anonymous` in the name `-`, which tells nothing of the key.

    `text` ends in a newline and holds no other control character, else ValueError.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise ValueError("the text of a note ends in a newline and holds no other control characters")
    key = _read_signer(signer)
    name, key_id = (ANONYMOUS, _key_id(ANONYMOUS, _public(key))) if anonymous else (key.name, key.id)
    signature = Ed25519PrivateKey.from_private_bytes(key.material).sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(key_id + signature).decode()}\n"


class Signers(NamedTuple):
    """Verifier keys: by which a note is accepted, and which only make its refusal say that they were revoked."""

    trusted: Sequence[str]
    revoked: Sequence[str] = ()


def verify(note: str, verifiers: Sequence[str], revoked: Sequence[str] = ()) -> tuple[str, str]:
    """The note's text, and the name of the first trusted signer, also where that signed anonymously.

    Signatures by unknown keys are ignored. Raises NotTrusted where no key of `verifiers` signed, WronglySigned
    where one of them signed something else, NotSigned where `note` is no signed note; ValueError for a malformed
    verifier. `revoked` are keys that count as unknown: they only make the refusal say so.
    """
    text, signatures = _split(note)
    known = _as_signed(verifiers)
    trusted = [(known[name, blob[:4]], blob[4:]) for name, blob in signatures if (name, blob[:4]) in known]
    for key, signature in trusted:
        _check_signature(key, signature, text)
    if not trusted:
        raise _not_trusted(signatures, _as_signed(revoked))
    return text, trusted[0][0].name


def _as_signed(verifiers: Sequence[str]) -> dict[tuple[str, bytes], _Key]:
    """Each key by the names and ids that its signatures may bear: its own, and the anonymous one."""
    keys = [_read_verifier(verifier) for verifier in verifiers]
    hidden = {(ANONYMOUS, _key_id(ANONYMOUS, key.material)): key for key in keys}
    return hidden | {(key.name, key.id): key for key in keys}


def _not_trusted(signatures: Sequence[tuple[str, bytes]], revoked: Mapping[tuple[str, bytes], _Key]) -> NotTrusted:
    gone = [revoked[name, blob[:4]] for name, blob in signatures if (name, blob[:4]) in revoked]
    if gone:
        return NotTrusted(
            f"signed by {gone[0].name!a} with key {gone[0].id.hex()}, which was revoked here",
            hint="have the other side export it again with its new key, and `landbridge keys trust` that one",
        )
    names = ", ".join(sorted({ascii(name[:_SHOWN]) for name, _ in signatures})[:3])
    return NotTrusted(
        f"signed by {names}, and by no signer that is trusted here",
        hint="landbridge keys trust NAME+…: the signer key that `landbridge keys show` prints on the other side",
    )


def _check_signature(key: _Key, signature: bytes, text: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.material).verify(signature, text.encode())
    except InvalidSignature as error:
        raise WronglySigned(f"the signature of {key.name} does not fit: the text was changed after signing") from error


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, blank, lines = note.rpartition("\n\n")
    few = lines.endswith("\n") and lines.count("\n") <= _MAX_SIGNATURES  # a million would fill the memory
    found = [_SIGNATURE.fullmatch(line) for line in lines[:-1].split("\n")] if few else []
    matches = [match for match in found if match]
    if not blank or not found or len(matches) < len(found) or _CONTROL.search(note):
        raise NotSigned("not a signed note: no signature can be read")
    return text + "\n", [(m[1], _decode(m[2])) for m in matches]


def _decode(text: str) -> bytes:
    """Bytes of which `text` is the one encoding: the last sign has bits that a decoder ignores."""
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise NotSigned("not a signed note: a signature is not base64") from error
    if base64.b64encode(signature).decode() != text:
        raise NotSigned("not a signed note: a signature is not base64")
    return signature


def _read_signer(text: str) -> _Key:
    if not text.startswith(_SECRET):
        raise ValueError("not a signer key")
    key = _read_key(text.removeprefix(_SECRET))
    if key.id != _key_id(key.name, _public(key)):
        raise ValueError("not a signer key: its id is not that of its key")
    return key


def _read_verifier(text: str) -> _Key:
    key = _read_key(text)
    if key.id != _key_id(key.name, key.material):
        raise ValueError("not a verifier key: its id is not that of its key")
    return key


def _read_key(text: str) -> _Key:
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    try:
        material = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise ValueError("not a signature key: its last part is not base64") from error
    if not _NAME.fullmatch(name) or not re.fullmatch("[0-9a-f]{8}", key_id):
        raise ValueError("not a signature key: it reads name+id+base64")
    if len(material) != 33 or material[:1] != _ED25519:
        raise ValueError("not an Ed25519 key")
    return _Key(name, bytes.fromhex(key_id), material[1:])


def _public(signer: _Key) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(signer.material).public_key().public_bytes_raw()


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def _text(name: str, key_id: bytes, material: bytes) -> str:
    return f"{name}+{key_id.hex()}+{base64.b64encode(_ED25519 + material).decode()}"
