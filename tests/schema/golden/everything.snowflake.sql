CREATE TABLE IF NOT EXISTS "PUBLIC"."everything" (
    "id" NUMBER(19,0) NOT NULL AUTOINCREMENT,
    "Kind of" CHAR(2) NOT NULL DEFAULT 'CA',
    "yes" BOOLEAN DEFAULT TRUE,
    "small" NUMBER(5,0) DEFAULT -1,
    "middle" NUMBER(10,0),
    "counter" NUMBER(10,0) NOT NULL AUTOINCREMENT,
    "price" NUMBER(18,4) DEFAULT 0.50,
    "vast" VARCHAR DEFAULT '1.5',
    "endless" VARCHAR DEFAULT '1.50',
    "rough" FLOAT DEFAULT CAST(0.5 AS FLOAT),
    "fine" FLOAT DEFAULT CAST(0.1 AS FLOAT),
    "title" VARCHAR(80) DEFAULT 'it''s',
    "said `""so""`" VARCHAR DEFAULT '\\',
    "tags" VARCHAR,
    "status" VARCHAR,
    "scan" BINARY,
    "day" DATE DEFAULT CURRENT_DATE(),
    "clock" TIME(6) DEFAULT CAST(CURRENT_TIME() AS TIME(6)),
    "wall_coarse" TIMESTAMP_NTZ(3) DEFAULT CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_NTZ(3)),
    "wall_utc" TIMESTAMP_NTZ(6) DEFAULT CAST(SYSDATE() AS TIMESTAMP_NTZ(6)),
    "instant" TIMESTAMP_LTZ(6) NOT NULL DEFAULT CAST(CURRENT_TIMESTAMP() AS TIMESTAMP_LTZ(6)),
    "until" TIMESTAMP_LTZ(6) DEFAULT CAST('9000-01-01 00:00:00+00:00' AS TIMESTAMP_LTZ(6)),
    "document" VARIANT,
    "key" VARCHAR(36) NOT NULL DEFAULT UUID_STRING(),
    "nothing" VARCHAR,
    PRIMARY KEY ("id", "Kind of"),
    CONSTRAINT "uq_everything_key" UNIQUE ("key"),
    CONSTRAINT "uq_everything_title_day" UNIQUE ("title", "day")
);

COMMENT ON TABLE "PUBLIC"."everything" IS 'all there is';

COMMENT ON COLUMN "PUBLIC"."everything"."said `""so""`" IS 'two
lines, a ''quote'' and a \\';

COMMENT ON COLUMN "PUBLIC"."everything"."nothing" IS '; DROP TABLE x; --';

-- left out: default of middle, in postgres nextval('other_seq'::regclass)
-- left out: default of tags, in postgres '{}'::text[]
-- left out: default of status, in postgres 'new'::status
-- left out: default of scan, in postgres '\x00'::bytea
-- left out: default of document, in postgres '{}'::jsonb
-- left out: foreign key (title) to shop.public.titles (name): tables are loaded one by one
-- left out: index on day, snowflake has none
-- left out: index on said `"so"`, snowflake has none
-- left out: index on Kind of, snowflake has none
-- left out: index on id, snowflake has none
-- source: shop.public.everything
-- extracted at 2026-11-21T18:30:00Z
