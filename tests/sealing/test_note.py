"""Signed notes against the reference vector, and against whoever would forge one."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from landbridge.errors import NotTrusted
from landbridge.sealing.note import check_verifier, new_signer, sign, verifier_of, verify

# the test vectors of golang.org/x/mod/sumdb/note, which the C2SP specification grew out of
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)


def test_the_reference_note_is_made_and_verified():
    """Ed25519 is deterministic: our note is the reference implementation's, byte for byte."""
    assert sign(TEXT, PETER_SECRET) == TEXT + "\n" + PETER_LINE
    assert verify(TEXT + "\n" + PETER_LINE, [PETER]) == (TEXT, "PeterNeumann")
    assert verifier_of(PETER_SECRET) == PETER


def test_the_key_id_is_the_specifications():
    """The id is the beginning of SHA-256(name, newline, 0x01, public key)."""
    _, verifier = new_signer("exporter.example/one")
    name, key_id, encoded = verifier.split("+", 2)
    key = base64.b64decode(encoded)
    assert key[0] == 1
    assert key_id == hashlib.sha256(name.encode() + b"\n" + key).hexdigest()[:8]


def test_an_anonymous_signature_tells_nothing_and_is_known_all_the_same():
    """Neither name nor key id of the key that people exchange stands in the note; a revoked key is refused by name."""
    note = sign(TEXT, PETER_SECRET, anonymous=True)
    line = note.removeprefix(TEXT + "\n")
    assert line.startswith("— - ")
    assert base64.b64decode(line.split()[2])[:4].hex() != PETER.split("+")[1]
    assert verify(note, [ENOCH, PETER]) == (TEXT, "PeterNeumann")
    with pytest.raises(NotTrusted, match="signed by '-', and by no signer that is trusted here"):
        verify(note, [ENOCH])
    with pytest.raises(NotTrusted, match="signed by 'PeterNeumann' with key c74f20a3, which was revoked here"):
        verify(note, [ENOCH], revoked=[PETER])
    with pytest.raises(NotTrusted, match="does not fit"):
        verify(note.replace("answer", "cause"), [PETER])


def test_unknown_signatures_are_ignored_beside_a_trusted_one():
    """A second signature by somebody else neither helps nor harms."""
    both = TEXT + "\n" + ENOCH_LINE + PETER_LINE
    assert verify(both, [PETER]) == (TEXT, "PeterNeumann")
    assert verify(both, [PETER, ENOCH]) == (TEXT, "EnochRoot")


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        TEXT + "\n",
        TEXT + "\n" + PETER_LINE.rstrip("\n"),
        "\x01" + TEXT + "\n" + PETER_LINE,
        TEXT.replace("\n", "\r\n") + "\n" + PETER_LINE,
        TEXT + "\n" + PETER_LINE.replace("PeterNeumann", "Bad Name"),
        TEXT + "\n" + PETER_LINE + "Unexpected line.\n",
        TEXT + "\n" + PETER_LINE * 101,
        TEXT + "\n" + PETER_LINE.replace("x08go", "x08g"),
        TEXT + "\n" + PETER_LINE[:60] + "ABCD" + PETER_LINE[60:],
        TEXT.replace("cryptography", "cryptographY") + "\n" + PETER_LINE,
        TEXT + "\n" + ENOCH_LINE,
        TEXT + "\n" + PETER_LINE + PETER_LINE.replace("ZJku", "ZJkv"),
    ],
)
def test_what_is_not_signed_by_a_trusted_key_is_refused(note):
    """Malformed, altered, foreign, or with one wrong signature of a known key among right ones."""
    with pytest.raises(NotTrusted):
        verify(note, [PETER])


def test_nobody_trusted_means_nothing_accepted():
    """There is no trust on first use."""
    with pytest.raises(NotTrusted, match="PeterNeumann"):
        verify(TEXT + "\n" + PETER_LINE, [])


def test_a_key_of_the_same_name_is_another_key():
    """Names are not trusted, keys are."""
    signer, _ = new_signer("PeterNeumann")
    with pytest.raises(NotTrusted):
        verify(sign(TEXT, signer), [PETER])


@given(st.integers(0, len(PETER) - 1))
def test_no_mangled_verifier_key_is_accepted(place):
    """Any character changed, and any end cut off, makes it no key."""
    for mangled in (PETER[:place], PETER[place + 1 :], PETER[:place] + chr(ord(PETER[place]) + 1) + PETER[place + 1 :]):
        with pytest.raises(ValueError, match=r"not an? .* key"):
            check_verifier(mangled)


@pytest.mark.parametrize("key", [PETER, "", PETER_SECRET[:-4], PETER_SECRET.replace("c74f", "c74e")])
def test_a_wrong_signer_key_is_named_without_its_text(key):
    """The message never shows what may be a secret."""
    with pytest.raises(ValueError, match=r"not an? .*key") as caught:
        sign(TEXT, key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "nul\0\n"])
def test_only_plain_lines_are_signed(text):
    """A note's text ends in a newline and holds no other control character."""
    with pytest.raises(ValueError, match="newline"):
        sign(text, PETER_SECRET)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b"])
def test_signer_names_have_no_spaces_and_no_plus(name):
    """Such a name could not be read back from a signature line."""
    with pytest.raises(ValueError, match="name"):
        new_signer(name)


@given(st.text(max_size=200))
def test_any_text_is_refused_quietly(text):
    """Whatever stands in the file, the answer is NotTrusted and no other exception."""
    with pytest.raises(NotTrusted):
        verify(text, [PETER])
