"""Passphrases: asked from the environment or the terminal, never taken from the command line or a file."""

import hashlib
import os
from collections.abc import Mapping
from getpass import getpass
from multiprocessing import parent_process
from pathlib import Path

from landbridge.errors import AccessDenied, ConfigError, UsageError
from landbridge.sealing import age, files

VARIABLE = "LANDBRIDGE_PASSPHRASE"
NEW_VARIABLE = "LANDBRIDGE_NEW_PASSPHRASE"
SHORTEST = 12
_unlocked: dict[str, str] = {}  # by the SHA-256 of the locked file: a passphrase is asked once, and costs seconds


def new_passphrase() -> str:
    """One for what is locked from now on, asked twice. Raises UsageError for one that can be guessed."""
    passphrase = os.environ.get(NEW_VARIABLE)
    if passphrase is None:
        passphrase = _ask("new passphrase: ", NEW_VARIABLE)
        if passphrase != _ask("the same again: ", NEW_VARIABLE):
            raise UsageError("the two passphrases differ", hint="repeat the command")
    if len(passphrase) < SHORTEST:
        raise UsageError(
            f"a passphrase has at least {SHORTEST} characters: whoever copies the file can try as many as he likes",
            hint="five words that nobody has said before",
        )
    return passphrase


def unlock(path: Path) -> str:
    """The text of an identity file that a passphrase locks. Raises AccessDenied, ConfigError."""
    data = files.read(path, files.READ_BY_OTHERS)
    digest = hashlib.sha256(data).hexdigest()
    if digest not in _unlocked:
        passphrase = os.environ.get(VARIABLE) or _ask(f"passphrase of {path}: ", VARIABLE)
        try:
            _unlocked[digest] = age.unlock(data, passphrase)
        except AccessDenied as error:
            raise AccessDenied(f"{path}: {error.message}", hint=f"see {VARIABLE}, or repeat the command") from error
        except ValueError as error:
            raise ConfigError(f"{path}: {error}", hint="take it from the backup") from error
    return _unlocked[digest]


def unlocked() -> Mapping[str, str]:
    """What this process has unlocked, for its workers; a secret that may go into a pipe to them, and nowhere else."""
    return dict(_unlocked)


def take_over(unlocked: Mapping[str, str]) -> None:
    """In a worker: what its coordinator had unlocked."""
    _unlocked.update(unlocked)


def _ask(prompt: str, variable: str) -> str:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        there = False
    else:
        there = parent_process() is None  # a worker has its coordinator's terminal, but nobody to answer
    if not there:
        raise AccessDenied(
            f"a passphrase is needed, and there is no terminal to ask for it ({prompt.rstrip(': ')})",
            hint=f"start the command from a terminal, or set {variable}",
        )
    return getpass(prompt)
