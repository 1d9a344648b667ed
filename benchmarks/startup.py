"""How long a person waits for `--help` and `--version`, against a Python that does nothing."""

import sys

from measure import Job, median, report, run
from stand import LANDBRIDGE

TIMES = 20
BAR = 0.25  # seconds


def main() -> None:
    bare = _seconds([sys.executable, "-c", "pass"])
    for option in ("--help", "--version"):
        seconds = _seconds([LANDBRIDGE, option])
        report(
            Job(f"startup: {option}", 0, 0),
            seconds={"landbridge": seconds, "python -c pass": bare},
            bar=f"seconds <= {BAR}",
            met=seconds <= BAR,
        )


def _seconds(command: list[str]) -> float:
    run(command, {})
    return median([run(command, {})[0] for _ in range(TIMES)])


if __name__ == "__main__":
    main()
