"""What only PostgreSQL's reads can get wrong."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest

from landbridge.connectors.postgres import reading, snapshots
from landbridge.connectors.postgres.session import sslmode
from landbridge.contracts.values import Read
from landbridge.errors import AccessDenied, ConfigError, RunError, SourceError, Unreachable
from landbridge.schema.columns import Columns, Pick
from landbridge.schema.filters import compose
from landbridge.schema.model import Relation
from landbridge.schema.names import quote
from tests.conformance.system import read
from tests.connectors.conftest import PostgresSystem


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE t (id bigint, pad text)",
        (
            "CREATE TABLE t (id bigint, pad text) PARTITION BY RANGE (id);"
            " CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (1000);"
            " CREATE TABLE t2 PARTITION OF t DEFAULT"
        ),
    ],
    ids=["plain", "partitioned"],
)
def test_ctid_ranges_hold_every_row_once(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch, table: str) -> None:
    """Many parts together are the table, filtered or not, and no row is in two of them."""
    monkeypatch.setattr(snapshots, "PART_BYTES", 100_000)
    pg.execute(table)
    pg.execute("INSERT INTO t SELECT i, repeat('x', 200) FROM generate_series(0, 4999) i")
    with pg.connector.snapshot(Read("it", pg.relation("t"))) as snapshot:
        assert len(snapshot.parts) > 5
    assert sorted(read(pg, "t")["id"].to_pylist()) == list(range(5000))
    chosen = compose(["id < 10", "OR id >= 4990"])
    assert sorted(read(pg, "t", filter=chosen)["id"].to_pylist()) == [*range(10), *range(4990, 5000)]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("numeric(10,2)", "NaN"),
        ("date", "infinity"),
        ("date", "0044-03-15 BC"),
        ("date", "12024-01-01"),
        ("timestamp", "-infinity"),
        ("timestamptz", "infinity"),
        ("timestamptz", "0044-03-15 12:00:00+00 BC"),
        ("time", "24:00:00"),
    ],
)
def test_what_arrow_cannot_carry_is_refused_by_name(pg: PostgresSystem, kind: str, value: str) -> None:
    """The column is named, the value is not, and nothing plausible stands in for it."""
    pg.execute(f"CREATE TABLE t AS SELECT 1 AS id, '{value}'::{kind} AS suspect")
    with pytest.raises(SourceError, match="suspect") as caught:
        read(pg, "t")
    assert not any(digits in caught.value.message for digits in ("0044", "12024"))
    found = read(pg, "t", query="SELECT id, suspect::text FROM {table}")  # what the hint says
    assert found["suspect"].to_pylist() == [value]


def test_other_types_travel_as_their_text(pg: PostgresSystem) -> None:
    """Intervals, arrays, enums, domains, unbounded numerics: as the server prints them, in one fixed style."""
    pg.execute("CREATE TYPE mood AS ENUM ('so so'); CREATE DOMAIN age AS int")
    pg.execute(
        "CREATE TABLE t AS SELECT interval '1 day 02:03' AS i, ARRAY['a b', NULL] AS a, 'so so'::mood AS m,"
        " 7::age AS d, 'NaN'::numeric AS n, 1e-30::numeric AS s, '10.0.0.1'::inet AS ip"
    )
    assert read(pg, "t").to_pylist() == [
        {
            "i": "P1DT2H3M",
            "a": '{"a b",NULL}',
            "m": "so so",
            "d": 7,
            "n": "NaN",
            "s": "0.000000000000000000000000000001",
            "ip": "10.0.0.1",
        }
    ]


def test_rows_wider_than_a_chunk_and_newlines_are_whole(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks end where rows end, whatever is quoted in them, and a row may be larger than a chunk."""
    monkeypatch.setattr(reading, "CHUNK_BYTES", 10_000)
    pg.execute(
        r"""CREATE TABLE t AS SELECT i AS id, repeat(E'"\n,', i * 37 % 5000) AS a, CASE WHEN i % 2 = 0 THEN '' END AS b
        FROM generate_series(0, 999) i"""
    )
    found = read(pg, "t").sort_by("id").to_pylist()
    assert [row["a"] for row in found] == ['"\n,' * (i * 37 % 5000) for i in range(1000)]
    assert [row["b"] for row in found] == ["", None] * 500


def test_one_column_of_null_is_a_row(pg: PostgresSystem) -> None:
    """A line with nothing on it counts."""
    pg.execute("CREATE TABLE t AS SELECT nullif(i, 2) AS n FROM generate_series(1, 3) i")
    assert read(pg, "t")["n"].to_pylist() == [1, None, 3]


