"""A declared pipeline: frozen values, with all defaults filled in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

from pydantic import SecretStr

from landbridge.contracts.values import Read, Write

PARCEL = "parcel"
MIDNIGHT = time()


@dataclass(frozen=True, kw_only=True)
class PhaseRule:
    """What is declared of one phase; `custom` is the user's own, read-only."""

    enabled: bool
    expected: timedelta
    user_script: Path | None = None  # absolute; need not be there
    custom: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class TimedTolerances:
    """Other tolerances, in percent, for windows that start on `weekdays` (0 is Monday) from `start` to before `end`.

    `end` at or before `start` lies on the next day; a time after midnight then belongs to the day before it.
    """

    weekdays: frozenset[int]
    start: time
    end: time
    source_to_stage: float
    stage_to_target: float
    duplicates: float

    def fits(self, local: datetime) -> bool:
        """Whether they count for a window that starts at `local`, by the clock of the pipeline's zone."""
        clock, day = local.time(), local.weekday()
        if self.start < self.end:
            return self.start <= clock < self.end and day in self.weekdays
        if clock >= self.start:
            return day in self.weekdays
        return clock < self.end and (day - 1) % 7 in self.weekdays


@dataclass(frozen=True, kw_only=True)
class Tolerances:
    """How many percent may be lost at each step, or be there more than once."""

    source_to_stage: float = 0.0
    stage_to_target: float = 0.0
    duplicates: float = 0.0
    by_time: tuple[TimedTolerances, ...] = ()

    def at(self, local: datetime) -> "Tolerances":
        """Those for a window that starts at `local`, in the pipeline's zone: the first rule that fits, or these."""
        for rule in self.by_time:
            if rule.fits(local):
                return Tolerances(
                    source_to_stage=rule.source_to_stage,
                    stage_to_target=rule.stage_to_target,
                    duplicates=rule.duplicates,
                )
        return self


@dataclass(frozen=True, kw_only=True)
class StageCleaning:
    """When what lies between source and target goes, and where it is copied before."""

    archive_before_delete: bool = False
    archive_location: str | None = None  # absolute folder or object-store URL
    delete_after: timedelta = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often a window is tried again after a failure that may pass."""

    max_retries: int = 3
    backoff_strategy: Literal["exponential", "linear", "none"] = "exponential"


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """What is told to those who are responsible."""

    alert_on_failure: bool = True
    alert_on_duration_exceed: bool = True
    alert_on_gap: bool = True
    alert_on_schema_change: bool = True
    duration_multiplier_threshold: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Smtp:
    """How this pipeline's mails are sent."""

    host: str
    port: int
    user: str | None
    password: SecretStr | None
    from_email: str
    use_tls: bool


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """One pipeline; instants are zone-aware UTC."""

    name: str
    file: Path  # relative to the project
    owner_email: str
    notification_emails: tuple[str, ...] = ()
    slack_channel: str | None = None
    description: str | None = None
    owner_name: str | None = None
    environment: str | None = None

    schedule: timedelta | None = None  # how old the target may become; None: no matter how old
    cron_expression: str | None = None
    step: str  # how long a window is: a duration, or months
    zone: str
    settle_delay: timedelta
    look_back: timedelta | None = None
    acceptable_start: datetime | None = None
    acceptable_end: datetime | None = None
    catchup: bool = True

    source_kind: str
    read: Read | None = None  # None: no connector reads that kind
    query_field: str | None = None
    query_field_timezone: str | None = None
    stage: Write | None = None  # None: a parcel, or a kind that has no connector
    stage_kind: str
    write: Write | None = None  # None: no connector writes that kind
    target_kind: str
    transform: str | None = None  # a SELECT over {stage}
    rows_change: bool = False  # by `transform`

    phases: Mapping[str, PhaseRule]  # all seven
    stale_after: timedelta
    tolerances: Tolerances
    cleaning: StageCleaning
    target_cleaning: tuple[str, ...] = ()  # statements
    retry: Retry
    monitoring: Monitoring
    smtp: Smtp | None = None
    document: Mapping[str, Any] = field(repr=False)  # the whole file, values put in, read-only: for user scripts
