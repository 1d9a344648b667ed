"""Sealing: who can open what."""

import pytest

from landbridge.errors import CannotOpen, ConfigError, ParcelDamaged
from landbridge.sealing.age import check_recipient, new_identity, open_sealed, recipient_of, seal

SECRET, RECIPIENT = new_identity()


def test_each_recipient_opens_what_was_sealed_for_several():
    """Any one identity of the recipients opens the file, and needs no other."""
    other, other_recipient = new_identity()
    sealed = seal(b"rows", [RECIPIENT, other_recipient])
    assert open_sealed(sealed, [SECRET]) == open_sealed(sealed, [other]) == b"rows"


def test_sealed_bytes_are_the_binary_age_format():
    """The header is that of age v1, so that any age program opens it; the content is not in it."""
    sealed = seal(b"rows in the clear", [RECIPIENT])
    assert sealed.startswith(b"age-encryption.org/v1\n-> ")
    assert b"rows in the clear" not in sealed


def test_another_identity_cannot_open():
    """A key that is no recipient's gives CannotOpen, with the way out."""
    with pytest.raises(CannotOpen) as caught:
        open_sealed(seal(b"rows", [RECIPIENT]), [new_identity()[0]])
    assert "landbridge keys trust" in caught.value.hint


@pytest.mark.parametrize("broken", [lambda s: s[:-1], lambda s: s[:-1] + bytes([s[-1] ^ 1]), lambda _: b"PAR1"])
def test_broken_bytes_are_damage_not_another_key(broken):
    """What is cut, flipped or no age file at all gives ParcelDamaged."""
    with pytest.raises(ParcelDamaged):
        open_sealed(broken(seal(b"rows", [RECIPIENT])), [SECRET])


@pytest.mark.parametrize("recipients", [[], ["age1nonsense"], [SECRET]])
def test_nothing_is_sealed_for_nobody(recipients):
    """No recipient, or one that is none, is an error of the configuration that shows no secret."""
    with pytest.raises(ConfigError) as caught:
        seal(b"rows", recipients)
    assert SECRET not in str(caught.value)


def test_a_recipient_is_derived_and_checked():
    """The recipient of a secret is the one made with it; a secret is no recipient."""
    assert recipient_of(SECRET) == RECIPIENT
    check_recipient(RECIPIENT)
    with pytest.raises(ValueError, match="not an age recipient"):
        check_recipient(SECRET)
    with pytest.raises(ValueError, match="not an age identity"):
        recipient_of(RECIPIENT)
