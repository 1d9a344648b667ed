CREATE TABLE IF NOT EXISTS "public"."securities" (
    "secid" VARCHAR(20) NOT NULL,
    "name" TEXT,
    "rank" SMALLINT,
    "shares" BIGINT,
    "issued" NUMERIC(38,0),
    "price" NUMERIC(18,4),
    "ratio" DOUBLE PRECISION,
    "active" BOOLEAN,
    "ListedOn" DATE,
    "_timestampfrom" TIMESTAMP,
    "_loaded" TIMESTAMP WITH TIME ZONE,
    "opens" TIME,
    "attributes" JSONB,
    "logo" BYTEA,
    "place" TEXT,
    PRIMARY KEY ("secid")
);
