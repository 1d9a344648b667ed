"""Variables: .env, the environment, and what stands for them in landbridge.yaml."""

from pathlib import Path

import pytest

from landbridge.config.environment import read_environment
from landbridge.config.problems import Problems
from tests.config.conftest import Lines, Load

POSTGRES = "connections: {pg: {type: postgres, host: h, database: d, user: u, %s}}"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("K=a b", "a b"),
        ("export K = a  ", "a"),
        ("K=a#b", "a#b"),
        ("K=a # b", "a"),
        ("K= # b", ""),
        ("K=", ""),
        ("K='a # \"b\" \\n'  # c", 'a # "b" \\n'),
        ('K="a # \\"b\\" \\\\ \\n ${X} $"', 'a # "b" \\ \\n ${X} $'),
        ("K=it's", "it's"),
        ("K=a=b\r", "a=b"),
        ("K=1\nK=2", "2"),
        ("# no\n\n  # no\nK=ü", "ü"),
    ],
)
def test_dotenv_values(tmp_path: Path, line: str, value: str):
    """The quoting rules of docs/configuration.md, and nothing is expanded."""
    (tmp_path / ".env").write_text(line, encoding="utf-8")
    assert read_environment(tmp_path, {}, Problems()).values == {"K": value}


@pytest.mark.parametrize("line", ["CANARY", "K='CANARY", "K='a'CANARY", 'K="CANARY\\"', "1K=CANARY", "K CANARY=1"])
def test_dotenv_mistakes(lines: Lines, line: str):
    """A line that is no entry is named by its number, not quoted."""
    assert lines(dotenv=f"A=1\n{line}") == [".env:2: not KEY=VALUE; quote a value that holds quotes"]


def test_precedence(load: Load):
    """landbridge.yaml over the environment over .env over the default."""
    dotenv = "EXPORT_BASE_DIR=dotenv\nIMPORT_BASE_DIR=dotenv\nCOMPRESSION_LEVEL=7"
    project = load(
        "stage: ${NO:-default}\nparcels: {compression_level: 8}", "tables: []", dotenv, {"EXPORT_BASE_DIR": "env"}
    )
    assert [Path(x).name for x in (project.exports, project.imports, project.stage)] == ["env", "dotenv", "default"]
    assert (project.parcels.compression_level, project.parcels.compression_type) == (8, "zstd")
    assert load("", environ={"COMPRESSION_TYPE": "gzip"}).parcels.compression_level == 7


def test_the_process_environment(load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """By default the process's environment counts; it is never changed."""
    import os

    from landbridge.config.project import load_project

    load("stage: ${LANDBRIDGE_TEST}", environ={"LANDBRIDGE_TEST": "x"}, dotenv="OTHER_LANDBRIDGE_TEST=1")
    monkeypatch.setenv("LANDBRIDGE_TEST", "y")
    before = dict(os.environ)
    assert load_project(tmp_path).stage == str(tmp_path / "y")
    assert dict(os.environ) == before


def test_what_was_put_in_is_not_looked_at_again(load: Load):
    """A password may hold braces, dollars and the words file: and cmd:."""
    for password in ("a${B}$$c", "file:/etc/passwd", "cmd:false", "{x}"):
        connection = load(POSTGRES % "password: '${PW}'", environ={"PW": password, "B": "no"}).connections["pg"]
        assert connection.password.get_secret_value() == password
    written = load(POSTGRES % "password: 'a$$b$c$${D}'").connections["pg"]
    assert written.password.get_secret_value() == "a$b$c${D}"


def test_empty_variables(load: Load):
    """An empty variable takes the default of `:-`, and without one it is an empty text."""
    connection = load(POSTGRES % "password: '${E}', sslrootcert: '${E:-ca.pem}'", environ={"E": ""}).connections["pg"]
    assert connection.password.get_secret_value() == ""
    assert connection.sslrootcert.endswith("/ca.pem")


def test_numbers_and_booleans_from_variables(load: Load, lines: Lines):
    """A variable may stand for a number or a boolean; a text in quotes may not."""
    project = load(POSTGRES % "port: '${P}'" + "\ndefaults: {encryption: '${B:-false}'}", environ={"P": "15432"})
    assert project.connections["pg"].port == 15432
    assert lines(POSTGRES % "port: '${P}'", environ={"P": "CANARY"}) == [
        "landbridge.yaml:1: connections.pg.port: must be a whole number"
    ]
    assert lines(POSTGRES % "port: '5432'") == ["landbridge.yaml:1: connections.pg.port: must be a whole number"]
    assert lines(POSTGRES % "port: '${P}'", environ={"P": "99999"}) == [
        "landbridge.yaml:1: connections.pg.port: must be at most 65535"
    ]
    password = load(POSTGRES % "password: '${P}'", environ={"P": "15432"}).connections["pg"].password
    assert password.get_secret_value() == "15432"


def test_mistakes_in_references(lines: Lines):
    """An unset variable is named with the key that asks for it; a broken reference is not quoted."""
    assert lines("stage: a\nkeys: ${HOUSE_KEYS}/x") == [
        "landbridge.yaml:2: keys: variable HOUSE_KEYS is not set; set it in .env or the environment"
    ]
    broken = "'${' without a variable's name and '}'; write '$$' for a dollar"
    assert lines("stage: ${CANARY\nkeys: ${A:-${CANARY}}\nimports: ${1CANARY}") == [
        f"landbridge.yaml:1: stage: {broken}",
        f"landbridge.yaml:2: keys: {broken}",
        f"landbridge.yaml:3: imports: {broken}",
    ]


def test_tables_yaml_is_not_expanded(load: Load):
    """A dollar in SQL is a dollar."""
    source = "{connection: pg, table: t, filter: \"a = '${X} $$'\"}"
    tables = f"tables: [{{name: a, source: {source}, target: {{connection: pg, table: u}}}}]"
    assert load(POSTGRES % "port: 1", tables).tables[0].read.filter.where == "(a = '${X} $$')"
