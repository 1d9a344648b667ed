"""Parts (e) and (f): servers that die, come back, or go on without us; disks that are full."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import psycopg

from landbridge.demo.postgres_programs import unprivileged
from landbridge.demo.postgres_server import PostgresServer, postgres_server
from tests.faults.aftermath import ask, rerun, still_old, wrongs
from tests.faults.running import wait_until
from tests.faults.scenes import SCENES, NotRun, Trial
from tests.faults.workshop import Case, Workshop

SERVER_DIES = (
    ("import, swap", "postgres: a worker after a chunk of its first COPY is sent"),
    ("import, swap", "postgres: after the indexes are built"),
    ("import, swap", "postgres: after the load is in the book of loads"),
    ("import, rewrite", "postgres: after the new rows are inserted"),
    ("run, swap", "postgres: after the landing table is made"),
    ("import, drive table in PostgreSQL", "phase: after stage_to_target_transfer is recorded as begun"),
)


def server_deaths(shop: Workshop, folder: Path) -> Iterator[Trial]:
    """Part (e): the target's server is killed under a run, and started again, on another port at that.

    Then one that goes on working for a coordinator which is dead.
    """
    for number, (scene, point) in enumerate(SERVER_DIES):
        yield Trial(scene, f"server dies {point}", partial(_server_dies, folder / f"server{number}", scene, point))
    yield Trial(
        "import, swap", "server dies after the end, commits are asynchronous", partial(_forgets, folder / "late")
    )
    for scene in ("import, swap", "import, rewrite"):
        yield Trial(scene, "server recovers from a crash between append and publish", partial(_recovers, shop, scene))
    act = partial(_outlived_by_its_statement, shop)
    yield Trial("import, rewrite", "kill -9 while the server deletes old rows for 20 s", act)


def _server_dies(folder: Path, scene: str, point: str) -> tuple[str, list[str]]:
    with ExitStack() as first:
        server = first.enter_context(postgres_server(folder=folder / "postgres"))
        shop = Workshop(server, folder / "shop", rows=20_000, width=6)
        with shop.case(SCENES[scene], keep=True) as case:
            running = case.start(LB_FAULT=point, LB_FAULT_SIGNAL=str(int(signal.SIGSTOP)))
            found = [] if running.wait_stopped() else [f"it came not past {point}: {running.said}"]
            kill_server(folder / "postgres")
            running.signal_all(signal.SIGCONT)
            code = running.wait()
            found += [] if code in (1, 3) else [f"it ended with {code}"]
            found += [] if "error: " in running.said and "hint: " in running.said else ["it gave no error and hint"]
    with postgres_server(folder=folder / "postgres") as server:
        case = _moved(case, server)
        found += still_old(case) + rerun(case)
    shutil.rmtree(folder)
    return f"exit code {code}", found


def _forgets(folder: Path) -> tuple[str, list[str]]:
    """What a run reports as loaded must be there when the server comes back, whatever its defaults."""
    with postgres_server(folder=folder / "postgres", settings={"wal_writer_delay": "10s"}) as server:
        shop = Workshop(server, folder / "shop", rows=20_000, width=6)
        with (
            shop.case(SCENES["import, swap"], keep=True) as case,
            psycopg.connect(server.url(), autocommit=True) as one,
        ):
            one.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
            code, said = case.again()
            kill_server(folder / "postgres")
    with postgres_server(folder=folder / "postgres") as server:
        case = _moved(case, server)
        found = [f"the run ended with {code}: {said}"] if code else wrongs(case)
    shutil.rmtree(folder)
    return "", found


def _moved(case: Case, server: PostgresServer) -> Case:
    return replace(case, server=server, environment={**case.environment, "LB_PORT": str(server.port)})


def kill_server(folder: Path) -> None:
    """SIGKILL the postmaster, and wait until its sessions, which notice that by themselves, are gone."""
    postmaster = psutil.Process(int((folder / "data" / "postmaster.pid").read_text().split()[0]))
    sessions = postmaster.children(recursive=True)
    postmaster.kill()
    _, alive = psutil.wait_procs(sessions, timeout=30)
    for one in alive:
        one.kill()


def _recovers(shop: Workshop, scene: str) -> tuple[str, list[str]]:
    """All rows have landed, and publish finds a server that came back: with all of them or, unlogged, with none."""
    with shop.case(SCENES[scene]) as case:
        running = case.start(
            LB_FAULT="postgres: before the load is published", LB_FAULT_SIGNAL=str(int(signal.SIGSTOP))
        )
        found = [] if running.wait_stopped() else [f"it came not so far: {running.said}"]
        with psycopg.connect(shop.server.url()) as victim, psycopg.connect(shop.server.url()) as witness:
            os.kill(victim.info.backend_pid, signal.SIGKILL)
            wait_until(lambda: not _answers(witness))
        wait_until(lambda: _accepts(shop.server))
        running.signal(signal.SIGCONT)
        code = running.wait()
        found += still_old(case) if code else []
        return f"exit code {code}", found + rerun(case)


def _answers(connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _accepts(server: PostgresServer) -> bool:
    try:
        psycopg.connect(server.url()).close()
    except psycopg.OperationalError:
        return False
    return True


def _outlived_by_its_statement(shop: Workshop) -> tuple[str, list[str]]:
    with shop.case(SCENES["import, rewrite"]) as case:
        with psycopg.connect(case.target, autocommit=True) as connection:
            connection.execute(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM pg_sleep(20); RETURN NULL; END $$"
            )
            connection.execute("CREATE TRIGGER slow BEFORE DELETE ON items FOR EACH STATEMENT EXECUTE FUNCTION slow()")
            running = case.start()
            busy = "SELECT FROM pg_stat_activity WHERE query LIKE 'DELETE%' AND datname = current_database()"
            wait_until(lambda: connection.execute(busy).fetchone() is not None)
            running.signal(signal.SIGKILL)
            running.wait()
        return "", rerun(case)


def full_disks(shop: Workshop) -> Iterator[Trial]:
    """Part (f): no space left, at the stage and at the server; the old rows stay, and space is all a rerun needs."""
    for scene, what, act in (
        ("run, swap", "no space at the stage", partial(_full_stage, shop, "run, swap", "stage", "are free")),
        ("export", "no space at the exports", partial(_full_stage, shop, "export", "exports", spare=1_800_000)),
        ("import, swap", "no space for the landing table", partial(_full_landing, shop)),
        ("import, rewrite", "no space for the new rows", partial(_full_target, shop)),
    ):
        yield Trial(scene, what, act if os.geteuid() == 0 else _cannot_mount)


def _cannot_mount() -> tuple[str, list[str]]:
    raise NotRun("only root can mount a small disk")


def _full_stage(
    shop: Workshop, scene: str, place: str, words: str = "no space left on device", spare: int = 700_000
) -> tuple[str, list[str]]:
    """With less than three quarters of what a parcel needs it is refused beforehand; with more, space runs out."""
    with shop.case(SCENES[scene]) as case, _nearly_full(case.folder / place, spare) as grow:
        found = _fails_for_space(case, words)
        grow("64m")
        return "", found + rerun(case)


def _full_landing(shop: Workshop) -> tuple[str, list[str]]:
    with _tablespace(shop, "2m") as grow, shop.case(SCENES["import, swap"]) as case:
        with psycopg.connect(shop.server.url(), autocommit=True) as admin:
            name = case.environment["LB_TARGET"]
            admin.execute(f"ALTER DATABASE {name} SET default_tablespace = small")
            found = _fails_for_space(case, "No space left on device")
            admin.execute(f"ALTER DATABASE {name} RESET default_tablespace")
        if ask(case.target, "SELECT FROM pg_tables WHERE tablename LIKE '\\_lb\\_%'"):
            found.append("the failed load leaves its landing table, which keeps the disk full until the rerun")
        grow("64m")
        return "", found + rerun(case)


def _full_target(shop: Workshop) -> tuple[str, list[str]]:
    with _tablespace(shop, "64m") as grow, shop.case(SCENES["import, rewrite"]) as case:
        with psycopg.connect(case.target, autocommit=True) as connection:
            connection.execute("ALTER TABLE items SET TABLESPACE small")
        grow("7m")
        found = _fails_for_space(case, "No space left on device")
        grow("64m")
        return "", found + rerun(case)


def _fails_for_space(case: Case, words: str) -> list[str]:
    code, said = case.again()
    found = [] if code in (1, 3) else [f"it ended with {code}: {said}"]
    found += [] if words in said and "hint: " in said else [f"it did not say so, with a hint: {said}"]
    return found + (still_old(case) if case.scene.loads else [])


@contextmanager
def _mounted(place: Path, options: str) -> Iterator[Callable[[str], None]]:
    """A file system in memory at `place`; gives a function that changes its size."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", place], check=True)

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", place], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", place], check=True)


@contextmanager
def _nearly_full(place: Path, spare: int) -> Iterator[Callable[[str], None]]:
    """The folder `place` on a disk of its own that has `spare` bytes left."""
    place.mkdir(exist_ok=True)
    aside = place.with_name("aside")
    shutil.copytree(place, aside)
    with _mounted(place, "size=64m") as resize:
        shutil.copytree(aside, place, dirs_exist_ok=True)
        resize(str(shutil.disk_usage(place).used + spare))
        yield resize


@contextmanager
def _tablespace(shop: Workshop, size: str) -> Iterator[Callable[[str], None]]:
    """Tablespace `small` of the server, on a disk of its own."""
    place, account = Path(tempfile.mkdtemp(prefix="lb-faults-space-", dir="/tmp")), unprivileged()
    with ExitStack() as stack:
        stack.callback(place.rmdir)
        resize = stack.enter_context(_mounted(place, f"size={size},uid={account.uid},gid={account.gid},mode=700"))
        admin = stack.enter_context(psycopg.connect(shop.server.url(), autocommit=True))
        admin.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        stack.callback(admin.execute, "DROP TABLESPACE small")
        yield resize
