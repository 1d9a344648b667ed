CREATE TABLE IF NOT EXISTS "main"."everything" (
    "id" BIGINT NOT NULL,
    "Kind of" VARCHAR NOT NULL DEFAULT 'CA',
    "yes" BOOLEAN DEFAULT TRUE,
    "small" SMALLINT DEFAULT -1,
    "middle" INTEGER,
    "counter" INTEGER NOT NULL,
    "price" DECIMAL(18,4) DEFAULT 0.50,
    "vast" VARCHAR DEFAULT 1.5,
    "endless" VARCHAR DEFAULT 1.50,
    "rough" FLOAT DEFAULT 0.5,
    "fine" DOUBLE DEFAULT 0.1,
    "title" VARCHAR DEFAULT 'it''s',
    "said `""so""`" VARCHAR DEFAULT '\',
    "tags" VARCHAR,
    "status" VARCHAR,
    "scan" BLOB,
    "day" DATE DEFAULT CURRENT_DATE,
    "clock" TIME DEFAULT CAST(CURRENT_TIME AS TIME),
    "wall_coarse" TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    "wall_utc" TIMESTAMP DEFAULT (CURRENT_TIMESTAMP AT TIME ZONE 'UTC'),
    "instant" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "until" TIMESTAMP WITH TIME ZONE DEFAULT '9000-01-01 00:00:00+00:00',
    "document" JSON DEFAULT '{}',
    "key" UUID NOT NULL DEFAULT uuid(),
    "nothing" VARCHAR,
    PRIMARY KEY ("id", "Kind of"),
    CONSTRAINT "uq_everything_key" UNIQUE ("key"),
    CONSTRAINT "uq_everything_title_day" UNIQUE ("title", "day")
);

CREATE INDEX IF NOT EXISTS "idx_everything_day" ON "main"."everything" ("day");

CREATE INDEX IF NOT EXISTS "idx_everything_said `""so""`" ON "main"."everything" ("said `""so""`");

CREATE INDEX IF NOT EXISTS "idx_everything_Kind of" ON "main"."everything" ("Kind of");

CREATE INDEX IF NOT EXISTS "idx_everything_id" ON "main"."everything" ("id");

COMMENT ON TABLE "main"."everything" IS 'all there is';

COMMENT ON COLUMN "main"."everything"."said `""so""`" IS 'two
lines, a ''quote'' and a \';

COMMENT ON COLUMN "main"."everything"."nothing" IS '; DROP TABLE x; --';

-- left out: identity (always) of id
-- left out: default of middle, in postgres nextval('other_seq'::regclass)
-- left out: identity (by default) of counter
-- left out: default of tags, in postgres '{}'::text[]
-- left out: default of status, in postgres 'new'::status
-- left out: default of scan, in postgres '\x00'::bytea
-- left out: foreign key (title) to shop.public.titles (name): tables are loaded one by one
-- source: shop.public.everything
-- extracted at 2026-11-21T18:30:00Z
