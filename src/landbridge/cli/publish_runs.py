"""`landbridge publish-runs --to CONNECTION`."""

from typing import Annotated

import typer

from landbridge.cli.options import AsJson, ProjectFolder, ago, open_world
from landbridge.cli.text import print_json, rows
from landbridge.engine.publishing import Place, publish_runs
from landbridge.schema.names import unfold


def publish_runs_command(
    to: Annotated[str, typer.Option("--to", metavar="CONNECTION", help="A Snowflake connection of landbridge.yaml.")],
    *,
    database: Annotated[str | None, typer.Option(metavar="NAME", help="[default: that of the connection]")] = None,
    schema: Annotated[str | None, typer.Option(metavar="NAME", help="[default: that of the connection]")] = None,
    since: Annotated[str, typer.Option(metavar="AGE", help="Runs that began since: 24h, 30d, 520w.")] = "30d",
    pipeline: Annotated[str | None, typer.Option(metavar="NAME", help="Of one table or pipeline.")] = None,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Rows of the drive table that are new there, or have changed; the table is made where it is missing."""
    place = Place(connection=to, database=database and unfold(database), schema=schema and unfold(schema))
    began = ago(since, "--since")
    assert began is not None  # noqa: S101  the option has a default
    with open_world(project) as world:
        done = publish_runs(world, place, since=began, pipeline_name=pipeline)
    if as_json:
        print_json({"table": str(done.relation), "written": done.written, "unchanged": done.unchanged})
    else:
        typer.echo(f"{done.relation}: {rows(done.written)} written, {done.unchanged:,} there already")
