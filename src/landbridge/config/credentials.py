"""Secrets that stand elsewhere: `file:PATH` and `cmd:COMMAND`. No message holds what came out of either."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

from landbridge.config.document import Document
from landbridge.config.environment import Environment, Unresolved
from landbridge.config.problems import Keys, Problems

SECONDS = 30


def fetch(text: str, folder: Path, environment: Environment) -> str:
    """What `text` stands for: a file's content, a command's output, else the text with variables put in.

    Raises Unresolved. A command is not started where one of its variables is not set.
    """
    if text.startswith("file:"):
        return _content(folder / environment.expand(text.removeprefix("file:")))
    if text.startswith("cmd:"):
        # variables go in after the split: a blank or a quote in a value makes no further word
        words = _split(text.removeprefix("cmd:"))
        return _output(words[0], [environment.expand(word) for word in words], folder, environment)
    return environment.expand(text)


def put_in(
    document: Document, folder: Path, environment: Environment, is_secret: Callable[[Keys], bool], problems: Problems
) -> None:
    """Replace all that stands for variables in a document, and for files and commands where it `is_secret`."""
    for keys, place in list(document.places.items()):
        text = document.get(keys)
        if not keys or not isinstance(text, str):
            continue
        try:
            value = fetch(text, folder, environment) if is_secret(keys) else environment.expand(text)
        except Unresolved as error:
            problems.add(place, str(error))
        else:
            if value != text:
                document.set(keys, value)
                document.free.add(keys)


def _split(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise Unresolved(f"command cannot be split into words: {str(error).lower()}") from None
    if not words:
        raise Unresolved("'cmd:' without a command")
    return words


def _content(path: Path) -> str:
    try:
        return _without_line_end(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unresolved(f"file cannot be read: {(error.strerror or 'input/output error').lower()}") from None
    except ValueError:
        raise Unresolved("not a file of UTF-8 text") from None


def _output(name: str, words: list[str], folder: Path, environment: Environment) -> str:
    """What the command prints; it sees the variables of .env as well. An error tells `name`, never the output."""
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, without a shell
            words,
            cwd=folder,
            env=environment.values,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        return _without_line_end(done.stdout.decode())
    except subprocess.CalledProcessError as error:
        reason = f"ended with exit code {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"gave no answer within {SECONDS} s"
    except OSError as error:
        reason = f"cannot be started: {(error.strerror or 'input/output error').lower()}"
    except ValueError:
        reason = "cannot be started, or printed something that is not UTF-8 text"
    raise Unresolved(f"command {name!r} {reason}")


def _without_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
