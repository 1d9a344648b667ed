"""The key folder: made once, read strictly, and never trusting by itself."""

import os
import stat
from errno import ENOSPC

import pytest

from landbridge.errors import AccessDenied, CannotOpen, ConfigError, NotTrusted, UsageError, WorldError
from landbridge.sealing.age import new_identity, open_sealed, seal
from landbridge.sealing.keyring import Keyring, default_signer_name
from landbridge.sealing.note import new_signer, sign, verify
from tests.sealing import locked


@pytest.fixture
def keyring(tmp_path):
    keyring = Keyring(tmp_path / "keys")
    keyring.generate("exporter.example/one")
    return keyring


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_generated_keys_work_and_are_ours_alone(keyring):
    """Folder 0700, secrets 0600; what is sealed for us opens, what we sign verifies."""
    assert mode(keyring.folder) == 0o700
    assert mode(keyring.folder / "identity.txt") == mode(keyring.folder / "signing.key") == 0o600
    assert open_sealed(seal(b"x", [keyring.own_recipient]), keyring.identities()) == b"x"
    assert verify(sign("x\n", keyring.signer()), [keyring.own_verifier]) == ("x\n", "exporter.example/one")


def test_the_identity_file_is_as_age_keygen_writes_it(keyring):
    """Two comment lines, then the secret: `age -i identity.txt` reads it."""
    created, public, secret = (keyring.folder / "identity.txt").read_text().splitlines()
    assert created.startswith("# created: 20")
    assert public == f"# public key: {keyring.own_recipient}"
    assert secret.startswith("AGE-SECRET-KEY-1")


@pytest.mark.parametrize("left", ["identity.txt", "signing.key"])
def test_only_what_is_missing_is_made(keyring, left):
    """The key that is there stays as it was; where both are there, a second call is refused."""
    for name in {"identity.txt", "signing.key"} - {left}:
        (keyring.folder / name).unlink()
    assert not keyring.is_whole
    before = (keyring.folder / left).read_bytes()
    keyring.generate("other")
    assert keyring.is_whole
    assert (keyring.folder / left).read_bytes() == before
    with pytest.raises(UsageError, match="never overwritten"):
        keyring.generate("other")


def test_half_a_secret_is_none(tmp_path, monkeypatch):
    """A disk that is full while a secret is written leaves no file of its name, and nothing beside it."""
    keyring = Keyring(tmp_path / "keys")

    def full(_descriptor):
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(WorldError, match=r"identity\.txt: no space left"):
            keyring.generate("exporter.example/one")
    assert list(keyring.folder.iterdir()) == []
    keyring.generate("exporter.example/one")
    assert keyring.is_whole


def test_a_signer_needs_a_usable_name(tmp_path):
    """A name with a space is refused before anything is written; the default one is usable."""
    with pytest.raises(UsageError, match="cannot name a signer"):
        Keyring(tmp_path / "keys").generate("two words")
    assert not (tmp_path / "keys").exists()
    Keyring(tmp_path / "keys").generate(default_signer_name())


def test_trust_adds_each_line_once_and_says_its_kind(keyring):
    """Recipients and signers go to their own lists; again changes nothing; a cut last line is not glued to."""
    _, recipient = new_identity()
    _, verifier = new_signer("other.example/two")
    (keyring.folder / "signers.txt").write_text("# who may send")
    assert [keyring.trust(f"  {recipient}\n").kind, keyring.trust(verifier).kind] == ["recipient", "signer"]
    assert [keyring.trust(recipient).kind, keyring.trust(verifier).kind] == ["recipient", "signer"]
    assert keyring.recipients() == keyring.trusted_recipients() == (recipient,)
    assert keyring.signers().trusted == keyring.trusted_signers() == (verifier,)
    assert (keyring.folder / "signers.txt").read_text() == f"# who may send\n{verifier}\n"


def test_trust_works_before_own_keys_exist(tmp_path):
    """An importing side may be told whom to trust before it has keys of its own."""
    keyring = Keyring(tmp_path / "new" / "keys")
    _, verifier = new_signer("other.example/two")
    keyring.trust(verifier)
    assert keyring.signers().trusted == (verifier,)
    assert mode(keyring.folder) == 0o700


@pytest.mark.parametrize(
    "secret",
    [new_identity()[0], new_signer("me")[0], "-----BEGIN OPENSSH PRIVATE KEY-----", locked.LOCKED],
    ids=["age identity", "signing key", "openssh", "locked identity"],
)
def test_a_secret_given_to_trust_or_revoke_is_refused_loudly(keyring, secret):
    """The message is loud, does not repeat the secret, and no file took it in."""
    with pytest.raises(UsageError, match="SECRET KEY"):
        keyring.revoke(secret)
    with pytest.raises(UsageError, match="SECRET KEY") as caught:
        keyring.trust(secret)
    assert secret not in f"{caught.value} {caught.value.hint}"
    assert not any(secret in p.read_text() for p in keyring.folder.glob("*s.txt"))


@pytest.mark.parametrize("line", ["", "age1nonsense", "bob", "name+00000000+AAAA", "ssh-ed25519 AAAA", "#"])
def test_garbage_given_to_trust_is_refused(keyring, line):
    """What is neither kind changes nothing."""
    with pytest.raises(UsageError, match="neither"):
        keyring.trust(line)
    assert keyring.trusted_recipients() == keyring.trusted_signers() == ()


def test_own_keys_are_not_trusted_by_themselves(keyring):
    """A host that can open or accept its own parcels was told so."""
    with pytest.raises(ConfigError, match="nobody to seal for") as sealing:
        keyring.recipients()
    with pytest.raises(NotTrusted, match="no signer is trusted") as opening:
        keyring.signers()
    assert "keys trust age1" in sealing.value.hint
    assert "keys trust NAME+" in opening.value.hint


def test_missing_keys_name_the_command_that_makes_them(tmp_path):
    """No identity: CannotOpen; no signing key: ConfigError; both with the same advice."""
    for ask, error in ((Keyring.identities, CannotOpen), (Keyring.signer, ConfigError)):
        with pytest.raises(error) as caught:
            ask(Keyring(tmp_path))
        assert caught.value.hint == "landbridge keys generate"


@pytest.mark.parametrize(
    ("name", "loose", "advised"),
    [
        ("identity.txt", 0o640, "0600"),
        ("signing.key", 0o604, "0600"),
        ("signers.txt", 0o664, "0644"),
        (".", 0o770, "0750"),
    ],
)
def test_loose_permissions_are_refused_with_the_remedy(keyring, name, loose, advised):
    """Secrets that others can read, and lists or folders that others can write, are not used."""
    keyring.trust(keyring.own_verifier)
    (keyring.folder / name).chmod(loose)
    with pytest.raises(AccessDenied) as caught:
        (keyring.identities(), keyring.signer(), keyring.signers())
    assert caught.value.hint == f"chmod {advised} {keyring.folder / name}"


@pytest.mark.parametrize("name", ["identity.txt", "recipients.txt", "signers.txt", "signing.key"])
def test_a_broken_line_is_named_by_file_and_number(keyring, name):
    """A list is used whole or not at all, and the line's text is not shown."""
    path = keyring.folder / name
    path.write_text("# comment\n\nbroken-line\n")
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=f"{name}, line 3") as caught:
        (keyring.identities(), keyring.signer(), keyring.trusted_recipients(), keyring.trusted_signers())
    assert "broken-line" not in str(caught.value)


def test_a_keyring_shows_no_secret(keyring):
    """Neither repr nor str hold more than the folder."""
    assert "SECRET" not in repr(keyring)
    assert str(keyring.folder) in repr(keyring)
