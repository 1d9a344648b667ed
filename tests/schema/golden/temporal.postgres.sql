DROP VIEW IF EXISTS "fin"."security_month_ends";

DROP FUNCTION IF EXISTS "fin"."security_month_ends";

CREATE FUNCTION "fin"."security_month_ends"() RETURNS TABLE ("_id" BIGINT, "Größe ""x"" 'y' \ $1 {0}" TEXT, "ids" NUMERIC(12,4), "_timestampfrom" TIMESTAMP WITH TIME ZONE, "valid_to" TIMESTAMP, "monthenddate" DATE) LANGUAGE sql STABLE AS '
SELECT DISTINCT ON (t."_id", CAST(e.month_end - INTERVAL ''1 day'' AS DATE)) t."_id", t."Größe ""x"" ''y'' \ $1 {0}", t."ids", t."_timestampfrom", t."valid_to", CAST(e.month_end - INTERVAL ''1 day'' AS DATE) AS "monthenddate"
FROM "fin"."security" AS t,
    generate_series(
    CASE WHEN isfinite(t."_timestampfrom" AT TIME ZONE ''UTC'') THEN date_trunc(''month'', t."_timestampfrom" AT TIME ZONE ''UTC'') + INTERVAL ''1 month'' END,
    least(coalesce(t."valid_to", now() AT TIME ZONE ''UTC''), now() AT TIME ZONE ''UTC''), INTERVAL ''1 month'') AS e(month_end)
ORDER BY t."_id", CAST(e.month_end - INTERVAL ''1 day'' AS DATE), t."_timestampfrom" DESC, t."valid_to" DESC NULLS FIRST
';

CREATE VIEW "fin"."security_month_ends" AS SELECT * FROM "fin"."security_month_ends"();

DROP FUNCTION IF EXISTS "fin"."security_as_of";

CREATE FUNCTION "fin"."security_as_of"("ids_" BIGINT[], "instant" TIMESTAMP WITH TIME ZONE) RETURNS TABLE ("_id" BIGINT, "Größe ""x"" 'y' \ $1 {0}" TEXT, "ids" NUMERIC(12,4), "_timestampfrom" TIMESTAMP WITH TIME ZONE, "valid_to" TIMESTAMP) LANGUAGE sql STABLE AS '
SELECT DISTINCT ON (t."_id") t."_id", t."Größe ""x"" ''y'' \ $1 {0}", t."ids", t."_timestampfrom", t."valid_to"
FROM "fin"."security" AS t
WHERE ($1 IS NULL OR t."_id" = ANY ($1))
    AND t."_timestampfrom" <= $2
    AND (t."valid_to" IS NULL OR ($2 AT TIME ZONE ''UTC'') < t."valid_to")
ORDER BY t."_id", t."_timestampfrom" DESC, t."valid_to" DESC NULLS FIRST
';

