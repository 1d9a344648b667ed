"""The tables of the drive database, as `docs/drive-table.md` promises them."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    TIMESTAMP,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from landbridge.ledger.phases import PHASES

VERSION = 2  # one more whenever a table or index is added: databases that are there gain it then (database._upgrade)
NAME = String(255)


class Instant(TypeDecorator[datetime]):
    """A zone-aware UTC time; on SQLite ISO 8601 text of one width, which sorts as time does."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime] | TypeEngine[str]:
        return TIMESTAMP(timezone=True) if dialect.name == "postgresql" else Text()

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | str | None:
        """Raises ValueError for a time without zone."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError(f"a time without time zone cannot be recorded: {value.isoformat()}")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.isoformat(sep=" ", timespec="microseconds")

    def process_result_value(self, value: datetime | str | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  SQLAlchemy's signature
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        return value.astimezone(UTC) if value is not None else None


class Document(TypeDecorator[object]):
    """JSON; on PostgreSQL JSONB, whose dialect is loaded only where it is spoken."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[object]:
        if dialect.name != "postgresql":
            return JSON(none_as_null=True)
        from sqlalchemy.dialects.postgresql import JSONB

        return JSONB(none_as_null=True)


metadata = MetaData()

drive = Table(
    "pipeline_execution_drive",
    metadata,
    Column("pipeline_id", NAME, primary_key=True),
    Column("pipeline_name", NAME, nullable=False),
    Column("pipeline_status", String(50), nullable=False),
    Column("pipeline_retry_number", Integer, nullable=False),
    Column("pipeline_start_timestamp", Instant, nullable=False),
    Column("pipeline_end_timestamp", Instant),
    Column("pipeline_run_duration", String(50)),
    Column("query_window_start_timestamp", Instant, nullable=False),
    Column("query_window_end_timestamp", Instant, nullable=False),
    Column("target_date", Date, nullable=False),
    Column("query_window_duration", String(50), nullable=False),
    *(Column(f"{phase}_phase", Document) for phase in PHASES),
    Column("phases_completed", Document, nullable=False),
    Column("phases_skipped", Document, nullable=False),
    Column("phases_pending", Document, nullable=False),
    Column("phase_failed", NAME),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("job_kind", String(50), nullable=False),
    Column("plan_hash", NAME, nullable=False),
    Column("parcel_id", NAME),
    Column("load_id", NAME),
    Column("fence", BigInteger, nullable=False),
    Column("resumed_from", NAME, ForeignKey("pipeline_execution_drive.pipeline_id")),
    Column("host", NAME, nullable=False),
    Column("landbridge_version", String(50), nullable=False),
    CheckConstraint(
        "pipeline_status IN ('RUNNING', 'SUCCESS', 'FAILED', 'SKIPPED', 'GAP_DETECTED')",
        name="pipeline_execution_drive_status",
    ),
    CheckConstraint("job_kind IN ('run', 'export', 'import')", name="pipeline_execution_drive_kind"),
    CheckConstraint(
        "query_window_end_timestamp > query_window_start_timestamp", name="pipeline_execution_drive_window"
    ),
    CheckConstraint("pipeline_retry_number >= 0", name="pipeline_execution_drive_retry"),
)
is_attempt = drive.c.pipeline_status != literal_column("'GAP_DETECTED'")  # no parameter: indexes are chosen by its text
_newest = (drive.c.created_at.desc(), drive.c.fence.desc())
Index("pipeline_execution_drive_by_name", drive.c.pipeline_name, drive.c.created_at.desc())
Index("pipeline_execution_drive_by_status_time", drive.c.pipeline_status, drive.c.created_at.desc())
Index("pipeline_execution_drive_by_date", drive.c.target_date.desc())
Index(
    "pipeline_execution_drive_by_window",
    drive.c.query_window_start_timestamp,
    drive.c.query_window_end_timestamp,
)
Index("pipeline_execution_drive_by_time", drive.c.created_at.desc())
Index("pipeline_execution_drive_by_name_date", drive.c.pipeline_name, drive.c.target_date)
Index(
    "pipeline_execution_drive_by_name_status",
    drive.c.pipeline_name,
    drive.c.pipeline_status,
    drive.c.created_at.desc(),
)
Index(
    "pipeline_execution_drive_attempts",
    drive.c.pipeline_name,
    drive.c.job_kind,
    *_newest,
    sqlite_where=is_attempt,
    postgresql_where=is_attempt,
)
Index(
    "pipeline_execution_drive_attempted",
    drive.c.pipeline_name,
    drive.c.query_window_duration,
    drive.c.query_window_start_timestamp,
    drive.c.query_window_end_timestamp,
    *_newest,
    sqlite_where=is_attempt,
    postgresql_where=is_attempt,
)
SUPERSEDED = ("pipeline_execution_drive_by_status",)  # by others that begin with the same column

