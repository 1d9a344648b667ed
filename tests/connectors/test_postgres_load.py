"""What only PostgreSQL's loads can get wrong: cells that the server refuses, rights, connections that break."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from landbridge.contracts.values import Write
from landbridge.errors import AccessDenied, RunError, SchemaMismatch, TargetError, Unreachable, ValueDoesNotFit
from landbridge.schema.arrow import arrow_schema
from landbridge.schema.model import Column, Relation, TableSchema, Type
from tests.conformance.system import NUMBERS, ids, land, landings, load_of, numbers, publish, read
from tests.connectors.conftest import PostgresSystem

INFINITE = pa.array([2**63 - 1], pa.int64())


def cells(kind: Type, values: list[object] | pa.Array) -> tuple[TableSchema, pa.RecordBatch]:
    """A table of ids and values of one kind."""
    schema = TableSchema((Column("id", Type("int64")), Column("v", kind)))
    return schema, pa.record_batch([list(range(len(values))), values], schema=arrow_schema(schema))


@pytest.mark.parametrize(
    ("native", "kind", "values", "words"),
    [
        ("varchar(3)", Type("text"), ["abc", "abcd"], "v, row 41: text of 4 characters does not fit character varying"),
        ("varchar(3)", Type("text"), ["abc", "abc "], "v, row 41: text of 4 characters"),
        ("text", Type("text"), ["ok", "a\0b"], "v, row 41: a text holds a NUL byte"),
        ("text NOT NULL", Type("text"), ["ok", None], "v, row 41: NULL"),
        ("text CONSTRAINT two CHECK (length(v) = 2)", Type("text"), ["ok", "odd"], "constraint two, row 41: a row"),
        ("jsonb", Type("json"), ["{}", "{secret"], "v, row 41: a JSON document is not valid"),
        ("smallint", Type("int64"), [1, 40_000], "v, row 41: this int64 does not fit smallint"),
        ("bigint", Type("decimal", 38, 0), [1, 10**30], r"v, row 41: this decimal\(38,0\) does not fit bigint"),
        ("numeric(10,2)", Type("decimal", 20, 2), [1, 10**9], "v, row 41: this"),
        ("timestamp", Type("timestamp", 6), INFINITE.cast(pa.timestamp("us")), "v, row 40: this timestamp"),
        ("timestamp", Type("timestamp", 9), pa.array([1], pa.timestamp("ns")), "v, row 40: this timestamp"),
        ("date", Type("date"), pa.array([2**31 - 1], pa.int32()).cast(pa.date32()), "v, row 40: this date"),
    ],
)
def test_a_cell_that_does_not_fit_is_named(
    pg: PostgresSystem, native: str, kind: Type, values: list[object], words: str
) -> None:
    """Table, column and row, whoever found it; never the value, nor in what a traceback would print."""
    pg.execute(f"CREATE TABLE t (id bigint, v {native})")
    schema, batch = cells(kind, values)
    landing = land(pg, "t", schema, [], load_of(2))
    with pytest.raises(ValueDoesNotFit, match=words) as caught:
        pg.connector.append(landing, [batch], 40)
    assert f"{pg.schema}.t" in caught.value.message
    assert caught.value.__cause__ is None
    assert not any(text in caught.value.message for text in ("abcd", "secret", "40000"))


def test_appends_share_a_connection_until_it_is_lost(pg: PostgresSystem) -> None:
    """The second part goes over the first one's session; after an administrator ended that, over a new one."""
    landing = land(pg, "t", NUMBERS, [], load_of(3))
    sessions = f"SELECT pid FROM pg_stat_activity WHERE query LIKE 'COPY%{landing.relation.table}%'"
    seen = []
    for number in range(3):
        pg.connector.append(landing, [numbers(number, number + 1)], number)
        seen.append({pid for (pid,) in pg.execute(sessions)})
        if number == 1:
            pg.execute(f"SELECT pg_terminate_backend(pid) FROM ({sessions}) AS s")
    assert seen[0] == seen[1] != seen[2]
    assert [len(pids) for pids in seen] == [1, 1, 1]
    assert pg.connector.publish(landing).rows == 3


