"""An incremental export of a table in which nothing is new, beside importing the connector and logging in."""

import sys

import account
from measure import Job, Side, compare

ROWS = 100_000
MODE = """    sync_mode: incremental
    watermark_column: UPDATED_AT
    settle_delay: 0m
"""
LOGIN = "import account; account.ask('SELECT 1')"
BAR = 0.2  # at most five times as long


def main() -> None:
    with account.emulated() as (server, environment):
        account.empty()
        account.put_and_copy(ROWS)
        gap = account.make_gap(environment, source=account.IN_SNOWFLAKE, target=account.IN_POSTGRES)
        tables = gap.inside / "config" / "tables.yaml"
        tables.write_text(tables.read_text() + MODE)
        gap.export()
        ours = Side("landbridge", gap.export_command(), server.start_test, None, gap.environment)
        folder = {"PYTHONPATH": str(account.Path(__file__).parent)}
        login = Side("import and login", [sys.executable, "-c", LOGIN], server.start_test, None, folder)
        compare(Job("nothing_snowflake: import and login", 0, 0), ours, login, bar=BAR)
        assert gap.parcel(), "one parcel is there, and no other"


if __name__ == "__main__":
    main()
