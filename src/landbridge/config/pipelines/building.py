"""One pipeline, from its file with all values put in."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from landbridge.config.document import Document
from landbridge.config.pipelines.fields import instant
from landbridge.config.pipelines.phases import (
    SECTION,
    Phase,
    StageCleaningKeys,
    StageToTargetTransfer,
    StalePipelineHandling,
    TargetCleaning,
    ask_for_scripts,
    read_phases,
    read_tolerances,
    rules_of,
)
from landbridge.config.pipelines.readonly import ReadOnly, read_only
from landbridge.config.pipelines.sections import (
    DagSchedule,
    Metadata,
    MonitoringKeys,
    QueryWindow,
    RetryConfiguration,
    Sections,
    SmtpConfig,
)
from landbridge.config.pipelines.sides import Found, Kinds, Sides
from landbridge.config.pipelines.systems import SIDES, Source, Target
from landbridge.config.pipelines.values import PARCEL, Monitoring, Pipeline, Retry, Smtp, StageCleaning
from landbridge.config.problems import Keys, Problems
from landbridge.config.tables import Strict
from landbridge.config.validation import keys_of, validate
from landbridge.connectors.registry import ConnectionOptions
from landbridge.contracts.values import Merge, Read, Write

SETTLE_DELAY = timedelta(minutes=5)
STEP = "1h"
START, END = "acceptable_data_fetch_start_time", "acceptable_data_fetch_end_time"
ABSENT = ("smtp_config", "snowflake_connection")  # where they say nothing

Section = TypeVar("Section", bound=Strict)


def build(
    document: Document, folder: Path, known: Kinds | None, problems: Problems, *, with_scripts: bool
) -> tuple[Pipeline | None, dict[str, ConnectionOptions]]:
    """The pipeline, and the connections that its sections make; None where a section cannot be understood.

    Problems are added, with their lines; `with_scripts` also for scripts that are not there. `document` is changed:
    what nothing of ours reads is gone, numbers that came from variables are numbers.
    """
    put_in = frozenset(document.free)
    whole = deepcopy(document.data)
    _set_aside(document)
    validate(Sections, document, (), problems)
    metadata = validate(Metadata, document, ("pipeline_metadata",), problems)
    name = metadata.pipeline_name if metadata else Path(document.file).parent.name
    sides = Sides(document=document, folder=folder, name=name, known=known, problems=problems, made={})
    sides.account()
    source, stage, target = (sides.read(side) for side in SIDES)
    phases = read_phases(document, problems)
    if with_scripts:
        ask_for_scripts(document, folder, phases, problems)
    when = _when(document, problems)
    rest = _rest(document, problems) | _phase_values(document, folder, phases, problems)
    if metadata is None or source is None or stage is None or target is None:
        return None, sides.made
    for keys, text in _contradictions(source, stage, target, phases):
        problems.add(document.place(keys), text)
    frozen = _frozen(whole, document, put_in)
    pipeline = Pipeline(
        name=name,
        file=Path(document.file),
        owner_email=metadata.owner_email,
        notification_emails=tuple(metadata.notification_emails),
        slack_channel=metadata.slack_channel,
        description=metadata.pipeline_description,
        owner_name=metadata.owner_name,
        environment=metadata.environment,
        phases=rules_of(phases, folder, frozen),
        document=frozen,
        **when,
        **rest,
        **_systems(source, stage, target),
    )
    return pipeline, sides.made


def _set_aside(document: Document) -> None:
    """Forget what is the user's own, and let sections that say nothing be empty ones."""
    data = document.data
    assert isinstance(data, dict), "callers have looked"  # noqa: S101
    document.data = _without_free_keys(data)
    phases = document.get((SECTION,))
    for level, keys in ((document.data, keys_of(Sections)), (phases, [*phases] if isinstance(phases, dict) else [])):
        for key in keys:
            if isinstance(level, dict) and key in level and level[key] is None and key not in ABSENT:
                level[key] = {}


def _without_free_keys(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: each if key == "custom" else _without_free_keys(each)
            for key, each in value.items()
            if not key.startswith("x-")
        }
    return [_without_free_keys(each) for each in value] if isinstance(value, list) else value


def _frozen(whole: object, document: Document, put_in: frozenset[Keys]) -> ReadOnly:
    """The whole file; a number that came from a variable is the number that it was validated as."""
    everything = Document(document.file, whole)
    for keys in put_in:
        value = document.get(keys)
        if isinstance(value, bool | int | float):
            everything.set(keys, value)
    frozen = read_only(everything.data, put_in)
    assert isinstance(frozen, ReadOnly), "made of a mapping"  # noqa: S101
    return frozen


def _section(model: type[Section], document: Document, key: str, problems: Problems) -> Section:
    """The section; all defaults where it is missing, or has problems."""
    there = document.get((key,)) is not None
    return (validate(model, document, (key,), problems) if there else None) or model()


