"""Every command can be found: in the help, in the docs, in a transcript; and asking for help is quick."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from landbridge.cli.main import COMMANDS, Summaries, build

ROOT = Path(__file__).parents[2]
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TRANSCRIPTS = sorted(Path(__file__).parent.glob("*.txt"))
HEAVY = ("pydantic", "sqlalchemy", "pyarrow", "duckdb", "psycopg", "asyncpg", "pyrage", "obstore", "rich", "yaml")


def commands(summaries: Summaries, *group: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every command as its words, with its summary."""
    for name, summary in summaries.items():
        if isinstance(summary, str):
            yield (*group, name), summary
        else:
            yield from commands(summary, *group, name)


ALL = dict(commands(COMMANDS))


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help(words: tuple[str, ...]) -> None:
    """`--help` of a command says what it is for, and explains every option and argument that it has."""
    result = CliRunner().invoke(build(words), [*words, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    assert ALL[words] in result.output
    entries = re.findall(r"^  (?:-\S+, )?(\S+)(?: \w+)?(?:  +(\S.*))?$", result.output, re.MULTILINE)
    assert [name for name, text in entries if not text and name.startswith("--")] == []


def test_summaries_are_shown_whole() -> None:
    """On a terminal of 80 columns no summary of the overview is cut."""
    for words, summary in ALL.items():
        overview = CliRunner().invoke(build(words[:-1]), [*words[:-1], "--help"], env={"COLUMNS": "80"})
        assert summary in overview.output


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_documented(words: tuple[str, ...]) -> None:
    """A page of the docs speaks of each command."""
    command = re.compile(rf"(landbridge |`){' '.join(words)}\b")
    assert any(command.search(page.read_text()) for page in DOCS)


@pytest.mark.parametrize("words", [words for words in ALL if words != ("demo",)], ids=" ".join)
def test_shown(words: tuple[str, ...]) -> None:
    """A transcript shows each command; the demo is a transcript itself, and takes its time."""
    command = re.compile(rf"^\$ .*landbridge {' '.join(words)}\b", re.MULTILINE)
    assert any(command.search(transcript.read_text()) for transcript in TRANSCRIPTS)


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_is_light(option: str) -> None:
    """Help and version import none of the libraries that move data, nor those that read config."""
    command = [sys.executable, "-X", "importtime", "-m", "landbridge", option]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in told.splitlines()}
    assert "typer" in loaded
    assert sorted(loaded & set(HEAVY)) == []
