"""`landbridge plan`."""

from landbridge.cli.options import All, AsJson, ProjectFolder, Tables, chosen, open_world
from landbridge.cli.outcome import print_plans
from landbridge.engine.plan import plan_run


def plan_command(
    *, every: All = False, table: Tables = None, as_json: AsJson = False, project: ProjectFolder = None
) -> None:
    """Print what `run` would do with each table: source, filter, columns and how each fits its target."""
    with open_world(project) as world:
        plans = [plan_run(world.project, t) for t in chosen(world.project, table, every=every)]
        print_plans(world, plans, as_json=as_json)
