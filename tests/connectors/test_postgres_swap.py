"""A swap loses nothing of the table, and where it would, the rows are rewritten instead."""

import pytest

from landbridge.connectors.postgres import publishing, swap
from landbridge.contracts.values import Write
from landbridge.errors import TargetError, ValueDoesNotFit
from tests.conformance.system import NUMBERS, ids, land, numbers, publish
from tests.connectors.conftest import PostgresSystem

PLAIN = "CREATE TABLE t (id bigint PRIMARY KEY, note text)"

DRESSED = """
CREATE TABLE t (
    id bigint CONSTRAINT "The Key" PRIMARY KEY, note text DEFAULT 'none' CONSTRAINT short CHECK (length(note) < 9),
    extra int NOT NULL DEFAULT 7, CONSTRAINT once UNIQUE (note, id) DEFERRABLE
) WITH (fillfactor = 70);
CREATE INDEX "by {0} note" ON t (lower(note)) WHERE id > 0;
CREATE UNIQUE INDEX two ON t (extra, id DESC) INCLUDE (note);
COMMENT ON TABLE t IS 'it''s mine'; COMMENT ON COLUMN t.note IS 'a note';
ALTER TABLE t ALTER note SET STORAGE EXTERNAL;
ALTER TABLE t OWNER TO keeper;
GRANT SELECT ON t TO reader; GRANT INSERT ON t TO reader WITH GRANT OPTION; GRANT SELECT ON t TO PUBLIC
"""

LOOKS = """
SELECT c.relname, c.relowner::regrole::text, c.reloptions, obj_description(c.oid), col_description(c.oid, 2),
    (SELECT array_agg(a::text ORDER BY 1) FROM unnest(c.relacl) a),
    array(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = c.oid ORDER BY 1),
    array(SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = c.oid ORDER BY 1),
    array(SELECT ROW(attname, format_type(atttypid, atttypmod), attnotnull, attstorage, atthasdef)::text
          FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 ORDER BY attnum)
FROM pg_class c WHERE c.oid = 't'::regclass
"""


def test_a_swapped_table_looks_as_before(pg: PostgresSystem) -> None:
    """Owner, grants, comments, options, defaults, checks, keys and indexes are kept, with their names."""
    pg.execute("CREATE ROLE keeper; CREATE ROLE reader")
    try:
        pg.execute(f'GRANT ALL ON SCHEMA "{pg.schema}" TO keeper')
        pg.execute(f'ALTER DEFAULT PRIVILEGES IN SCHEMA "{pg.schema}" GRANT DELETE ON TABLES TO reader')
        pg.execute(PLAIN.replace(" t ", " plain "))
        pg.execute(DRESSED)
        pg.execute("REVOKE DELETE ON t FROM reader")
        before = pg.execute(LOOKS)
        old = pg.execute("SELECT 't'::regclass::oid")
        published = publish(pg, "t", NUMBERS, [numbers(0, 50, "x"), numbers(50, 100, "y")])
        assert (published.how, published.why) == ("swap", "")
        assert pg.execute("SELECT 't'::regclass::oid") != old
        assert pg.execute(LOOKS) == before
        assert pg.execute("SELECT count(*), min(extra), max(note) FROM t") == [(100, 7, "y")]
        assert pg.execute("SELECT reltuples FROM pg_class WHERE oid = 't'::regclass") == [(100,)]
    finally:
        pg.execute("DROP OWNED BY keeper, reader CASCADE; DROP ROLE keeper, reader")


