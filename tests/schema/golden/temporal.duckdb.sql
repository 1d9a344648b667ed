CREATE OR REPLACE VIEW "db"."fin"."security_month_ends" AS
SELECT t."_id", t."Größe ""x"" 'y' \ $1 {0}", t."ids", t."_timestampfrom", t."valid_to", CAST(e.month_end - INTERVAL 1 DAY AS DATE) AS "monthenddate"
FROM "db"."fin"."security" AS t,
    unnest(CASE WHEN isfinite(CAST(t."_timestampfrom" AT TIME ZONE 'UTC' AS TIMESTAMP)) AND (CAST(t."valid_to" AS TIMESTAMP) IS NULL OR CAST(t."_timestampfrom" AT TIME ZONE 'UTC' AS TIMESTAMP) < CAST(t."valid_to" AS TIMESTAMP)) THEN generate_series(
    date_trunc('month', CAST(t."_timestampfrom" AT TIME ZONE 'UTC' AS TIMESTAMP)) + INTERVAL 1 MONTH,
    least(coalesce(CAST(t."valid_to" AS TIMESTAMP), now() AT TIME ZONE 'UTC'), now() AT TIME ZONE 'UTC'), INTERVAL 1 MONTH) END) AS e(month_end)
QUALIFY row_number() OVER (PARTITION BY t."_id", CAST(e.month_end - INTERVAL 1 DAY AS DATE) ORDER BY t."_timestampfrom" DESC, t."valid_to" DESC NULLS FIRST) = 1;

CREATE OR REPLACE MACRO "db"."fin"."security_as_of"("ids_", "instant") AS TABLE
SELECT t."_id", t."Größe ""x"" 'y' \ $1 {0}", t."ids", t."_timestampfrom", t."valid_to"
FROM "db"."fin"."security" AS t
WHERE ("ids_" IS NULL OR list_contains("ids_", t."_id"))
    AND t."_timestampfrom" <= CAST("instant" AS TIMESTAMPTZ)
    AND (t."valid_to" IS NULL OR (CAST("instant" AS TIMESTAMPTZ) AT TIME ZONE 'UTC') < t."valid_to")
QUALIFY row_number() OVER (PARTITION BY t."_id" ORDER BY t."_timestampfrom" DESC, t."valid_to" DESC NULLS FIRST) = 1;

