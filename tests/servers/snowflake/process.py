"""An emulated Snowflake for the tests: started in its own environment, because its libraries are not ours."""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request, urlopen
from uuid import uuid4

ROOT = Path(__file__).parents[3]
PYTHON = ROOT / ".venv-snowflake" / "bin" / "python"
USER = "LANDBRIDGE"
STOP_SECONDS = 20


@dataclass(frozen=True)
class SnowflakeServer:
    """A running server; `log` holds what it wrote."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    log: Path

    def connection(self, **others: object) -> dict[str, object]:
        """Arguments of `snowflake.connector.connect` for this server; `others` are added or replace."""
        given = {"user": self.user, "password": self.password, "account": "landbridge_test"}
        address = {"host": self.host, "port": self.port, "protocol": "http", "login_timeout": 20}
        quiet = {"enable_server_session_keep_alive_auto_detection": False}  # connector 5 warns where it is not said
        return {**given, **address, **quiet, **others}

    def variables(self, database: str) -> list[str]:
        """`NAME=VALUE` of those that make schema PUBLIC of this database the connection `snowflake`."""
        who = {"ACCOUNT": "landbridge_test", "USER": self.user, "PASSWORD": self.password, "AUTH_METHOD": "password"}
        where = {"WAREHOUSE": "COMPUTE_WH", "DATABASE": database, "SCHEMA": "PUBLIC"}
        address = {"HOST": self.host, "PORT": self.port, "PROTOCOL": "http"}
        return [f"SNOWFLAKE_{name}={value}" for name, value in (who | where | address).items()]

    def new_database(self) -> str:
        """Make a database with its schema PUBLIC, under a name never used before, and return its name."""
        name = f"LANDBRIDGE_{uuid4().hex.upper()}"
        self.run(f"CREATE DATABASE {name}", f"CREATE SCHEMA {name}.PUBLIC")
        return name

    def run(self, *statements: str) -> None:
        """Run statements in a session of their own."""
        import snowflake.connector

        with snowflake.connector.connect(**self.connection()) as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    def start_test(self) -> None:
        """Settings as they were, an empty log."""
        self._send("PUT", "settings", {"users": {self.user: {"password": self.password}}})

    def set(self, **settings: object) -> None:
        """Change settings, see `state.Settings`."""
        self._send("PATCH", "settings", settings)

    def expire_sessions(self, *, master: bool = False) -> None:
        """Let every session of now expire; it cannot even be renewed if `master`."""
        self._send("POST", "expire", {"master": master})

    def statements(self) -> Sequence[Mapping[str, object]]:
        """Every statement received in this test: its `sql`, `tag`, `session`, `user`, `role`, `warehouse`."""
        return self._send("GET", "statements")

    def _send(self, method: str, path: str, content: object = None):
        data = None if content is None else json.dumps(content).encode()
        request = Request(f"http://{self.host}:{self.port}/test/{path}", data=data, method=method)
        with urlopen(request, timeout=30) as answer:  # noqa: S310 - our own http URL
            return json.load(answer)


@contextmanager
def snowflake_server() -> Iterator[SnowflakeServer]:
    """Run a server until the block ends, or until this process dies. Its stage files lie in a folder that goes too."""
    with tempfile.TemporaryDirectory(prefix="landbridge-snowflake-") as folder:
        log = Path(folder) / "server.log"
        with log.open("w") as words:
            command = [PYTHON, "-m", "tests.servers.snowflake.server"]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": words}
            process = subprocess.Popen(command, cwd=ROOT, env={"TMPDIR": folder, "PATH": "/usr/bin:/bin"}, **pipes)
        try:
            port = process.stdout.readline()  # the socket listens before the port is told
            assert port, f"the emulated Snowflake does not start: {log.read_text()}"
            yield SnowflakeServer("127.0.0.1", int(port), USER, uuid4().hex, log)
        finally:
            process.stdin.close()
            process.terminate()
            process.wait(STOP_SECONDS)
            process.stdout.close()