# what is made beside the table, and a question that is true if it still lives after a load of the ids 0, 1 and 2
DEPENDENTS = {
    "view": ("CREATE VIEW v AS SELECT sum(id) AS n FROM t", "SELECT n = 3 FROM v"),
    "materialized view": ("CREATE MATERIALIZED VIEW m AS SELECT * FROM t", "SELECT count(*) = 0 FROM m"),
    "rule": (
        "CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING",
        "SELECT count(*) = 1 FROM pg_rewrite WHERE ev_class = 't'::regclass",
    ),
    "trigger": (
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := ''!''; RETURN NEW; END';"
            " CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()"
        ),
        "SELECT bool_and(note = '!') FROM t",
    ),
    "foreign key to it": (
        "CREATE TABLE child (t bigint REFERENCES t DEFERRABLE); INSERT INTO t VALUES (1); INSERT INTO child VALUES (1)",
        "SELECT count(*) = 1 FROM child JOIN t ON t.id = child.t",
    ),
    "foreign key from it": (
        (
            "CREATE TABLE dad (id bigint PRIMARY KEY); INSERT INTO dad SELECT generate_series(0, 9);"
            " ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES dad"
        ),
        "SELECT count(*) = 1 FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'f'",
    ),
    "policy": (
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true)",
        "SELECT count(*) = 1 FROM pg_policy WHERE polrelid = 't'::regclass",
    ),
    "publication": (
        "CREATE PUBLICATION pub FOR TABLE t",
        "SELECT count(*) = 1 FROM pg_publication_rel WHERE prrelid = 't'::regclass",
    ),
    "publication of the schema": (
        "DO $$ BEGIN EXECUTE format('CREATE PUBLICATION pub FOR TABLES IN SCHEMA %I', current_schema()); END $$",
        "SELECT count(*) = 1 FROM pg_publication_tables WHERE tablename = 't' AND schemaname = current_schema()",
    ),
    "child table": (
        "CREATE TABLE kid () INHERITS (t)",
        "SELECT count(*) = 1 FROM pg_inherits WHERE inhparent = 't'::regclass",
    ),
    "statistics": (
        "CREATE STATISTICS st ON id, note FROM t",
        "SELECT count(*) = 1 FROM pg_statistic_ext WHERE stxrelid = 't'::regclass",
    ),
    "sequence": (
        "ALTER TABLE t ADD s serial; CREATE TABLE u (n int DEFAULT nextval('t_s_seq'))",
        "SELECT count(DISTINCT s) = 3 FROM t",
    ),
    "identity": (
        "ALTER TABLE t ADD number int GENERATED ALWAYS AS IDENTITY",
        "SELECT count(DISTINCT number) = 3 FROM t",
    ),
    "function of its rows": (
        "CREATE FUNCTION rows_of() RETURNS SETOF t LANGUAGE sql AS 'SELECT * FROM t'",
        "SELECT count(*) = 3 FROM rows_of()",
    ),
    "column of its row type": ("CREATE TABLE holder (one t)", "SELECT count(*) = 0 FROM holder"),
    "function that reads it": (
        "CREATE FUNCTION total() RETURNS bigint BEGIN ATOMIC SELECT sum(id) FROM t; END",
        "SELECT total() = 3",
    ),
    "grant on a column": (
        "CREATE ROLE col_reader; GRANT SELECT (note) ON t TO col_reader",
        "SELECT has_column_privilege('col_reader', 't', 'note', 'SELECT')",
    ),
    "replica identity": (
        "ALTER TABLE t REPLICA IDENTITY FULL",
        "SELECT relreplident = 'f' FROM pg_class WHERE oid = 't'::regclass",
    ),
    "statistics target": (
        "ALTER TABLE t ALTER note SET STATISTICS 500",
        "SELECT max(attstattarget) = 500 FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0",
    ),
    "comment on an index": (
        "CREATE INDEX odd ON t (note); COMMENT ON INDEX odd IS 'why'",
        "SELECT obj_description('odd'::regclass) = 'why'",
    ),
    "cluster": (
        "ALTER TABLE t CLUSTER ON t_pkey",
        "SELECT bool_or(indisclustered) FROM pg_index WHERE indrelid = 't'::regclass",
    ),
    "exclusion": (
        "ALTER TABLE t ADD CONSTRAINT x EXCLUDE (id WITH =)",
        "SELECT count(*) = 1 FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'x'",
    ),
    "unlogged": (
        "ALTER TABLE t SET UNLOGGED",
        "SELECT relpersistence = 'u' FROM pg_class WHERE oid = 't'::regclass",
    ),
    "event trigger": (
        (
            "CREATE FUNCTION e() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
            " CREATE EVENT TRIGGER watch ON sql_drop EXECUTE FUNCTION e()"
        ),
        "SELECT count(*) = 1 FROM pg_event_trigger",
    ),
}


