"""What a pipeline's own file wants of alerts: which, and where else they go."""

from dataclasses import dataclass, field

from pydantic import SecretStr

from landbridge.config.alerts import Kind


@dataclass(frozen=True, kw_only=True)
class Smtp:
    """The server that sends a pipeline's mails; `from_email` None: the user, or else the owner."""

    host: str = "localhost"
    port: int = 587
    user: str | None = None
    password: SecretStr | None = None
    from_email: str | None = None
    use_tls: bool = True


@dataclass(frozen=True, kw_only=True)
class Monitoring:
    """Which alerts are wanted at all; a phase is told above its expected duration times the threshold."""

    alert_on_failure: bool = True
    alert_on_duration_exceed: bool = True
    alert_on_gap: bool = True
    alert_on_schema_change: bool = True
    duration_multiplier_threshold: float = 2.0

    def wants(self, kind: Kind) -> bool:
        match kind:
            case "failure":
                return self.alert_on_failure
            case "duration":
                return self.alert_on_duration_exceed
            case "gap":
                return self.alert_on_gap
            case "schema_change":
                return self.alert_on_schema_change


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Of one pipeline; without `smtp` nothing is mailed."""

    owner_email: str
    notification_emails: tuple[str, ...] = ()
    slack_channel: str | None = None
    smtp: Smtp | None = None
    monitoring: Monitoring = field(default_factory=Monitoring)
