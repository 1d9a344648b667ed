"""The section `phases` of a pipeline's file, and what it comes to."""

from collections.abc import Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from landbridge.config.columns import different
from landbridge.config.document import Document
from landbridge.config.fields import Duration, Level, Location
from landbridge.config.pipelines.fields import DAYS, Clock, Script, Statements, Transform
from landbridge.config.pipelines.readonly import ReadOnly
from landbridge.config.pipelines.values import MIDNIGHT, PhaseRule, TimedTolerances, Tolerances
from landbridge.config.problems import Keys, Problems
from landbridge.config.tables import Strict
from landbridge.config.validation import validate

SECTION = "phases"
TOLERANCES: Keys = (SECTION, "audit", "count_tolerances")
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]


class Phase(Strict):
    """What every phase takes."""

    enabled: bool = Field(default=True, description="false: the phase is skipped")
    expected_run_duration: Duration | None = Field(default=None, description="how long it should take: see monitoring")
    user_script: Script | None = Field(default=None, description="a Python file of yours that does this phase")
    custom: dict[str, object] = Field(default={}, description="free, for your script")


class StalePipelineHandling(Phase):
    """What dead attempts left."""

    timeout_minutes: int = Field(
        default=120, ge=1, description="stage rows that are in_progress for longer become pending"
    )


class StageToTargetTransfer(Phase):
    """How the stage's rows reach the target."""

    sql: Transform | None = Field(
        default=None, description="a SELECT over {stage} that is loaded instead of the stage's rows"
    )
    rows: Literal["preserved", "changed"] = Field(
        default="preserved", description="changed: sql gives more or fewer rows"
    )

    @model_validator(mode="after")
    def _changed_by_something(self) -> Self:
        if self.rows == "changed" and self.sql is None:
            raise PydanticCustomError("rows", "goes with sql only: nothing else changes rows", {"at": "rows"})
        return self


class Audit(Phase):
    """The three counts."""

    count_tolerances: Level = Field(default={}, description="how far the counts may differ")


class StageCleaningKeys(Phase):
    """When a stage goes."""

    delete_after_days: int = Field(
        default=7, ge=0, le=36500, description="how long a stage stays after its window was loaded"
    )
    archive_before_delete: bool = Field(
        default=False, description="copy the stage to archive_location first, and compare"
    )
    archive_location: Location | None = Field(default=None, description="a folder or an object store's URL")

    @model_validator(mode="after")
    def _knows_where_to(self) -> Self:
        if self.archive_before_delete and self.archive_location is None:
            raise PydanticCustomError("where", "missing; archive_before_delete needs it", {"at": "archive_location"})
        return self


class TargetCleaning(Phase):
    """The user's own SQL."""

    enabled: bool = Field(default=False, description="true: the phase is run")
    sql: Statements = Field(default=(), description="statements, in one transaction at the target")


MODELS: dict[str, tuple[type[Phase], timedelta]] = {  # with the duration that is expected unless one is declared
    "stale_pipeline_handling": (StalePipelineHandling, timedelta(minutes=1)),
    "pre_validation": (Phase, timedelta(minutes=1)),
    "source_to_stage_transfer": (Phase, timedelta(minutes=10)),
    "stage_to_target_transfer": (StageToTargetTransfer, timedelta(minutes=5)),
    "audit": (Audit, timedelta(minutes=2)),
    "stage_cleaning": (StageCleaningKeys, timedelta(minutes=3)),
    "target_cleaning": (TargetCleaning, timedelta(minutes=5)),
}


class Phases(Strict):
    """The seven."""

    stale_pipeline_handling: Level = Field(default={}, description="what dead attempts left")
    pre_validation: Level = Field(default={}, description="what can be asked before a row moves")
    source_to_stage_transfer: Level = Field(default={}, description="the window's rows")
    stage_to_target_transfer: Level = Field(default={}, description="how they reach the target")
    audit: Level = Field(default={}, description="the three counts")
    stage_cleaning: Level = Field(default={}, description="when a stage goes")
    target_cleaning: Level = Field(default={}, description="your own SQL at the target")


