"""What a new pipeline's file says: the same values with comments, as YAML, and without, as a dict."""

import json
import re
from string import Template
from typing import Any

import yaml

NAME, SOURCE, TARGET = "my_pipeline", "shop", "report"
TEXT = Template("""\
# A pipeline: what one source table gained, window after window. docs/pipelines.md has every key;
# `landbridge validate-config -v` says what is understood of this one.

pipeline_metadata:
  pipeline_name: $name
  owner_email: team@company.com            # gets the alerts
  # notification_emails: [oncall@company.com]
  # environment: production

dag_schedule:
  frequency: hourly                        # `landbridge status` marks the pipeline overdue by it
  # cron_expression: "5 * * * *"           # for the scheduler that starts it
  timezone: UTC
  # start_date: 2026-01-01                 # no window begins before
  catchup: true                            # false: only the newest window that is due is run

query_window:
  granularity: 1h                          # or 15m, 1d, 1w, 1mo
  settle_delay: 5m                         # a window is due when it has ended so long ago
  # x_days_back: 7d                        # what is older is not run by itself: it becomes a gap

source_system:
  connection: $source                      # of landbridge.yaml
  # schema: public
  table: $source_table
  query_field: updated_at                  # the column by whose time a row belongs to a window
  # query_field_timezone: UTC              # needed where that is a timestamp without zone
  # filter: "status <> 'DRAFT'"

stage_system:
  type: parcel                             # or connection, schema and table: a landing table

target_system:
  connection: $target
  # schema: public
  table: $target_table
  # merge_keys: [id]                       # where rows change: of each key the newest stays

phases:
  # each: enabled, expected_run_duration, and user_script: user_scripts/PHASE.py for one that you do yourself
  stale_pipeline_handling:
    timeout_minutes: 120
  audit:
    count_tolerances:
      source_to_stage_tolerance_percent: 0
      stage_to_target_tolerance_percent: 0
      duplicates_tolerance_percent: 0
  stage_cleaning:
    delete_after_days: 7
  target_cleaning:
    enabled: false

retry_configuration:
  max_retries: 3
  backoff_strategy: exponential

monitoring:
  alert_on_failure: true
  alert_on_duration_exceed: true
  alert_on_gap: true
  alert_on_schema_change: true
  duration_multiplier_threshold: 2.0

# smtp_config:
#   host: mail.company.com
#   user: landbridge@company.com
#   password: $${SMTP_PASSWORD}
""")


def template_text(name: str = NAME, source: str = SOURCE, target: str = TARGET) -> str:
    """The file of a new pipeline: from a table of its name on connection `source` to one on `target`."""
    values = {
        "name": name,
        "source": source,
        "target": target,
        "source_table": name,
        "target_table": name if source != target else f"{name}_copy",
    }
    return TEXT.substitute({key: _word(value) for key, value in values.items()})


def template(name: str = NAME, source: str = SOURCE, target: str = TARGET) -> dict[str, Any]:
    """The same as plain values."""
    values: dict[str, Any] = yaml.safe_load(template_text(name, source, target))
    return values


def _word(text: str) -> str:
    """In quotes where YAML would not see this very text; a dollar is no variable."""
    text = text.replace("$", "$$")
    plain = re.fullmatch(r"[A-Za-z_][\w-]*", text, re.ASCII) and yaml.safe_load(text) == text
    return text if plain else json.dumps(text, ensure_ascii=True)
