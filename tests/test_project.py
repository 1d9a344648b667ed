"""The house keeps its own rules: what is declared twice agrees, and files stay small, documented and free of hosts."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import landbridge

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
MODULES = sorted((ROOT / "src" / "landbridge").rglob("*.py"))
FOLDERS = (".ci", "benchmarks", "docs", "src", "tests")
LOCKS = [
    ("requirements.lock", ("dev",)),
    ("requirements-bench.lock", ("bench",)),
    ("requirements-snowflake.lock", ("snowflake",)),
]
LINES_PER_FILE = 300
LINES_PER_FUNCTION = 60


def extra(name: str) -> Iterator[str]:
    """The requirements of an extra, those that it takes from other extras of ours written out."""
    for text in PYPROJECT["project"]["optional-dependencies"][name]:
        requirement = Requirement(text)
        if requirement.name == "landbridge":
            for inner in requirement.extras:
                yield from extra(inner)
        else:
            yield text


def group(name: str) -> Iterator[str]:
    """The requirements of a dependency group, included groups written out."""
    for entry in PYPROJECT["dependency-groups"][name]:
        if isinstance(entry, dict):
            yield from group(entry["include-group"])
        else:
            yield entry


def parsed(texts: Iterator[str] | list[str]) -> set[tuple[str, frozenset[str], str]]:
    requirements = [Requirement(x) for x in texts]
    return {(x.name.lower(), frozenset(x.extras), str(x.specifier)) for x in requirements}


def conda(file: str) -> tuple[list[str], list[str]]:
    """The conda and the pip requirements of an environment file."""
    environment = yaml.safe_load((ROOT / file).read_text())
    assert environment["name"] == "data-pipeline-system"  # the name that users know: seed 000
    *packages, pip = environment["dependencies"]
    return packages, pip["pip"]


@pytest.mark.parametrize(("file", "groups"), [("environment.yml", ()), ("environment-dev.yml", ("dev",))])
def test_conda_installs_what_pyproject_asks_for(file: str, groups: tuple[str, ...]) -> None:
    """Names, extras and version bounds are equal, the project itself comes last, and nothing else is installed."""
    expected = [*PYPROJECT["project"]["dependencies"], *extra("all"), *(x for name in groups for x in group(name))]
    packages, pip = conda(file)
    assert packages == [f"python{PYPROJECT['project']['requires-python']}", "pip"]
    assert pip[-1] == "-e ."
    assert parsed(pip[:-1]) == parsed(expected)


@pytest.mark.parametrize(("file", "groups"), LOCKS)
def test_lock_files_are_of_this_pyproject(file: str, groups: tuple[str, ...]) -> None:
    """Every requirement is locked to one version that it allows; forgetting `make lock` does not go unseen."""
    lines = re.findall(r"^([\w.\-]+)==([\w.]+)", (ROOT / file).read_text(), re.MULTILINE)
    locked = {name.lower(): version for name, version in lines}
    expected = [*PYPROJECT["project"]["dependencies"], *extra("all"), *(x for name in groups for x in group(name))]
    wrong = [str(x) for x in map(Requirement, expected) if locked.get(x.name.lower(), "") not in x.specifier]
    assert wrong == []


def test_the_version_is_the_same_everywhere() -> None:
    """What is installed, what the package says and what the changelog tells of are one version."""
    assert metadata.version("landbridge") == landbridge.__version__
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest[1] in ("Unreleased", landbridge.__version__)


def test_every_make_verb_is_described() -> None:
    """`make` without a verb lists all that there is."""
    text = (ROOT / "Makefile").read_text()
    verbs = set(re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split())
    assert verbs == set(re.findall(r"^([a-z-]+):.*## \w", text, re.MULTILINE))


def test_no_registry_is_named() -> None:
    """Nobody's package registry is wired in: each machine has its own settings for that."""
    hosts = [
        ".".join(x) for x in (("pypi", "org"), ("files", "pythonhosted"), ("registry", "npmjs"), ("deb", "debian"))
    ]
    files = [x for x in ROOT.iterdir() if x.is_file()]
    files += [
        x for folder in FOLDERS for x in (ROOT / folder).rglob("*") if x.is_file() and "__pycache__" not in x.parts
    ]
    texts = {x: x.read_bytes().lower() for x in files}
    named = [(str(x.relative_to(ROOT)), host) for x, text in texts.items() for host in hosts if host.encode() in text]
    assert named == []


def test_modules_say_what_they_are() -> None:
    """Each module begins with a docstring that is more than a placeholder."""
    silent = [x for x in MODULES if len(ast.get_docstring(ast.parse(x.read_text())) or "") < 10]
    assert [str(x.relative_to(ROOT)) for x in silent] == []


def test_files_are_small() -> None:
    """No module has more than 300 lines; there are no exceptions."""
    assert [str(x.relative_to(ROOT)) for x in MODULES if len(x.read_text().splitlines()) > LINES_PER_FILE] == []


def test_functions_are_small() -> None:
    """No function has more than 60 lines; there are no exceptions."""
    functions = [
        (f"{module.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1)
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [name for name, lines in functions if lines > LINES_PER_FUNCTION] == []
