"""How a table is kept in step: its mode, and the keys that go with it (docs/sync-modes.md, "Keys")."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from landbridge.config.columns import Identifier, different
from landbridge.config.document import Document
from landbridge.config.fields import Delay, Zone
from landbridge.config.problems import Keys, Problems
from landbridge.config.temporal import TemporalKeys, read_temporal
from landbridge.contracts.values import Merge
from landbridge.schema.changes import Changes, Deletes, Mode, Nulls
from landbridge.schema.columns import Columns
from landbridge.schema.temporal import Temporal
from landbridge.windows import parse_duration

VALIDITY = ("_TIMESTAMPFROM", "_TIMESTAMPTO")


def _overlap(value: object) -> timedelta | Decimal:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return Decimal(value)
    try:
        return parse_duration(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("must be like 15m, 6h, 1d, or a whole number above 0") from None


def _two(names: list[str]) -> list[str]:
    if len(names) != 2 or names[0].casefold() == names[1].casefold():
        raise ValueError("must be two names: of the beginning and of the end")
    return names


class ModeKeys(BaseModel):
    """The keys of an entry that are about its mode."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    sync_mode: Mode = "full"
    watermark_column: Identifier | None = None
    settle_delay: Delay | None = None
    watermark_timezone: Zone | None = None
    overlap: Annotated[timedelta | Decimal | None, BeforeValidator(_overlap)] = None
    null_watermark: Nulls = "refuse"
    merge_keys: Annotated[list[Identifier], AfterValidator(different)] = []
    qualify_order_by: Identifier | None = None
    deletes: Deletes | None = None
    soft_delete_column: Identifier | None = None
    validity_columns: Annotated[list[Identifier] | None, Field(min_length=1), AfterValidator(_two)] = None
    temporal: TemporalKeys | None = None


def read_mode(
    document: Document, at: Keys, entry: ModeKeys, columns: Columns, problems: Problems
) -> tuple[Changes | None, Merge | None]:
    """How changes are read and how they are written; None for both in mode full. Problems are added."""
    for key, problem in _problems(entry, columns):
        problems.add(document.place((*at, key)), problem)
    if entry.sync_mode == "full":
        return None, None
    changes = Changes(
        merge_keys=tuple(entry.merge_keys),
        watermark_column=entry.watermark_column,
        settle_delay=entry.settle_delay or timedelta(),
        watermark_timezone=entry.watermark_timezone,
        overlap=entry.overlap,
        null_watermark=entry.null_watermark,
        brings_keys=entry.deletes == "by_keys" and entry.watermark_column is not None,
    )
    return changes, _merge(entry, columns) if entry.merge_keys else None


def temporal_of(document: Document, at: Keys, entry: ModeKeys, columns: Columns, problems: Problems) -> Temporal | None:
    """What the table's versions are made into; None where nothing is asked for. Problems are added."""
    if entry.temporal is None:
        return None
    kept_here = entry.sync_mode == "scd2"
    wanted, found = read_temporal(entry.temporal, entry.merge_keys, _validity(entry), columns, kept_here=kept_here)
    for key, problem in found:
        problems.add(document.place((*at, *key)), problem)
    return wanted


def _validity(entry: ModeKeys) -> tuple[str, str]:
    first, last = entry.validity_columns or VALIDITY
    return first, last


def _merge(entry: ModeKeys, columns: Columns) -> Merge:
    def arriving(name: str | None) -> str | None:
        return columns.pick(name).leaves_as if name else None

    return Merge(
        keys=tuple(columns.pick(name).leaves_as for name in entry.merge_keys),
        newest_by=arriving(entry.qualify_order_by),
        deletes=entry.deletes or "ignored",
        deleted_by=arriving(entry.soft_delete_column),
        validity=_validity(entry) if entry.sync_mode == "scd2" else None,
    )


def _problems(entry: ModeKeys, columns: Columns) -> Iterator[tuple[str, str]]:
    """Keys and what is wrong with them."""
    for key, allowed, where in RULES:
        if getattr(entry, key) and not allowed(entry):
            yield key, f"goes with {where} only"
    for key, needed, what in NEEDED:
        if needed(entry):
            yield key, f"missing; {what}"
    for key in ("merge_keys", "qualify_order_by", "soft_delete_column"):
        names = getattr(entry, key) or []
        for name in names if isinstance(names, list) else [names]:
            yield from _leaves(key, name, columns)


def _leaves(key: str, name: str, columns: Columns) -> Iterator[tuple[str, str]]:
    listed = columns.others or name in {pick.name for pick in columns.picks}
    if name in columns.exclude or not listed:
        yield key, f"{name!r} does not leave the source: see columns and exclude"
    elif name in columns.unread or (key != "merge_keys" and columns.pick(name).mask):
        yield key, f"{name!r} is masked: its values cannot be compared"


Test = Callable[[ModeKeys], bool]
RULES: tuple[tuple[str, Test, str], ...] = (
    ("watermark_column", lambda e: e.sync_mode != "full", "sync_mode incremental, upsert or scd2"),
    ("settle_delay", lambda e: e.watermark_column is not None, "watermark_column"),
    ("watermark_timezone", lambda e: e.watermark_column is not None, "watermark_column"),
    ("overlap", lambda e: e.watermark_column is not None and bool(e.merge_keys), "watermark_column and merge_keys"),
    ("merge_keys", lambda e: e.sync_mode != "full", "sync_mode incremental, upsert or scd2"),
    ("qualify_order_by", lambda e: bool(e.merge_keys), "merge_keys"),
    ("deletes", lambda e: e.sync_mode in ("upsert", "scd2"), "sync_mode upsert or scd2"),
    ("soft_delete_column", lambda e: e.deletes == "by_column", "deletes: by_column"),
    ("validity_columns", lambda e: e.sync_mode == "scd2" or e.temporal is not None, "sync_mode scd2 or temporal"),
)
NEEDED: tuple[tuple[str, Test, str], ...] = (
    (
        "watermark_column",
        lambda e: e.sync_mode in ("incremental", "upsert") and e.watermark_column is None,
        "the column that grows with every change (to read all rows each time: sync_mode full)",
    ),
    (
        "settle_delay",
        lambda e: e.watermark_column is not None and e.settle_delay is None and e.overlap is None,
        "how late rows may be committed, like 15m; 0m if never; or overlap",
    ),
    (
        "merge_keys",
        lambda e: not e.merge_keys and (e.sync_mode in ("upsert", "scd2") or e.null_watermark == "include"),
        "the columns that tell one row from another",
    ),
    (
        "deletes",
        lambda e: e.sync_mode in ("upsert", "scd2") and e.deletes is None,
        "by_keys, by_column or ignored: what becomes of rows that are gone at the source",
    ),
    (
        "soft_delete_column",
        lambda e: e.deletes == "by_column" and e.soft_delete_column is None,
        "the column that marks rows that are gone",
    ),
)
