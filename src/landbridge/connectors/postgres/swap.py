"""Letting a landing table take the target's place: only a table that provably loses nothing by it is swapped."""

import time
from typing import TYPE_CHECKING

from landbridge.connectors.postgres.session import LOADS
from landbridge.schema.model import Relation
from landbridge.schema.names import qualify, quote

if TYPE_CHECKING:
    from landbridge.connectors.postgres.session import Connection

PATIENCE = 2.0  # seconds to wait for older snapshots
POLL = 0.05

# What PostgreSQL writes before the table's name, to be replaced; a definition that starts otherwise is not swapped.
INDEX_PREFIX = """format('CREATE %%sINDEX %%I ON %%s ', CASE WHEN i.indisunique THEN 'UNIQUE ' END, x.relname,
    format('%%I.%%I', n.nspname, t.relname))"""

# `own` is what the swap makes anew; anything else that depends on the table or its row type would be lost or broken.
WHY_NOT = f"""
WITH t AS (SELECT c.* FROM pg_class c WHERE c.oid = %(target)s::regclass),
l AS (SELECT c.* FROM pg_class c WHERE c.oid = %(landing)s::regclass),
row_types AS (SELECT y.oid FROM pg_type y, t WHERE y.oid = t.reltype OR y.typelem = t.reltype),
own AS (
    SELECT 'pg_class'::regclass AS class, t.oid AS object FROM t
    UNION ALL SELECT 'pg_class'::regclass, t.reltoastrelid FROM t
    UNION ALL SELECT 'pg_class'::regclass, i.indexrelid FROM pg_index i, t WHERE i.indrelid = t.oid
    UNION ALL SELECT 'pg_attrdef'::regclass, d.oid FROM pg_attrdef d, t WHERE d.adrelid = t.oid
    UNION ALL SELECT 'pg_type'::regclass, oid FROM row_types
    UNION ALL SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k, t
              WHERE k.conrelid = t.oid AND k.contype IN ('c', 'n', 'p', 'u')
),
columns AS (
    SELECT a.attrelid AS relation, array_agg(ROW(
        a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, a.attcollation,
        a.attstorage, a.attcompression, pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)
        )::text ORDER BY a.attnum) AS list
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attrelid IN (%(target)s::regclass, %(landing)s::regclass)
    GROUP BY a.attrelid
),
checks AS (
    SELECT c.oid AS relation, array(
        SELECT k.conname || pg_get_constraintdef(k.oid) FROM pg_constraint k
        WHERE k.conrelid = c.oid AND k.contype IN ('c', 'n') ORDER BY 1) AS list
    FROM pg_class c WHERE c.oid IN (%(target)s::regclass, %(landing)s::regclass)
)
SELECT reason FROM (
    SELECT 1 AS rank, 'it is partitioned, unlogged, typed or a child table' AS reason FROM t
    WHERE t.relkind <> 'r' OR t.relpersistence <> 'p' OR t.reloftype <> 0
        OR EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = t.oid)
    UNION ALL SELECT 2, 'it belongs to another role' FROM t WHERE NOT pg_has_role(t.relowner, 'USAGE')
    UNION ALL SELECT 3, 'it has row-level security' FROM t WHERE t.relrowsecurity OR t.relforcerowsecurity
    UNION ALL SELECT 4, 'its storage or replica identity is set apart' FROM t, l
        WHERE t.relreplident <> 'd' OR t.reltablespace <> l.reltablespace OR t.relam <> l.relam
            OR t.reloptions IS DISTINCT FROM l.reloptions
            OR EXISTS (SELECT FROM pg_class o WHERE o.oid = t.reltoastrelid AND o.reloptions IS NOT NULL)
    UNION ALL SELECT 5, pg_describe_object(p.classid, p.objid, p.objsubid) || ' depends on it' FROM pg_depend p, t
        WHERE (p.refclassid = 'pg_class'::regclass AND p.refobjid = t.oid
               OR p.refclassid = 'pg_type'::regclass AND p.refobjid IN (SELECT oid FROM row_types))
            AND (p.classid, p.objid) NOT IN (SELECT class, object FROM own)
    UNION ALL SELECT 6, 'it belongs to an extension' FROM pg_depend p, t
        WHERE p.classid = 'pg_class'::regclass AND p.objid = t.oid AND p.deptype IN ('e', 'x')
    UNION ALL SELECT 7, 'publication ' || p.pubname || ' publishes it' FROM pg_publication_tables p, t
        JOIN pg_namespace n ON n.oid = t.relnamespace WHERE (p.schemaname, p.tablename) = (n.nspname, t.relname)
    UNION ALL SELECT 8, 'a subscription fills it' FROM pg_subscription_rel s, t WHERE s.srrelid = t.oid
    UNION ALL SELECT 9, 'it has a security label' FROM pg_seclabel s, t
        WHERE s.classoid = 'pg_class'::regclass AND s.objoid = t.oid
    UNION ALL SELECT 10, 'it has grants on columns, or by others than its owner, or column options' FROM t
        WHERE EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND NOT a.attisdropped AND (
                a.attacl IS NOT NULL OR a.attoptions IS NOT NULL OR a.attstattarget >= 0 AND a.attnum > 0))
            OR EXISTS (SELECT FROM aclexplode(t.relacl) g WHERE g.grantor <> t.relowner)
    UNION ALL SELECT 11, 'index ' || x.relname || ' has options of its own'
        FROM pg_index i JOIN t ON i.indrelid = t.oid JOIN pg_class x ON x.oid = i.indexrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.conrelid = t.oid
        WHERE i.indisclustered OR NOT i.indisvalid OR NOT starts_with(pg_get_indexdef(x.oid), {INDEX_PREFIX})
            OR k.oid IS NOT NULL AND (x.reloptions IS NOT NULL OR x.reltablespace <> 0)
            OR EXISTS (SELECT FROM pg_description d WHERE d.objoid IN (x.oid, k.oid))
            OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = x.oid AND a.attstattarget >= 0)
    UNION ALL SELECT 12, 'its columns or checks are not those of the landing table' FROM t, l
        WHERE (SELECT list FROM columns WHERE relation = t.oid) <> (SELECT list FROM columns WHERE relation = l.oid)
            OR (SELECT list FROM checks WHERE relation = t.oid) <> (SELECT list FROM checks WHERE relation = l.oid)
    UNION ALL SELECT 13, 'event trigger ' || e.evtname || ' watches changes of tables' FROM pg_event_trigger e
        WHERE e.evtenabled <> 'D'
    UNION ALL SELECT 14, 'it could not be swapped when the load began' FROM l WHERE l.relpersistence <> 'p'
) reasons ORDER BY rank LIMIT 1
"""

