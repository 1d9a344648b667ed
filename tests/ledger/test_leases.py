"""Leases: one holder at a time, taken over only from the dead and the silent."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest

from landbridge.errors import LeaseHeld, LeaseLost, Unreachable
from landbridge.ledger.database import open_database
from landbridge.ledger.leases import Heartbeat, acquire, release, renew, this_process
from landbridge.ledger.tables import leases
from tests.ledger.processes import at_once, outage, start_holder, wait_until

TABLE = "table:orders"
SOON = timedelta(milliseconds=50)


def test_one_of_many_processes_gets_it(url, tmp_path):
    """Of processes that ask at once one gets the lease; the others are told LeaseHeld."""
    code = f"""
try:
    leases.acquire(open_database(url), {TABLE!r}, holder="elsewhere/1")  # not free again when the process ends
    print("got it")
except LandbridgeError as error:
    print(type(error).__name__)
"""
    said = at_once(code, url=url, folder=tmp_path, processes=4)
    assert sorted(said) == ["LeaseHeld", "LeaseHeld", "LeaseHeld", "got it"]


def test_who_waits_for_the_row_sees_who_took_it(db):
    """An acquire that had to wait for another's transaction goes by what that one wrote."""
    release(db, acquire(db, TABLE))
    taken = leases.update().values(holder="elsewhere/1", fence=2, expires_at=datetime.now(UTC) + timedelta(seconds=60))
    with ThreadPoolExecutor() as threads:
        with db.begin() as connection:
            connection.execute(taken)
            second = threads.submit(acquire, db, TABLE)
            assert wait([second], timeout=0.5).not_done
        with pytest.raises(LeaseHeld):
            second.result()


def test_held_by_a_living_process(db, url):
    """While its holder lives the lease is refused; the message names pid, host and end."""
    holder = start_holder(url, TABLE)
    try:
        with pytest.raises(LeaseHeld, match=rf"pid {holder.pid} on {os.uname().nodename}.*until") as refusal:
            acquire(db, TABLE)
        assert refusal.value.hint
    finally:
        holder.kill()
        holder.communicate()


def test_killed_holder_is_taken_over_at_once(db, url):
    """After kill -9 the lease is free for the same host at once, even while the zombie is not reaped."""
    holder = start_holder(url, TABLE)
    holder.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it is dead, and stays a zombie
    began = time.monotonic()
    assert acquire(db, TABLE).fence == 2
    assert time.monotonic() - began < 5
    holder.communicate()


def test_reaped_holder_is_taken_over_at_once(db, url):
    """The same when nothing is left of the process."""
    holder = start_holder(url, TABLE)
    holder.kill()
    holder.communicate()
    assert acquire(db, TABLE).fence == 2


def test_a_recycled_pid_is_not_the_holder(db):
    """A process of the same pid that started at another time is another process."""
    *place, pid, started = this_process().split("/")
    acquire(db, TABLE, holder="/".join([*place, pid, str(int(started) - 1)]))
    assert acquire(db, TABLE).fence == 2


@pytest.mark.parametrize("replaced", [0, 1, 2])
def test_nothing_is_proved_about_other_hosts(db, replaced):
    """A pid of another host, boot or pid namespace may be alive, though it is not here."""
    parts = [*this_process().split("/")[:3], "999999999", "1"]
    parts[replaced] = "elsewhere"
    acquire(db, TABLE, holder="/".join(parts))
    with pytest.raises(LeaseHeld):
        acquire(db, TABLE)


def test_the_same_process_gets_it_once(db):
    """Two threads of a process exclude each other as processes do."""
    acquire(db, TABLE)
    with pytest.raises(LeaseHeld):
        acquire(db, TABLE)
    assert acquire(db, "table:customers").fence == 1


