"""The sections of a pipeline's file that name no system; one model for each level, their descriptions are the help."""

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from landbridge.config.fields import Delay, Duration, FileName, Level, Schedule, Zone
from landbridge.config.pipelines.fields import Cron, Email, Granularity, Moment
from landbridge.config.tables import Strict


class Sections(Strict):
    """The file."""

    pipeline_metadata: Level = Field(description="whose pipeline this is")
    dag_schedule: Level = Field(default={}, description="when it is run, by whatever starts it")
    query_window: Level = Field(default={}, description="how time is cut into windows")
    source_system: Level = Field(description="what is read")
    stage_system: Level = Field(description="what lies between source and target")
    target_system: Level = Field(description="what is loaded")
    phases: Level = Field(description="what is special about each of the seven phases")
    retry_configuration: Level = Field(default={}, description="what happens after a failure that may pass")
    monitoring: Level = Field(default={}, description="what is told")
    smtp_config: Level | None = Field(default=None, description="how this pipeline's mails are sent")
    snowflake_connection: Level | None = Field(
        default=None, description="the account, for sections of type snowflake without options of their own"
    )


class Metadata(Strict):
    """Whose pipeline this is."""

    pipeline_name: FileName = Field(description="unique among tables and pipelines, whatever the case")
    owner_email: Email = Field(description="who gets the alerts")
    pipeline_description: str | None = Field(default=None, description="what it is for")
    owner_name: str | None = Field(default=None, description="who is asked about it")
    notification_emails: list[Email] = Field(default=[], description="who gets the alerts too")
    slack_channel: str | None = Field(default=None, description="where alerts go too")
    environment: str | None = Field(default=None, description="which installation this is, like production")


class DagSchedule(Strict):
    """When it is run."""

    frequency: Schedule | None = Field(
        default=None, description="how old the target may become: hourly, daily, … or like 6h"
    )
    cron_expression: Cron | None = Field(default=None, description="five fields, for the scheduler that starts it")
    timezone: Zone = Field(
        default="UTC", description="zone of the schedule, and of query_window unless it says its own"
    )
    start_date: Moment | None = Field(
        default=None, description="acceptable_data_fetch_start_time, where that is not set"
    )
    catchup: bool = Field(default=True, description="false: only the newest window that is due is run")


class QueryWindow(Strict):
    """How time is cut into windows."""

    granularity: Granularity | None = Field(
        default=None, description="how long a window is: like 1h, 1d, 1mo; default: 1h"
    )
    duration: Granularity | None = Field(default=None, description="another word for granularity")
    type: str | None = Field(default=None, description="a word for people; windows are what granularity says")
    timezone: Zone | None = Field(
        default=None, description="whose days, weeks and months; default: that of dag_schedule"
    )
    settle_delay: Delay | None = Field(
        default=None, description="a window is due when it has ended so long ago; default: 5m"
    )
    x_days_back: Duration | None = Field(
        default=None, description="how far back missing windows are run; default: no limit"
    )
    acceptable_data_fetch_start_time: Moment | None = Field(default=None, description="no window begins before")
    acceptable_data_fetch_end_time: Moment | None = Field(default=None, description="no window ends after")

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if None not in (self.granularity, self.duration) and self.granularity != self.duration:
            raise PydanticCustomError("twice", "another length than granularity; keep one", {"at": "duration"})
        return self


class RetryConfiguration(Strict):
    """What happens after a failure that may pass."""

    max_retries: int = Field(default=3, ge=0, le=100, description="how often a window is tried again")
    backoff_strategy: Literal["exponential", "linear", "none"] = Field(
        default="exponential", description="pause before: 1, 2, 4 s …, always 2 s, or none"
    )


class MonitoringKeys(Strict):
    """What is told."""

    alert_on_failure: bool = Field(default=True, description="tell when a run failed")
    alert_on_duration_exceed: bool = Field(default=True, description="tell when a phase took too long")
    alert_on_gap: bool = Field(default=True, description="tell holes that no due window will fill")
    alert_on_schema_change: bool = Field(default=True, description="tell when the source's columns have changed")
    duration_multiplier_threshold: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        default=2.0, description="too long is more than expected_run_duration times this"
    )


class SmtpConfig(Strict):
    """How this pipeline's mails are sent."""

    host: str = Field(default="localhost", min_length=1, description="the mail server")
    port: int = Field(default=587, ge=1, le=65535, description="its TCP port")
    user: str | None = Field(
        default=None, min_length=1, description="who logs in; none where the server asks for nobody"
    )
    password: SecretStr | None = Field(default=None, description="the password of user")
    from_email: Email | None = Field(default=None, description="whom mails are from; default: user")
    use_tls: bool = Field(default=True, description="false: nothing is encrypted on the way")

    @model_validator(mode="after")
    def _has_a_sender(self) -> Self:
        if self.from_email is None and "@" not in (self.user or ""):
            raise PydanticCustomError(
                "sender", "missing; user is no address that mails could be from", {"at": "from_email"}
            )
        if self.password is not None and self.user is None:
            raise PydanticCustomError("user", "missing; password needs it", {"at": "user"})
        return self
