"""docs/key-ceremony.md, played: every command of the page, typed in its order on the machine that it names."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from landbridge.sealing.keyring import Keyring
from tests.cli.conftest import SCRIPTS
from tests.engine.projects import MART, PRICES, WAREHOUSE, in_duckdb, make_project, table

PAGE = Path(__file__).parents[2] / "docs" / "key-ceremony.md"
PASSPHRASE = "five words nobody has said"
BLOCK = re.compile(r"^( *)```sh (\w+)( refused)?\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks() -> Iterator[tuple[str, bool, str]]:
    """The machine, whether the last command must be refused, and the commands."""
    for _, machine, refused, commands in BLOCK.findall(PAGE.read_text()):
        yield machine, bool(refused), commands


def machines(folder: Path) -> None:
    """The two projects as they are before the ceremony, without keys; empty folders; a medium."""
    prices = table("prices", target="mart")
    escrow = "parcels: {require_escrow: true}"
    exporter = make_project(folder / "exporter", WAREHOUSE, tables=[prices], settings=escrow)
    importer = make_project(folder / "importer", MART, tables=[prices])
    in_duckdb(exporter / "warehouse.duckdb", PRICES)
    in_duckdb(importer / "mart.duckdb", "SELECT 1")
    for project in (exporter, importer):
        shutil.rmtree(project / "keys")
    for name in ("escrow", "bay", "medium"):
        (folder / name).mkdir()


def typed(machine: Path, commands: str, programs: Path) -> tuple[int, str]:
    """Exit code of the first command that fails, else 0; and all that was printed."""
    path = f"{programs}:{SCRIPTS}:{os.environ['PATH']}"
    passphrases = {"LANDBRIDGE_PASSPHRASE": PASSPHRASE, "LANDBRIDGE_NEW_PASSPHRASE": PASSPHRASE}
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=machine,
        env={"PATH": path, "HOME": str(machine), "MEDIUM": str(machine.parent / "medium"), **passphrases},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def test_every_command_of_the_page_works_as_typed(tmp_path: Path, warm: Path) -> None:
    """From empty key folders to rotated ones: all succeed but the one that must not; the table arrives at last."""
    machines(tmp_path)
    for machine, refused, commands in blocks():
        code, printed = typed(tmp_path / machine, commands, warm)
        assert bool(code) == refused, f"{machine}: {commands}{printed}"
        assert not refused or "sealed for other keys than the ones here" in printed
    assert in_duckdb(tmp_path / "importer" / "mart.duckdb", "SELECT count(*) FROM prices") == [(100,)]
    exporter, importer = (Keyring(tmp_path / name / "keys") for name in ("exporter", "importer"))
    bay = [key.text for key in exporter.store.trusted("recipient") if key.name == "bay"]
    escrow = Keyring(tmp_path / "escrow" / "keys").own_recipient
    assert set(exporter.recipients(require_escrow=True)) == {importer.own_recipient, escrow, *bay}
    assert importer.trusted_signers() == (exporter.own_verifier,)
    assert len(importer.store.revoked()) == len(exporter.store.revoked()) == 2


def test_all_commands_of_the_page_are_played() -> None:
    """A block of shell commands without a machine would go untested."""
    text = PAGE.read_text()
    assert len(re.findall(r"^ *```sh", text, re.MULTILINE)) == len(list(blocks())) > 20
    outside = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert not re.search(r"^ *(\$ )?landbridge ", outside, re.MULTILINE)
