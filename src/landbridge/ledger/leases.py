"""Leases: one process at a time works on a resource, and one that lost it is told before it publishes."""

import os
import socket
import sys
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Self

from sqlalchemy import ColumnElement, select, update

from landbridge.errors import LeaseHeld, LeaseLost, WorldError
from landbridge.ledger.database import Database
from landbridge.ledger.tables import leases

TTL = timedelta(seconds=60)


@dataclass(frozen=True)
class Lease:
    """The right to work on `resource` until `expires_at`; `fence` is higher than that of any lease before."""

    resource: str
    holder: str
    fence: int
    expires_at: datetime  # by the database's clock


def this_process() -> str:
    """`host/boot/pid namespace/pid/start time`: names one process for ever.

    Where that cannot be told (no Linux, or /proc shows another pid namespace than ours): `host/pid`.
    """
    host, pid = socket.gethostname(), os.getpid()
    if sys.platform != "linux" or Path("/proc/self").readlink().name != str(pid):
        return f"{host}/{pid}"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    namespace = Path("/proc/self/ns/pid").readlink().name.strip("pid:[]")
    return f"{host}/{boot}/{namespace}/{pid}/{_stat(pid)[1]}"


@dataclass(frozen=True)
class Held:
    """Who holds a lease, as it is written; `lives` is False where whoever asks next may take it over."""

    holder: str
    lives: bool


def look(db: Database, resource: str) -> tuple[Held | None, int]:
    """Who holds the lease, None where it is free, and the fence of the last one; changes nothing."""
    with db.read() as connection:
        row = connection.execute(select(leases).where(leases.c.resource == resource)).one_or_none()
        now = db.now(connection)
    if row is None or row.holder is None:
        return None, row.fence if row else 0
    return Held(row.holder, row.expires_at > now and not _provably_dead(row.holder)), row.fence


def acquire(db: Database, resource: str, *, ttl: timedelta = TTL, holder: str | None = None) -> Lease:
    """Take the lease if it is free, expired, or held by a process that is provably dead.

    Raises LeaseHeld otherwise, also where the holder is this very process.
    """
    with db.begin() as connection:
        now = db.now(connection)
        never = {"resource": resource, "fence": 0, "acquired_at": now, "expires_at": now}
        connection.execute(db.insert(leases).values(never).on_conflict_do_nothing())
        row = connection.execute(select(leases).where(leases.c.resource == resource).with_for_update()).one()
        now = db.now(connection)  # again: the lock may have been long in coming
        if row.holder is not None and row.expires_at > now and not _provably_dead(row.holder):
            raise _held(resource, row.holder, row.expires_at)
        lease = Lease(resource, holder or this_process(), row.fence + 1, now + ttl)
        connection.execute(
            update(leases)
            .where(leases.c.resource == resource)
            .values(holder=lease.holder, fence=lease.fence, acquired_at=now, expires_at=lease.expires_at)
        )
        return lease


def renew(db: Database, lease: Lease, ttl: timedelta = TTL) -> Lease:
    """The same lease for another `ttl` from now; LeaseLost if another has taken it over, or it was released."""
    with db.begin() as connection:
        expires_at = db.now(connection) + ttl
        ours = update(leases).where(*_still_ours(lease)).values(expires_at=expires_at)
        if connection.execute(ours).rowcount == 0:
            raise LeaseLost(f"{lease.resource}: another run took over while this one worked", hint="landbridge status")
        return replace(lease, expires_at=expires_at)


def release(db: Database, lease: Lease) -> None:
    """Free the lease if it is still ours; the row stays, so that the fence goes on from there."""
    with db.begin() as connection:
        connection.execute(update(leases).where(*_still_ours(lease)).values(holder=None, expires_at=db.now(connection)))


class Heartbeat:
    """Renews a lease every third of `ttl` in a daemon thread, from `with` to its end.

    A database that does not answer is asked again until the lease must have expired. The thread never
    raises: who works under the lease calls `check` before anything that others will see.
    """

    def __init__(self, db: Database, lease: Lease, ttl: timedelta = TTL) -> None:
        self._db, self._lease, self._ttl = db, lease, ttl
        self._deadline = _clock() + ttl.total_seconds()
        self._trouble: LeaseLost | WorldError | None = None
        self._stop = Event()
        self._thread = Thread(target=self._beat, name=f"heartbeat {lease.resource}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=self._ttl.total_seconds())

    @property
    def fence(self) -> int:
        """That of the lease."""
        return self._lease.fence

    @property
    def lost(self) -> bool:
        """Taken over for certain, or not renewed for a whole `ttl` (this process may have been stopped)."""
        return isinstance(self._trouble, LeaseLost) or _clock() > self._deadline

    def check(self) -> None:
        """Raises LeaseLost if the lease is not ours any more, as far as this process can know."""
        if isinstance(self._trouble, LeaseLost):
            raise self._trouble
        if self.lost:
            raise LeaseLost(
                f"{self._lease.resource}: the lease could not be renewed in time", hint="landbridge status"
            ) from self._trouble

    def _beat(self) -> None:
        seconds = self._ttl.total_seconds()
        pause = seconds / 3
        while not self._stop.wait(pause):
            began = _clock()
            try:
                renew(self._db, self._lease, self._ttl)
            except LeaseLost as lost:
                self._trouble = lost
                return
            except WorldError as trouble:  # asked again soon; `check` tells it if that does not help in time
                self._trouble, pause = trouble, seconds / 30
            else:
                self._trouble, pause, self._deadline = None, seconds / 3, began + seconds


def _still_ours(lease: Lease) -> tuple[ColumnElement[bool], ...]:
    return leases.c.resource == lease.resource, leases.c.holder == lease.holder, leases.c.fence == lease.fence


def _held(resource: str, holder: str, until: datetime) -> LeaseHeld:
    parts = holder.split("/")
    who = f"pid {parts[-2] if len(parts) == 5 else parts[-1]} on {parts[0]}" if len(parts) in (2, 5) else holder
    return LeaseHeld(
        f"{resource}: {who} works on it; its lease runs until {until:%Y-%m-%d %H:%M:%S} UTC unless renewed",
        hint="wait for it, or stop that process; a lease that nobody renews expires",
    )


def _provably_dead(holder: str) -> bool:
    """Is it a process of this host, boot and pid namespace that is not there any more?"""
    ours, theirs = this_process().split("/"), holder.split("/")
    if len(theirs) != 5 or theirs[:3] != ours[:3]:
        return False
    pid, started = int(theirs[3]), theirs[4]
    try:
        os.kill(pid, 0)  # asked of the kernel: /proc may hide what other users run
    except ProcessLookupError:
        return True
    except PermissionError:
        return False  # it is there, and runs as somebody else: nothing more can be proved
    try:
        state, start = _stat(pid)
    except FileNotFoundError:
        return True  # ended since the line above
    return state in "ZX" or start != started


def _stat(pid: int) -> tuple[str, str]:
    """State letter and start time in ticks since boot: fields 3 and 22 of /proc/PID/stat, see proc(5)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return after_name[0], after_name[19]


def _clock() -> float:
    """Seconds that go on while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.monotonic()
