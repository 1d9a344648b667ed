"""The manifest: everything about a parcel that means something, as frozen values and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, PlainSerializer, TypeAdapter, ValidationError

from landbridge.contracts.values import Filter
from landbridge.errors import ParcelDamaged, ParcelError
from landbridge.schema.columns import Mask
from landbridge.schema.model import Relation, TableSchema, schema_to_json
from landbridge.stage.index import FORMAT, check_version

KNOWN_FEATURES: frozenset[str] = frozenset()

Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True)
class PartEntry:
    """One part. `number` and `first_row` count over the whole parcel, from 0, once `numbered` has set them."""

    number: Count
    file: str
    rows: Count
    first_row: Count
    plain_bytes: Count
    plain_sha256: Sha256
    sealed_bytes: Count
    sealed_sha256: Sha256


@dataclass(frozen=True)
class Altered:
    """A column that is not as it was at the source: its name in the parcel, its name there, what masks it."""

    name: str
    source_name: str
    mask: Mask | None


@dataclass(frozen=True)
class Origin:
    """Where the rows come from; the type of the connection only, never a name, host or user."""

    connection_type: str
    relation: Relation
    query: str | None
    filter: Filter
    columns: tuple[Altered, ...] = ()


@dataclass(frozen=True)
class Encryption:
    format: Literal["age"] | None


@dataclass(frozen=True)
class Compression:
    """Parquet's own, for people: a Parquet reader sees it by itself. `level` None is the algorithm's default."""

    algorithm: str | None
    level: int | None = None


@dataclass(frozen=True)
class LoadHints:
    """Advice for an importing side without a declaration of its own."""

    relation: Relation | None = None


@dataclass(frozen=True)
class Manifest:
    """The fields of docs/parcel.md. One that exists adds up: ValueError where numbers or names do not."""

    _: KW_ONLY
    format: str = FORMAT
    requires: tuple[str, ...] = ()
    parcel_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    pipeline_name: str
    sequence: Annotated[int, Field(ge=1)]
    sync_mode: str
    as_of: AwareDatetime
    created_at: AwareDatetime
    landbridge_version: str
    source: Origin
    schema: Annotated[TableSchema, PlainSerializer(schema_to_json)]
    row_count: Count
    parts: tuple[PartEntry, ...]
    encryption: Encryption
    compression: Compression
    load_hints: LoadHints = LoadHints()
    ddl: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.parts != numbered(self.parts):
            raise ValueError("parts are not numbered in order")
        if self.row_count != sum(part.rows for part in self.parts):
            raise ValueError("row_count is not the sum of the parts' rows")
        if len({part.file for part in self.parts}) != len(self.parts):
            raise ValueError("a file is named twice")
        if len(set(self.schema.names)) != len(self.schema.columns):
            raise ValueError("a column is named twice")


@dataclass(frozen=True)
class _Envelope:
    format: str
    requires: tuple[str, ...]


_MANIFEST = TypeAdapter(Manifest)
_ENVELOPE = TypeAdapter(_Envelope)


def numbered(parts: Iterable[PartEntry]) -> tuple[PartEntry, ...]:
    """The parts in this order, with `number` and `first_row` counted through."""
    result: list[PartEntry] = []
    row = 0
    for number, part in enumerate(parts):
        result.append(replace(part, number=number, first_row=row))
        row += part.rows
    return tuple(result)


def manifest_to_json(manifest: Manifest) -> bytes:
    """UTF-8, indented for people, with a newline at the end."""
    return _MANIFEST.dump_json(manifest, indent=2) + b"\n"


def manifest_from_json(data: bytes) -> Manifest:
    """The manifest; fields that this version does not know are ignored.

    Raises ParcelError for another format version or an unknown required feature, ParcelDamaged with the
    names of the fields that are wrong.
    """
    try:
        envelope = _ENVELOPE.validate_json(data)
        check_version(envelope.format)
        if unknown := set(envelope.requires) - KNOWN_FEATURES:
            names = ", ".join(sorted(unknown))
            raise ParcelError(f"the parcel needs what this landbridge does not know: {names}", hint="update landbridge")
        return _MANIFEST.validate_json(data, strict=True)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = [f"{'.'.join(map(str, p['loc'])) or 'as a whole'}: {p['msg'].lower()}" for p in problems[:5]]
        raise ParcelDamaged("the manifest is wrong: " + "; ".join(told)) from error
