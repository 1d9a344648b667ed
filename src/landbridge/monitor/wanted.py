"""What a pipeline's own file wants of alerts: which, and where else they go."""

from typing import Protocol

from landbridge.config.alerts import Kind
from landbridge.config.pipelines import Monitoring, Smtp


class Wanted(Protocol):
    """That part of a declared pipeline; without `smtp` nothing is mailed."""

    @property
    def owner_email(self) -> str: ...
    @property
    def notification_emails(self) -> tuple[str, ...]: ...
    @property
    def slack_channel(self) -> str | None: ...
    @property
    def environment(self) -> str | None: ...
    @property
    def smtp(self) -> Smtp | None: ...
    @property
    def monitoring(self) -> Monitoring: ...


def wants(monitoring: Monitoring, kind: Kind) -> bool:
    """Whether alerts of that kind are wanted at all."""
    match kind:
        case "failure":
            return monitoring.alert_on_failure
        case "duration":
            return monitoring.alert_on_duration_exceed
        case "gap":
            return monitoring.alert_on_gap
        case "schema_change":
            return monitoring.alert_on_schema_change
