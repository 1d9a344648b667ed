"""Trust: given by name, taken back for good, and never lost half-way."""

from pathlib import Path

import pytest

from landbridge.errors import ConfigError, NotTrusted, UsageError
from landbridge.sealing import age
from landbridge.sealing.age import new_identity
from landbridge.sealing.keyring import Keyring
from landbridge.sealing.note import new_signer, sign, verify
from landbridge.sealing.passphrase import VARIABLE

SIGNER, VERIFIER = new_signer("capital")
RECIPIENT = new_identity()[1]


@pytest.fixture
def keyring(tmp_path):
    keyring = Keyring(tmp_path / "keys")
    keyring.generate("bay")
    keyring.trust(VERIFIER)
    keyring.trust(RECIPIENT, name="harbour")
    return keyring


def test_a_revoked_signer_is_refused_by_name(keyring):
    """Its parcels are refused with the reason, also where it was the only one trusted."""
    note = sign("x\n", SIGNER)
    assert verify(note, *keyring.signers()) == ("x\n", "capital")
    keyring.revoke("capital")
    with pytest.raises(NotTrusted, match=r"'capital' with key [0-9a-f]{8}, which was revoked here"):
        verify(note, *keyring.signers())


def test_old_and_new_signer_are_both_accepted_until_one_is_revoked(keyring):
    """During a rotation the importing side pins two keys of one name."""
    other = Keyring(keyring.folder.parent / "other")
    other.generate("capital")
    keyring.trust(other.own_verifier)
    old = sign("old\n", other.signer())
    replaced = other.rotate_signer()
    keyring.trust(other.own_verifier)
    new = sign("new\n", other.signer())
    assert [verify(note, *keyring.signers())[0] for note in (old, new)] == ["old\n", "new\n"]
    assert [verify(note, other.own_verifiers())[0] for note in (old, new)] == ["old\n", "new\n"]
    with pytest.raises(UsageError, match="3 keys are called capital"):
        keyring.revoke("capital")
    keyring.revoke(replaced)
    assert verify(new, *keyring.signers())[0] == "new\n"
    with pytest.raises(NotTrusted):
        verify(old, *keyring.signers())


def test_the_old_signing_key_is_destroyed(keyring):
    """Nothing in the key folder signs as before; the name stays, and the public half."""
    secret, verifier = keyring.signer(), keyring.own_verifier
    assert keyring.rotate_signer() == verifier
    texts = [path.read_text() for path in keyring.folder.iterdir()]
    assert not any(secret in text for text in texts)
    assert keyring.own_verifiers() == (keyring.own_verifier, verifier)
    assert keyring.own_verifier.startswith("bay+")
    keyring.revoke(verifier)
    assert keyring.own_verifiers() == (keyring.own_verifier,)


@pytest.mark.parametrize("how", ["harbour", "fingerprint", "line"])
def test_a_revoked_recipient_is_sealed_for_no_more(keyring, how):
    """By name, fingerprint or line; again changes nothing; trusted again only by asking for it."""
    key = keyring.store.trusted("recipient")[0]
    who = {"harbour": "harbour", "fingerprint": key.fingerprint, "line": f" {RECIPIENT} "}[how]
    keyring.revoke(who)
    before = (keyring.folder / "revoked.txt").read_text()
    keyring.revoke(who)
    assert (keyring.folder / "revoked.txt").read_text() == before
    with pytest.raises(ConfigError, match="nobody to seal for"):
        keyring.recipients()
    with pytest.raises(UsageError, match=r"was revoked 20..-..-..") as caught:
        keyring.trust(RECIPIENT)
    assert "--again" in caught.value.hint
    keyring.trust(RECIPIENT, again=True)
    assert keyring.recipients() == (RECIPIENT,)
    assert keyring.store.revoked() == ()


def test_a_line_put_back_by_hand_stays_revoked(keyring):
    """Only `revoked.txt` decides: an old copy of a list brings nobody back."""
    before = (keyring.folder / "signers.txt").read_text()
    keyring.revoke("capital")
    (keyring.folder / "signers.txt").write_text(before)
    assert keyring.trusted_signers() == keyring.signers().trusted == ()


