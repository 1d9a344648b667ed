"""Who wants alerts of a pipeline, and by which server, without a whole pipeline around it."""

from dataclasses import dataclass, field
from typing import Any

from landbridge.config.pipelines import Monitoring, Smtp


@dataclass(frozen=True, kw_only=True)
class Owner:
    """What a pipeline's file says of its alerts."""

    owner_email: str
    notification_emails: tuple[str, ...] = ()
    slack_channel: str | None = None
    environment: str | None = None
    smtp: Smtp | None = None
    monitoring: Monitoring = field(default_factory=Monitoring)


def mail_server(**fields: Any) -> Smtp:
    """With the defaults that a file has."""
    given = {"host": "localhost", "port": 587, "user": None, "password": None, "use_tls": True, **fields}
    return Smtp(**{"from_email": given["user"] or "owner@x.test", **given})