leases = Table(
    "landbridge_leases",
    metadata,
    Column("resource", NAME, primary_key=True),
    Column("holder", NAME),
    Column("fence", BigInteger, nullable=False),
    Column("acquired_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

parcels = Table(
    "landbridge_parcels",
    metadata,
    Column("parcel_id", NAME, primary_key=True),
    Column("direction", String(3), primary_key=True),
    Column("pipeline_name", NAME, nullable=False),
    Column("sequence", BigInteger),
    Column("state", String(50), nullable=False),
    Column("location", Text, nullable=False),
    Column("folder", Text, nullable=False),
    Column("as_of", Instant),
    Column("row_count", BigInteger),
    Column("byte_count", BigInteger),
    Column("pipeline_id", NAME, ForeignKey("pipeline_execution_drive.pipeline_id"), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    CheckConstraint(
        "(direction = 'out' AND state IN ('writing', 'sealed', 'purged', 'abandoned'))"
        " OR (direction = 'in' AND state IN ('loaded', 'refused'))",
        name="landbridge_parcels_state",
    ),
)
_written = parcels.c.direction == "out"
Index("landbridge_parcels_by_name", parcels.c.pipeline_name, parcels.c.direction, parcels.c.sequence)
Index(
    "landbridge_parcels_chain",
    parcels.c.pipeline_name,
    parcels.c.sequence,
    unique=True,
    sqlite_where=_written,
    postgresql_where=_written,
)

custody = Table(
    "landbridge_custody",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("event", String(50), nullable=False),
    Column("parcel_id", NAME, nullable=False),
    Column("pipeline_name", NAME),
    Column("line", Text, nullable=False),
    Column("hash", String(64), nullable=False),
)
Index("landbridge_custody_by_parcel", custody.c.parcel_id)
Index("landbridge_custody_by_name", custody.c.pipeline_name, custody.c.event)

marks = Table(
    "landbridge_marks",
    metadata,
    Column("parcel_id", NAME, primary_key=True),
    Column("pipeline_name", NAME, nullable=False),
    Column("follows", NAME),
    Column("basis", NAME, nullable=False),
    Column("watermark_column", Text),
    Column("after_value", Text),
    Column("until_value", Text),
    Column("confirmed_at", Instant),
    Column("confirmed_by", NAME),
    Column("receipt_sha256", String(64)),
    Column("watermark_type", Text),
    Column("read_columns", Document),
)
Index("landbridge_marks_by_name", marks.c.pipeline_name)
Index("landbridge_marks_by_receipt", marks.c.receipt_sha256)

coverage = Table(
    "landbridge_coverage",
    metadata,
    Column("pipeline_name", NAME, primary_key=True),
    Column("window_start", Instant, primary_key=True),
    Column("window_end", Instant, nullable=False),
    CheckConstraint("window_end > window_start", name="landbridge_coverage_window"),
)

stages = Table(
    "landbridge_stages",
    metadata,
    Column("stage_id", NAME, primary_key=True),
    Column("pipeline_name", NAME, nullable=False),
    Column("kind", String(50), nullable=False),
    Column("location", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("load_id", NAME, nullable=False),
    Column("pipeline_id", NAME, ForeignKey("pipeline_execution_drive.pipeline_id")),
    Column("row_count", BigInteger, nullable=False),
    Column("state", String(50), nullable=False),
    Column("archive_location", Text),
    Column("staged_at", Instant, nullable=False),
    Column("loaded_at", Instant),
    Column("archived_at", Instant),
    Column("deleted_at", Instant),
    CheckConstraint("kind IN ('parcel', 'table')", name="landbridge_stages_kind"),
    CheckConstraint("state IN ('staged', 'loaded', 'archived', 'deleted')", name="landbridge_stages_state"),
)
Index("landbridge_stages_by_state", stages.c.pipeline_name, stages.c.state, stages.c.loaded_at)
Index("landbridge_stages_by_load", stages.c.pipeline_name, stages.c.load_id)

schema = Table("landbridge_schema", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

alerts = Table(
    "landbridge_alerts",
    metadata,
    Column("alert_key", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("kind", String(50), nullable=False),
    Column("severity", String(50), nullable=False),
    Column("pipeline_name", NAME, nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("state", String(50), nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_sent_at", Instant),
    Column("suppressed", BigInteger, nullable=False),
    Column("claimed_until", Instant),
    Column("failure", Text),
    CheckConstraint("state IN ('held', 'undelivered', 'sent')", name="landbridge_alerts_state"),
)