INDEXES = f"""
SELECT x.relname, pg_get_constraintdef(k.oid), CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END,
       substr(pg_get_indexdef(x.oid), length({INDEX_PREFIX}) + 1)
FROM pg_index i
JOIN pg_class t ON t.oid = i.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_constraint k ON k.conindid = x.oid AND k.conrelid = t.oid
WHERE t.oid = %(target)s::regclass
ORDER BY i.indisprimary DESC, x.relname
"""

# the landing's comment marks it as one, so the target's must replace it even where that is none
DRESS = """
WITH t AS (SELECT c.* FROM pg_class c WHERE c.oid = %(target)s::regclass),
l AS (SELECT c.* FROM pg_class c WHERE c.oid = %(landing)s::regclass),
granted AS (SELECT g.* FROM t, aclexplode(coalesce(t.relacl, acldefault('r', t.relowner))) g),
by_default AS (SELECT DISTINCT g.grantee FROM l, aclexplode(coalesce(l.relacl, acldefault('r', l.relowner))) g)
SELECT format(pattern, %(landing)s::text, a, b) FROM (
    SELECT 1 AS step, 'COMMENT ON TABLE %%s IS %%s' AS pattern, quote_nullable(obj_description(t.oid, 'pg_class')) AS a,
           '' AS b FROM t
    UNION ALL SELECT 2, 'REVOKE ALL ON TABLE %%s FROM %%s',
           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END, '' FROM by_default
    UNION ALL SELECT 3, 'ALTER TABLE %%s OWNER TO %%s', quote_ident(pg_get_userbyid(t.relowner)), '' FROM t, l
           WHERE t.relowner <> l.relowner
    UNION ALL SELECT 4, 'GRANT %%3$s ON TABLE %%1$s TO %%2$s',
           CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END
               || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, privilege_type FROM granted
) steps ORDER BY step
"""

