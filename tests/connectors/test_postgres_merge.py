"""What stands in the way of a merge in PostgreSQL alone: triggers, rules, foreign keys, types that find texts equal."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pytest

from landbridge.contracts.values import Load, Merge, Published, Write
from landbridge.errors import TargetError
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.changes import Mode
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import qualify
from tests.connectors.conftest import PostgresSystem

ROWS = TableSchema((Column("id", Type("int64")), Column("v", Type("text"))))
BY_KEYS = Merge(("id",), deletes="by_keys")
SWALLOW = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF coalesce(NEW.id, OLD.id) = {0} THEN RETURN NULL; END IF; RETURN coalesce(NEW, OLD); END $$;
CREATE TRIGGER swallow BEFORE INSERT OR UPDATE OR DELETE ON {1} FOR EACH ROW EXECUTE FUNCTION swallow()
"""


def load(
    pg: PostgresSystem,
    mode: Mode,
    merge: Merge | None,
    rows: Sequence[tuple[Any, ...]],
    *,
    schema: TableSchema = ROWS,
    keys: Sequence[Any] | None = None,
    after: str | None = None,
) -> tuple[str, Published]:
    """One load into `t`, after the load of that id; gives its own."""
    write = Write("it", pg.relation("t"), mode, {}, merge)
    load_id = uuid4().hex
    one = Load(load_id, "p", "x", uuid4().hex, len(rows), first=after is None, follows=(after,) if after else ())
    columns = [list(column) for column in zip(*rows, strict=True)]
    landed = [pg.connector.prepare(write, schema, one)]
    pg.connector.append(landed[0], [pa.record_batch(columns, schema=arrow_schema(schema))], 0)
    if keys is not None:
        of_keys = TableSchema(schema.columns[:1])
        also = Load(load_id, "p", "x", one.attempt, len(keys), first=one.first, follows=one.follows)
        landed.append(pg.connector.prepare(write, of_keys, also, only_keys=True))
        pg.connector.append(landed[1], [pa.record_batch([list(keys)], schema=arrow_schema(of_keys))], 0)
    return load_id, pg.connector.publish(*landed)


def stands(pg: PostgresSystem) -> list[tuple[Any, ...]]:
    return pg.execute(f"SELECT * FROM {qualify(pg.relation('t'))} ORDER BY 1")


@pytest.mark.parametrize("row", [1, 2, 5])
def test_a_trigger_that_keeps_rows_is_an_error(pg: PostgresSystem, row: int) -> None:
    """Of an update, a delete or an insert that it swallows the counts alone know nothing."""
    first, _ = load(pg, "upsert", BY_KEYS, [(1, "a"), (2, "b")])
    pg.execute(SWALLOW.format(row, qualify(pg.relation("t"))))
    with pytest.raises(TargetError, match=r"were to be inserted, updated or deleted were not"):
        load(pg, "upsert", BY_KEYS, [(1, "aa"), (5, "e")], keys=[1, 5], after=first)
    assert stands(pg) == [(1, "a"), (2, "b")]


def test_a_trigger_that_keeps_rows_that_are_added_is_an_error(pg: PostgresSystem) -> None:
    """Also where rows have no key."""
    first, _ = load(pg, "incremental", None, [(1, "a")])
    pg.execute(SWALLOW.format(5, qualify(pg.relation("t"))))
    with pytest.raises(TargetError, match="were to be inserted"):
        load(pg, "incremental", None, [(2, "b"), (5, "e")], after=first)
    assert stands(pg) == [(1, "a")]


def test_a_trigger_that_lets_rows_pass_is_none(pg: PostgresSystem) -> None:
    """Only what is missing in the end counts."""
    first, _ = load(pg, "upsert", BY_KEYS, [(1, "a"), (2, "b")])
    pg.execute(SWALLOW.format(99, qualify(pg.relation("t"))))
    _, done = load(pg, "upsert", BY_KEYS, [(1, "aa"), (5, "e")], keys=[1, 5], after=first)
    assert (stands(pg), done.rows) == ([(1, "aa"), (5, "e")], 2)


def test_deletes_do_not_cascade(pg: PostgresSystem) -> None:
    """Rows of other tables are not ours to delete."""
    first, _ = load(pg, "upsert", BY_KEYS, [(1, "a"), (2, "b")])
    table = qualify(pg.relation("t"))
    child = qualify(pg.relation("child"))
    pg.execute(f"CREATE TABLE {child} (id bigint REFERENCES {table} ON DELETE CASCADE)")
    pg.execute(f"INSERT INTO {child} VALUES (2)")
    with pytest.raises(TargetError, match="would delete or change rows of"):
        load(pg, "upsert", BY_KEYS, [(1, "aa")], keys=[1], after=first)
    assert pg.execute(f"SELECT id FROM {child}") == [(2,)]


def test_texts_that_the_target_finds_equal_differ(pg: PostgresSystem) -> None:
    """A collation that ignores what differs must not hide a change; citext behaves alike."""
    table = qualify(pg.relation("t"))
    pg.execute(f"CREATE TABLE {table} (id bigint PRIMARY KEY, v char(4))")
    chars = TableSchema((ROWS.columns[0], Column("v", Type("char", length=4))))
    first, _ = load(pg, "upsert", BY_KEYS, [(1, "ab  ")], schema=chars)
    _, done = load(pg, "upsert", BY_KEYS, [(1, "aB  ")], schema=chars, keys=[1], after=first)
    assert done.changed == {"updated": 1}


def test_numbers_without_bounds_are_keys(pg: PostgresSystem) -> None:
    """They travel as text, and are compared as the numbers that they are: 1.0 is 1.00."""
    schema = TableSchema((Column("id", Type("decimal")), ROWS.columns[1]))
    first, _ = load(
        pg, "upsert", BY_KEYS, [("1.0", "a"), ("12345678901234567890123456789012345678901", "b")], schema=schema
    )
    _, done = load(pg, "upsert", BY_KEYS, [("1.00", "aa"), ("3", "c")], schema=schema, keys=["1", "3"], after=first)
    assert [(str(key), v) for key, v in stands(pg)] == [("1.0", "aa"), ("3", "c")]
    assert done.changed == {"updated": 1, "inserted": 1, "deleted": 1}
