"""The world as one command sees it: what phases are handed instead of reaching for it."""

import os
from collections.abc import Collection, Iterator
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cached_property
from tempfile import TemporaryDirectory
from threading import Lock

from landbridge.config.project import Project
from landbridge.connectors.registry import Connector, open_connector
from landbridge.contracts.values import Instant, Read, Snapshot, Write
from landbridge.engine.carrying.hidden import Hidden
from landbridge.engine.events import Sink
from landbridge.engine.pool import open_pool
from landbridge.errors import ConfigError, WorldError
from landbridge.ledger import leases
from landbridge.ledger.database import Database, is_there, open_database
from landbridge.ledger.leases import Heartbeat, Lease
from landbridge.schema.names import did_you_mean
from landbridge.sealing.keyring import Keyring

MOST_PROCESSES = 8


@dataclass
class World:
    """Connections by name, the drive database, keys, one pool; all opened at first use and closed together."""

    project: Project
    emit: Sink
    changing: bool = True
    lease: Heartbeat | None = None
    cleaning: Lock = field(default_factory=Lock)  # only one of parallel windows cleans stages
    outside_windows: dict[str, int] = field(default_factory=dict)  # by pipeline, asked once: rows that no window has
    hidden: dict[str, tuple[Hidden, ...]] = field(default_factory=dict)
    _connectors: dict[str, Connector] = field(default_factory=dict)
    _scratch: ExitStack = field(default_factory=ExitStack)
    _shared: ExitStack | None = None
    _instants: dict[str, Instant] = field(default_factory=dict)
    _kinds: Collection[str] = ()

    def connector(self, name: str) -> Connector:
        """The connector of a connection; ConfigError for a name that landbridge.yaml does not have."""
        if name not in self._connectors:
            options = self.project.connections.get(name)
            if options is None:
                meant = did_you_mean(name, self.project.connections)
                raise ConfigError(f"no connection is called {name!r}{meant}", hint="see landbridge.yaml")
            self._connectors[name] = open_connector(name, options)
        return self._connectors[name]

    @contextmanager
    def one_instant(self) -> Iterator[None]:
        """Until the context ends, all snapshots of a connection show one instant: that of the first one taken."""
        with ExitStack() as shared:
            self._shared, self._instants = shared, {}
            try:
                yield
            finally:
                self._shared = None

    def snapshot(self, read: Read) -> AbstractContextManager[Snapshot]:
        """See Source.snapshot."""
        source = self.connector(read.connection)
        if self._shared is None:
            return source.snapshot(read)
        return source.snapshot(read, self._held(read.connection, self._shared))

    def instant(self, connection: str) -> AbstractContextManager[Instant]:
        """That of `one_instant` where that is open, or one of its own; see Source.instant."""
        if self._shared is None:
            return self.connector(connection).instant()
        return nullcontext(self._held(connection, self._shared))

    def _held(self, connection: str, shared: ExitStack) -> Instant:
        if connection not in self._instants:
            self._instants[connection] = shared.enter_context(self.connector(connection).instant())
        return self._instants[connection]

    @cached_property
    def ledger(self) -> Database:
        if self.changing or is_there(self.project.drive_table):
            return open_database(self.project.drive_table)
        folder = self._scratch.enter_context(TemporaryDirectory(prefix="landbridge-"))
        return open_database(f"sqlite:///{folder}/drive.db")

    @cached_property
    def keyring(self) -> Keyring:
        return Keyring(self.project.keys)

    @property
    def processes(self) -> int:
        return self.project.processes or min(os.cpu_count() or 1, MOST_PROCESSES)

    @cached_property
    def pool(self) -> Executor:
        return open_pool(self.processes, self._kinds)

    def beside(self, emit: Sink) -> "World":
        """For another thread: with connectors of its own, and the same drive database, keys, pool and lease."""
        world = World(self.project, emit, self.changing, self.lease, self.cleaning, self.outside_windows)
        world.__dict__.update(ledger=self.ledger, keyring=self.keyring, pool=self.pool)
        return world

    def warm_up(self, connections: Collection[str]) -> None:
        """Start the worker processes now, or new ones where one has died: they get ready beside the first phases.

        `connections` are those that they will use.

        Where a passphrase has to be asked for first, they start when they are needed, and are handed what it unlocks.
        """
        self._kinds = {options.type for name, options in self.project.connections.items() if name in connections}
        if self.keyring.identity.need_passphrase and "pool" not in self.__dict__:
            return
        try:
            self.pool.submit(int)
        except BrokenProcessPool:
            self.__dict__.pop("pool").shutdown(wait=False)
            _ = self.pool

    @property
    def identities(self) -> tuple[str, ...]:
        """Our secrets that open parcels; none where this side never made any: clear parcels need none."""
        return self.keyring.identities() if self.keyring.has_identity else ()

    @property
    def signer(self) -> str | None:
        """Our secret that signs; None where this side never made one: what it imports needs no signature of its own."""
        return self.keyring.signer() if self.keyring.has_signing_key else None

    @property
    def own_verifiers(self) -> tuple[str, ...]:
        """By which our own signatures are known."""
        return self.keyring.own_verifiers() if self.keyring.has_signing_key else ()

    def holds(self, write: Write, load_id: str) -> bool:
        """Whether the target is there, and its newest load is this one: it may have been made anew since."""
        target = self.connector(write.connection)
        there = target.describe([write.relation])[write.relation] is not None
        return there and target.loaded(write, load_id) is not None

    @contextmanager
    def alone_with(self, table: str) -> Iterator[Lease]:
        """Hold the table's lease: no other run of it works meanwhile, nor anything else that asks so.

        Raises LeaseHeld. `still_ours` asks for this lease until the context ends.
        """
        lease = leases.acquire(self.ledger, f"table:{table}")
        try:
            with Heartbeat(self.ledger, lease) as self.lease:
                yield lease
        except BaseException:
            with suppress(WorldError):  # what went wrong before matters more, and a lease expires by itself
                leases.release(self.ledger, lease)
            raise
        finally:
            self.lease = None
        leases.release(self.ledger, lease)

    def still_ours(self) -> None:
        """Raise LeaseLost if another run took this table over; asked before anything is published."""
        if self.lease is not None:
            self.lease.check()

    def recipients(self, *, own: bool) -> tuple[str, ...]:
        """Whom parcels are sealed for: the trusted recipients, or, in one hop, this project itself."""
        if own:
            return (self.keyring.own_recipient,)
        return self.keyring.recipients(require_escrow=self.project.parcels.require_escrow)

    def close(self) -> None:
        if "pool" in self.__dict__:
            self.pool.shutdown(wait=True, cancel_futures=True)
        if "ledger" in self.__dict__:
            self.ledger.close()
        self._scratch.close()
