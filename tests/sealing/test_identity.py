"""Identities: in the clear, locked, or an SSH key; rotated without losing what older parcels are sealed for."""

import pytest

from landbridge.errors import AccessDenied, CannotOpen, ConfigError, UsageError
from landbridge.sealing.age import open_sealed, seal
from landbridge.sealing.keyring import Keyring
from landbridge.sealing.passphrase import NEW_VARIABLE, VARIABLE, new_passphrase
from tests.sealing import locked
from tests.sealing.ssh_keys import LOCKED, ssh_key


@pytest.fixture
def keyring(tmp_path):
    return Keyring(tmp_path / "keys")


@pytest.fixture
def ssh(tmp_path):
    """A private key file as ssh-keygen leaves it, and its public line."""
    private, public = ssh_key("ssh-ed25519")
    path = tmp_path / "id_ed25519"
    path.write_text(private)
    path.chmod(0o600)
    return path, public


def test_an_older_parcel_opens_after_the_identity_was_rotated(keyring):
    """What was sealed for the old recipient and what is sealed for the new one open alike; ours is the new one."""
    keyring.generate("bay")
    older = seal(b"older", [keyring.own_recipient])
    replaced = keyring.rotate_identity()
    assert keyring.identity.recipients() == (keyring.own_recipient, replaced)
    newer = seal(b"newer", [keyring.own_recipient])
    assert [open_sealed(sealed, keyring.identities()) for sealed in (older, newer)] == [b"older", b"newer"]


def test_an_identity_is_locked_with_all_that_came_before_it(keyring, monkeypatch):
    """A passphrase given at a rotation locks the earlier identities too; nothing secret stays in the clear."""
    monkeypatch.setenv(VARIABLE, "another passphrase")
    keyring.generate("bay")
    older, (secret,) = seal(b"older", [keyring.own_recipient]), keyring.identities()
    replaced = keyring.rotate_identity("another passphrase")
    assert secret not in "".join(path.read_text() for path in keyring.folder.iterdir())
    assert not (keyring.folder / "identity.txt").exists()
    assert keyring.identity.recipients() == (keyring.own_recipient, replaced)
    assert open_sealed(older, keyring.identities()) == b"older"
    with pytest.raises(ValueError, match="stay locked"):
        keyring.rotate_identity()


def given_locked(keyring):
    keyring.folder.mkdir(mode=0o700)
    path = keyring.folder / "identity.age"
    path.write_text(locked.LOCKED)
    path.chmod(0o600)


def test_a_file_of_the_age_program_is_an_identity(keyring, monkeypatch):
    """`age --passphrase` made it, and its recipient is known by unlocking it, where nobody wrote it beside."""
    given_locked(keyring)
    monkeypatch.setenv(VARIABLE, locked.PASSPHRASE)
    assert keyring.own_recipient == locked.RECIPIENT
    monkeypatch.delenv(VARIABLE)
    assert open_sealed(seal(b"x", [locked.RECIPIENT]), keyring.identities()) == b"x"  # asked for once in a process


def test_a_passphrase_that_cannot_be_asked_for_is_said(keyring, monkeypatch):
    """Without variable and terminal, and with a wrong one, the answer names the file and the way out."""
    given_locked(keyring)
    monkeypatch.setattr("landbridge.sealing.passphrase._unlocked", {})
    monkeypatch.setattr("landbridge.sealing.passphrase.parent_process", lambda: "somebody")
    with pytest.raises(AccessDenied, match="no terminal") as caught:
        keyring.identities()
    assert VARIABLE in caught.value.hint
    monkeypatch.setenv(VARIABLE, "wrong and wrong")
    with pytest.raises(AccessDenied, match=r"identity\.age: wrong passphrase") as caught:
        keyring.identities()
    assert "wrong and wrong" not in f"{caught.value} {caught.value.hint}"


def test_who_is_told_a_passphrase_opens_with_the_carried_file(keyring, tmp_path, monkeypatch):
    """The exporting side locks an identity for somebody, keeps nothing of it, and seals for its recipient."""
    keyring.generate("capital")
    carried = tmp_path / "stick.age"
    key = keyring.trust_passphrase(carried, locked.PASSPHRASE, name="phone")
    assert (keyring.recipients(), key.name) == ((key.text,), "phone")
    sealed = seal(b"x", keyring.recipients())
    with pytest.raises(CannotOpen):
        open_sealed(sealed, keyring.identities())
    with pytest.raises(UsageError, match="exists already"):
        keyring.trust_passphrase(carried, locked.PASSPHRASE)
    other = Keyring(tmp_path / "other")
    other.folder.mkdir(mode=0o700)
    carried.rename(other.folder / "passphrase.age")
    monkeypatch.setenv(VARIABLE, locked.PASSPHRASE)
    assert open_sealed(sealed, other.identities()) == b"x"


def test_a_passphrase_that_can_be_guessed_is_refused(monkeypatch):
    """Whoever copies a locked file has all the time of the world."""
    monkeypatch.setenv(NEW_VARIABLE, "short")
    with pytest.raises(UsageError, match="12 characters") as caught:
        new_passphrase()
    assert "short" not in str(caught.value)


def test_an_ssh_key_opens_from_where_it_lies(keyring, ssh):
    """It is linked, not copied; others seal for its public line; a rotation puts an age identity before it."""
    path, public = ssh
    keyring.generate("bay", ssh=path)
    assert keyring.is_whole
    assert keyring.own_recipient == public
    sealed = seal(b"x", [public])
    assert open_sealed(sealed, keyring.identities()) == b"x"
    assert keyring.rotate_identity() == public
    assert keyring.own_recipient.startswith("age1")
    assert open_sealed(sealed, keyring.identities()) == b"x"


def test_an_ssh_key_that_is_lost_or_loose_is_said(keyring, ssh):
    """A link without an end is no reason to make another identity; a key that others can read is not used."""
    path, _ = ssh
    keyring.generate("bay", ssh=path)
    path.chmod(0o640)
    with pytest.raises(AccessDenied, match="open to other users"):
        keyring.identities()
    path.unlink()
    with pytest.raises(CannotOpen, match="not there"):
        keyring.identities()
    with pytest.raises(UsageError, match="never overwritten"):
        keyring.generate("bay")


@pytest.mark.parametrize(
    ("text", "said"), [(LOCKED, "passphrase of its own"), ("junk", "not an OpenSSH"), (None, "no file")]
)
def test_an_ssh_key_that_does_not_fit_is_refused(keyring, tmp_path, text, said):
    """Nothing is linked, and a key that turns unfit later is named."""
    path = tmp_path / "id"
    if text:
        path.write_text(text)
        path.chmod(0o600)
    with pytest.raises(UsageError, match=said):
        keyring.generate("bay", ssh=path)
    assert not keyring.has_identity
    if text:
        (keyring.folder / "identity.ssh").symlink_to(path)
        with pytest.raises(ConfigError, match=said):
            keyring.identities()
