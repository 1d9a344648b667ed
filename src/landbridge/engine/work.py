"""What worker processes do: one part each. They get names and values, and look up credentials themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

from landbridge.config.project import load_project
from landbridge.connectors.masking import masked
from landbridge.connectors.registry import Connector, open_connector
from landbridge.contracts.values import Landing, Part
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.columns import Columns, leaving
from landbridge.schema.traits import Look, Traits
from landbridge.sealing.keyring import Keyring
from landbridge.stage.location import open_store
from landbridge.stage.manifest import PartEntry
from landbridge.stage.reading import Parcel, read_part
from landbridge.stage.writing import PartSettings, write_parts


class Written(NamedTuple):
    """What became of one part of the source: its number, its entries in the manifest, what its values are like."""

    number: int
    entries: Sequence[PartEntry]
    traits: Sequence[Traits]


@dataclass(frozen=True)
class Unload:
    """Read one part of the source, mask it, look at it, write it as sealed parts."""

    project: Path
    part: Part
    columns: Columns
    location: str
    folder: str
    stem: str
    settings: PartSettings

    def __call__(self) -> Written:
        source, look = _connector(self.project, self.part.connection), Look()
        batches = masked(source.batches(self.part), self.part.schema, self.columns, _masking_key(self.project))
        entries = write_parts(
            open_store(self.location),
            self.folder,
            look.at(batches),
            schema=arrow_schema(leaving(self.part.schema, self.columns)),
            settings=self.settings,
            stem=self.stem,
        )
        return Written(self.part.number, entries, look.traits)


@dataclass(frozen=True)
class Append:
    """Open one part of a parcel and append its rows to the landing table; returns the part's entry."""

    project: Path
    landing: Landing
    location: str
    parcel: Parcel
    entry: PartEntry

    def __call__(self) -> PartEntry:
        target = _connector(self.project, self.landing.write.connection)
        identities = _identities(self.project) if self.parcel.index.sealed else ()
        batches = read_part(open_store(self.location), self.parcel, self.entry, identities)
        target.append(self.landing, batches, self.entry.first_row)
        return self.entry


@cache
def _connector(project: Path, name: str) -> Connector:
    return open_connector(name, load_project(project).connections[name])


@cache
def _masking_key(project: Path) -> bytes | None:
    key = load_project(project).masking_key
    return key.get_secret_value().encode() if key else None


@cache
def _identities(project: Path) -> Sequence[str]:
    return Keyring(load_project(project).keys).identities()
