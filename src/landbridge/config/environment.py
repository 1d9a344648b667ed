"""Variables: the environment, with `.env` behind it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from landbridge.config.document import Document
from landbridge.config.problems import Keys, Place, Problems

_ENTRY = re.compile(
    r"""
    \s* (?:export\s+)? (?P<name>[A-Za-z_]\w*) \s* = \s*
    (?: '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | (?P<bare>(?!['"]) .*?) )
    \s* (?:(?<=\s)\#.*)?
    """,
    re.VERBOSE | re.ASCII,
)
_REFERENCE = re.compile(r"\$\$|\$\{(?P<name>[A-Za-z_]\w*)(?::-(?P<default>(?:(?!\$\{)[^}])*))?\}|\$\{", re.ASCII)


class Unresolved(Exception):
    """What a value stands for cannot be had; the message says why, and holds no secret."""


@dataclass(frozen=True)
class Environment:
    """`values` by name; `lines` of those that .env gave. An empty value counts as one that is not set."""

    values: Mapping[str, str] = field(repr=False)
    lines: Mapping[str, int]

    def get(self, name: str) -> str | None:
        return self.values.get(name) or None

    def place(self, name: str) -> Place:
        """Where a variable was, or could be, set."""
        return Place(".env", self.lines[name], name) if name in self.lines else Place("environment", None, name)

    def expand(self, text: str) -> str:
        """`text` with `${NAME}`, `${NAME:-default}` and `$$` replaced, once: what was put in stays as it is.

        Raises Unresolved for a variable that is not set, and for a reference that is none.
        """

        def replacement(match: re.Match[str]) -> str:
            name, default = match["name"], match["default"]
            if match[0] == "$$":
                return "$"
            if name is None:
                raise Unresolved("'${' without a variable's name and '}'; write '$$' for a dollar")
            value = self.values.get(name) if default is None else self.get(name) or default
            if value is None:
                raise Unresolved(f"variable {name} is not set; set it in .env or the environment")
            return value

        return _REFERENCE.sub(replacement, text)

    def fill(self, document: Document, keys: Keys, variable: str) -> None:
        """Let a variable stand in for what the mapping around `keys`, which is there, does not have."""
        inner = document.get(keys[:-1])
        if isinstance(inner, dict) and keys[-1] not in inner:
            document.places[keys] = self.place(variable)
            if value := self.get(variable):
                document.set(keys, value)
                document.free.add(keys)


def read_environment(folder: Path, environ: Mapping[str, str], problems: Problems) -> Environment:
    """`environ` over what `.env` in `folder` says, if there is one."""
    entries = {name: entry for name, entry in _dotenv(folder, problems).items() if name not in environ}
    return Environment(
        values={**{name: value for name, (value, _) in entries.items()}, **environ},
        lines={name: line for name, (_, line) in entries.items()},
    )


def _dotenv(folder: Path, problems: Problems) -> dict[str, tuple[str, int]]:
    """Each variable's value and line; the rules are in docs/configuration.md."""
    try:
        text = (folder / ".env").read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        problems.add(Place(".env"), f"cannot be read: {(reason or 'not UTF-8 text').lower()}")
        return {}
    entries = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if entry := _ENTRY.fullmatch(line):
            entries[entry["name"]] = (_value(entry), number)
        else:
            problems.add(Place(".env", number), "not KEY=VALUE; quote a value that holds quotes")
    return entries


def _value(entry: re.Match[str]) -> str:
    if entry["double"] is not None:
        return re.sub(r'\\(["\\])', r"\1", entry["double"])
    return entry["single"] if entry["single"] is not None else entry["bare"]
