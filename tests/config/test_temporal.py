"""`temporal` of a table: what its versions are made into, and every way to get it wrong."""

import pytest

from landbridge.schema.temporal import Temporal
from tests.config.conftest import Lines, Load

CONNECTIONS = f"""
masking_key: {"ab" * 32}
connections:
  here: {{type: duckdb, path: warehouse.duckdb}}
  there: {{type: postgres, host: h, database: d, user: u}}
"""
TABLE = "tables: [{name: a, source: {connection: here, table: t}, target: {connection: there, table: u}, %s}]"
SCD2 = "sync_mode: scd2, merge_keys: [_ID], deletes: ignored, "
UPSERT = "sync_mode: upsert, deletes: ignored, watermark_column: W, settle_delay: 0m, "
RENAMED = "columns: [{name: B, as: x}, {name: K, as: key, mask: hash}, '*'], temporal: {keys: [K], as_of: true}"
SEED = ("_TIMESTAMPFROM", "_TIMESTAMPTO")


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        (SCD2 + "temporal: {as_of: true}", Temporal(("_ID",), SEED, as_of=True)),
        (
            SCD2 + "validity_columns: [b, e], temporal: {month_ends: view}",
            Temporal(("_ID",), ("b", "e"), month_ends=True),
        ),
        ("temporal: {keys: [_ID], month_ends: view}", Temporal(("_ID",), SEED, month_ends=True)),
        (
            UPSERT + "merge_keys: [_ID, _TIMESTAMPFROM], temporal: {month_ends: view, as_of: true}",
            Temporal(("_ID",), SEED, month_ends=True, as_of=True),
        ),
        (
            "validity_columns: [B, E], " + RENAMED,
            Temporal(("key",), ("x", "E"), as_of=True),
        ),
        (SCD2, None),
    ],
)
def test_what_is_wanted(load: Load, entry: str, wanted: Temporal | None):
    """Keys are the merge keys without the beginning; columns of the source by the names under which they arrive."""
    assert load(CONNECTIONS, TABLE % entry).tables[0].temporal == wanted


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        (
            SCD2 + "temporal: {}",
            "temporal: asks for nothing: write month_ends: view, or as_of: true, or both",
        ),
        ("temporal: {as_of: true}", "temporal.keys: missing; the columns that tell whose version a row is"),
        ("temporal: {as_of: true, keys: [a, a]}", "temporal.keys: names a column twice"),
        (
            "temporal: {as_of: true, keys: [_TIMESTAMPTO]}",
            "temporal.keys: names a column of validity_columns: a key is the same in all versions",
        ),
        (
            "temporal: {as_of: true, keys: [K]}, exclude: [K]",
            "temporal.keys: 'K' does not leave the source: see columns and exclude",
        ),
        (
            "validity_columns: [B, E], temporal: {as_of: true, keys: [K]}, columns: [{name: E, mask: hash}, '*']",
            "validity_columns: 'E' is masked: its values cannot be compared",
        ),
        ("temporal: {month_ends: table, keys: [K]}", "temporal.month_ends: must be 'view'"),
        ("validity_columns: [B, E]", "validity_columns: goes with sync_mode scd2 or temporal only"),
    ],
)
def test_what_is_wrong(lines: Lines, entry: str, line: str):
    """Each is told with its place."""
    assert lines(CONNECTIONS, TABLE % entry) == [f"config/tables.yaml:1: tables[0].{line}"]
