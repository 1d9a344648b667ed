"""Connections: options of each type, defaults from the environment, secrets from elsewhere."""

import sys
from pathlib import Path

import pytest

from landbridge.config import credentials
from landbridge.config.connections import DEFAULTS
from landbridge.connectors.duckdb.options import DuckDBOptions
from landbridge.connectors.postgres.connector import PostgresOptions
from landbridge.connectors.registry import OPTIONS, open_connector
from landbridge.connectors.snowflake.options import SnowflakeOptions
from landbridge.errors import NotInstalled
from tests.config.conftest import Lines, Load

SNOWFLAKE = {f"SNOWFLAKE_{k}": k.lower() for k in ("ACCOUNT", "USER", "WAREHOUSE", "DATABASE", "SCHEMA")}
POSTGRES = {"POSTGRES_HOST": "h", "POSTGRES_DATABASE": "d", "POSTGRES_USER": "u"}
CANARY = "CANARY"
SSLMODE = "must be 'disable', 'allow', 'prefer', 'require', 'verify-ca' or 'verify-full'"
MEMORY = "must be: most memory that one process of DuckDB takes, as in 256MB or 1GiB"


def test_every_type_loads(load: Load, tmp_path: Path):
    """Files are absolute afterwards, the rest is as written or has its default."""
    project = load("""
connections:
  d: {type: duckdb, path: data/w.duckdb, database: PROD_DB, memory_limit: 1GiB, threads: 2}
  p: {type: postgres, host: h, port: 1, database: d, user: u, sslmode: verify-full, sslrootcert: ca.pem, streams: 3}
  q: {type: postgres, host: h, database: d, user: u, sslrootcert: system}
  s: {type: snowflake, account: a, user: u, warehouse: w, database: d, schema: s}
""")
    duckdb, p, q, snowflake = project.connections.values()
    assert duckdb == DuckDBOptions(
        type="duckdb", path=str(tmp_path / "data/w.duckdb"), database="PROD_DB", memory_limit="1GiB", threads=2
    )
    assert isinstance(p, PostgresOptions)
    assert isinstance(q, PostgresOptions)
    assert (p.port, p.sslmode, p.streams, p.connect_timeout) == (1, "verify-full", 3, 10)
    assert p.sslrootcert == str(tmp_path / "ca.pem")
    assert (q.port, q.sslmode, q.streams, q.sslrootcert) == (5432, None, 2, "system")
    assert isinstance(snowflake, SnowflakeOptions)
    assert (snowflake.schema_, snowflake.auth_method) == ("S", "sso")


def test_every_option_says_what_it_is():
    """Each option has a description."""
    for options in OPTIONS.values():
        assert [name for name, info in options.model_fields.items() if not info.description] == []


def test_mistakes_in_options(lines: Lines):
    """Every kind of mistake, each with its line and path, all at once."""
    assert lines("""connections:
  p:
    type: postgres
    host: ""
    databse: d
    port: 70000
    user: no
    sslmode: on
    streams: 17
    password: 12
  s: {type: snowflake, account: a, user: u, warehouse: w, database: d, schema: s, auth_method: key_pair}
  d: {type: duckdb, path: ":memory:", memory_limit: lots, threads: 0}
  e: {type: duckbd}
  f: {type: oracle}
  g:
  h: {path: a}
  i: {type: [duckdb]}
""") == [
        "landbridge.yaml:2: connections.p.database: missing",
        "landbridge.yaml:4: connections.p.host: must not be empty",
        "landbridge.yaml:5: connections.p.databse: unknown key; did you mean 'database'?",
        "landbridge.yaml:6: connections.p.port: must be at most 65535",
        "landbridge.yaml:7: connections.p.user: must be text, but YAML reads this as true or false; quote it",
        f"landbridge.yaml:8: connections.p.sslmode: {SSLMODE}",
        "landbridge.yaml:9: connections.p.streams: must be at most 16",
        "landbridge.yaml:10: connections.p.password: must be text, but YAML reads this as a number; quote it",
        "landbridge.yaml:11: connections.s.private_key_path: missing; auth_method key_pair needs it",
        "landbridge.yaml:12: connections.d.path: must be a file: several processes have to see the same database",
        f"landbridge.yaml:12: connections.d.memory_limit: {MEMORY}",
        "landbridge.yaml:12: connections.d.threads: must be at least 1",
        "landbridge.yaml:13: connections.e.type: unknown type; did you mean 'duckdb'?",
        "landbridge.yaml:14: connections.f.type: unknown type; known: duckdb, postgres, snowflake",
        "landbridge.yaml:15: connections.g: must be a mapping of keys to values",
        "landbridge.yaml:16: connections.h.type: missing, or no text; one of duckdb, postgres, snowflake",
        "landbridge.yaml:17: connections.i.type: missing, or no text; one of duckdb, postgres, snowflake",
    ]
    assert lines("connections: [a]") == ["landbridge.yaml:1: connections: must be a mapping of keys to values"]


