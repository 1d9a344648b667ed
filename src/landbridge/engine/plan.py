"""The plan: one frozen value that says everything a run will do. Making it changes nothing."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from landbridge.config.project import Project
from landbridge.config.tables import MaxDelta, Table
from landbridge.contracts.values import Merge, Read, Write, WriteMode
from landbridge.errors import ConfigError, UsageError
from landbridge.schema.model import Relation
from landbridge.schema.names import nearest

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

    @property
    def connections(self) -> frozenset[str]:
        """Names of those that rows are read from and written to."""
        return frozenset(side.connection for side in (self.read, self.write) if side)

    def digest(self) -> str:
        """Equal for plans that move the same: what a later attempt compares before it goes on where one stopped."""
        values = asdict(self)
        del values["max_delta"]  # it lets a read through, or not
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
        sync_mode=table.write.mode,
        merge=table.write.merge,
    )


def load_id(pipeline_name: str, write: Write, parcel_id: str) -> str:
    """The same for every attempt to load this parcel into this target; written beside the rows."""
    place = asdict(replace(write, accept_loss={}, merge=None))  # what was loaded stays loaded, however it would be now
    del place["accept_loss"], place["merge"]
    text = json.dumps([pipeline_name, parcel_id, place], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
