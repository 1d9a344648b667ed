"""Files of pipelines that the tests begin with."""

from copy import deepcopy
from typing import Any

CONNECTIONS = "connections: {shop: {type: duckdb, path: shop.duckdb}, report: {type: duckdb, path: report.duckdb}}"
PAGE = """\
pipeline_metadata: {pipeline_name: orders, owner_email: team@company.com}
query_window: {granularity: 1h, settle_delay: 15m, x_days_back: 7d}
source_system: {connection: shop, schema: public, table: orders, query_field: updated_at}
stage_system: {type: parcel}
target_system: {connection: report, schema: public, table: orders}
phases:
  audit: {count_tolerances: {source_to_stage_tolerance_percent: 2.0}}
"""
ACCOUNT = {
    "user": "loader",
    "password": "${SNOWFLAKE_PASSWORD}",
    "account": "abc123",
    "warehouse": "LOADING",
    "database": "ANALYTICS",
    "schema": "PUBLIC",
    "role": "LOADER",
}
# seed 002, "Configuration", with the sections that it requires
SEED: dict[str, Any] = {
    "pipeline_metadata": {"pipeline_name": "my_pipeline", "owner_email": "team@company.com"},
    "source_system": {"type": "elasticsearch", "endpoint": "https://es.company.com:9200"},
    "stage_system": {"type": "snowflake", "database": "ANALYTICS", "schema": "STAGE", "table": "STAGE_EVENTS"},
    "target_system": {"type": "snowflake", "database": "ANALYTICS", "schema": "PROD", "table": "EVENTS"},
    "phases": {"audit": {"enabled": True, "count_tolerances": {"source_to_stage_tolerance_percent": 2.0}}},
    "snowflake_connection": ACCOUNT,
}
# seed 002, section 2.6: every key
EVERY_KEY: dict[str, Any] = {
    "pipeline_metadata": {
        "pipeline_name": "events",
        "pipeline_description": "Events of the shop, hour by hour",
        "owner_name": "Anna",
        "owner_email": "team@company.com",
        "notification_emails": ["oncall@company.com", "data@company.com"],
        "slack_channel": "#data",
        "environment": "production",
    },
    "dag_schedule": {
        "frequency": "hourly",
        "cron_expression": "0 * * * *",
        "timezone": "Europe/Berlin",
        "start_date": "2025-11-15",
        "catchup": False,
    },
    "query_window": {
        "type": "incremental",
        "duration": "1h",
        "granularity": "1h",
        "x_days_back": "7d",
        "acceptable_data_fetch_start_time": None,
        "acceptable_data_fetch_end_time": "2026-11-15T00:00:00Z",
    },
    "source_system": {
        "type": "elasticsearch",
        "endpoint": "https://es.company.com:9200",
        "host": "es.company.com",
        "port": 9200,
        "database": "shop",
        "index": "events",
        "table": "events",
        "query_field": "updated_at",
        "batch_size": 5000,
        "credentials_ref": "vault/es",
    },
    "stage_system": {
        "type": "snowflake",
        "database": "ANALYTICS",
        "schema": "STAGE",
        "table": "STAGE_EVENTS",
        "temp_table_prefix": "TMP_",
    },
    "target_system": {"type": "snowflake", "database": "ANALYTICS", "schema": "PROD", "table": "EVENTS"},
    "phases": {
        "stale_pipeline_handling": {"enabled": True, "expected_run_duration": "1m", "timeout_minutes": 90},
        "pre_validation": {"enabled": True, "expected_run_duration": "1m"},
        "source_to_stage_transfer": {"enabled": True, "expected_run_duration": "12m"},
        "stage_to_target_transfer": {"enabled": True, "expected_run_duration": "5m"},
        "audit": {
            "enabled": True,
            "expected_run_duration": "2m",
            "count_tolerances": {"source_to_stage_tolerance_percent": 2.0, "stage_to_target_tolerance_percent": 1},
        },
        "stage_cleaning": {
            "enabled": True,
            "expected_run_duration": "3m",
            "archive_before_delete": True,
            "archive_location": "s3://archive/events",
            "delete_after_days": 14,
        },
        "target_cleaning": {"enabled": False, "expected_run_duration": "5m"},
    },
    "retry_configuration": {"max_retries": 5, "backoff_strategy": "linear"},
    "monitoring": {"alert_on_failure": True, "alert_on_duration_exceed": False, "duration_multiplier_threshold": 3},
    "smtp_config": {
        "host": "mail.company.com",
        "port": 25,
        "user": "mailer",
        "password": "${SMTP_PASSWORD}",
        "from_email": "landbridge@company.com",
        "use_tls": False,
    },
    "snowflake_connection": ACCOUNT,
}


def changed(config: dict[str, Any], **sections: dict[str, Any] | None) -> dict[str, Any]:
    """`config` with other sections; None leaves one away."""
    made = {**deepcopy(config), **sections}
    return {name: section for name, section in made.items() if section is not None}