def test_defaults_from_the_environment(load: Load):
    """The seed's variables make the connections snowflake and postgres (seed 000, section 0.4)."""
    snowflake = {
        **SNOWFLAKE,
        "SNOWFLAKE_AUTH_METHOD": "key_pair",
        "SNOWFLAKE_PRIVATE_KEY_PATH": "/k.p8",
        "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE": "${x}",
        "SNOWFLAKE_ROLE": "r",
        "SNOWFLAKE_SSO_URL": "https://sso",
        "SNOWFLAKE_REGION": "",
    }
    dotenv = "POSTGRES_PASSWORD='a${b}'\nPOSTGRES_HOST=no\nPOSTGRES_SSLMODE=disable\n"
    environ = {**snowflake, **POSTGRES, "POSTGRES_PORT": "15432"}
    project = load("", dotenv=dotenv, environ=environ)
    s, p = project.connections["snowflake"], project.connections["postgres"]
    assert isinstance(s, SnowflakeOptions)
    assert isinstance(p, PostgresOptions)
    assert (s.account, s.role, s.region, s.sso_url) == ("account", "R", None, "https://sso")
    assert s.private_key_passphrase is not None
    assert s.private_key_passphrase.get_secret_value() == "${x}"
    assert (p.host, p.port, p.sslmode) == ("h", 15432, "disable")
    assert p.password is not None
    assert p.password.get_secret_value() == "a${b}"


def test_declared_connections_win(load: Load):
    """A connection of that name in landbridge.yaml takes nothing from the environment."""
    connections = load("connections: {postgres: {type: duckdb, path: w.duckdb}}", environ=POSTGRES).connections
    assert [type(options) for options in connections.values()] == [DuckDBOptions]
    assert load("", environ={"POSTGRES_DATABASE": "d", "POSTGRES_HOST": ""}).connections == {}


def test_mistakes_in_the_environment(lines: Lines):
    """The variable is named, with its line in .env or the advice where to set it."""
    dotenv = "POSTGRES_HOST=h\n\nPOSTGRES_PORT=CANARY\nSNOWFLAKE_AUTH_METHOD=CANARY\nSNOWFLAKE_USER=\n"
    environ = {"SNOWFLAKE_ACCOUNT": "a", "POSTGRES_USER": "u", "SNOWFLAKE_WAREHOUSE": "w"}
    assert lines("", dotenv=dotenv, environ=environ) == [
        ".env:3: POSTGRES_PORT: must be a whole number",
        ".env:4: SNOWFLAKE_AUTH_METHOD: must be 'sso', 'password', 'key_pair', 'oauth' or 'pat'",
        ".env:5: SNOWFLAKE_USER: missing; set it in .env or the environment",
        "environment: SNOWFLAKE_DATABASE: missing; set it in .env or the environment",
        "environment: SNOWFLAKE_SCHEMA: missing; set it in .env or the environment",
        "environment: POSTGRES_DATABASE: missing; set it in .env or the environment",
    ]


@pytest.mark.parametrize(
    ("method", "variable"),
    [("password", "PASSWORD"), ("key_pair", "PRIVATE_KEY_PATH"), ("oauth", "TOKEN")],
)
def test_what_a_login_method_needs(lines: Lines, load: Load, method: str, variable: str):
    """A method without its variable is a problem that names the variable."""
    environ = {**SNOWFLAKE, "SNOWFLAKE_AUTH_METHOD": method}
    assert lines("", environ=environ) == [
        f"environment: SNOWFLAKE_{variable}: missing; auth_method {method} needs it; set it in .env or the environment"
    ]
    assert load("", environ={**environ, f"SNOWFLAKE_{variable}": "x"}).connections["snowflake"]


def test_secrets_from_files_and_commands(load: Load, tmp_path: Path):
    """Content and output without the one line end; variables go in after the command is split into words."""
    (tmp_path / "pw").write_text("a b\n\n")
    declared = """
connections:
  p: {type: postgres, host: h, database: d, user: u, password: "%s"}
drive_table: "cmd:echo sqlite:///my.db"
"""
    for text, password in [
        ("file:pw", "a b\n"),
        ("file:${DIR}/pw", "a b\n"),
        ("cmd:cat pw", "a b\n"),
        ("cmd:printf '%s|' ${A} '$$'", "x  'y|$|"),
        ("cmd:printenv A", "x  'y"),
    ]:
        project = load(declared % text, environ={"DIR": str(tmp_path), "A": "x  'y", "PATH": "/usr/bin:/bin"})
        assert project.connections["p"].password.get_secret_value() == password
        assert project.drive_table == f"sqlite:///{tmp_path}/my.db"