def test_settings_of_the_role_change_no_value(pg: PostgresSystem) -> None:
    """Date style, zone, float digits and the form of bytes are the connector's own."""
    pg.execute("CREATE ROLE odd LOGIN SUPERUSER PASSWORD 'odd'")
    for setting in (
        "DateStyle = German",
        "TimeZone = 'Asia/Tokyo'",
        "extra_float_digits = -3",
        "bytea_output = escape",
    ):
        pg.execute(f"ALTER ROLE odd SET {setting}")
    pg.execute(
        "CREATE TABLE t AS SELECT date '2024-02-01' AS d, timestamptz '2024-02-01 00:00Z' AS z, 0.1::float8 + 0.2 AS f,"
        r" '\x00ff'::bytea AS b"
    )
    expected = read(pg, "t")
    pg.connector = pg.login(user="odd", password="odd")
    try:
        assert read(pg, "t") == expected
        assert expected["z"].to_pylist() == [datetime(2024, 2, 1, tzinfo=UTC)]
        assert expected["f"].to_pylist() == [0.30000000000000004]
    finally:
        pg.connector = pg.login()
        pg.execute("DROP ROLE odd")


def test_a_server_that_breaks_off_is_an_error(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part never ends early: a backend that dies in the middle comes up at the reader."""
    monkeypatch.setattr(reading, "CHUNK_BYTES", 100_000)
    pg.execute("CREATE TABLE t AS SELECT i AS id, repeat('x', 1000) AS pad FROM generate_series(1, 50000) i")
    with pg.connector.snapshot(Read("it", pg.relation("t"))) as snapshot:
        batches = pg.connector.batches(snapshot.parts[0])
        next(batches)
        pg.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
        with pytest.raises((RunError, Unreachable)):
            list(batches)


def test_fewer_rows_than_the_server_counted_is_an_error(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was parsed is held against the server's own count of what it sent."""
    parse = reading._parse
    monkeypatch.setattr(reading, "_parse", lambda *given: [batch.slice(1) for batch in parse(*given)])
    pg.execute("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 5) i")
    with pytest.raises(SourceError, match="sent 5 rows, 4"):
        read(pg, "t")


def test_an_error_while_rows_flow_has_the_servers_words(pg: PostgresSystem) -> None:
    """What fails in the middle of a query is told like what fails at its start."""
    pg.execute("CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 5) i")
    with pytest.raises(SourceError, match="division by zero") as caught:
        read(pg, "t", query="SELECT id, 1 / (id - 3) AS boom FROM {table}")
    assert "boom" in caught.value.message


def test_a_query_cannot_give_two_columns_one_name(pg: PostgresSystem) -> None:
    """It is said which."""
    pg.execute("CREATE TABLE t (id int)")
    with pytest.raises(SourceError, match="two columns named id"):
        read(pg, "t", query="SELECT id, id FROM {table}")


def test_who_may_not_log_in_is_denied_without_a_word_of_the_password(pg: PostgresSystem) -> None:
    """Wrong password, no grant and no server are three different things."""
    pg.execute("CREATE TABLE t (id int)")
    pg.execute("CREATE ROLE stranger LOGIN PASSWORD 'right'")
    try:
        wrong = pg.login(user="stranger", password="open sesame")
        with pytest.raises(AccessDenied) as caught:
            wrong.describe([pg.relation("t")])
        assert "open sesame" not in str(caught.value)
        assert [check.ok for check in wrong.check([], [])] == [False]
        pg.connector = pg.login(user="stranger", password="right")
        with pytest.raises(AccessDenied, match="permission denied"):
            read(pg, "t")
        answers = pg.connector.check([pg.relation("t")], [pg.relation("t")])
        assert [check.name.split()[0] for check in answers if not check.ok] == ["read", "write"]
        with pytest.raises(Unreachable):
            pg.login(port=1).describe([pg.relation("t")])
    finally:
        pg.execute("DROP ROLE stranger")


def test_tls_is_asked_for_unless_the_server_is_on_this_machine(pg: PostgresSystem) -> None:
    """The test server has no TLS: a mode that requires it fails on both drivers' side, loopback does without."""
    with pytest.raises(Unreachable, match="SSL"):
        pg.login(sslmode="require").describe([])
    modes = {host: sslmode(pg.login(host=host).server) for host in ("192.0.2.1", "db", "::1", "127.0.0.9", "/run")}
    assert modes == {"192.0.2.1": "require", "db": "require", "::1": "prefer", "127.0.0.9": "prefer", "/run": "prefer"}


def test_another_database_is_another_connection(pg: PostgresSystem) -> None:
    """A relation of a database that the connection does not open is a mistake in the declaration."""
    with pytest.raises(ConfigError, match="elsewhere"):
        pg.connector.describe([Relation("t", "s", "elsewhere")])


def test_parts_are_read_in_the_snapshot_from_another_connection(pg: PostgresSystem) -> None:
    """A part names its snapshot; when that has ended the read is refused, not answered from another instant."""
    pg.execute("CREATE TABLE t AS SELECT 1 AS id")
    with pg.connector.snapshot(Read("it", pg.relation("t"))) as snapshot:
        pg.execute("UPDATE t SET id = 2")
        assert pa.Table.from_batches(pg.login().batches(snapshot.parts[0]))["id"].to_pylist() == [1]
    with pytest.raises(SourceError, match="snapshot"):
        list(pg.connector.batches(snapshot.parts[0]))


PARTITIONED = (
    "CREATE TABLE t (id int) PARTITION BY RANGE (id);"
    " CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10); CREATE TABLE t2 PARTITION OF t DEFAULT;"
)
PLAIN = "CREATE TABLE t (id int PRIMARY KEY);"


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (PLAIN, "TRUNCATE t; INSERT INTO t VALUES (7)"),
        (PLAIN, "ALTER TABLE t ALTER id TYPE bigint"),
        (PLAIN, "ALTER TABLE t RENAME TO old; CREATE TABLE t AS TABLE old"),
        (PLAIN, "DROP TABLE t; CREATE TABLE t (id int)"),
        (PARTITIONED, "TRUNCATE t1"),
        (PARTITIONED, "ALTER TABLE t DETACH PARTITION t1"),
        (PARTITIONED, "DROP TABLE t1"),
    ],
)
@pytest.mark.parametrize("query", [None, "SELECT id FROM {table} WHERE id >= 0"])
def test_a_table_that_was_replaced_is_refused(pg: PostgresSystem, table: str, change: str, query: str | None) -> None:
    """What PostgreSQL shows of it to an older snapshot is no row, and would be taken for the truth."""
    pg.execute(table)
    pg.execute("INSERT INTO t SELECT generate_series(1, 20)")
    reading = Read("it", pg.relation("t"), query)
    with pg.connector.instant() as instant:
        pg.execute(change)
        with pytest.raises(SourceError, match="replaced after"), pg.connector.snapshot(reading, instant):
            pass


