"""The plan: one frozen value that says everything a run will do. Making it changes nothing."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from landbridge.config.project import Project
from landbridge.config.tables import Table
from landbridge.contracts.values import Read, Write
from landbridge.schema.model import Relation

JobKind = Literal["run", "export", "import"]


@dataclass(frozen=True)
class Packing:
    """How a parcel is made: sealed or not, compressed how, cut at which size in bytes."""

    encryption: bool
    compression_type: str | None
    compression_level: int
    part_size: int


@dataclass(frozen=True)
class Plan:
    """What one run will do. Holds connection names, never credentials.

    An export has no `write`, an import no `read` and no `packing`. `parcel` is the folder, below `location`,
    of the parcel that an import loads, `as_of` the instant that it shows; `again` accepts one that is older
    than what was loaded before. `goes_to` is what the parcel advises: where this side would load it.
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
    goes_to: Relation | None = None

    def digest(self) -> str:
        """Equal for equal plans: what a later attempt compares before it goes on where this one stopped."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def sides(project: Project, table: Table) -> JobKind:
    """What this project can do with a table: each side of a gap knows only its own connection."""
    if table.read.connection not in project.connections:
        return "import"
    return "run" if table.write.connection in project.connections else "export"


def plan_run(project: Project, table: Table) -> Plan:
    """One hop: source to target on this host, through a parcel in the project's stage."""
    return _reading(project, table, "run", project.stage, table.write)


def plan_export(project: Project, table: Table, location: str | None = None) -> Plan:
    """Inside a gap: source to a sealed parcel at `location` (default: the project's exports)."""
    return _reading(project, table, "export", location or project.exports, None)


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
            compression_type=settings.compression_type if table.compression else None,
            compression_level=settings.compression_level,
            part_size=settings.part_size,
        ),
        schedule=table.schedule,
        goes_to=table.write.relation,
    )


def load_id(plan: Plan, parcel_id: str) -> str:
    """The same for every attempt to load this parcel into this target; written beside the rows."""
    text = json.dumps([plan.pipeline_name, parcel_id, asdict(plan.write) if plan.write else None], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
