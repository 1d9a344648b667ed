"""Metadata: a table with all that its database says of it, as values and as JSON (docs/metadata-change-tracking.md)."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from landbridge.errors import ConfigError
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.postgres import render_type

FORMAT = "landbridge-metadata/1"

Identity = Literal["always", "by default"]
SchemaSource = Literal["information_schema", "source_query"]


@dataclass(frozen=True, kw_only=True)
class ColumnMetadata:
    """One column; `data_type` and `default_value` as its own database writes them."""

    name: str
    data_type: str
    type: Type
    is_nullable: bool = True
    default_value: str | None = None
    identity: Identity | None = None
    collation: str | None = None
    comment: str | None = None

    @property
    def column(self) -> Column:
        """What the movement of rows needs of it."""
        has_default = self.default_value is not None or self.identity is not None
        return Column(self.name, self.type, self.is_nullable, self.data_type, has_default)


@dataclass(frozen=True)
class ForeignKey:
    """Columns that refer to others, in the same order."""

    columns: tuple[str, ...]
    references: Relation
    referenced_columns: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class TableMetadata:
    """Columns in their order; unique and foreign keys sorted, for databases list them as it comes."""

    columns: tuple[ColumnMetadata, ...]
    primary_key: tuple[str, ...] = ()
    unique_keys: tuple[tuple[str, ...], ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    comment: str | None = None
    clustering_key: str | None = None

    @property
    def schema(self) -> TableSchema:
        return TableSchema(tuple(column.column for column in self.columns), self.primary_key)

    def column(self, name: str) -> ColumnMetadata | None:
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """What the source knows without reading the table; None where it does not."""

    row_count: int | None = None
    size_bytes: int | None = None
    last_altered: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Extracted:
    """One look at a source table: what a metadata file holds."""

    connection_type: str
    relation: Relation
    table: TableMetadata
    statistics: Statistics
    extracted_at: datetime
    schema_source: SchemaSource = "information_schema"


def of_schema(schema: TableSchema) -> TableMetadata:
    """All that a schema knows of its table: no defaults, and no keys but the primary one."""
    columns = (
        ColumnMetadata(name=c.name, data_type=c.native or str(c.type), type=c.type, is_nullable=c.nullable)
        for c in schema.columns
    )
    return TableMetadata(columns=tuple(columns), primary_key=schema.primary_key)


def of_query(connection_type: str, relation: Relation, schema: TableSchema, now: datetime) -> Extracted:
    """What a look at a query tells: names and types."""
    return Extracted(
        connection_type=connection_type,
        relation=relation,
        table=of_schema(schema),
        statistics=Statistics(),
        extracted_at=now,
        schema_source="source_query",
    )


def in_order(keys: Iterable[ForeignKey]) -> tuple[ForeignKey, ...]:
    """Foreign keys in an order of their own: databases list them as it comes."""
    return tuple(sorted(keys, key=lambda key: (key.columns, str(key.references), key.referenced_columns)))


def metadata_to_json(extracted: Extracted) -> str:
    """The file's text; the same for the same value."""
    relation, table = extracted.relation, extracted.table
    document = {
        "format": FORMAT,
        "table_info": {
            "connection_type": extracted.connection_type,
            **_relation(relation),
            "full_name": str(relation),
            "schema_source": extracted.schema_source,
        },
        "columns": [_column(column, place) for place, column in enumerate(table.columns, 1)],
        "primary_keys": list(table.primary_key),
        "unique_keys": [list(key) for key in table.unique_keys],
        "foreign_keys": [
            {
                "columns": list(key.columns),
                "references": _relation(key.references),
                "referenced_columns": list(key.referenced_columns),
            }
            for key in table.foreign_keys
        ],
        "comment": table.comment,
        "clustering_key": table.clustering_key,
        "statistics": {**asdict(extracted.statistics), "last_altered": _instant(extracted.statistics.last_altered)},
        "extracted_at": _instant(extracted.extracted_at),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _relation(relation: Relation) -> dict[str, str | None]:
    return {"database": relation.database, "schema": relation.schema, "table": relation.table}


def _column(column: ColumnMetadata, place: int) -> dict[str, Any]:
    kind = column.type
    return {
        "name": column.name,
        "data_type": column.data_type,
        "type": {name: value for name, value in asdict(kind).items() if value is not None},
        "is_nullable": column.is_nullable,
        "default_value": column.default_value,
        "max_length": kind.length,
        "precision": kind.precision,
        "scale": kind.scale,
        "position": place,
        "postgres_type": render_type(kind),
        "identity": column.identity,
        "collation": column.collation,
        "comment": column.comment,
    }


def _instant(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def metadata_from_json(text: str, *, where: str) -> Extracted:
    """What a metadata file holds. Raises ConfigError, naming `where`, for what is none, or of a later version."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise ConfigError(f"{where}: the format is not {FORMAT}", hint="update landbridge here")
        return _extracted(document)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(
            f"{where} is no metadata file" + (f": it has no {error}" if isinstance(error, KeyError) else ""),
            hint="landbridge extract-metadata --force writes it anew; or carry it again",
        ) from error


def _extracted(document: Mapping[str, Any]) -> Extracted:
    told, numbers = document["table_info"], document["statistics"]
    columns = tuple(
        ColumnMetadata(
            **{name: one[name] for name in ("name", "data_type", "is_nullable", "default_value")},
            **{name: one[name] for name in ("identity", "collation", "comment")},
            type=Type(**one["type"]),
        )
        for one in document["columns"]
    )
    foreign = tuple(
        ForeignKey(tuple(key["columns"]), Relation(**_named(key["references"])), tuple(key["referenced_columns"]))
        for key in document["foreign_keys"]
    )
    altered = numbers["last_altered"]
    return Extracted(
        connection_type=told["connection_type"],
        relation=Relation(**_named(told)),
        table=TableMetadata(
            columns=columns,
            primary_key=tuple(document["primary_keys"]),
            unique_keys=tuple(tuple(key) for key in document["unique_keys"]),
            foreign_keys=foreign,
            comment=document["comment"],
            clustering_key=document["clustering_key"],
        ),
        statistics=Statistics(
            row_count=numbers["row_count"],
            size_bytes=numbers["size_bytes"],
            last_altered=altered and datetime.fromisoformat(altered),
        ),
        extracted_at=datetime.fromisoformat(document["extracted_at"]),
        schema_source=told["schema_source"],
    )


def _named(levels: Mapping[str, Any]) -> dict[str, Any]:
    return {name: levels[name] for name in ("table", "schema", "database")}
