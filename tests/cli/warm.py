"""Programs of Python whose start is short: each runs in a process of its own that has others' libraries already.

A server imports once what landbridge imports, forgets landbridge, and forks for every call: the program is read and
run from its file as ever, with the arguments, folder, environment, input and outputs of the caller, and landbridge is
imported anew. `warm_programs` writes such callers. Two thirds of a command's time would go into importing libraries.
"""

import ast
import gc
import os
import runpy
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

IMPORTED_WHERE_USED = (
    "cryptography.hazmat.primitives.serialization",
    "duckdb",
    "obstore.store",
    "pgpq",
    "psycopg",
    "pyarrow.compute",
    "pyarrow.parquet",
    "pyrage",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
)
CALLER = """#!{python} -IS
import _socket, os, sys  # of the standard library no more, for every caller starts an interpreter
server = _socket.socket(_socket.AF_UNIX)
server.connect({address!r})
outputs = b"".join(one.to_bytes(4, sys.byteorder) for one in (0, 1, 2))
server.sendmsg([b"?"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, outputs)])
server.sendall(repr(({program!r}, sys.argv[1:], os.getcwd(), dict(os.environ))).encode())
server.shutdown(_socket.SHUT_WR)
os._exit(int(server.recv(8)))
"""


@contextmanager
def warm_programs(programs: Mapping[str, Path]) -> Iterator[Path]:
    """A folder for PATH that has a caller under each name, for the program of that file; ends with the block."""
    with tempfile.TemporaryDirectory(prefix="lb-warm-") as folder:
        address = f"{folder}/socket"
        for name, program in programs.items():
            caller = Path(folder, name)
            caller.write_text(CALLER.format(python=sys.executable, address=address, program=str(program)))
            caller.chmod(0o700)
        with socket.socket(socket.AF_UNIX) as listening:  # calls wait in it until all is imported
            listening.bind(address)
            listening.listen(64)
            command, own = [sys.executable, __file__, str(listening.fileno())], [listening.fileno()]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL}
            server = subprocess.Popen(command, env={}, pass_fds=own, **pipes)
        try:
            yield Path(folder)
        finally:
            server.stdin.close()
            assert server.wait(20) == 0


def get_warm() -> None:
    """Import what commands import; of landbridge itself nothing stays."""
    from landbridge.cli.main import COMMANDS

    for name, summary in COMMANDS.items():
        for words in [[name], *([name, word] for word in summary if not isinstance(summary, str))]:
            import_module(".".join(["landbridge.cli", *words]).replace("-", "_"))
    for name in IMPORTED_WHERE_USED:
        import_module(name)
    for name in [name for name in sys.modules if name.partition(".")[0] == "landbridge"]:
        del sys.modules[name]
    tempfile.tempdir = None  # asked for again, in the caller's environment
    gc.collect()
    gc.freeze()


def serve(listening: socket.socket) -> None:
    """Fork for each call, and answer it with the exit code, until standard input is closed."""
    waiting = selectors.DefaultSelector()
    waiting.register(listening, selectors.EVENT_READ)
    waiting.register(sys.stdin, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is sys.stdin:
                return
            if key.fileobj is listening:
                pid, caller = started(listening)
                waiting.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, caller))
            else:
                waiting.unregister(key.fileobj)
                os.close(key.fileobj)
                ended(*key.data)


def started(listening: socket.socket) -> tuple[int, socket.socket]:
    """The process of the next call, and who waits for it."""
    caller, _ = listening.accept()
    _, given, _, _ = socket.recv_fds(caller, 1, 3)
    said = b"".join(iter(lambda: caller.recv(1 << 16), b""))
    if pid := os.fork():
        for one in given:
            os.close(one)
        return pid, caller
    run(given, *ast.literal_eval(said.decode()))
    raise AssertionError("it has ended")


def run(given: list[int], program: str, words: list[str], folder: str, environment: dict[str, str]) -> None:
    """Be that program."""
    for place, one in enumerate(given):
        os.dup2(one, place)
    os.closerange(3, 1024)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = [program, *words]
    sys.path[0] = str(Path(program).parent)
    try:
        runpy.run_path(program, run_name="__main__")
    except BaseException as end:  # noqa: BLE001  told as the interpreter tells it
        code = told(end)
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def told(end: BaseException) -> int:
    """The exit code of a program that ended so; what it did not expect is shown."""
    if isinstance(end, SystemExit) and isinstance(end.code, int | None):
        return end.code or 0
    sys.excepthook(type(end), end, end.__traceback__)
    return 1


def ended(pid: int, caller: socket.socket) -> None:
    """Tell the caller; by a signal N it ends with 128 + N, as a shell says it."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with caller:
        caller.send(str(code if code >= 0 else 128 - code).encode())


if __name__ == "__main__":
    get_warm()
    serve(socket.socket(fileno=int(sys.argv[1])))