def _when(document: Document, problems: Problems) -> dict[str, Any]:
    """The fields of a pipeline that are about time."""
    window = _section(QueryWindow, document, "query_window", problems)
    schedule = _section(DagSchedule, document, "dag_schedule", problems)
    zone = window.timezone or schedule.timezone
    own = getattr(window, START)
    at = ("query_window", START) if own else ("dag_schedule", "start_date")
    start = _instant(document, at, own or schedule.start_date, zone, problems)
    end = _instant(document, ("query_window", END), getattr(window, END), zone, problems)
    if start and end and end <= start:
        problems.add(document.place(("query_window", END)), "not after the start; no window fits")
    return {
        "schedule": schedule.frequency,
        "cron_expression": schedule.cron_expression,
        "step": window.granularity or window.duration or STEP,
        "zone": zone,
        "settle_delay": SETTLE_DELAY if window.settle_delay is None else window.settle_delay,
        "look_back": window.x_days_back,
        "acceptable_start": start,
        "acceptable_end": end,
        "catchup": schedule.catchup,
    }


def _instant(document: Document, at: Keys, text: str | None, zone: str, problems: Problems) -> datetime | None:
    try:
        return instant(text, zone) if text else None
    except ValueError as error:
        problems.add(document.place(at), str(error))
        return None


def _rest(document: Document, problems: Problems) -> dict[str, Any]:
    """The fields of a pipeline about what happens around its runs."""
    retry = _section(RetryConfiguration, document, "retry_configuration", problems)
    monitoring = _section(MonitoringKeys, document, "monitoring", problems)
    there = isinstance(document.get(("smtp_config",)), dict)
    mail = validate(SmtpConfig, document, ("smtp_config",), problems) if there else None
    return {
        "retry": Retry(max_retries=retry.max_retries, backoff_strategy=retry.backoff_strategy),
        "monitoring": Monitoring(**monitoring.model_dump()),
        "smtp": mail
        and Smtp(
            host=mail.host,
            port=mail.port,
            user=mail.user,
            password=mail.password,
            from_email=mail.from_email or str(mail.user),
            use_tls=mail.use_tls,
        ),
    }


def _phase_values(document: Document, folder: Path, phases: dict[str, Phase], problems: Problems) -> dict[str, Any]:
    """The fields of a pipeline that single phases take."""
    stale, transfer, cleaning, target = (
        phases[name]
        for name in ("stale_pipeline_handling", "stage_to_target_transfer", "stage_cleaning", "target_cleaning")
    )
    assert isinstance(stale, StalePipelineHandling)  # noqa: S101 - each by its own model
    assert isinstance(transfer, StageToTargetTransfer)  # noqa: S101
    assert isinstance(cleaning, StageCleaningKeys)  # noqa: S101
    assert isinstance(target, TargetCleaning)  # noqa: S101
    place = cleaning.archive_location
    return {
        "transform": transfer.sql,
        "rows_change": transfer.rows == "changed",
        "stale_after": timedelta(minutes=stale.timeout_minutes),
        "tolerances": read_tolerances(document, problems),
        "cleaning": StageCleaning(
            archive_before_delete=cleaning.archive_before_delete,
            archive_location=place if place is None or "://" in place else str(folder / place),
            delete_after=timedelta(days=cleaning.delete_after_days),
        ),
        "target_cleaning": target.sql,
    }


def _systems(source: Found, stage: Found, target: Found) -> dict[str, Any]:
    """The fields of a pipeline about its systems."""
    keys = source.keys
    assert isinstance(keys, Source), "of its own model"  # noqa: S101
    read = None
    if source.connection and source.relation:
        read = Read(source.connection, source.relation, keys.source_query, keys.filter)
    return {
        "source_kind": source.kind,
        "read": read,
        "query_field": keys.query_field,
        "query_field_timezone": keys.query_field_timezone,
        "stage": _write(stage),
        "stage_kind": stage.kind,
        "write": _write(target, _merge(target, keys)),
        "target_kind": target.kind,
    }


def _write(side: Found, merge: Merge | None = None) -> Write | None:
    if side.connection is None or side.relation is None:
        return None
    return Write(side.connection, side.relation, mode="window", merge=merge)


def _merge(target: Found, source: Source) -> Merge | None:
    keys = target.keys.merge_keys if isinstance(target.keys, Target) else []
    return Merge(tuple(keys), newest_by=source.query_field) if keys else None


def _contradictions(source: Found, stage: Found, target: Found, phases: dict[str, Phase]) -> Iterator[tuple[Keys, str]]:
    """Keys, and what does not fit together there."""
    read_by_us = source.connection is not None and phases["source_to_stage_transfer"].user_script is None
    if read_by_us and isinstance(source.keys, Source) and source.keys.query_field is None:
        yield ("source_system", "query_field"), "missing; the column by whose time a row belongs to a window"
    if isinstance(source.keys, Source) and _merge(target, source.keys) and source.keys.query_field is None:
        yield ("target_system", "merge_keys"), "goes with query_field of source_system: the newest row by it stays"
    transfer = phases["stage_to_target_transfer"]
    if isinstance(transfer, StageToTargetTransfer) and transfer.sql is not None and stage.kind == PARCEL:
        yield (SECTION, "stage_to_target_transfer", "sql"), "needs a landing table; stage_system is a parcel"
    named = [("source_system", source), ("stage_system", stage), ("target_system", target)]
    for number, (section, side) in enumerate(named):
        for other, one in named[:number]:
            if side.connection and (side.connection, side.relation) == (one.connection, one.relation):
                yield (section, "table"), f"is the table of {other}"
