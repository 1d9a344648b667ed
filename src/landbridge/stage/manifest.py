"""The manifest: everything about a parcel that means something, as frozen values and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, FailFast, Field, PlainSerializer, TypeAdapter, ValidationError

from landbridge.contracts.values import Filter, Merge
from landbridge.errors import ParcelDamaged, UnknownVersion
from landbridge.schema.changes import Deletes
from landbridge.schema.checksums import Checksums, Measure
from landbridge.schema.columns import Mask
from landbridge.schema.model import Relation, TableSchema, schema_to_json
from landbridge.schema.traits import Traits
from landbridge.stage.index import FORMAT, check_version

CHANGES = "changes"  # rows that go on where another parcel stopped: nothing to replace a table by
KNOWN_FEATURES = frozenset({CHANGES})

MOST_PARTS = 300_000
MOST_COLUMNS = 10_000
MOST_SCALE = 2**31 - 1  # Arrow's
MOST_BYTES = 128 << 20  # of JSON: four hundred for each part
MOST_OBJECTS = 350_000  # in that JSON: one for each part, two for each column, one for its traits
MOST_ROWS = 2**63 - 1  # and of every other number: what a database holds

Count = Annotated[int, Field(ge=0, le=MOST_ROWS)]
Instant = Annotated[AwareDatetime, Field(ge=datetime(1, 1, 2, tzinfo=UTC), lt=datetime(9999, 12, 31, tzinfo=UTC))]
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
class Chained:
    """How a parcel of changes goes on where the one before it stopped, and what its rows do (docs/sync-modes.md).

    `follows` None: the first of a chain. `watermark_column` and bounds are the source's, all else as the rows arrive.
    """

    follows: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None
    watermark_column: str | None
    after: str | None
    until: str | None
    merge_keys: Annotated[tuple[str, ...], FailFast()] = ()
    qualify_order_by: str | None = None
    deletes: Deletes | None = None
    soft_delete_column: str | None = None


def rules_of(merge: Merge | None) -> dict[str, Any]:
    """The fields of a Chained that say how rows meet those of the target."""
    if merge is None:
        return {}
    return {
        "merge_keys": merge.keys,
        "qualify_order_by": merge.newest_by,
        "deletes": merge.deletes,
        "soft_delete_column": merge.deleted_by,
    }


@dataclass(frozen=True)
class Manifest:
    """The fields of docs/parcel.md. One that exists adds up: ValueError where numbers or names do not."""

    _: KW_ONLY
    format: str = FORMAT
    requires: Annotated[tuple[str, ...], FailFast()] = ()
    parcel_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    pipeline_name: str
    sequence: Annotated[int, Field(ge=1, le=MOST_ROWS)]
    sync_mode: str
    as_of: Instant
    created_at: Instant
    landbridge_version: str
    source: Origin
    schema: Annotated[TableSchema, PlainSerializer(schema_to_json)]
    row_count: Count
    parts: Annotated[tuple[PartEntry, ...], FailFast()]
    encryption: Encryption
    compression: Compression
    load_hints: LoadHints = LoadHints()
    ddl: Mapping[str, str] = field(default_factory=dict)
    checksums: Checksums | None = None
    traits: Annotated[tuple[Traits, ...] | None, FailFast()] = None
    changes: Chained | None = None
    keys: Annotated[tuple[PartEntry, ...] | None, FailFast()] = None
    receipt_key: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.parts != numbered(self.parts):
            raise ValueError("parts are not numbered in order")
        if self.row_count != sum(part.rows for part in self.parts):
            raise ValueError("row_count is not the sum of the parts' rows")
        if len({part.file for part in self.all_parts}) != len(self.all_parts):
            raise ValueError("a file is named twice")
        if len(self.all_parts) > MOST_PARTS:
            raise ValueError(f"{len(self.all_parts)} parts; {MOST_PARTS} are accepted")
        _check_columns(self.schema)
        if self.checksums:
            _check_checksums(self.schema, self.checksums)
        _check_traits(self.traits or (), self.schema)
        _check_changes(self)

    @property
    def all_parts(self) -> tuple[PartEntry, ...]:
        """Those of the rows, then those of the keys."""
        return self.parts + (self.keys or ())

    def of_keys(self) -> "Manifest":
        """The same parcel, as if the keys that it brings were its rows. ValueError where it brings none."""
        if self.keys is None or self.changes is None:
            raise ValueError("the parcel brings no keys")
        columns = tuple(c for c in self.schema.columns if c.name in self.changes.merge_keys)
        rows = sum(part.rows for part in self.keys)
        return replace(
            self,
            schema=TableSchema(columns),
            parts=self.keys,
            keys=None,
            row_count=rows,
            checksums=None,
            traits=None,
        )


@dataclass(frozen=True)
class _Envelope:
    format: str
    requires: Annotated[tuple[str, ...], FailFast()]


def _check_columns(schema: TableSchema) -> None:
    if len(schema.columns) > MOST_COLUMNS:
        raise ValueError(f"{len(schema.columns)} columns; {MOST_COLUMNS} are accepted")
    if len(set(schema.names)) != len(schema.columns):
        raise ValueError("a column is named twice")
    if not all(name and "\0" not in name for name in schema.names):
        raise ValueError("a column has a name that SQL cannot hold")
    if any(
        (c.type.precision if c.type.precision is not None else 1) < (c.type.kind == "decimal")
        or abs(c.type.scale or 0) > MOST_SCALE
        for c in schema.columns
    ):
        raise ValueError("a column has a precision or scale that no type has")


def _check_checksums(schema: TableSchema, checksums: Checksums) -> None:
    of = Measure(schema, checksums.key)
    if checksums.columns != of.columns or not set(of.key) <= set(schema.names):
        raise ValueError("checksums of columns that are not there")


def _check_changes(manifest: Manifest) -> None:
    changes, names = manifest.changes, set(manifest.schema.names)
    if (changes is None) != (manifest.sync_mode == "full") or (changes is None) == (CHANGES in manifest.requires):
        raise ValueError("sync_mode, changes and requires contradict each other")
    if changes is None:
        if manifest.keys is not None:
            raise ValueError("keys without merge_keys")
        return
    if manifest.keys is not None and (manifest.keys != numbered(manifest.keys) or not changes.merge_keys):
        raise ValueError("keys are not numbered in order, or of no columns")
    if (changes.deletes == "by_keys") < (manifest.keys is not None) or not set(changes.merge_keys) <= names:
        raise ValueError("keys of columns that are not there, or that nothing is deleted by")


def _check_traits(traits: Sequence[Traits], schema: TableSchema) -> None:
    if len({each.column for each in traits} & set(schema.names)) != len(traits):
        raise ValueError("traits are of a column that is not there, or named twice")
    if any((each.earliest is None) != (each.latest is None) for each in traits):
        raise ValueError("traits have one end only")


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

    Raises UnknownVersion for another format version or an unknown required feature, ParcelDamaged with the
    names of the fields that are wrong.
    """
    if _is_too_large(data):
        raise ParcelDamaged(f"the manifest is larger than any that is accepted: {len(data)} bytes")
    try:
        envelope = _ENVELOPE.validate_json(data)
        check_version(envelope.format)
        if unknown := set(envelope.requires) - KNOWN_FEATURES:
            names = ascii(", ".join(sorted(unknown))[:120])
            raise UnknownVersion(
                f"the parcel needs what this landbridge does not know: {names}", hint="update landbridge here"
            )
        return _MANIFEST.validate_json(data, strict=True)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        told = [f"{'.'.join(map(str, p['loc'])) or 'as a whole'}: {p['msg'].lower()}" for p in problems[:5]]
        raise ParcelDamaged("the manifest is wrong: " + "; ".join(told)) from error


def _is_too_large(data: bytes) -> bool:
    """What is wrong with JSON is told with copies of it: a hundred times the memory of a list of empty objects."""
    values, objects = data.count(b","), data.count(b"{") + data.count(b"[")
    return len(data) > MOST_BYTES or objects > MOST_OBJECTS or values > 10 * MOST_OBJECTS
