"""The plan: one frozen value that says everything a run will do. Making it changes nothing."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from landbridge.config.pipelines import Pipeline
from landbridge.config.pipelines.values import PARCEL
from landbridge.config.project import Project
from landbridge.config.tables import MaxDelta, Table
from landbridge.contracts.values import Merge, Read, Write, WriteMode
from landbridge.errors import ConfigError, UsageError
from landbridge.schema.model import Relation
from landbridge.schema.names import nearest
from landbridge.windows import Window

JobKind = Literal["run", "export", "import"]
Begin = Literal["exported", "confirmed", "nothing"]


@dataclass(frozen=True)
class Packing:
    """How a parcel is made: sealed or not, its names hidden or not, compressed how, cut at which size in bytes."""

    encryption: bool
    obfuscated: bool
    compression_type: str | None
    compression_level: int
    part_size: int


@dataclass(frozen=True)
class Windowed:
    """What a plan of a pipeline's window has beside that of a table.

    `field` None: a script reads. `stage` None: a parcel lies between source and target. `scripts` are the phases that
    the user's own code does, with the file; `disabled` those that nobody does.
    """

    window: Window
    field: str | None
    zone: str  # whose days are the windows of a date
    clock: str | None  # the zone that a field without one shows
    stage: Write | None
    transform: str | None
    rows_change: bool
    scripts: Mapping[str, str]
    disabled: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What one run will do. Holds connection names, never credentials.

    An export has no `write`, an import no `read` and no `packing`. `parcel` is the folder, below `location`,
    of the parcel that an import loads, `as_of` the instant that it shows; `again` accepts one that is older
    than what was loaded before. `goes_to` is what the parcel advises: where this side would load it, and how.
    `begins_at` is the mark at which a read of changes begins; nothing: with all rows.
    """

    pipeline_name: str
    job_kind: JobKind
    location: str
    read: Read | None = None
    write: Write | None = None
    packing: Packing | None = None
    parcel: str | None = None
    as_of: datetime | None = None
    again: bool = False
    schedule: timedelta | None = None
    max_delta: MaxDelta = None
    goes_to: Relation | None = None
    sync_mode: WriteMode = "full"
    merge: Merge | None = None
    begins_at: Begin = "exported"
    windowed: Windowed | None = None

    @property
    def stage(self) -> Write | None:
        """The landing table between source and target; None for a parcel."""
        return self.windowed.stage if self.windowed else None

    @property
    def keyed(self) -> bool:
        """Whether windows meet rows of each other at the target: not where a script loads it."""
        merges = self.windowed is not None and self.write is not None and self.write.merge is not None
        return merges and "stage_to_target_transfer" not in (self.windowed.scripts if self.windowed else ())

    @property
    def connections(self) -> frozenset[str]:
        """Names of those that rows are read from and written to."""
        return frozenset(side.connection for side in (self.read, self.write, self.stage) if side)

    def digest(self) -> str:
        """Equal for plans that move the same: what a later attempt compares before it goes on where one stopped."""
        values = asdict(self)
        del values["max_delta"]  # it lets a read through, or not
        if self.windowed is None:
            del values["windowed"]
        text = json.dumps(values, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def sides(project: Project, table: Table) -> JobKind:
    """What this project can do with a table: each side of a gap knows only its own connection.

    Raises ConfigError for an unknown one that is spelt nearly like one of this side's.
    """
    sources = {each.read.connection for each in project.tables}
    targets = {each.write.connection for each in project.tables}
    _refuse_misspelt(table.read.connection, project, other=targets)
    _refuse_misspelt(table.write.connection, project, other=sources)
    if table.read.connection not in project.connections:
        return "import"
    return "run" if table.write.connection in project.connections else "export"


def _refuse_misspelt(name: str, project: Project, *, other: set[str]) -> None:
    """`other` are connections that serve the other purpose: a gap's two ends may well be called alike."""
    if name not in project.connections and (meant := nearest(name, set(project.connections) - other)):
        raise ConfigError(f"no connection is called {name!r}; did you mean {meant!r}?", hint="see config/tables.yaml")


def plan_run(project: Project, table: Table, *, accept_delta: bool = False, full_reload: bool = False) -> Plan:
    """One hop: source to target on this host, through a parcel in the project's stage.

    `accept_delta`: however many rows there are now, as in `plan_export`. Only what the audit confirmed counts.
    """
    plan = _reading(project, table, "run", project.stage, table.write)
    plan = replace(plan, begins_at="nothing" if full_reload else "confirmed")
    return replace(plan, max_delta=False) if accept_delta else plan


def plan_export(
    project: Project,
    table: Table,
    location: str | None = None,
    *,
    obfuscate: bool | None = None,
    accept_delta: bool = False,
    begins_at: Begin = "exported",
) -> Plan:
    """Inside a gap: source to a sealed parcel at `location` (default: the project's exports).

    `obfuscate` None: as the table says. Raises UsageError for a table that is not sealed.
    """
    plan = _reading(project, table, "export", location or project.exports, None)
    obfuscated = table.obfuscate_names if obfuscate is None else obfuscate
    if obfuscated and not table.encryption:
        raise UsageError(f"{table.name} is exported without encryption", hint="--no-obfuscate, or set encryption: true")
    packing = plan.packing and replace(plan.packing, obfuscated=obfuscated)
    max_delta = False if accept_delta else plan.max_delta
    return replace(plan, packing=packing, max_delta=max_delta, begins_at=begins_at)


def plan_import(table: Table, location: str, parcel: str, *, as_of: datetime | None, again: bool) -> Plan:
    """Outside: the parcel in folder `parcel` of `location` to the target."""
    return Plan(
        pipeline_name=table.name,
        job_kind="import",
        location=location,
        write=table.write,
        parcel=parcel,
        as_of=as_of,
        again=again,
        schedule=table.schedule,
    )


def plan_window(project: Project, pipeline: Pipeline, window: Window) -> Plan:
    """One window of a pipeline, source to target on this host.

    Raises ConfigError for a pipeline that nothing here can read, stage or load.
    """
    scripts = {name: str(rule.user_script) for name, rule in pipeline.phases.items() if rule.user_script}
    disabled = tuple(name for name, rule in pipeline.phases.items() if not rule.enabled)
    _refuse_undone(pipeline, {*scripts, *disabled})
    settings = project.parcels
    parcel = pipeline.stage is None and "source_to_stage_transfer" not in scripts
    return Plan(
        pipeline_name=pipeline.name,
        job_kind="run",
        location=project.stage,
        read=pipeline.read,
        write=pipeline.write,
        packing=Packing(
            encryption=True,
            obfuscated=False,
            compression_type=settings.compression_type,
            compression_level=settings.compression_level,
            part_size=settings.part_size,
        )
        if parcel
        else None,
        schedule=pipeline.schedule,
        max_delta=False,  # no two windows are alike
        windowed=Windowed(
            window=window,
            field=pipeline.query_field,
            zone=pipeline.zone,
            clock=pipeline.query_field_timezone,
            stage=pipeline.stage,
            transform=pipeline.transform,
            rows_change=pipeline.rows_change,
            scripts=scripts,
            disabled=disabled,
        ),
    )


def _refuse_undone(pipeline: Pipeline, not_ours: set[str]) -> None:
    """Raise ConfigError for a transfer that neither a connector nor a script can do."""
    into, out_of = "source_to_stage_transfer", "stage_to_target_transfer"
    undone = [
        (into, pipeline.source_kind, pipeline.read is None),
        (into, pipeline.stage_kind, pipeline.stage is None and pipeline.stage_kind != PARCEL),
        (out_of, pipeline.stage_kind, pipeline.stage is None and pipeline.stage_kind != PARCEL),
        (out_of, pipeline.target_kind, pipeline.write is None),
    ]
    for phase, kind, cannot in undone:
        if cannot and phase not in not_ours:
            raise ConfigError(
                f"{pipeline.name}: no connector does {kind} yet", hint=f"phases.{phase}.user_script: a script that does"
            )
    if pipeline.stage is None and into in not_ours and out_of not in not_ours:
        raise ConfigError(
            f"{pipeline.name}: nothing here could load what {into} leaves: a script makes no parcel",
            hint=f"stage_system: a landing table, which the script fills; or phases.{out_of}.user_script",
        )


def window_load_id(pipeline_name: str, window: Window) -> str:
    """The same for every attempt at this window: what its rows carry, in a stage and in the target."""
    text = json.dumps([pipeline_name, window.start.isoformat(), window.end.isoformat()])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _reading(project: Project, table: Table, kind: JobKind, location: str, write: Write | None) -> Plan:
    settings = project.parcels
    return Plan(
        pipeline_name=table.name,
        job_kind=kind,
        location=location,
        read=table.read,
        write=write,
        packing=Packing(
            encryption=table.encryption,
            obfuscated=False,
            compression_type=settings.compression_type if table.compression else None,
            compression_level=settings.compression_level,
            part_size=settings.part_size,
        ),
        schedule=table.schedule,
        max_delta=table.max_delta,
        goes_to=table.write.relation,
        sync_mode=table.write.sync_mode,
        merge=table.write.merge,
    )


def load_id(pipeline_name: str, write: Write, parcel_id: str) -> str:
    """The same for every attempt to load this parcel into this target; written beside the rows."""
    place = asdict(replace(write, accept_loss={}, merge=None))  # what was loaded stays loaded, however it would be now
    del place["accept_loss"], place["merge"]
    text = json.dumps([pipeline_name, parcel_id, place], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
