"""A declared pipeline as people read it: what was understood of its file."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from landbridge.config.pipelines.fields import DAYS
from landbridge.config.pipelines.values import PARCEL, Pipeline, TimedTolerances, Tolerances
from landbridge.connectors.registry import ConnectionOptions
from landbridge.contracts.values import Read, Write
from landbridge.windows import format_duration

Lines = Iterator[tuple[str, str]]


def understood(pipeline: Pipeline, connections: Mapping[str, ConnectionOptions]) -> Lines:
    """Labels and texts, one line each; no text holds more of a connection than its name and type."""
    if pipeline.description:
        yield "about", pipeline.description
    mails = ", ".join(dict.fromkeys((pipeline.owner_email, *pipeline.notification_emails)))
    yield "owner", f"{pipeline.owner_name}, {mails}" if pipeline.owner_name else mails
    if pipeline.environment:
        yield "environment", pipeline.environment
    yield "windows", _windows(pipeline)
    if pipeline.schedule or pipeline.cron_expression:
        yield "schedule", _schedule(pipeline)
    source = _system(pipeline.read, pipeline.source_kind)
    yield "source", f"{source}, by {pipeline.query_field}" if pipeline.query_field else source
    yield "stage", _system(pipeline.stage, pipeline.stage_kind)
    yield "target", _system(pipeline.write, pipeline.target_kind)
    if pipeline.write and (merge := pipeline.write.merge):
        yield "keys", f"{', '.join(merge.keys)}: the newest row by {merge.newest_by} stays"
    yield from _phases(pipeline)
    yield "tolerances", _percents(pipeline.tolerances)
    for rule in pipeline.tolerances.by_time:
        days = " ".join(DAYS[day] for day in sorted(rule.weekdays))
        yield "", f"{days} {rule.start:%H:%M} to {rule.end:%H:%M}: {_percents(rule)}"
    for name, options in connections.items():
        if name.startswith(f"{pipeline.name}."):
            yield "connection", f"{name} ({options.type}), made by this file"


def _windows(pipeline: Pipeline) -> str:
    told = f"{pipeline.step} in {pipeline.zone}, due {_span(pipeline.settle_delay)} after their end"
    if pipeline.look_back is not None:
        told += f", by themselves {_span(pipeline.look_back)} back"
    if pipeline.acceptable_start is not None:
        told += f", from {pipeline.acceptable_start:%Y-%m-%d %H:%M} UTC"
    if pipeline.acceptable_end is not None:
        told += f", until {pipeline.acceptable_end:%Y-%m-%d %H:%M} UTC"
    return told if pipeline.catchup else f"{told}; only the newest"


def _schedule(pipeline: Pipeline) -> str:
    every = f"every {_span(pipeline.schedule)}" if pipeline.schedule else None
    cron = f"cron {pipeline.cron_expression}, for the scheduler" if pipeline.cron_expression else None
    return "; ".join(filter(None, (every, cron)))


def _span(span: timedelta) -> str:
    return f"{span.days}d" if span and not span % timedelta(days=1) else format_duration(span)


def _system(place: Read | Write | None, kind: str) -> str:
    if place is None:
        return kind if kind == PARCEL else f"{kind}, by your scripts"
    return f"{place.connection} ({kind}): {place.relation}"


def _phases(pipeline: Pipeline) -> Lines:
    scripts = {name: rule.user_script for name, rule in pipeline.phases.items() if rule.enabled and rule.user_script}
    off = [name for name, rule in pipeline.phases.items() if not rule.enabled]
    for name, script in scripts.items():
        yield "script", f"{name}: {script}"
    if off:
        yield "off", ", ".join(off)


def _percents(of: Tolerances | TimedTolerances) -> str:
    steps = f"source to stage {of.source_to_stage:g} %, stage to target {of.stage_to_target:g} %"
    return f"{steps}, duplicates {of.duplicates:g} %"