@pytest.mark.parametrize("thing", DEPENDENTS)
def test_what_depends_on_the_table_survives(pg: PostgresSystem, thing: str) -> None:
    """Each of these would be lost or broken by a swap: the rows are rewritten, it lives, and the reason is told."""
    make, alive = DEPENDENTS[thing]
    pg.execute(PLAIN)
    pg.execute(make)
    try:
        published = publish(pg, "t", NUMBERS, [numbers(0, 3, "x")])
        assert published.how == "rewrite"
        assert published.why
        assert ids(pg, "t") == [0, 1, 2]
        assert pg.execute(alive) == [(True,)]
    finally:
        if "ROLE" in make:
            pg.execute("DROP OWNED BY col_reader; DROP ROLE col_reader")
        if "PUBLICATION" in make:
            pg.execute("DROP PUBLICATION pub")


def test_a_partitioned_table_is_rewritten(pg: PostgresSystem) -> None:
    """Rows go to their partitions."""
    pg.execute("CREATE TABLE t (id bigint, note text) PARTITION BY RANGE (id)")
    pg.execute("CREATE TABLE low PARTITION OF t FOR VALUES FROM (0) TO (2); CREATE TABLE high PARTITION OF t DEFAULT")
    assert publish(pg, "t", NUMBERS, [numbers(0, 3)]).how == "rewrite"
    assert pg.execute("SELECT (SELECT count(*) FROM low), (SELECT count(*) FROM high)") == [(2, 1)]


def test_rows_of_others_are_not_deleted_by_cascade(pg: PostgresSystem) -> None:
    """A foreign key that would take children along is refused, and both tables keep their rows."""
    pg.execute(PLAIN)
    pg.execute("CREATE TABLE child (t bigint REFERENCES t ON DELETE CASCADE)")
    pg.execute("INSERT INTO t VALUES (1); INSERT INTO child VALUES (1)")
    with pytest.raises(TargetError, match="child"):
        publish(pg, "t", NUMBERS, [numbers(0, 3)])
    assert pg.execute("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM child)") == [(1, 1)]


