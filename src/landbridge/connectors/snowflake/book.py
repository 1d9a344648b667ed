"""The table of loads beside the targets of an account (`Target` says what it owes)."""

from typing import TYPE_CHECKING

from landbridge.connectors.snowflake.session import NOT_THERE, fetch, unbound
from landbridge.contracts.target import LOADS
from landbridge.contracts.values import Load, Loaded
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify

if TYPE_CHECKING:
    from snowflake.connector.cursor import SnowflakeCursor

CREATE_LOADS = """
CREATE TABLE IF NOT EXISTS {} (
    target_table VARCHAR NOT NULL,
    version NUMBER(19,0) NOT NULL,
    load_id VARCHAR NOT NULL,
    pipeline_name VARCHAR NOT NULL,
    parcel_id VARCHAR NOT NULL,
    row_count NUMBER(19,0) NOT NULL,
    loaded_at TIMESTAMP_LTZ NOT NULL,
    superseded_by VARCHAR
)
"""
# of each target one row from before its first load, so that every load has one that it supersedes
FIRST = """
MERGE INTO {} l USING (SELECT %s AS target_table) t ON l.target_table = t.target_table
WHEN NOT MATCHED THEN INSERT (target_table, version, load_id, pipeline_name, parcel_id, row_count, loaded_at)
VALUES (t.target_table, 0, '', '', '', 0, CURRENT_TIMESTAMP())
"""
# what waits for it finds its row changed
SUPERSEDE = "UPDATE {} SET superseded_by = %s WHERE target_table = %s AND version = %s AND superseded_by IS NULL"
COLUMNS = "(target_table, version, load_id, pipeline_name, parcel_id, row_count, loaded_at)"


def newest(cursor: "SnowflakeCursor", target: Relation, load_id: str | None = None) -> Loaded:
    """See Target.newest_load; `load_id`: of this load alone."""
    from snowflake.connector.errors import ProgrammingError

    try:
        found = fetch(
            cursor,
            f"SELECT version, load_id, row_count, parcel_id FROM {unbound(qualify(loads(target)))} "
            "WHERE target_table = %s AND load_id = COALESCE(%s, load_id) ORDER BY version DESC LIMIT 1",
            [target.table, load_id],
        )
    except ProgrammingError as error:
        if error.errno not in NOT_THERE:
            raise
        return Loaded()
    if not found or not found[0]["load_id"]:  # version 0 is there before the first load, for its fence
        return Loaded()
    row = found[0]
    return Loaded(int(row["version"]), row["load_id"], int(row["row_count"]), row["parcel_id"])


def make_book(cursor: "SnowflakeCursor", target: Relation) -> None:
    cursor.execute(CREATE_LOADS.format(qualify(loads(target))))
    cursor.execute(FIRST.format(unbound(qualify(loads(target)))), [target.table])


def supersede(cursor: "SnowflakeCursor", target: Relation, version: int, load: Load) -> bool:
    """The fence: finds its row once only, for who waits for it finds it changed. Whether it was us."""
    cursor.execute(SUPERSEDE.format(unbound(qualify(loads(target)))), [load.load_id, target.table, version])
    return bool(cursor.rowcount)


def record(cursor: "SnowflakeCursor", target: Relation, version: int, load: Load, rows: int) -> None:
    cursor.execute(
        f"INSERT INTO {unbound(qualify(loads(target)))} {COLUMNS} SELECT %s, %s, %s, %s, %s, %s, CURRENT_TIMESTAMP()",
        [target.table, version, load.load_id, load.pipeline_name, load.parcel_id, rows],
    )


def loads(target: Relation) -> Relation:
    """The table of loads beside a target; in upper case, as people who ask it write nothing in quotes."""
    return Relation(LOADS.upper(), target.schema, target.database)
