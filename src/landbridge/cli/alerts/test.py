"""`landbridge alerts test`."""

import socket
from collections.abc import Sequence
from typing import Annotated

import typer

from landbridge.cli.options import ProjectFolder, open_project
from landbridge.config.project import Project
from landbridge.errors import ConfigError, UsageError, WorldError
from landbridge.monitor.alert import trial
from landbridge.monitor.channels import Destination, of_channel, of_pipeline
from landbridge.monitor.delivery import deliver
from landbridge.schema.names import did_you_mean

SECONDS = 15.0  # for each: a person waits


def test_command(
    *,
    channel: Annotated[str | None, typer.Option("--channel", metavar="NAME", help="This channel only.")] = None,
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", metavar="NAME", help="Where this pipeline's own alerts go.")
    ] = None,
    project: ProjectFolder = None,
) -> None:
    """Send a message on each channel of landbridge.yaml, whatever its severity; exit code 3 if one does not go out."""
    failed = False
    for to in _asked_for(open_project(project), channel, pipeline):
        alert = trial(to.name, socket.gethostname())
        why = deliver(to, alert.subject, alert.text, alert.severity, seconds=SECONDS)
        typer.echo(f"{to.name}: {f'failed: {why}' if why else 'sent'}")
        failed = failed or why is not None
    if failed:
        raise typer.Exit(WorldError.exit_code)


def _asked_for(project: Project, channel: str | None, pipeline: str | None) -> Sequence[Destination]:
    if channel and pipeline:
        raise UsageError("a channel or a pipeline, not both", hint="landbridge alerts test --channel NAME")
    if pipeline:
        return _of_pipeline(project, pipeline)
    if not project.alerts.channels:
        raise ConfigError("landbridge.yaml declares no channels of alerts", hint="docs/alerts.md shows how")
    if channel is None:
        return [of_channel(one) for one in project.alerts.channels]
    return [_channel(project, channel)]


def _channel(project: Project, name: str) -> Destination:
    """UsageError for a name that `alerts.channels` does not have."""
    for one in project.alerts.channels:
        if one.name == name:
            return of_channel(one)
    known = did_you_mean(name, [one.name for one in project.alerts.channels]).removeprefix("; ")
    raise UsageError(f"no channel is called {name!r}", hint=known)


def _of_pipeline(project: Project, name: str) -> Sequence[Destination]:
    one = project.pipeline(name)
    named = [_channel(project, one.slack_channel.removeprefix("#"))] if one.slack_channel else []
    own = [*named, *of_pipeline(name, one)]
    if not own:
        raise ConfigError(f"{name} has no alerts of its own", hint="smtp_config and slack_channel give it some")
    return own