# A snapshot from before the rows came would find the new table empty. What another role's session holds is hidden
# from us; that it is in a transaction is not. Our own loads read no table that they do not publish.
OLDER_SNAPSHOTS = """
SELECT count(*) FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid() AND a.usesysid IS NOT NULL
    AND (a.datname = current_database() OR a.datname IS NULL)
    AND a.application_name IS DISTINCT FROM %(loads)s
    AND CASE WHEN a.query = '<insufficient privilege>'
        THEN EXISTS (SELECT FROM pg_locks k WHERE k.pid = a.pid AND k.locktype = 'virtualxid')
        ELSE age(a.backend_xmin) > age(%(horizon)s::xid8::xid) END
"""


def why_not(connection: "Connection", landing: Relation, target: Relation) -> str:
    """The first reason against a swap, empty if there is none."""
    row = connection.execute(WHY_NOT, {"landing": qualify(landing), "target": qualify(target)}).fetchone()
    return row[0] if row else ""


def snapshots_end(connection: "Connection", horizon: str) -> str:
    """Wait a little until no session holds a snapshot older than `horizon` (a transaction id); else say so."""
    deadline = time.monotonic() + PATIENCE
    while connection.execute(OLDER_SNAPSHOTS, {"horizon": horizon, "loads": LOADS}).fetchone() != (0,):
        if time.monotonic() > deadline:
            return "another session still reads by a snapshot from before the load"
        time.sleep(POLL)
        connection.execute("SELECT pg_stat_clear_snapshot()")
    return ""


def build(connection: "Connection", landing: Relation, target: Relation) -> dict[str, str]:
    """Give the landing the target's indexes under names of its own, and statistics; return {its name: final name}."""
    built = {}
    found = connection.execute(INDEXES, {"target": qualify(target)}).fetchall()
    for number, (name, constraint, unique, rest) in enumerate(found):
        own = f"{landing.table[:50]}_{number}"
        if constraint:
            connection.execute(f"ALTER TABLE {qualify(landing)} ADD CONSTRAINT {quote(own)} {constraint}")
        else:
            connection.execute(f"CREATE {unique}INDEX {quote(own)} ON {qualify(landing)} {rest}")
        built[own] = name
    connection.execute(f"ANALYZE {qualify(landing)}")
    return built


def exchange(connection: "Connection", landing: Relation, target: Relation, built: dict[str, str]) -> str:
    """Drop the target and give the landing its name, owner, grants and comment; a reason if that must not be.

    Waits for the target's lock as long as lock_timeout says. The caller rolls back when there is a reason.
    """
    connection.execute(f"LOCK TABLE {qualify(target)} IN ACCESS EXCLUSIVE MODE")
    if why := why_not(connection, landing, target):
        return why
    dress = connection.execute(DRESS, {"landing": qualify(landing), "target": qualify(target)}).fetchall()
    for (statement,) in dress:
        connection.execute(statement)
    connection.execute(f"DROP TABLE {qualify(target)}")
    connection.execute(f"ALTER TABLE {qualify(landing)} RENAME TO {quote(target.table)}")
    for own, name in built.items():
        connection.execute(f"ALTER INDEX {qualify(Relation(own, target.schema))} RENAME TO {quote(name)}")
    return ""
