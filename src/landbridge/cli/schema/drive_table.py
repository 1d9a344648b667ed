"""`landbridge schema drive-table`."""

import typer

from landbridge.ledger.publication import ddl


def drive_table_command() -> None:
    """The statement that makes the drive table in Snowflake; `publish-runs` sends the same."""
    typer.echo(ddl(), nl=False)