def test_an_older_snapshot_still_sees_the_old_rows(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that took its snapshot before the load and looks only after publish must not find an empty table."""
    monkeypatch.setattr(swap, "PATIENCE", 0.2)
    publish(pg, "t", NUMBERS, [numbers(0, 3)])
    with pg.connect() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")  # takes the snapshot, touches no table
        published = publish(pg, "t", NUMBERS, [numbers(10, 15)])
        assert reader.execute("SELECT id FROM t ORDER BY id").fetchall() == [(0,), (1,), (2,)]
        reader.execute("COMMIT")
        assert (published.how, "snapshot" in published.why) == ("rewrite", True)
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (5,)
    assert publish(pg, "t", NUMBERS, [numbers(0, 3)]).how == "swap"


def test_a_snapshot_that_is_hidden_from_us_counts(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """What another role's session holds cannot be seen; that it is in a transaction can, and is enough."""
    monkeypatch.setattr(swap, "PATIENCE", 0.2)
    pg.execute("CREATE ROLE other LOGIN PASSWORD 'x'")
    pg.execute(f'GRANT USAGE, CREATE ON SCHEMA "{pg.schema}" TO other')
    pg.connector = pg.login(user="other", password="x")
    try:
        publish(pg, "t", NUMBERS, [numbers(0, 3)])
        with pg.connect() as reader:
            assert publish(pg, "t", NUMBERS, [numbers(0, 4)]).how == "swap"  # idle, in no transaction
            reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            reader.execute("SELECT 1")
            assert publish(pg, "t", NUMBERS, [numbers(0, 5)]).how == "rewrite"
            assert reader.execute("SELECT count(*) FROM t").fetchone() == (4,)
    finally:
        pg.execute("DROP OWNED BY other; DROP ROLE other")


def test_a_snapshot_from_after_the_rows_is_no_obstacle(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that began when all rows were there sees them under the new name."""
    monkeypatch.setattr(swap, "PATIENCE", 0.2)
    publish(pg, "t", NUMBERS, [numbers(0, 3)])
    landing = land(pg, "t", NUMBERS, [numbers(0, 5)])
    with pg.connect() as reader:
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        reader.execute("SELECT 1")
        assert pg.connector.publish(landing).how == "swap"
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (5,)


def test_a_reader_that_does_not_end_is_not_waited_for(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that keeps its lock on the table costs a moment; then the rows are rewritten beside it."""
    monkeypatch.setattr(publishing, "SWAP_LOCK", "200ms")
    publish(pg, "t", NUMBERS, [numbers(0, 3)])
    with pg.connect() as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (3,)
        published = publish(pg, "t", NUMBERS, [numbers(0, 5)])
        assert (published.how, "in time" in published.why) == ("rewrite", True)
        assert reader.execute("SELECT count(*) FROM t").fetchone() == (5,)


def test_a_writer_that_does_not_end_is_an_error(pg: PostgresSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another session's uncommitted rows are neither lost nor waited for without end."""
    monkeypatch.setattr(publishing, "SWAP_LOCK", "100ms")
    monkeypatch.setattr(publishing, "REWRITE_LOCK", "200ms")
    publish(pg, "t", NUMBERS, [numbers(0, 3)])
    with pg.connect() as writer:
        writer.execute("BEGIN")
        writer.execute("INSERT INTO t VALUES (99, 'mine')")
        landing = land(pg, "t", NUMBERS, [numbers(0, 5)])
        with pytest.raises(TargetError, match="lock"):
            pg.connector.publish(landing)
        writer.execute("COMMIT")
    assert ids(pg, "t") == [0, 1, 2, 99]
    assert pg.connector.publish(landing).rows == 5  # the same landing, when the writer is gone


def test_a_table_that_changes_while_rows_land_is_rewritten(pg: PostgresSystem) -> None:
    """A column, a default or a view that came after prepare is not lost."""
    pg.execute(PLAIN)
    landing = land(pg, "t", NUMBERS, [numbers(0, 3)])
    pg.execute("ALTER TABLE t ADD late int DEFAULT 5")
    assert pg.connector.publish(landing).how == "rewrite"
    assert pg.execute("SELECT DISTINCT late FROM t") == [(5,)]


def test_a_duplicate_key_is_refused_and_the_old_rows_stay(pg: PostgresSystem) -> None:
    """Indexes are built after the load; what breaks them breaks the publish."""
    pg.execute(PLAIN)
    publish(pg, "t", NUMBERS, [numbers(0, 3)])
    with pytest.raises(ValueDoesNotFit, match="key is there twice"):
        publish(pg, "t", NUMBERS, [numbers(0, 3), numbers(2, 4)])
    assert ids(pg, "t") == [0, 1, 2]


def test_only_a_landing_that_takes_the_targets_place_is_logged(pg: PostgresSystem) -> None:
    """A landing that is copied from needs no log: a crash empties it, the count says so, and the old rows stay."""
    logged = "SELECT relpersistence FROM pg_class WHERE relname LIKE '\\_lb\\_%'"
    pg.execute("CREATE TABLE t (id bigint, note text)")
    land(pg, "t", NUMBERS, [numbers(0, 3)])
    assert pg.execute(logged) == [("p",)]
    pg.connector.sweep(Write("it", pg.relation("t")))
    pg.execute("CREATE VIEW v AS SELECT id FROM t")
    landing = land(pg, "t", NUMBERS, [numbers(0, 3)])
    assert pg.execute(logged) == [("u",)]
    pg.execute("DROP VIEW v")
    published = pg.connector.publish(landing)
    assert (published.how, published.why) == ("rewrite", "it could not be swapped when the load began")
    assert pg.execute("SELECT relpersistence FROM pg_class WHERE oid = 't'::regclass") == [("p",)]
