"""What `doctor` asks of the channels; nothing is sent."""

from collections.abc import Iterator

from landbridge.config.alerts import Alerts
from landbridge.contracts.values import Check
from landbridge.errors import NotInstalled
from landbridge.monitor.channels import of_channel
from landbridge.monitor.delivery import unusable


def asked(alerts: Alerts) -> Iterator[tuple[str, Check]]:
    """Pairs of a channel and the answer. A failure is an answer: nothing is raised."""
    for channel in alerts.channels:
        name = f"alerts {channel.name}"
        try:
            why = unusable(of_channel(channel))
        except NotInstalled as error:
            yield name, Check("url", ok=False, detail=error.message, hint=error.hint)
        else:
            hint = "see https://appriseit.com/services/ for the URL of each service" if why else None
            test = f"can be used; landbridge alerts test --channel {channel.name} sends a message"
            yield name, Check("url", ok=why is None, detail=why or test, hint=hint)