def test_only_secrets_come_from_elsewhere(load: Load):
    """In any other value, `file:` and `cmd:` are text."""
    project = load("connections: {p: {type: postgres, host: 'cmd:false', database: 'file:x', user: u}}")
    assert project.connections["p"].host == "cmd:false"


def test_secrets_that_do_not_come(lines: Lines, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The command's name and exit code, never its output; the file's trouble, never its content."""
    monkeypatch.setattr(credentials, "SECONDS", 0.1)
    (tmp_path / "binary").write_bytes(b"CANARY\xff")
    texts = [
        "file:CANARY",
        "file:.",
        "file:binary",
        "cmd:sh -c 'echo CANARY; echo CANARY >&2; exit 3'",
        "cmd:/no/such CANARY",
        "cmd:sleep 5",
        "cmd:cat binary",
        "cmd:",
        "cmd:echo 'CANARY",
        "cmd:touch started ${NO}",
        "file:a\\0CANARY",
        "cmd:${PW} x",
    ]
    declared = "connections:\n" + "\n".join(
        f'  c{i}: {{type: postgres, host: h, database: d, user: u, password: "{text}"}}' for i, text in enumerate(texts)
    )
    assert lines(declared, environ={"PATH": "/usr/bin:/bin", "PW": "CANARY"}) == [
        f"landbridge.yaml:{i + 2}: connections.c{i}.password: {text}"
        for i, text in enumerate(
            [
                "file cannot be read: no such file or directory",
                "file cannot be read: is a directory",
                "not a file of UTF-8 text",
                "command 'sh' ended with exit code 3",
                "command '/no/such' cannot be started: no such file or directory",
                "command 'sleep' gave no answer within 0.1 s",
                "command 'cat' cannot be started, or printed something that is not UTF-8 text",
                "'cmd:' without a command",
                "command cannot be split into words: no closing quotation",
                "variable NO is not set; set it in .env or the environment",
                "not a file of UTF-8 text",
                "command '${PW}' cannot be started: no such file or directory",
            ]
        )
    ]
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("kind", list(OPTIONS))
def test_no_option_tells_its_value(lines: Lines, kind: str):
    """A password in the wrong place, or malformed, never comes back in a message."""
    fields = [info.alias or name for name, info in OPTIONS[kind].model_fields.items()] + ["pasword"]
    shapes = [CANARY, "[CANARY]", "{CANARY: CANARY}", "!CANARY x", "*CANARY", '"CANARY', "${CANARY!}", "file:CANARY"]
    for field in fields:
        for shape in shapes:
            told = lines(f"connections: {{c: {{type: {kind}, {field}: {shape}, port: CANARY}}}}")
            assert CANARY not in "\n".join(told)


def test_no_variable_tells_its_value(lines: Lines):
    """The same for the variables of the default connections."""
    for name, keys in DEFAULTS.items():
        environ = {f"{name}_{key}".upper(): f"{CANARY}\udcff" for key in keys}
        assert CANARY not in "\n".join(lines("", environ=environ))


def test_secrets_are_hidden(load: Load):
    """No repr or str of the project or its parts shows a secret."""
    project = load(
        "connections: {p: {type: postgres, host: h, database: d, user: u, password: CANARY}}\n"
        "drive_table: postgresql://u:CANARY@h/d",
        environ={**SNOWFLAKE, "SNOWFLAKE_TOKEN": CANARY, "SNOWFLAKE_PASSWORD": CANARY},
    )
    assert project.drive_table == "postgresql://u:CANARY@h/d"
    shown = [repr(project), str(project), *map(str, project.connections.values())]
    assert CANARY not in "".join(shown)


def test_a_missing_driver_is_told(load: Load, monkeypatch: pytest.MonkeyPatch):
    """At the first use, with what to install: the options alone need none."""
    connector = open_connector("x", load("", environ=SNOWFLAKE).connections["snowflake"])
    monkeypatch.setitem(sys.modules, "snowflake.connector", None)
    with pytest.raises(NotInstalled) as caught:
        connector.describe([])
    assert caught.value.message == "connection 'x' needs the snowflake connector"
    assert caught.value.hint == "pip install 'landbridge[snowflake]'"
