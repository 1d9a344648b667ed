CREATE TABLE IF NOT EXISTS "main"."securities" (
    "secid" VARCHAR NOT NULL,
    "name" VARCHAR,
    "rank" DECIMAL(4,0),
    "shares" DECIMAL(18,0),
    "issued" DECIMAL(38,0),
    "price" DECIMAL(18,4),
    "ratio" DOUBLE,
    "active" BOOLEAN,
    "ListedOn" DATE,
    "_timestampfrom" TIMESTAMP_NS,
    "_loaded" TIMESTAMP WITH TIME ZONE,
    "opens" TIME_NS,
    "attributes" JSON,
    "logo" BLOB,
    "place" VARCHAR,
    PRIMARY KEY ("secid")
);
