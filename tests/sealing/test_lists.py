"""Lists of public keys: what is written is read back, and what people wrote beside it stays."""

import hashlib
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from landbridge.errors import AccessDenied, ConfigError
from landbridge.sealing.age import new_identity
from landbridge.sealing.lists import (
    PublicKey,
    checked_name,
    fingerprint,
    parse,
    public_key,
    read,
    with_key,
    without_key,
)
from landbridge.sealing.note import new_signer
from tests.sealing.ssh_keys import ssh_key

LINES = [*(new_identity()[1] for _ in range(2)), ssh_key("ssh-ed25519")[1], *(new_signer("bay")[1] for _ in range(2))]
MARKS = ["", "escrow", "revoked 2026-11-21"]
names = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), max_size=30).map(str.strip)
keys = st.builds(
    lambda line, name, mark: public_key(line, name=name, mark=mark),
    st.sampled_from(LINES),
    names,
    st.sampled_from(MARKS),
)
remarks = st.sampled_from(["", "  ", "# by hand", "# escrow: of whom?", "# recipient:", "# revoked 2026-01-01: x", "#"])
lists = st.lists(remarks | st.sampled_from(LINES).map(lambda line: f" {line} "), max_size=8).map("\n".join)


@given(lists, keys)
@example("# escrow: of whom?", public_key(LINES[3]))
def test_what_is_added_is_read_back_last(text, key):
    """With its name and its mark, once, whatever stood in the list; the other keys are as they were."""
    before = [one for one in parse(text) if one.text != key.text]
    assert list(parse(with_key(text, key))) == [*before, key]
    assert parse(with_key(with_key(text, key), key)) == parse(with_key(text, key))


@given(lists, keys)
@example(f"# escrow: of whom?\n# recipient: bay\n{LINES[0]}\n{LINES[1]}", public_key(LINES[0]))
def test_what_is_removed_takes_nothing_with_it(text, key):
    """The other keys keep names and marks, and the remarks that are no marks stay."""
    left = without_key(text, key.text)
    assert parse(left) == tuple(one for one in parse(text) if one.text != key.text)
    assert left.count("# by hand") == text.count("# by hand")


@given(st.text(max_size=200))
def test_any_text_is_a_list_or_is_refused(text):
    """Whatever stands in the file, the answer is keys or a ValueError."""
    with suppress(ValueError):
        assert parse(text) == ()  # nobody guesses a key


@given(st.text(max_size=120))
def test_a_name_that_is_accepted_is_read_back(name):
    """A name either comes back as it was, or is refused before it is written."""
    try:
        checked_name(name)
    except ValueError:
        return
    (key,) = parse(with_key("", public_key(LINES[0], name=name, mark="escrow")))
    assert (key.name, key.mark) == (name, "escrow")


def test_an_ssh_line_is_called_by_its_comment():
    """The comment is no part of the key, so that one key is one key whatever stands behind it."""
    line = LINES[2]
    assert public_key(f"{line} anna@bay") == PublicKey("recipient", line, "anna@bay")
    assert public_key(f"{line} anna@bay", name="bay").name == "bay"
    assert parse(without_key(f"# mine\n{line} anna@bay\n", line)) == ()


def test_a_fingerprint_is_the_beginning_of_the_sha256():
    """So that anybody can compute it: printf %s LINE | sha256sum."""
    digest = hashlib.sha256(LINES[0].encode()).hexdigest()
    assert fingerprint(LINES[0]).replace("-", "") == digest[:20]


def test_a_wrong_line_is_named_without_its_text(tmp_path):
    """File and number say enough; the line might be a secret in the wrong file."""
    path = tmp_path / "recipients.txt"
    path.write_bytes(b"# \xff\n\nAGE-SECRET-KEY-1NOT\n")
    with pytest.raises(ConfigError, match=r"recipients\.txt, line 3") as caught:
        read(path)
    assert "SECRET" not in str(caught.value)
    path.chmod(0o666)
    with pytest.raises(AccessDenied):
        read(path)
    assert read(tmp_path / "missing") == ()