@pytest.mark.parametrize(
    ("table", "change"),
    [
        (PLAIN, "INSERT INTO t VALUES (21); DELETE FROM t WHERE id < 5; ANALYZE t"),
        (PLAIN, "CREATE INDEX ON t (id, (id + 1)); REINDEX TABLE t"),
        (PLAIN, "ALTER TABLE t ADD COLUMN more text DEFAULT 'x'"),
        (PLAIN, "CREATE VIEW v AS SELECT * FROM t; TRUNCATE unrelated"),
    ],
)
def test_a_table_that_lives_on_is_read_as_of_then(pg: PostgresSystem, table: str, change: str) -> None:
    """Rows that come and go, indexes, columns that are added, other tables: none of that is in the way."""
    pg.execute(table + "CREATE TABLE unrelated (id int)")
    pg.execute("INSERT INTO t SELECT generate_series(1, 20)")
    with pg.connector.instant() as instant:
        pg.execute(change)
        with pg.connector.snapshot(Read("it", pg.relation("t")), instant) as snapshot:
            batches = [batch for part in snapshot.parts for batch in pg.connector.batches(part)]
    assert sorted(pa.Table.from_batches(batches)["id"].to_pylist()) == list(range(1, 21))


def test_a_partition_that_is_added_is_not_in_the_way(pg: PostgresSystem) -> None:
    """As every midnight brings one."""
    pg.execute("CREATE TABLE t (id int PRIMARY KEY) PARTITION BY RANGE (id)")
    pg.execute("CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10); INSERT INTO t VALUES (1)")
    with pg.connector.instant() as instant:
        pg.execute("CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20); INSERT INTO t VALUES (11)")
        with pg.connector.snapshot(Read("it", pg.relation("t")), instant) as snapshot:
            assert snapshot.rows == 1


def test_an_instant_that_is_lost_is_not_another_one(pg: PostgresSystem) -> None:
    """Where the connection that holds it dies, the tables that are left are not read at all."""
    pg.execute("CREATE TABLE t AS SELECT 1 AS id")
    with pg.connector.instant() as instant:
        pg.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_export_snapshot%'"
            " AND pid <> pg_backend_pid()"
        )
        with pytest.raises(SourceError, match="snapshot"), pg.connector.snapshot(Read("it", pg.relation("t")), instant):
            pass


def test_columns_that_are_not_read_need_no_grant(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values that must not leave need not even be readable for the role that exports."""
    monkeypatch.setattr(snapshots, "PART_BYTES", 4_096)
    pg.execute("CREATE TABLE t AS SELECT id, 'x' AS secret, 'y' AS mail FROM generate_series(1, 1000) id")
    pg.execute("CREATE ROLE clerk LOGIN PASSWORD 'clerk'")
    pg.execute(f"GRANT USAGE ON SCHEMA {quote(pg.schema)} TO clerk; GRANT SELECT (id, ctid) ON t TO clerk")
    pg.connector = pg.login(user="clerk", password="clerk")
    try:
        columns = Columns((Pick("mail", None, "null"),), exclude=("secret",))
        found = read(pg, "t", columns=columns)
        assert (found.column_names, found.num_rows, found["mail"].null_count) == (["id", "mail"], 1000, 1000)
        with pytest.raises(AccessDenied):
            read(pg, "t", columns=Columns(exclude=("secret",)))
    finally:
        pg.connector = pg.login()
        pg.execute("REASSIGN OWNED BY clerk TO CURRENT_USER; DROP OWNED BY clerk; DROP ROLE clerk")
