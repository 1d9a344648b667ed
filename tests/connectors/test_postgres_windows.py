"""What stands in the way of a window in PostgreSQL alone: triggers, rules, foreign keys, blanks; its index, errors."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from uuid import uuid4

import pytest

from landbridge.contracts.target import TAG
from landbridge.contracts.values import Published, Read
from landbridge.errors import SchemaMismatch, TargetError, Unreachable
from landbridge.schema.model import Column, TableSchema, Type
from landbridge.schema.names import qualify
from tests.conformance.system import NUMBERS, land, load_of, numbers, publish
from tests.conformance.windowed import Windows
from tests.connectors.conftest import PostgresSystem

SWALLOW = """
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF coalesce(NEW.id, OLD.id) = {0} THEN RETURN NULL; END IF; RETURN coalesce(NEW, OLD); END $$;
CREATE TRIGGER swallow BEFORE INSERT OR DELETE ON {1} FOR EACH ROW EXECUTE FUNCTION swallow()
"""
Way = Callable[[Windows, str], Published]


def by_landing(windows: Windows, load_id: str) -> Published:
    return windows.load(load_id, numbers(1, 4))


def by_pushing(windows: Windows, load_id: str) -> Published:
    publish(windows.system, "s", NUMBERS, [numbers(1, 4)])
    return windows.push(load_id, Read("it", windows.system.relation("s")))


@pytest.mark.parametrize("way", [by_landing, by_pushing])
@pytest.mark.parametrize("row", [0, 3])
def test_a_trigger_that_keeps_rows_is_an_error(pg: PostgresSystem, way: Way, row: int) -> None:
    """A delete or an insert that it swallows; the window keeps its old rows, and others theirs."""
    windows, one, two = Windows(pg), uuid4().hex, uuid4().hex
    windows.load(one, numbers(0, 2))
    windows.load(two, numbers(10, 11))
    before = windows.rows()
    pg.execute(SWALLOW.format(row, qualify(pg.relation("t"))))
    with pytest.raises(TargetError, match=r"of 3 rows [23] were inserted"):
        way(windows, one)
    assert windows.rows() == before
    assert pg.connector.loaded(windows.write, one) == 2


@pytest.mark.parametrize("way", [by_landing, by_pushing])
def test_a_rule_that_takes_rows_elsewhere_is_an_error(pg: PostgresSystem, way: Way) -> None:
    """Its counts are those of the other table."""
    windows, one, table = Windows(pg), uuid4().hex, qualify(pg.relation("t"))
    windows.load(one, numbers(0, 2))
    pg.execute(f"CREATE TABLE elsewhere (LIKE {table})")
    pg.execute(f"CREATE RULE aside AS ON INSERT TO {table} DO INSTEAD INSERT INTO elsewhere SELECT NEW.*")
    with pytest.raises(TargetError, match="now there are 0 of this window"):
        way(windows, one)
    assert windows.rows() == [(0, one), (1, one)]


@pytest.mark.parametrize("way", [by_landing, by_pushing])
def test_a_trigger_that_lets_rows_pass_is_none(pg: PostgresSystem, way: Way) -> None:
    """Only what is missing in the end counts."""
    windows, one = Windows(pg), uuid4().hex
    windows.load(one, numbers(0, 2))
    pg.execute(SWALLOW.format(99, qualify(pg.relation("t"))))
    assert (way(windows, one).changed, windows.rows()) == ({"deleted": 2, "inserted": 3}, [(n, one) for n in (1, 2, 3)])


def test_deletes_do_not_cascade(pg: PostgresSystem) -> None:
    """Rows of other tables are not ours to delete, by a load as by a discard."""
    windows, one, table = Windows(pg), uuid4().hex, qualify(pg.relation("t"))
    windows.load(one, numbers(0, 2))
    pg.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id)")
    pg.execute(f"CREATE TABLE child (id bigint REFERENCES {table} ON DELETE CASCADE)")
    pg.execute("INSERT INTO child VALUES (1)")
    for attempt in (lambda: windows.load(one, numbers(0, 1)), lambda: pg.connector.discard(windows.write, [one])):
        with pytest.raises(TargetError, match="would delete or change rows of"):
            attempt()
    assert pg.execute("SELECT id FROM child") == [(1,)]


def test_a_window_is_found_by_an_index(pg: PostgresSystem) -> None:
    """In a target that the load makes; one that stands is left as it is."""
    Windows(pg).load(uuid4().hex, numbers(0, 2))
    (found,) = pg.execute("SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND tablename = 't'")
    assert f"({TAG})" in found[0]


def test_a_text_that_was_padded_is_not_pushed_into_one_that_is_not(pg: PostgresSystem) -> None:
    """PostgreSQL drops the blanks; between columns of the same type they stay."""
    schema = TableSchema((Column("id", Type("int64")), Column("note", Type("char", length=5))))
    publish(pg, "s", schema, [])
    pg.execute(f"INSERT INTO {qualify(pg.relation('s'))} VALUES (1, 'a')")
    windows = Windows(pg)
    land(pg, "t", NUMBERS, [], load_of(0), mode="window")
    with pytest.raises(SchemaMismatch, match=r"note .*character"):
        windows.push(uuid4().hex, Read("it", pg.relation("s")))
    Windows(pg, "u").push(uuid4().hex, Read("it", pg.relation("s")))
    assert pg.execute(f"SELECT octet_length(note) FROM {qualify(pg.relation('u'))}") == [(5,)]


def test_threads_have_connections_of_their_own(pg: PostgresSystem) -> None:
    """A window that is published does not free the landing of another thread's for others to sweep."""
    windows, other = Windows(pg), pg.login()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(windows.land, uuid4().hex, numbers(0, 2)).result()
        windows.load(uuid4().hex, numbers(0, 3))
        assert other.sweep(windows.write) == []
        assert pool.submit(pg.connector.publish, held).result().rows == 2


def test_an_error_has_the_servers_code(pg: PostgresSystem) -> None:
    """What may pass is told from what stays by SQLSTATE, which a pickle and a copy keep; also where nobody answers."""
    with pytest.raises(TargetError) as caught:
        pg.connector.run_sql(["SELECT * FROM no_such_table"])
    assert copy(caught.value).code == caught.value.code == "42P01"
    with pytest.raises(Unreachable) as caught:
        pg.login(port=1).newest_load(Windows(pg).write)
    assert caught.value.code == "08001"
