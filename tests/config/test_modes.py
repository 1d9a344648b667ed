"""Sync modes as they are declared: nothing that could lose a row has a default (docs/sync-modes.md)."""

from datetime import timedelta
from decimal import Decimal

import pytest

from landbridge.contracts.values import Merge
from landbridge.schema.changes import Changes
from tests.config.conftest import Lines, Load

CONNECTIONS = """
connections:
  shop: {type: duckdb, path: shop.duckdb}
  mart: {type: duckdb, path: mart.duckdb}
"""
ENTRY = """
tables:
  - name: t
    source: {connection: shop, table: t}
    target: {connection: mart, table: t}
"""


def entry(*keys: str) -> str:
    return ENTRY + "".join(f"    {key}\n" for key in keys)


def test_upsert(load: Load) -> None:
    """What is read is named as the source names it, what is written as it arrives."""
    declared = entry(
        "sync_mode: upsert",
        "merge_keys: [ID, PART]",
        "watermark_column: SEEN",
        "settle_delay: 1h",
        "watermark_timezone: Europe/Berlin",
        "qualify_order_by: SEEN",
        "deletes: by_keys",
        "columns: [{name: ID, as: number}, '*']",
    )
    table = load(CONNECTIONS, declared).tables[0]
    assert table.read.changes == Changes(
        merge_keys=("ID", "PART"),
        watermark_column="SEEN",
        settle_delay=timedelta(hours=1),
        watermark_timezone="Europe/Berlin",
        brings_keys=True,
    )
    assert (table.write.mode, table.write.merge) == ("upsert", Merge(("number", "PART"), "SEEN", "by_keys"))


def test_the_other_modes(load: Load) -> None:
    """Rows that only come need no keys; a history may do without a watermark, and names its own two columns."""
    plain = load(CONNECTIONS, entry("sync_mode: incremental", "watermark_column: n", "settle_delay: 0m")).tables[0]
    assert (plain.read.changes, plain.write.merge) == (Changes(watermark_column="n"), None)
    numbers = entry(
        "sync_mode: incremental", "watermark_column: n", "overlap: 100", "merge_keys: [n]", "null_watermark: include"
    )
    changes = load(CONNECTIONS, numbers).tables[0].read.changes
    assert changes is not None
    assert (changes.overlap, changes.null_watermark) == (Decimal(100), "include")
    history = load(CONNECTIONS, entry("sync_mode: scd2", "merge_keys: [n]", "deletes: by_keys")).tables[0]
    assert history.write.merge == Merge(("n",), None, "by_keys", None, ("_TIMESTAMPFROM", "_TIMESTAMPTO"))
    assert history.read.changes == Changes(("n",))
    full = load(CONNECTIONS, ENTRY).tables[0]
    assert (full.read.changes, full.write.mode, full.write.merge) == (None, "full", None)


UPSERT = ("sync_mode: upsert", "merge_keys: [n]", "watermark_column: n", "settle_delay: 0m", "deletes: ignored")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (["sync_mode: incremental"], ["watermark_column: missing; the column that grows"]),
        (["sync_mode: incremental", "watermark_column: n"], ["settle_delay: missing; how late rows may be committed"]),
        (["sync_mode: upsert"], ["watermark_column: missing", "merge_keys: missing", "deletes: missing; by_keys"]),
        (["sync_mode: scd2", "merge_keys: [n]"], ["deletes: missing"]),
        (["sync_mode: window"], ["sync_mode: must be 'full', 'incremental', 'upsert' or 'scd2'"]),
        (["merge_keys: [n]"], ["merge_keys: goes with sync_mode incremental, upsert or scd2 only"]),
        (["overlap: 2h"], ["overlap: goes with watermark_column and merge_keys only"]),
        (["sync_mode: incremental", "watermark_column: n", "overlap: 5"], ["overlap: goes with watermark_column and"]),
        ([*UPSERT, "soft_delete_column: x"], ["soft_delete_column: goes with deletes: by_column only"]),
        ([*UPSERT[:-1], "deletes: by_column"], ["soft_delete_column: missing"]),
        ([*UPSERT, "validity_columns: [a, b]"], ["validity_columns: goes with sync_mode scd2 or temporal only"]),
        ([*UPSERT, "exclude: [n]"], ["merge_keys: 'n' does not leave the source"]),
        (
            [*UPSERT, "qualify_order_by: m", 'columns: [{name: m, mask: hash}, "*"]'],
            ["qualify_order_by: 'm' is masked", "masking_key: missing"],
        ),
        ([*UPSERT, 'columns: [{name: n, mask: "null"}, "*"]'], ["merge_keys: 'n' is masked"]),
        ([*UPSERT, "settle_delay: soon"], ["settle_delay: must be like 15m"]),
        ([*UPSERT, "overlap: true"], ["overlap: must be like 15m, 6h, 1d, or a whole number above 0"]),
        ([*UPSERT, "watermark_timezone: Mars"], ["watermark_timezone: no time zone is called that"]),
        (["sync_mode: scd2", "merge_keys: [n, n]", "deletes: by_keys"], ["merge_keys: names a column twice"]),
        (
            ["sync_mode: scd2", "merge_keys: [n]", "deletes: by_keys", "validity_columns: [a]"],
            ["validity_columns: must be two names"],
        ),
        (
            ["sync_mode: incremental", "watermark_column: n", "settle_delay: 0m", "null_watermark: include"],
            ["merge_keys: missing"],
        ),
    ],
)
def test_what_is_missing_or_does_not_go_together(lines: Lines, keys: list[str], told: list[str]) -> None:
    """Each with its line; nothing dangerous is guessed."""
    latest = {key.partition(":")[0]: key for key in keys}
    found = lines(CONNECTIONS, entry(*latest.values()))
    assert [text in line for text, line in zip(told, found, strict=True)] == [True] * len(told), found