class CountTolerances(Strict):
    """How far the counts may differ, in percent."""

    source_to_stage_tolerance_percent: Percent = Field(default=0.0, description="loss from source to stage")
    stage_to_target_tolerance_percent: Percent = Field(default=0.0, description="loss from stage to target")
    duplicates_tolerance_percent: Percent = Field(default=0.0, description="more rows than before, at either step")
    by_time: list[Level] = Field(default=[], description="others for some times: the first that fits counts")


class ByTime(Strict):
    """Other tolerances for windows that start at some times."""

    weekdays: Annotated[
        list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] | None,
        AfterValidator(lambda v: v and different(v)),
    ] = Field(default=None, min_length=1, description="default: every day")
    from_: Clock = Field(default=MIDNIGHT, alias="from", description="local time at which they begin to count")
    to: Clock = Field(default=MIDNIGHT, description="and end; not after `from`: on the next day")
    source_to_stage_tolerance_percent: Percent | None = Field(default=None, description="loss from source to stage")
    stage_to_target_tolerance_percent: Percent | None = Field(default=None, description="loss from stage to target")
    duplicates_tolerance_percent: Percent | None = Field(
        default=None, description="more rows than before, at either step"
    )

    @model_validator(mode="after")
    def _is_a_time(self) -> Self:
        if self.from_ == self.to != time():
            raise PydanticCustomError("to", "is the time of 'from'; leave both out for all day", {"at": "to"})
        return self


def read_phases(document: Document, problems: Problems) -> dict[str, Phase]:
    """What is declared of each of the seven. Problems are added; defaults stand in for what has them."""
    validate(Phases, document, (SECTION,), problems)
    there = {name: document.get((SECTION, name)) is not None for name in MODELS}
    return {
        name: (validate(model, document, (SECTION, name), problems) if there[name] else None) or model()
        for name, (model, _) in MODELS.items()
    }


def ask_for_scripts(document: Document, folder: Path, phases: Mapping[str, Phase], problems: Problems) -> None:
    """Add a problem for every script that is named and is not there."""
    for name, phase in phases.items():
        if phase.user_script and not (folder / phase.user_script).is_file():
            problems.add(document.place((SECTION, name, "user_script")), "no such file below the project")


def rules_of(phases: Mapping[str, Phase], folder: Path, whole: ReadOnly) -> dict[str, PhaseRule]:
    """What every phase has of it; `whole` is the file, of which each `custom` is a part."""
    return {
        name: PhaseRule(
            enabled=phase.enabled,
            expected=phase.expected_run_duration or MODELS[name][1],
            user_script=folder / phase.user_script if phase.user_script else None,
            custom=_custom(whole, name),
        )
        for name, phase in phases.items()
    }


def _custom(whole: ReadOnly, name: str) -> ReadOnly:
    found: object = whole
    for key in (SECTION, name, "custom"):
        found = found.get(key) if isinstance(found, ReadOnly) else None
    return found if isinstance(found, ReadOnly) else ReadOnly({})


def read_tolerances(document: Document, problems: Problems) -> Tolerances:
    """What the audit lets through. Problems are added."""
    known = validate(CountTolerances, document, TOLERANCES, problems) if document.get(TOLERANCES) is not None else None
    keys = known or CountTolerances()
    rules = [validate(ByTime, document, (*TOLERANCES, "by_time", i), problems) for i in range(len(keys.by_time))]
    return Tolerances(
        source_to_stage=keys.source_to_stage_tolerance_percent,
        stage_to_target=keys.stage_to_target_tolerance_percent,
        duplicates=keys.duplicates_tolerance_percent,
        by_time=tuple(_timed(rule, keys) for rule in rules if rule),
    )


def _timed(rule: ByTime, others: CountTolerances) -> TimedTolerances:
    """Percents that the rule does not say are those beside it."""

    def percent(key: str) -> float:
        own: float | None = getattr(rule, key)
        usual: float = getattr(others, key)
        return usual if own is None else own

    return TimedTolerances(
        weekdays=frozenset(map(DAYS.index, rule.weekdays or DAYS)),
        start=rule.from_,
        end=rule.to,
        source_to_stage=percent("source_to_stage_tolerance_percent"),
        stage_to_target=percent("stage_to_target_tolerance_percent"),
        duplicates=percent("duplicates_tolerance_percent"),
    )
