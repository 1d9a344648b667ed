"""Sealing: who can open what, and that any age program agrees."""

import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import PrivateFormat

from landbridge.errors import AccessDenied, CannotOpen, ConfigError, ParcelDamaged
from landbridge.sealing.age import (
    check_recipient,
    lock,
    new_identity,
    open_sealed,
    recipient_of,
    seal,
    ssh_recipient_of,
    unlock,
)
from tests.sealing import locked
from tests.sealing.ssh_keys import LOCKED, ssh_key
from tests.terminal import on_terminal

SECRET, RECIPIENT = new_identity()
PASSPHRASE = locked.PASSPHRASE
PAIRS = {"x25519": (SECRET, RECIPIENT), "ssh-ed25519": ssh_key("ssh-ed25519"), "ssh-rsa": ssh_key("ssh-rsa")}
KINDS = pytest.mark.parametrize("kind", PAIRS)
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="the age program is not installed")


def age(*arguments, stdin=b""):
    return subprocess.run(["age", *map(str, arguments)], input=stdin, capture_output=True, check=True).stdout


@pytest.fixture(params=PAIRS)
def pair(request, tmp_path):
    """Recipient and identity of each kind, the identity also as a file that only we can read."""
    identity, recipient = PAIRS[request.param]
    path = tmp_path / "identity"
    path.write_text(identity)
    path.chmod(0o600)
    return recipient, identity, path


def test_each_recipient_opens_what_was_sealed_for_several():
    """Any one identity of the recipients, of whatever kind, opens the file, and needs no other."""
    sealed = seal(b"rows", [recipient for _, recipient in PAIRS.values()])
    assert [open_sealed(sealed, [identity]) for identity, _ in PAIRS.values()] == [b"rows"] * 3


def test_sealed_bytes_are_the_binary_age_format():
    """The header is that of age v1, so that any age program opens it; the content is not in it."""
    sealed = seal(b"rows in the clear", [RECIPIENT])
    assert sealed.startswith(b"age-encryption.org/v1\n-> ")
    assert b"rows in the clear" not in sealed


@needs_age
def test_the_age_program_opens_what_we_seal(pair):
    """Sealed for two recipients, opened by the age program with the identity file of one."""
    recipient, _, path = pair
    assert age("--decrypt", "-i", path, stdin=seal(b"rows", [new_identity()[1], recipient])) == b"rows"


@needs_age
def test_we_open_what_the_age_program_sealed(pair):
    """The other way round."""
    recipient, identity, _ = pair
    assert open_sealed(age("-r", recipient, "-r", new_identity()[1], stdin=b"rows"), [identity]) == b"rows"


@needs_age
def test_the_age_program_opens_with_a_file_that_we_locked(tmp_path):
    """It serves as `age -i` without being unlocked first."""
    ours, sealed = tmp_path / "ours.age", tmp_path / "sealed.age"
    ours.write_bytes(lock(SECRET + "\n", PASSPHRASE))
    sealed.write_bytes(seal(b"rows", [RECIPIENT]))
    code, shown = on_terminal(["age", "--decrypt", "-i", ours, sealed], [("Enter passphrase", PASSPHRASE)])
    assert (code, "rows" in shown) == (0, True), shown


def test_we_open_with_a_file_that_the_age_program_locked():
    """What `age --passphrase` made of `age-keygen`'s file is an identity file for us as well."""
    *_, secret = unlock(locked.LOCKED.encode(), PASSPHRASE).split()
    assert recipient_of(secret) == locked.RECIPIENT


def test_a_wrong_passphrase_is_told_from_a_broken_file():
    """Another passphrase gives AccessDenied; a file that is cut, or no such file, ValueError; neither shows one."""
    with pytest.raises(AccessDenied, match="wrong passphrase"):
        unlock(locked.LOCKED.encode(), "not " + PASSPHRASE)
    for broken in (locked.LOCKED[:-60].encode(), b"junk", seal(b"rows", [RECIPIENT])):
        with pytest.raises(ValueError, match="not a whole age file"):
            unlock(broken, PASSPHRASE)


@KINDS
def test_another_identity_cannot_open(kind):
    """A key that is no recipient's, of whatever kind, gives CannotOpen, with the way out."""
    with pytest.raises(CannotOpen) as caught:
        open_sealed(seal(b"rows", [new_identity()[1]]), [PAIRS[kind][0]])
    assert "landbridge keys trust" in caught.value.hint


@pytest.mark.parametrize("broken", [lambda s: s[:-1], lambda s: s[:-1] + bytes([s[-1] ^ 1]), lambda _: b"PAR1"])
def test_broken_bytes_are_damage_not_another_key(broken):
    """What is cut, flipped or no age file at all gives ParcelDamaged."""
    with pytest.raises(ParcelDamaged):
        open_sealed(broken(seal(b"rows", [RECIPIENT])), [SECRET])


@pytest.mark.parametrize("recipients", [[], ["age1nonsense"], [SECRET], ["ssh-rsa AAAA"], [PAIRS["ssh-rsa"][0]]])
def test_nothing_is_sealed_for_nobody(recipients):
    """No recipient, or one that is none, is an error of the configuration that shows no secret."""
    with pytest.raises(ConfigError) as caught:
        seal(b"rows", recipients)
    assert not any(text in str(caught.value) for text in recipients)


@KINDS
def test_a_recipient_is_derived_and_checked(kind):
    """The recipient of a secret is the one made with it; a secret is no recipient."""
    identity, recipient = PAIRS[kind]
    assert recipient_of(identity) == recipient
    check_recipient(recipient)
    with pytest.raises(ValueError, match="not an age recipient"):
        check_recipient(identity)
    with pytest.raises(ValueError, match="not an age identity"):
        recipient_of(recipient)


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        (LOCKED, "a passphrase of its own"),
        (ssh_key("ecdsa")[0], "ed25519, rsa"),
        (ssh_key("ssh-rsa", PrivateFormat.TraditionalOpenSSL)[0], "ssh-keygen -p"),
        (SECRET, "not an OpenSSH private key"),
        (PAIRS["ssh-ed25519"][0].replace("A", "B"), "not an SSH key"),
    ],
    ids=["locked", "ecdsa", "old format", "age", "broken"],
)
def test_an_ssh_key_that_cannot_open_says_why(identity, said):
    """Each reason has its words, and none of them holds a piece of the key."""
    with pytest.raises(ValueError, match=said) as caught:
        ssh_recipient_of(identity)
    assert not any(line in str(caught.value) for line in identity.splitlines())