def test_a_key_that_was_never_trusted_can_be_revoked(keyring):
    """Somebody else's stolen key, told by its line; an unknown word is refused."""
    stranger = new_signer("stranger")[1]
    keyring.revoke(stranger)
    with pytest.raises(UsageError, match="was revoked"):
        keyring.trust(stranger)
    with pytest.raises(UsageError, match="no key is called nobody"):
        keyring.revoke("nobody")


def test_an_escrow_key_can_be_required(keyring):
    """Marked when it is trusted, or later; the mark and the name survive being trusted again without them."""
    with pytest.raises(ConfigError, match="no escrow key") as caught:
        keyring.recipients(require_escrow=True)
    assert "keys trust --escrow" in caught.value.hint
    keyring.trust(RECIPIENT, escrow=True)
    keyring.trust(RECIPIENT)
    assert keyring.recipients(require_escrow=True) == (RECIPIENT,)
    (key,) = keyring.store.trusted("recipient")
    assert (key.name, key.mark) == ("harbour", "escrow")


def test_a_key_in_the_wrong_list_is_said(keyring):
    """A signer among the recipients is a mistake, and not skipped."""
    (keyring.folder / "recipients.txt").write_text(VERIFIER + "\n")
    with pytest.raises(ConfigError, match=r"recipients\.txt holds a key that is no recipient"):
        keyring.recipients()


def test_who_opens_what_it_exports_is_told(keyring):
    """By its current recipient or an earlier one; the default is that it cannot."""
    assert keyring.opens_own() == ()
    keyring.trust(keyring.own_recipient)
    keyring.rotate_identity()
    assert [key.text for key in keyring.opens_own()] == [keyring.identity.recipients()[1]]


class Died(BaseException):
    """As little can be done about it as about SIGKILL: no cleaning up runs that catches errors."""


ACTIONS = {
    "generate": lambda keys: keys.is_whole or keys.generate("bay"),
    "trust": lambda keys: keys.trust(RECIPIENT, name="pier", escrow=True),
    "revoke": lambda keys: keys.revoke(VERIFIER),
    "trust again": lambda keys: keys.trust(VERIFIER, again=True),
    "rotate identity": lambda keys: keys.rotate_identity(),
    "lock identity": lambda keys: keys.rotate_identity("a new passphrase"),
    "rotate signer": lambda keys: keys.rotate_signer(),
}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("step", range(1, 11))
def test_what_dies_half_way_can_be_repeated(action, step, tmp_path, monkeypatch):
    """Before and after each file gets its name or loses it: no secret is lost, no list is torn, repeating works."""
    monkeypatch.setattr(age, "lock", lambda text, passphrase: f"{passphrase}\n{text}".encode())  # scrypt takes seconds
    monkeypatch.setattr(age, "unlock", lambda data, passphrase: data.decode().removeprefix(f"{passphrase}\n"))
    monkeypatch.setenv(VARIABLE, "a new passphrase")
    keyring = Keyring(tmp_path / "keys")
    if action != "generate":
        keyring.generate("bay")
        keyring.trust(VERIFIER)
        keyring.trust(RECIPIENT)
    if action == "trust again":
        keyring.revoke(VERIFIER)
    before = keyring.identities() if keyring.has_identity else ()
    with monkeypatch.context() as patch:
        die_at(step, patch)
        try:
            ACTIONS[action](keyring)
        except Died:
            assert not keyring.has_identity or set(before) <= set(keyring.identities())
            assert action == "generate" or RECIPIENT in keyring.trusted_recipients()
    ACTIONS[action](keyring)
    assert set(before) <= set(keyring.identities())
    assert keyring.own_recipient == age.recipient_of(keyring.identities()[0])
    assert verify(sign("x\n", keyring.signer()), [keyring.own_verifier])
    assert VERIFIER not in keyring.trusted_signers() or action != "revoke"
    assert VERIFIER in keyring.trusted_signers() or action in ("revoke", "generate")
    assert not list(keyring.folder.glob(".*"))


def die_at(step, patch):
    """Let the process die before (odd) or after (even) the n-th file is renamed or deleted."""
    left = step

    def dying(done):
        def call(path, *arguments, **options):
            nonlocal left
            if (left := left - 1) == 0:
                raise Died
            result = done(path, *arguments, **options)
            if (left := left - 1) == 0:
                raise Died
            return result

        return call

    patch.setattr(Path, "replace", dying(Path.replace))
    patch.setattr(Path, "unlink", dying(Path.unlink))