def test_landings_outlive_their_connection_and_are_durable(pg: PostgresSystem) -> None:
    """What append returned is committed: another connection counts it."""
    landing = land(pg, "t", NUMBERS, [numbers(0, 70_000)])
    assert pg.execute(f'SELECT count(*) FROM "{landing.relation.table}"') == [(70_000,)]
    assert pg.connector.publish(landing).rows == 70_000


def test_a_connection_that_is_lost_publishes_nothing(pg: PostgresSystem) -> None:
    """The server ends the session in the middle of a COPY: the old rows stay, and a second attempt succeeds."""
    publish(pg, "t", NUMBERS, [numbers(0, 3)])
    landing = land(pg, "t", NUMBERS, [], load_of(40_000))

    def broken() -> Iterator[pa.RecordBatch]:
        yield numbers(0, 20_000)
        pg.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE query LIKE 'COPY%STDIN%'")
        yield numbers(20_000, 40_000)

    with pytest.raises(Unreachable):
        pg.connector.append(landing, broken(), 0)
    with pytest.raises(TargetError, match="0 rows"):
        pg.connector.publish(landing)
    assert ids(pg, "t") == [0, 1, 2]
    assert pg.connector.append(landing, [numbers(0, 40_000)], 0) == 40_000
    assert pg.connector.publish(landing).rows == 40_000


def test_a_landing_that_is_gone_is_said_so(pg: PostgresSystem) -> None:
    """Somebody swept it: publish refuses, the old rows stay."""
    publish(pg, "t", NUMBERS, [numbers(0, 3)])
    landing = land(pg, "t", NUMBERS, [numbers(0, 5)])
    assert landings(pg, "t") == [landing.relation.table]
    with pytest.raises(TargetError, match="does not exist"):
        pg.connector.publish(landing)
    assert ids(pg, "t") == [0, 1, 2]


def test_a_landing_that_is_being_filled_is_not_swept(pg: PostgresSystem) -> None:
    """Another project with the same target leaves it alone, until the process that fills it is gone."""
    other, write = pg.login(), Write("it", pg.relation("t"))
    landing = land(pg, "t", NUMBERS, [numbers(0, 3)])
    assert other.sweep(write) == []
    assert pg.connector.publish(landing).rows == 3
    landing = land(pg, "t", NUMBERS, [numbers(0, 3)])
    pg.connector = pg.login()
    assert other.sweep(write) == [landing.relation.table]


def test_a_landing_can_be_dropped_alone(pg: PostgresSystem) -> None:
    """What a failed attempt has no use for any more; dropping it again is fine, and another's stays."""
    mine, others = (land(pg, "t", NUMBERS, [numbers(0, 3)]) for _ in range(2))
    for _ in range(2):
        pg.connector.drop(mine)
    assert landings(pg, "t") == [others.relation.table]


def test_only_the_comment_makes_a_landing(pg: PostgresSystem) -> None:
    """A table that is merely named like one is nobody's to drop."""
    publish(pg, "t", NUMBERS, [])
    pg.execute("CREATE TABLE _lb_12345678_mine (id int)")
    pg.execute("COMMENT ON TABLE _lb_12345678_mine IS 'landbridge landing of my own'")
    assert landings(pg, "t") == []


def test_what_is_no_table_is_no_target(pg: PostgresSystem) -> None:
    """A view, and a column that the table generates itself, are refused before anything is made."""
    pg.execute("CREATE VIEW v AS SELECT 1::bigint AS id, ''::text AS note")
    pg.execute("CREATE TABLE g (id bigint, note text GENERATED ALWAYS AS ('x') STORED)")
    for table, words in (("v", "not a table"), ("g", "note")):
        with pytest.raises(SchemaMismatch, match=words):
            land(pg, table, NUMBERS, [])
        assert landings(pg, table) == []


