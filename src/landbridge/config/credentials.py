"""Secrets that stand elsewhere: `file:PATH` and `cmd:COMMAND`. No message holds what came out of either."""

import shlex
import subprocess
from pathlib import Path

from landbridge.config.environment import Environment
from landbridge.config.problems import Place, Problems

SECONDS = 30


def fetch(text: str, folder: Path, environment: Environment, place: Place, problems: Problems) -> str:
    """The secret that `text` stands for: a file's content, a command's output, else the text with variables put in."""
    if text.startswith("file:"):
        return _content(folder / environment.expand(text.removeprefix("file:"), place, problems), place, problems)
    if text.startswith("cmd:"):
        try:
            words = shlex.split(text.removeprefix("cmd:"))
        except ValueError as error:
            problems.add(place, f"command cannot be split into words: {str(error).lower()}")
            return ""
        # variables go in after the split: a blank or a quote in a value makes no further word
        return _output(
            [environment.expand(word, place, problems) for word in words], folder, environment, place, problems
        )
    return environment.expand(text, place, problems)


def _content(path: Path, place: Place, problems: Problems) -> str:
    try:
        return _without_line_end(path.read_text(encoding="utf-8"))
    except OSError as error:
        problems.add(place, f"file cannot be read: {(error.strerror or 'input/output error').lower()}")
    except ValueError:
        problems.add(place, "file is not UTF-8 text")
    return ""


def _output(words: list[str], folder: Path, environment: Environment, place: Place, problems: Problems) -> str:
    if not words:
        problems.add(place, "'cmd:' without a command")
        return ""
    name = words[0]
    try:
        done = subprocess.run(  # noqa: S603 - the user's own command, without a shell
            words,
            cwd=folder,
            env=environment.values,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        if done.returncode == 0:
            return _without_line_end(done.stdout.decode())
        problems.add(place, f"command {name!r} ended with exit code {done.returncode}")
    except subprocess.TimeoutExpired:
        problems.add(place, f"command {name!r} gave no answer within {SECONDS} s")
    except OSError as error:
        problems.add(place, f"command {name!r} cannot be started: {(error.strerror or 'input/output error').lower()}")
    except ValueError:
        problems.add(place, f"command {name!r} printed something that is not UTF-8 text")
    return ""


def _without_line_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
