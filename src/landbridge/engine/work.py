"""What worker processes do: one part each. They get names and values, and look up credentials themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from landbridge.config.project import load_project
from landbridge.connectors.masking import masked
from landbridge.connectors.registry import Connector, open_connector
from landbridge.contracts.values import Landing, Part
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.checksums import Measure, Sums, measure
from landbridge.schema.columns import Columns, leaving
from landbridge.schema.comparison import Row, rows_of
from landbridge.schema.traits import Look, Traits
from landbridge.sealing.keyring import Keyring
from landbridge.stage.location import open_store
from landbridge.stage.manifest import PartEntry
from landbridge.stage.reading import Parcel, read_part
from landbridge.stage.writing import PartSettings, write_parts

if TYPE_CHECKING:
    import pyarrow as pa


class Written(NamedTuple):
    """What one part of a source became: number, entries in the manifest, what rows add up to, what values are like."""

    number: int
    entries: Sequence[PartEntry]
    sums: Sums
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
        source = _connector(self.project, self.part.connection)
        schema = leaving(self.part.schema, self.columns)
        sums, look = Sums(measure(schema)), Look()
        rows = masked(source.batches(self.part), self.part.schema, self.columns, _masking_key(self.project))
        entries = write_parts(
            open_store(self.location),
            self.folder,
            sums.at(look.at(rows)),
            schema=arrow_schema(schema),
            settings=self.settings,
            stem=self.stem,
        )
        return Written(self.part.number, entries, sums, look.traits)


@dataclass(frozen=True)
class OfSource:
    """The rows of one part of a source, or of a target that is read as one; `columns` as they are wanted."""

    part: Part
    columns: tuple[str, ...]

    def batches(self, project: Path) -> "Iterator[pa.RecordBatch]":
        for batch in _connector(project, self.part.connection).batches(self.part):
            yield batch.select(list(self.columns))


@dataclass(frozen=True)
class OfParcel:
    """The rows of one part of a parcel; `columns` as they are wanted."""

    location: str
    parcel: Parcel
    entry: PartEntry
    columns: tuple[str, ...]

    def batches(self, project: Path) -> "Iterator[pa.RecordBatch]":
        for batch in _opened(project, self.location, self.parcel, self.entry):
            yield batch.select(list(self.columns))


@dataclass(frozen=True)
class Sum:
    """What rows add up to, in ranges at least 2^width wide."""

    project: Path
    rows: OfSource | OfParcel
    of: Measure
    width: int = 0

    def __call__(self) -> Sums:
        sums = Sums(self.of, self.width)
        for batch in self.rows.batches(self.project):
            sums.add(batch)
        return sums


@dataclass(frozen=True)
class Find:
    """The rows of some ranges, by their hashes and keys."""

    project: Path
    rows: OfSource | OfParcel
    of: Measure
    width: int
    ranges: frozenset[int]

    def __call__(self) -> list[Row]:
        batches = self.rows.batches(self.project)
        return [row for batch in batches for row in rows_of(batch, self.of, self.width, self.ranges)]


@dataclass(frozen=True)
class Append:
    """Open parts of a parcel that follow each other, and append their rows to the landing table; gives the entries."""

    project: Path
    landing: Landing
    location: str
    parcel: Parcel
    entries: tuple[PartEntry, ...]

    def __call__(self) -> tuple[PartEntry, ...]:
        target = _connector(self.project, self.landing.write.connection)
        parts = (_opened(self.project, self.location, self.parcel, entry) for entry in self.entries)
        target.append(self.landing, chain.from_iterable(parts), self.entries[0].first_row)
        return self.entries


@dataclass(frozen=True)
class Move:
    """Append one part of a source to the landing table; gives the rows, which errors number within the part."""

    project: Path
    part: Part
    landing: Landing

    def __call__(self) -> int:
        source = _connector(self.project, self.part.connection)
        target = _connector(self.project, self.landing.write.connection)
        return target.append(self.landing, source.batches(self.part), 0)


def _opened(project: Path, location: str, parcel: Parcel, entry: PartEntry) -> "Iterator[pa.RecordBatch]":
    identities = _identities(project) if parcel.index.sealed else ()
    return read_part(open_store(location), parcel, entry, identities)


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
