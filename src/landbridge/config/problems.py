"""Problems of a project: collected while it is read, reported together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from landbridge.errors import ConfigError
from landbridge.schema.names import plain

PROJECT_FILES = ("landbridge.yaml", "config/tables.yaml", ".env", "environment")  # all others are files of pipelines

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where a value stands: a file of the project (or `environment`), a line from 1, a key path or variable."""

    file: str
    line: int | None = None
    path: str = ""

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.path}" if self.path else where


@dataclass
class Problems:
    """Lines of the ConfigError to come. A text never holds a value of the project."""

    _found: dict[Place, str] = field(default_factory=dict)

    def add(self, place: Place, text: str) -> None:
        """Note what is wrong at a place; what is said first about it stands, the rest mostly follows from that."""
        self._found.setdefault(place, text)

    def raise_if_any(self) -> None:
        """Raise ConfigError with one problem per line, files in the order of reading, lines ascending."""
        if not self._found:
            return
        files = list(dict.fromkeys(place.file for place in self._found))
        places = sorted(self._found, key=lambda place: (files.index(place.file), place.line or 0))
        raise ConfigError(
            "\n".join(f"{place}: {self._found[place]}" for place in places),
            hint=f"correct the lines named above; {_pages(files)} what each key takes",
        )


def _pages(files: Sequence[str]) -> str:
    of_pipelines = [file for file in files if file not in PROJECT_FILES]
    if not of_pipelines:
        return "docs/configuration.md says"
    both = len(of_pipelines) < len(files)
    return "docs/configuration.md and docs/pipelines.md say" if both else "docs/pipelines.md says"


def dotted(keys: Keys) -> str:
    """`tables[0].postgres.table`; a key that is no plain word is quoted and escaped."""
    path = ""
    for key in keys:
        if isinstance(key, int):
            path += f"[{key}]"
        else:
            word = plain(key)
            path += f".{word}" if path else word
    return path
