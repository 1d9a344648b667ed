"""Lists of public keys, one a line; a comment directly above a key may name it (docs/parcel.md, Keys)."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from landbridge.errors import ConfigError
from landbridge.sealing import age, files, note

Kind = Literal["recipient", "signer"]
_MARK = re.compile(r"# (recipient|escrow|revoked [0-9]{4}-[0-9]{2}-[0-9]{2}):(?: (.*))?")
_MOST = 100  # characters of a name


@dataclass(frozen=True)
class PublicKey:
    """Whom to seal for, or whose signature to accept. `mark` is `escrow`, `revoked {day}`, or nothing."""

    kind: Kind
    text: str  # an SSH key stands without its comment
    name: str = ""
    mark: str = ""

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.text)

    @property
    def is_escrow(self) -> bool:
        return self.mark == "escrow"


def fingerprint(text: str) -> str:
    """80 bits of a key's SHA-256, to be read aloud: `3fa9-1c2e-77d0-a1b2-9c0e`."""
    digits = hashlib.sha256(text.encode()).hexdigest()[:20]
    return "-".join(digits[i : i + 4] for i in range(0, 20, 4))


def public_key(line: str, *, name: str = "", mark: str = "") -> PublicKey:
    """The key of a line. A signer's name is part of its key; an SSH key is called by its comment unless named.

    Raises ValueError, without the line, for what is neither a recipient nor a verifier key.
    """
    line = line.strip()
    if line.startswith("ssh-"):
        text, comment = _text_of(line), " ".join(line.split()[2:])
        age.check_recipient(text)
        return PublicKey("recipient", text, name or _tidy(comment), mark)
    if line.startswith("age1"):
        age.check_recipient(line)
        return PublicKey("recipient", line, name, mark)
    note.check_verifier(line)
    return PublicKey("signer", line, line.partition("+")[0], mark)


def checked_name(name: str) -> str:
    """The name. Raises ValueError for one that could not be read back from its line."""
    if name != _tidy(name):
        raise ValueError(f"a name is printable, at most {_MOST} characters, and neither begins nor ends with a blank")
    return name


def read(path: Path) -> tuple[PublicKey, ...]:
    """The keys of a file, () where it is missing. Raises ConfigError, and AccessDenied if others can write it."""
    try:
        return parse(files.read(path, files.WRITTEN_BY_OTHERS).decode(errors="replace"))
    except ValueError as error:
        raise ConfigError(f"{path}, {error}", hint="correct or remove the line") from error


def edit(path: Path, change: Callable[[str], str]) -> None:
    """Change the text of a list, whole or not at all. Only while the folder is `files.changing`."""
    text = files.read(path, files.WRITTEN_BY_OTHERS).decode(errors="surrogateescape")
    if (changed := change(text)) != text:
        files.put(path, changed.encode(errors="surrogateescape"), files.PUBLIC)


def parse(text: str) -> tuple[PublicKey, ...]:
    """The keys of a list. Raises ValueError with the number of a line that is none, and without its text."""
    found = []
    above = None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            mark, name = above.groups() if above else ("", "")
            try:
                found.append(public_key(line, name=_tidy(name or ""), mark="" if mark == "recipient" else mark))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
        above = _MARK.fullmatch(line)
    return tuple(found)


def with_key(text: str, key: PublicKey) -> str:
    """The list with `key` at its end, and there only; all else is left as it was."""
    lines = without_key(text, key.text).splitlines()
    if key.mark or key.kind == "recipient":
        lines.append(f"# {key.mark or 'recipient'}: {key.name}".rstrip())
    elif lines and _MARK.fullmatch(lines[-1]):
        lines.append("")  # that mark was meant for another key
    return "\n".join([*lines, key.text]) + "\n"


def without_key(text: str, key: str) -> str:
    """The list without the key of that text, and without its mark."""
    kept: list[str] = []
    for line in text.splitlines():
        if _text_of(line) != key:
            kept.append(line)
            continue
        if kept and _MARK.fullmatch(kept[-1]):
            kept.pop()
        if kept and _MARK.fullmatch(kept[-1]):
            kept.append("")  # or that one would now stand above the next key
    return "".join(f"{line}\n" for line in kept)


def _tidy(name: str) -> str:
    return "".join(c for c in name if c.isprintable())[:_MOST].strip()


def _text_of(line: str) -> str:
    """What `public_key` would find in the line, unchecked."""
    return " ".join(line.split()[:2]) if line.strip().startswith("ssh-") else line.strip()
