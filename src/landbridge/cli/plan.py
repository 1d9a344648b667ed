"""`landbridge plan`."""

from landbridge.cli.options import All, AsJson, ProjectFolder, Tables, chosen, open_world
from landbridge.cli.outcome import print_plans
from landbridge.engine.sync import plan_here


def plan_command(
    *, every: All = False, table: Tables = None, as_json: AsJson = False, project: ProjectFolder = None
) -> None:
    """Print what this side would do with each table: source, filter, columns and how each fits its target."""
    with open_world(project, changing=False) as world:
        tables = chosen(world.project, table, every=every)
        print_plans(world, tables, lambda t: plan_here(world, t), as_json=as_json)
