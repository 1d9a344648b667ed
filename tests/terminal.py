"""A command on a terminal of its own, and somebody who answers what it asks."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

SECONDS = 60


def on_terminal(
    command: Sequence[str | Path], answers: Sequence[tuple[str, str]], *, cwd: Path | None = None
) -> tuple[int, str]:
    """Run `command`; each time one of the texts is shown, in their order, type its answer. Exit code, all shown."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *map(str, command)], cwd=cwd, stdin=its, stdout=its, stderr=its
    )
    os.close(its)
    shown, at, waiting, end = "", 0, list(answers), time.monotonic() + SECONDS
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        assert time.monotonic() < end, f"no end; shown until now: {shown}"
        if not select.select([ours], [], [], 0.05)[0]:
            continue
        try:
            shown += os.read(ours, 4096).decode(errors="replace")
        except OSError:  # the last program has left the terminal
            break
        if waiting and (found := shown.find(waiting[0][0], at)) >= 0:
            at = found + len(waiting[0][0])
            os.write(ours, waiting.pop(0)[1].encode() + b"\n")
    os.close(ours)
    code = process.wait(timeout=10)
    assert not waiting, f"never asked: {waiting[0][0]}; shown: {shown}"
    return code, shown