def test_a_cast_at_publish_makes_a_rewrite(pg: PostgresSystem) -> None:
    """Digits without a bound land as text; the table has numbers, and constraints hold for them."""
    pg.execute("CREATE TABLE t (id bigint PRIMARY KEY, v numeric DEFAULT 1 CHECK (v > 0))")
    schema, good = cells(Type("decimal"), ["1.50", "1" * 50])
    published = publish(pg, "t", schema, [good])
    assert published.how == "rewrite"
    assert pg.execute("SELECT v::text FROM t ORDER BY id") == [("1.50",), ("1" * 50,)]
    with pytest.raises(ValueDoesNotFit, match="CHECK"):
        publish(pg, "t", schema, [cells(Type("decimal"), ["-1.50"])[1]])
    assert pg.execute("SELECT count(*) FROM t") == [(2,)]


def test_a_role_needs_grants_and_no_more(pg: PostgresSystem) -> None:
    """One that does not own the table rewrites it; one without grants is denied and changes nothing."""
    pg.execute("CREATE TABLE t (id bigint, note text)")
    pg.execute("CREATE ROLE loader LOGIN PASSWORD 'x'")
    pg.execute(f'GRANT USAGE, CREATE ON SCHEMA "{pg.schema}" TO loader')
    pg.connector = pg.login(user="loader", password="x")
    try:
        with pytest.raises(AccessDenied, match="permission denied"):
            publish(pg, "t", NUMBERS, [numbers(0, 3)])
        pg.execute("GRANT SELECT, INSERT, DELETE ON t TO loader")
        published = publish(pg, "t", NUMBERS, [numbers(0, 3)])
        assert (published.how, published.why) == ("rewrite", "it belongs to another role")
        assert publish(pg, "own", NUMBERS, [numbers(0, 3)]).how == "swap"
        assert all(check.ok for check in pg.connector.check([pg.relation("t")], [pg.relation("t")]))
    finally:
        pg.connector = pg.login()
        pg.execute("DROP OWNED BY loader; DROP ROLE loader")


def test_the_book_of_loads_can_be_queried(pg: PostgresSystem) -> None:
    """One row per load, counted up per table, with what a person wants to know."""
    for rows in (3, 2):
        publish(pg, "t", NUMBERS, [numbers(0, rows)])
    publish(pg, "u", NUMBERS, [numbers(0, 1)])
    found = pg.execute(
        "SELECT target_table, version, row_count, pipeline_name, parcel_id FROM landbridge_loads ORDER BY 1, 2"
    )
    assert found == [("t", n, rows, "a pipeline", "a parcel") for n, rows in ((1, 3), (2, 2))] + [
        ("u", 1, 1, "a pipeline", "a parcel")
    ]
    (when,) = pg.execute("SELECT max(loaded_at) FROM landbridge_loads")[0]
    assert abs((datetime.now(UTC) - when).total_seconds()) < 60


def test_a_table_without_a_schema_is_where_search_path_says(pg: PostgresSystem) -> None:
    """Load, book and landing all go to the first schema of search_path."""
    write = Write("it", Relation("no_schema"))
    landing = pg.connector.prepare(write, NUMBERS, load_of(1))
    pg.connector.append(landing, [numbers(0, 1)], 0)
    assert (landing.relation.schema, pg.connector.publish(landing).rows) == ("public", 1)
    assert pg.execute("SELECT id FROM public.no_schema") == [(0,)]
    pg.execute("DROP TABLE public.no_schema, public.landbridge_loads")


def test_nothing_of_a_refused_load_stays_after_the_sweep(pg: PostgresSystem) -> None:
    """The schema holds the target and the book, and that is all."""
    publish(pg, "t", NUMBERS, [numbers(0, 3)])
    with pytest.raises(RunError):
        pg.connector.publish(land(pg, "t", NUMBERS, [numbers(0, 3)], load_of(4)))
    landings(pg, "t")
    found = pg.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1")
    assert found == [("landbridge_loads",), ("t",)]
    assert read(pg, "t").num_rows == 3
