"""The rows of one window: a read, narrowed to those whose field lies within it (docs/pipelines.md, "Windows")."""

from datetime import UTC, datetime

from landbridge.contracts.values import Read
from landbridge.engine.narrowing import narrowed, whole_of
from landbridge.engine.plan import Plan, Windowed
from landbridge.engine.world import World
from landbridge.errors import ConfigError, SourceError
from landbridge.schema.changes import typed
from landbridge.schema.model import Column, TableSchema
from landbridge.schema.names import did_you_mean, quote
from landbridge.windows.clock import shown
from landbridge.windows.grid import Grid, parse_step

FIRST, LAST = datetime(2, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)  # cells of grids lie between them


def of_window(plan: Plan, world: World) -> Read:
    """The plan's read with the bounds of its window as a condition.

    Raises SourceError for a table or a field that is not there, ConfigError for a field that cannot tell windows.
    """
    read, windowed = _reading(plan)
    column = field_of(source_schema(read, world), windowed)
    name = quote(column.name)
    first, last = (typed(_text(bound, column, windowed), column) for bound in _bounds(windowed))
    return narrowed(whole_of(read), f"{name} >= {first} AND {name} < {last}")


def without_window(plan: Plan, world: World) -> int:
    """How many rows of the source have no time, or one that no window ever has, such as infinity."""
    read, windowed = _reading(plan)
    column = field_of(source_schema(read, world), windowed)
    source, name = world.connector(read.connection), quote(column.name)
    first, last = (typed(_text(bound, column, windowed), column) for bound in (FIRST, LAST))
    with source.instant() as instant:
        nowhere = f"({name} IS NULL OR {name} < {first} OR {name} >= {last})"
        return source.count_rows(narrowed(whole_of(read), nowhere), instant)


def source_schema(read: Read, world: World) -> TableSchema:
    """Columns of what is read, also of a query, before a row of it is. Raises SourceError where it is not there."""
    source = world.connector(read.connection)
    if read.query:
        (found,) = source.metadata([read])
        schema = found.table.schema if found else None
    else:
        schema = source.describe([read.relation])[read.relation]
    if schema is None:
        raise SourceError(
            f"{read.connection} has no table {read.relation}", hint="see source_system of the pipeline's file"
        )
    return schema


def field_of(schema: TableSchema, windowed: Windowed) -> Column:
    """The column that tells windows. Raises SourceError, ConfigError."""
    name = windowed.field or ""
    column = schema.column(name)
    if column is None:
        raise SourceError(
            f"the source has no column {name!r}{did_you_mean(name, schema.names)}",
            hint="query_field in source_system of the pipeline's file",
        )
    kind = column.type.kind
    if kind == "timestamp" and windowed.clock is None:
        raise ConfigError(
            f"query_field {name} is {column.type}: which zone its clock shows cannot be seen",
            hint="source_system: query_field_timezone: UTC, or Europe/Berlin",
        )
    if kind not in ("date", "timestamp", "timestamptz"):
        raise ConfigError(
            f"query_field {name} is {column.type}: only a date or a timestamp tells windows",
            hint="name another column, or cast it in source_query",
        )
    if kind == "date" and any(_days(windowed).floor(bound) != bound for bound in _bounds(windowed)):
        raise ConfigError(
            f"query_field {name} is a date, and the window {windowed.window} is no whole days of {windowed.zone}",
            hint="query_window: granularity: 1d",
        )
    return column


def _text(bound: datetime, column: Column, windowed: Windowed) -> str:
    match column.type.kind:
        case "timestamptz":
            return bound.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds") + "+00"
        case "date":
            return shown(bound, windowed.zone).date().isoformat()
        case _:
            return shown(bound, windowed.clock or "UTC").isoformat(sep=" ", timespec="microseconds")


def _bounds(windowed: Windowed) -> tuple[datetime, datetime]:
    return windowed.window.start, windowed.window.end


def _days(windowed: Windowed) -> Grid:
    return Grid(parse_step("1d"), windowed.zone)


def _reading(plan: Plan) -> tuple[Read, Windowed]:
    assert plan.read is not None, "asked of what a connector reads"  # noqa: S101
    assert plan.windowed is not None, "asked of a pipeline only"  # noqa: S101
    return plan.read, plan.windowed
