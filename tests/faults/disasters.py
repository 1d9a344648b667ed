"""Parts (c) to (f): signals, a coordinator that sleeps through its lease, a server that dies, disks that are full."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import psycopg

from landbridge.demo.postgres_programs import unprivileged
from landbridge.demo.postgres_server import PostgresServer, postgres_server
from tests.faults.aftermath import ask, fingerprint, misread, newest_run, still_old, wrongs
from tests.faults.rows import Reader
from tests.faults.scenes import SCENES, Case, Running, Trial, Workshop, wait_until

TTL = 3  # seconds that the lease of a sleeping coordinator lives
EXITS = {signal.SIGTERM: 143, signal.SIGINT: 130}
ASKED_TO_STOP = (
    ("export", "sealing: before parts are counted by the coordinator"),
    ("import, swap", "loading: before parts are counted as loaded"),
    ("import, rewrite", "postgres: after the old rows are deleted"),
    ("import, DuckDB", "duckdb: before the load is published"),
    ("run, swap", "postgres: after the old table is dropped"),
    ("run, swap", "cleaning: after the stage's index is deleted"),
)
ASLEEP = (
    ("import, swap", "loading: before parts are counted as loaded"),
    ("import, swap", "loading: after the lease is asked before publishing"),
    ("export", "sealing: after the parcel is reserved"),
    ("export", "sealing: before the index is stored"),
    ("run, swap", "sealing: before the manifest is stored"),
    ("run, swap", "loading: before parts are counted as loaded"),
    ("run, swap", "postgres: before the load is published"),
    ("run, rewrite", "postgres: before the load is published"),
    ("run, PostgreSQL to DuckDB", "duckdb: before the load is published"),
)
SERVER_DIES = (
    ("import, swap", "postgres: a worker after a chunk of its first COPY is sent"),
    ("import, swap", "postgres: after the indexes are built"),
    ("import, swap", "postgres: after the load is in the book of loads"),
    ("import, rewrite", "postgres: after the new rows are inserted"),
    ("run, swap", "postgres: after the landing table is made"),
    ("import, drive table in PostgreSQL", "phase: after stage_to_target_transfer is recorded as begun"),
)


def signals(shop: Workshop) -> Iterator[Trial]:
    """Part (c): a run that is asked to stop is recorded as failed, and its exit code says by which signal."""
    for which, code in EXITS.items():
        for scene, point in ASKED_TO_STOP:
            yield Trial(scene, f"{which.name} {point}", partial(asked_to_stop, shop, scene, point, which, code))
    yield Trial("run, swap", "SIGINT to coordinator and workers alike", partial(_interrupted_all, shop))


def asked_to_stop(shop: Workshop, scene: str, point: str, which: int, code: int) -> tuple[str, list[str]]:
    with shop.case(SCENES[scene]) as case:
        ended = case.start(LB_FAULT=point, LB_FAULT_SIGNAL=str(int(which)))
        found = _recorded_as_failed(case, ended, code)
        return "", found + _rerun(case)


def _interrupted_all(shop: Workshop) -> tuple[str, list[str]]:
    with shop.case(SCENES["run, swap"]) as case:
        running = case.start()
        running.wait_for("pre_validation")
        time.sleep(0.1)
        running.signal_all(signal.SIGINT)
        return "", _recorded_as_failed(case, running, EXITS[signal.SIGINT]) + _rerun(case)


def _recorded_as_failed(case: Case, running: Running, code: int) -> list[str]:
    ended, run = running.wait(), newest_run(case)
    found = [] if ended == code else [f"it ended with {ended}, not {code}: {running.said}"]
    found += [] if run and run.pipeline_status == "FAILED" else ["the run is not recorded as failed"]
    return found + (["it printed a traceback"] if "Traceback" in running.said else [])


def _rerun(case: Case) -> list[str]:
    code, said = case.again()
    return [f"the rerun ended with {code}: {said}"] if code else wrongs(case)


def sleepers(shop: Workshop) -> Iterator[Trial]:
    """Part (d): a coordinator stopped beyond its lease; another publishes; the first wakes up and changes nothing."""
    for scene, point in ASLEEP:
        yield Trial(scene, f"SIGSTOP {point}", partial(overslept, shop, scene, point))


def overslept(shop: Workshop, scene: str, point: str) -> tuple[str, list[str]]:
    with shop.case(SCENES[scene]) as case:
        with ExitStack() as stack:
            reader = stack.enter_context(Reader(case.target)) if case.scene.watched else None
            first = case.start(LB_FAULT=point, LB_FAULT_SIGNAL=str(int(signal.SIGSTOP)), LB_FAULT_TTL=str(TTL))
            found = [] if first.wait_stopped() else [f"it came not past {point}: {first.said}"]
            time.sleep(TTL + 0.5)
            second, said = case.again()
            found += [f"the second run ended with {second}: {said}"] if second else wrongs(case)
            before = _state(case)
            first.signal(signal.SIGCONT)
            code = first.wait()
        found += [f"the sleeper ended with {code}"] if code in (0, -signal.SIGKILL) else []
        found += [] if "LeaseLost" in first.said else [f"the sleeper did not say LeaseLost: {first.said}"]
        found += [] if _state(case) == before else ["the sleeper changed something"]
        found += misread(case, reader) if reader else []
        return "", found + wrongs(case)


def _state(case: Case) -> tuple[object, ...]:
    files = sorted(path.name for path in case.parcels.rglob("*"))
    if not case.scene.loads:
        return (files,)
    loads = ask(case.target, "SELECT version, load_id FROM landbridge_loads ORDER BY version")
    return files, fingerprint(case.target), loads


def server_deaths(shop: Workshop, folder: Path) -> Iterator[Trial]:
    """Part (e): the target's server is killed under a run, and started again, on another port at that.

    Then one that goes on working for a coordinator which is dead.
    """
    for number, (scene, point) in enumerate(SERVER_DIES):
        yield Trial(scene, f"server dies {point}", partial(_server_dies, folder / f"server{number}", scene, point))
    yield Trial(
        "import, swap", "server dies after the end, commits are asynchronous", partial(_forgets, folder / "late")
    )
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
        found += still_old(case) + _rerun(case)
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
        return "", _rerun(case)


def full_disks(shop: Workshop) -> Iterator[Trial]:
    """Part (f): no space left, at the stage and at the server; the old rows stay, and space is all a rerun needs."""
    if os.geteuid() != 0:
        return
    yield Trial("run, swap", "no space at the stage", partial(_full_stage, shop, "run, swap", "stage"))
    yield Trial("export", "no space at the exports", partial(_full_stage, shop, "export", "exports"))
    yield Trial("import, swap", "no space for the landing table", partial(_full_landing, shop))
    yield Trial("import, rewrite", "no space for the new rows", partial(_full_target, shop))


def _full_stage(shop: Workshop, scene: str, place: str) -> tuple[str, list[str]]:
    with shop.case(SCENES[scene]) as case, _nearly_full(case.folder / place) as grow:
        found = _fails_for_space(case, "no space left on device")
        grow("64m")
        return "", found + _rerun(case)


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
        return "", found + _rerun(case)


def _full_target(shop: Workshop) -> tuple[str, list[str]]:
    with _tablespace(shop, "64m") as grow, shop.case(SCENES["import, rewrite"]) as case:
        with psycopg.connect(case.target, autocommit=True) as connection:
            connection.execute("ALTER TABLE items SET TABLESPACE small")
        grow("7m")
        found = _fails_for_space(case, "No space left on device")
        grow("64m")
        return "", found + _rerun(case)


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
def _nearly_full(place: Path, spare: int = 700_000) -> Iterator[Callable[[str], None]]:
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
