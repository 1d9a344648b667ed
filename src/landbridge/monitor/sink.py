"""The sink that alerts: it passes on what the engine tells, and sends what somebody should know."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, groupby
from threading import Lock

from landbridge.config.alerts import SEVERITIES, Alerts, Severity
from landbridge.config.pipelines import Monitoring
from landbridge.engine.events import Event, GapsFound, Notice, PhaseEnded, RunGivenUp, SchemaChanged, Sink
from landbridge.errors import LandbridgeError
from landbridge.ledger import alerts as ledger_alerts
from landbridge.ledger.alerts import AlertRow, Told
from landbridge.ledger.database import Database
from landbridge.monitor.alert import Alert, duration, failure, gaps, schema_change
from landbridge.monitor.channels import Destination, destinations, of_channel, of_pipeline
from landbridge.monitor.delivery import deliver
from landbridge.monitor.message import message
from landbridge.monitor.wanted import Wanted

SECONDS = 10.0  # that all deliveries of one command may take together
MOST_FOR_ONE = 5.0  # so that a server that never answers leaves some to the others


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Alerting:
    """Around the sink of a command; `wanted` by pipeline. Nothing but what that sink raises is ever raised here.

    `ledger` opens the drive database, at the first alert. Threads may share it: deliveries are one after the other.
    """

    alerts: Alerts
    wanted: Mapping[str, Wanted]
    ledger: Callable[[], Database]
    sink: Sink
    seconds: float = SECONDS
    now: Callable[[], datetime] = utc_now
    _dead: set[str] = field(default_factory=set)  # channels that have failed: left for the next command
    _turn: Lock = field(default_factory=Lock)

    def __call__(self, event: Event) -> None:
        """Pass the event on; alert, if it is one to alert of."""
        self.sink(event)
        self._safely(lambda: self._raise_all(event))

    def catch_up(self) -> None:
        """Deliver what waits from earlier commands, for each channel in one message."""
        self._safely(self._catch_up)

    def _raise_all(self, event: Event) -> None:
        for alert in self._alerts(event):
            self._raise(alert)

    def _raise(self, alert: Alert) -> None:
        """Tell each channel that it is meant for, unless that was told, or is not to be woken."""
        held = self._quiet(alert.severity)
        for to in destinations(self.alerts, self.wanted.get(alert.pipeline_name), alert):
            told = Told(
                alert_key=alert.key,
                channel=to.name,
                kind=alert.kind,
                severity=alert.severity,
                pipeline_name=alert.pipeline_name,
                subject=alert.subject,
                text=alert.text,
            )
            row = ledger_alerts.note(self.ledger(), told, repeat_after=self.alerts.repeat_after, held=held)
            if row:
                self._deliver(to, [row])

    def _alerts(self, event: Event) -> Iterator[Alert]:
        match event:
            case RunGivenUp(name, run, error):
                wanted = self.wanted.get(name)
                where = wanted.environment if wanted else None
                yield failure(name, error, run, pipeline=wanted is not None, environment=where)
            case PhaseEnded(run, record):
                wanted = self.wanted.get(run.pipeline_name)
                monitoring = wanted.monitoring if wanted else Monitoring()
                if late := duration(run, record, monitoring.duration_multiplier_threshold):
                    yield late
            case GapsFound(name, windows):
                yield gaps(name, windows)
            case SchemaChanged(name, changes):
                yield schema_change(name, changes)

    def _quiet(self, severity: Severity) -> bool:
        hours = self.alerts.quiet_hours
        return hours is not None and hours.holds(severity, self.now())

    def _catch_up(self) -> None:
        if not ledger_alerts.anything_waits(self.ledger()):
            return
        mails = chain.from_iterable(of_pipeline(name, one) for name, one in self.wanted.items())
        known = {to.name: to for to in (*map(of_channel, self.alerts.channels), *mails)}
        awake = [severity for severity in SEVERITIES if not self._quiet(severity)]
        rows = ledger_alerts.claim(self.ledger(), [*known], awake)
        for name, group in groupby(sorted(rows, key=lambda row: row.channel), key=lambda row: row.channel):
            self._deliver(known[name], [*group])

    def _deliver(self, to: Destination, rows: Sequence[AlertRow]) -> None:
        began = time.monotonic()
        subject, text, severity = message(rows)
        try:
            if to.name in self._dead or self.seconds <= 0:
                why: str | None = "not tried: the channel failed before in this command, or there was no time left"
            else:
                why = deliver(to, subject, text, severity, seconds=min(self.seconds, MOST_FOR_ONE))
        except LandbridgeError as error:
            why = f"{error.message}; {error.hint}"
        self.seconds -= time.monotonic() - began
        if why is None:
            ledger_alerts.sent(self.ledger(), rows)
            return
        ledger_alerts.failed(self.ledger(), rows, why)
        if to.name not in self._dead:
            self._dead.add(to.name)
            self._say(f"alert not delivered to {to.name}, the next command tries again: {why}")

    def _safely(self, act: Callable[[], object]) -> None:
        """An alert never breaks a run: what goes wrong with it is told, and nothing more."""
        try:
            with self._turn:
                act()
        except LandbridgeError as error:
            self._say(f"alert not sent: {error.message}")
        except Exception as fault:  # noqa: BLE001  see above
            self._say(f"alert not sent: {type(fault).__name__}: a fault of landbridge")

    def _say(self, text: str) -> None:
        self.sink(Notice(text))
