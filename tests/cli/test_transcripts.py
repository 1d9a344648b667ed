"""Transcripts: what a person types and what the terminal then shows, played again with real processes.

A transcript is a `.txt` file beside this one. Its first line is its title, its second says what is given: a key of
GIVEN. `$ ` begins a command, `> ` goes on with it; what follows is all that it must print (stdout and stderr, as on a
terminal), and `exit N` at the end where N is not 0. Lines that begin with `# ` tell the reader something.
In what is printed, `[..]` stands for any text within a line, a line `...` for any lines, and two or more blanks for
any number of them. All commands of a transcript are one bash session (`set -o pipefail`) that also has `sql`: sql.py,
and `hook`: hook.py, in the background once its port is known. Each `landbridge` is a process of its own that imports
landbridge anew, with others' libraries there already (warm.py); those of COLD start an interpreter as a person's do.
"""

import difflib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.conftest import SCRIPTS
from tests.cli.given import GIVEN, an_account
from tests.servers.snowflake.process import SnowflakeServer

HERE = Path(__file__).parent
ON_SNOWFLAKE = HERE / "snowflake.txt"
TRANSCRIPTS = sorted(set(HERE.glob("*.txt")) - {ON_SNOWFLAKE})
COLD = {"start", "together", "metadata"}  # the first steps, several at once, and what is told by the second
END = "\x1e"
PREAMBLE = f"""set -o pipefail
hook() {{ {sys.executable} {HERE / "hook.py"} "$@" > /dev/null 2>&1 & until [ -s "$1.port" ]; do sleep 0.02; done; }}
"""


@dataclass
class Step:
    """A command, and what it must print."""

    line: int
    command: str
    printed: list[str] = field(default_factory=list)
    code: int = 0


def steps(text: str) -> Iterator[Step]:
    step: Step | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("$ "):
            if step:
                yield step
            step = Step(number, line[2:])
        elif line.startswith("# ") or step is None:
            continue
        elif line.startswith("> "):
            step.command += "\n" + line[2:]
        elif line.startswith("exit "):
            step.code = int(line[5:])
        else:
            step.printed.append(line)
    if step:
        yield step


def played(commands: list[Step], folder: Path, pg_url: str, programs: Path, *, cold: bool) -> list[tuple[str, int]]:
    """What each command printed, and its exit code."""
    start = f'landbridge() {{ {SCRIPTS}/landbridge "$@"; }}\n' if cold else ""
    script = PREAMBLE + start + "".join(f"{step.command}\nprintf '\\n{END}%d{END}' $?\n" for step in commands)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={"PATH": f"{programs}:{SCRIPTS}:{os.environ['PATH']}", "HOME": str(folder), "PG_URL": pg_url},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    *pieces, rest = done.stdout.decode().split(END)
    assert len(pieces) == 2 * len(commands), rest
    return [(said.strip("\n"), int(code)) for said, code in zip(pieces[::2], pieces[1::2], strict=True)]


def pattern(line: str) -> str:
    if line == "...":
        return r"(.*\n)*?"
    return re.sub(r"(\\ ){2,}", " {2,}", re.escape(line.rstrip()).replace(r"\[\.\.\]", ".*?")) + r" *\n"


def check(step: Step, said: str, code: int) -> None:
    expected = "\n".join(step.printed).strip("\n").split("\n")
    if not re.fullmatch("".join(map(pattern, expected)), said + "\n") or code != step.code:
        changes = difflib.unified_diff(
            [*expected, f"exit {step.code}"], [*said.split("\n"), f"exit {code}"], lineterm=""
        )
        pytest.fail(f"line {step.line}: $ {step.command}\n" + "\n".join(list(changes)[2:]), pytrace=False)


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(transcript: Path, tmp_path: Path, pg_url: str, warm: Path) -> None:
    """Every command of the transcript prints what is written there, and ends with the exit code written there."""
    given = transcript.read_text().splitlines()[1].removeprefix("given ")
    GIVEN[given](tmp_path, pg_url)
    play(transcript, tmp_path, pg_url, warm)


def test_on_snowflake(tmp_path: Path, pg_url: str, snowflake: SnowflakeServer, warm: Path) -> None:
    """So does every command of the transcript that an emulated account is given for."""
    an_account(tmp_path, pg_url, snowflake)
    play(ON_SNOWFLAKE, tmp_path, pg_url, warm)


def play(transcript: Path, folder: Path, pg_url: str, programs: Path) -> None:
    text = transcript.read_text()
    day = datetime.now(UTC).date()
    outcomes = played(list(steps(text)), folder, pg_url, programs, cold=transcript.stem in COLD)
    if datetime.now(UTC).date() != day:  # the numbers of runs began anew meanwhile
        text = re.sub(r"_run\d+", "_run[..]", text)
    for step, (said, code) in zip(steps(text), outcomes, strict=True):
        check(step, said, code)
