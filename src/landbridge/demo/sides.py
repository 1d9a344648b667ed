"""A project of the demo, whose commands are typed as a person would type them."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from landbridge.errors import RunError

Say = Callable[[str], None]


@dataclass(frozen=True)
class Side:
    """The project `folder`; `environment` is what its commands see."""

    folder: Path
    say: Say
    environment: Mapping[str, str] = field(repr=False)

    def init(self) -> None:
        self._run("init", self.folder.name)

    def __call__(self, *words: str, shown: bool = True) -> str:
        """Run a command of this project, show it, and return what it printed. Raises RunError where it fails."""
        return self._run(*words, "--project", self.folder.name, shown=shown)

    def declare(self, *, tables: str | None = None, connections: str | None = None) -> None:
        """Write config/tables.yaml, landbridge.yaml, or both."""
        for file, text in (("config/tables.yaml", tables), ("landbridge.yaml", connections)):
            if text is not None:
                (self.folder / file).write_text(text)

    def _run(self, *words: str, shown: bool = True) -> str:
        if shown:
            self.say("$ landbridge " + " ".join(w if len(w) < 30 else w[:20] + "…" for w in words))
        done = subprocess.run(  # noqa: S603  our own command
            [sys.executable, "-m", "landbridge", *words],
            cwd=self.folder.parent,
            env=dict(self.environment),
            stdout=subprocess.PIPE,
            stderr=None if shown else subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if shown:
            self.say(done.stdout.rstrip())
        if done.returncode:
            raise RunError(f"landbridge {words[0]} ended with exit code {done.returncode}", hint="see its words above")
        return done.stdout
