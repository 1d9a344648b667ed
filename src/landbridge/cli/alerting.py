"""How commands come to alert. The room of alerts is imported only where a project declares some."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from landbridge.config.project import Project
from landbridge.contracts.values import Check
from landbridge.engine.world import World

if TYPE_CHECKING:
    from landbridge.monitor.wanted import Wanted


def with_alerts(world: World) -> None:
    """From now on, what the engine tells goes to those who want alerts, too; what waits for them goes first."""
    wanted = wanted_by_pipeline(world.project)
    if not world.project.alerts.channels and not any(one.smtp for one in wanted.values()):
        return
    from landbridge.monitor.sink import Alerting

    alerting = Alerting(world.project.alerts, wanted, lambda: world.ledger, world.emit)
    alerting.catch_up()
    world.emit = alerting


def wanted_by_pipeline(project: Project) -> Mapping[str, "Wanted"]:
    """What each pipeline's own file says of alerts."""
    return {pipeline.name: pipeline for pipeline in project.pipelines}


def asked_channels(project: Project) -> Iterable[tuple[str, Check]]:
    """What `doctor` finds of the channels: can their URLs be used?"""
    if not project.alerts.channels:
        return ()
    from landbridge.monitor.diagnosis import asked

    return asked(project.alerts)
