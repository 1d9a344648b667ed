"""A command while it runs: what it says, signals to it, and waiting for what it does."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Thread

import psutil

PATIENCE = 120  # seconds for any one command
WORKERS_END = 10  # seconds for workers to notice that their coordinator is dead


@dataclass
class Running:
    """A command that was started; what it says is collected line by line."""

    process: "subprocess.Popen[str]"
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        assert self.process.stdout
        with self.process.stdout as out:
            self.lines.extend(line.rstrip() for line in iter(out.readline, ""))

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def signal(self, which: int) -> None:
        """To the coordinator alone."""
        os.kill(self.process.pid, which)

    def signal_all(self, which: int) -> None:
        """To the coordinator and its workers, as a terminal does."""
        os.killpg(self.process.pid, which)

    def wait(self) -> int:
        """The coordinator's exit code, negative for a signal; its workers may be dying still."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.signal_all(signal.SIGKILL)
            raise
        if code >= 0:
            self._listener.join(WORKERS_END)  # until all is read that it said
        return code

    def outlived(self) -> list[str]:
        """Whether workers, who hold its output open, are still there long after: that is wrong."""
        self._listener.join(WORKERS_END)
        if not self._listener.is_alive():
            return []
        self.signal_all(signal.SIGKILL)
        return ["workers outlived their coordinator"]

    def wait_for(self, text: str) -> bool:
        """True as soon as a line holds `text`; False when the command ended without it."""
        return wait_until(lambda: any(text in line for line in list(self.lines)), unless=lambda: self.ended)

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None and not self._listener.is_alive()

    def wait_stopped(self) -> bool:
        """True as soon as the coordinator, or one of its workers, is stopped; False when it ended instead."""
        coordinator = psutil.Process(self.process.pid)
        return wait_until(lambda: _stopped(coordinator), unless=lambda: self.ended)


def wait_until(met: Callable[[], bool], *, unless: Callable[[], bool] = lambda: False) -> bool:
    """True as soon as `met` says so; False if `unless` does before. TimeoutError after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if met():
            return True
        if unless():
            return False
        time.sleep(0.001)
    raise TimeoutError("what was waited for did not come")


def _stopped(coordinator: psutil.Process) -> bool:
    try:
        family = [coordinator, *coordinator.children(recursive=True)]  # workers are children of their server
        return any(one.status() == psutil.STATUS_STOPPED for one in family)
    except psutil.NoSuchProcess:
        return False