def test_expired_lease_is_taken_over(db):
    """After its end a lease goes to who asks, with a higher fence; the old holder's renew raises LeaseLost."""
    old = acquire(db, TABLE, ttl=SOON, holder="elsewhere/1")
    time.sleep(0.1)
    new = acquire(db, TABLE)
    assert new.fence == old.fence + 1
    with pytest.raises(LeaseLost):
        renew(db, old)
    release(db, old)
    with pytest.raises(LeaseHeld):
        acquire(db, TABLE)


def test_renewed_lease_lasts(db):
    """A renewed lease ends later, under the same fence."""
    lease = acquire(db, TABLE, ttl=SOON)
    renewed = renew(db, lease, timedelta(seconds=30))
    assert renewed.expires_at > lease.expires_at + timedelta(seconds=20)
    assert renewed.fence == lease.fence
    time.sleep(0.1)
    with pytest.raises(LeaseHeld):
        acquire(db, TABLE)


def test_fence_only_grows(db):
    """A released lease is free at once; its row stays, so no fence is ever given twice."""
    fences = []
    for _ in range(3):
        lease = acquire(db, TABLE)
        fences.append(lease.fence)
        release(db, lease)
    assert fences == [1, 2, 3]
    with pytest.raises(LeaseLost):
        renew(db, lease)


def test_heartbeat_keeps_a_lease(db):
    """Under a heartbeat a lease outlives its ttl."""
    ttl = timedelta(seconds=1.5)
    lease = acquire(db, TABLE, ttl=ttl, holder="elsewhere/1")
    with Heartbeat(db, lease, ttl) as heartbeat:
        time.sleep(2)
        heartbeat.check()
        assert not heartbeat.lost
        with pytest.raises(LeaseHeld):
            acquire(db, TABLE)
    release(db, lease)
    assert acquire(db, TABLE).fence == 2


def test_heartbeat_notices_a_loss(db):
    """A heartbeat that finds another holder says so, well before the lease would have ended."""
    lease = acquire(db, TABLE, ttl=timedelta(0))
    acquire(db, TABLE)
    with Heartbeat(db, lease, timedelta(seconds=3)) as heartbeat:
        wait_until(lambda: heartbeat.lost, seconds=2.5)
        with pytest.raises(LeaseLost, match="took over"):
            heartbeat.check()


def test_heartbeat_outlives_a_short_outage(postgres, pg_url):
    """A database that does not answer is asked again; nothing is lost when it is back in time."""
    database, ttl = open_database(pg_url), timedelta(seconds=4)
    lease = acquire(database, TABLE, ttl=ttl)
    with Heartbeat(database, lease, ttl) as heartbeat:
        with outage(postgres, pg_url):
            wait_until(lambda: isinstance(heartbeat._trouble, Unreachable))
            heartbeat.check()
        wait_until(lambda: heartbeat._trouble is None)
        heartbeat.check()
    database.close()


def test_heartbeat_gives_up_when_the_lease_is_over(postgres, pg_url):
    """A database that stays away costs the lease when it must have expired, not before; the cause is kept."""
    database, ttl = open_database(pg_url), timedelta(seconds=1)
    lease, began = acquire(database, TABLE, ttl=ttl), time.monotonic()
    with outage(postgres, pg_url), Heartbeat(database, lease, ttl) as heartbeat:
        wait_until(lambda: heartbeat.lost)
        assert time.monotonic() - began >= 1
        with pytest.raises(LeaseLost, match="not be renewed in time") as failure:
            heartbeat.check()
    assert isinstance(failure.value.__cause__, Unreachable)
    database.close()


def test_stopped_process_does_not_trust_its_lease(db):
    """Who did not get to run for a whole ttl (SIGSTOP, sleep) knows it at the first check, before any renewal."""
    ttl = timedelta(seconds=0.1)
    heartbeat = Heartbeat(db, acquire(db, TABLE, ttl=ttl), ttl)  # its thread never runs
    time.sleep(0.15)
    with pytest.raises(LeaseLost):
        heartbeat.check()


def test_this_process_is_one_name():
    """A process has one name, and it carries its pid."""
    assert this_process() == this_process()
    assert this_process().split("/")[3] == str(os.getpid())
