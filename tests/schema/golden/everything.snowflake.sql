CREATE TABLE IF NOT EXISTS "PUBLIC"."everything" (
    "ID" NUMBER(19,0) NOT NULL AUTOINCREMENT,
    "Kind of" VARCHAR(2) NOT NULL DEFAULT 'CA',
    "YES" BOOLEAN DEFAULT TRUE,
    "SMALL" NUMBER(5,0) DEFAULT -1,
    "MIDDLE" NUMBER(10,0),
    "COUNTER" NUMBER(10,0) NOT NULL AUTOINCREMENT,
    "PRICE" NUMBER(18,4) DEFAULT 0.50,
    "VAST" VARCHAR DEFAULT '1.5',
    "ENDLESS" VARCHAR DEFAULT '1.50',
    "ROUGH" FLOAT DEFAULT CAST(0.5 AS FLOAT),
    "FINE" FLOAT DEFAULT CAST(0.1 AS FLOAT),
    "TITLE" VARCHAR(80) DEFAULT 'it''s',
    "SAID `""SO""`" VARCHAR DEFAULT '\\',
    "TAGS" VARCHAR,
    "STATUS" VARCHAR,
    "SCAN" BINARY,
    "DAY" DATE DEFAULT CURRENT_DATE(),
    "CLOCK" TIME(6) DEFAULT CAST(CURRENT_TIME() AS TIME(6)),
    "WALL_COARSE" TIMESTAMP_NTZ(3) DEFAULT CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_NTZ(3)),
    "WALL_UTC" TIMESTAMP_NTZ(6) DEFAULT CAST(SYSDATE() AS TIMESTAMP_NTZ(6)),
    "INSTANT" TIMESTAMP_LTZ(6) NOT NULL DEFAULT CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_LTZ(6)),
    "UNTIL" TIMESTAMP_LTZ(6) DEFAULT CAST('9000-01-01 00:00:00+00:00' AS TIMESTAMP_LTZ(6)),
    "DOCUMENT" VARIANT,
    "KEY" VARCHAR(36) NOT NULL DEFAULT UUID_STRING(),
    "NOTHING" VARCHAR,
    PRIMARY KEY ("ID", "Kind of"),
    CONSTRAINT "uq_everything_KEY" UNIQUE ("KEY"),
    CONSTRAINT "uq_everything_TITLE_DAY" UNIQUE ("TITLE", "DAY")
);

COMMENT ON TABLE "PUBLIC"."everything" IS 'all there is';

COMMENT ON COLUMN "PUBLIC"."everything"."SAID `""SO""`" IS 'two
lines, a ''quote'' and a \\';

COMMENT ON COLUMN "PUBLIC"."everything"."NOTHING" IS '; DROP TABLE x; --';

-- left out: default of MIDDLE, in postgres nextval('other_seq'::regclass)
-- left out: default of TAGS, in postgres '{}'::text[]
-- left out: default of STATUS, in postgres 'new'::status
-- left out: default of SCAN, in postgres '\x00'::bytea
-- left out: default of DOCUMENT, in postgres '{}'::jsonb
-- left out: foreign key (TITLE) to shop.public.titles (name): tables are loaded one by one
-- left out: index on DAY, snowflake has none
-- left out: index on SAID `"SO"`, snowflake has none
-- left out: index on Kind of, snowflake has none
-- left out: index on ID, snowflake has none
-- source: shop.public.everything
-- extracted at 2026-11-21T18:30:00Z
