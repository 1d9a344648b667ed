"""The user's own SQL at the target (docs/pipelines.md, "Phases")."""

from landbridge.engine.phases.outcome import Outcome, completed
from landbridge.engine.plan import Plan, Windowed, window_load_id
from landbridge.engine.world import World
from landbridge.errors import ConfigError
from landbridge.schema.ddl import literal


def clean_target(plan: Plan, windowed: Windowed, world: World) -> Outcome:
    """All statements in one transaction. Raises ConfigError where there is none, and as the target does."""
    statements = world.project.pipeline(plan.pipeline_name).target_cleaning
    if not statements or plan.write is None:
        raise ConfigError(
            f"{plan.pipeline_name}: target_cleaning is enabled, and has nothing to do",
            hint="phases.target_cleaning: sql, or user_script",
        )
    values = {
        "{window_start}": literal(windowed.window.start.isoformat(sep=" ")),
        "{window_end}": literal(windowed.window.end.isoformat(sep=" ")),
        "{load_id}": literal(window_load_id(plan.pipeline_name, windowed.window)),
    }
    filled = []
    for statement in statements:
        for name, value in values.items():
            statement = statement.replace(name, value)  # noqa: PLW2901  each in turn
        filled.append(statement)
    world.still_ours()
    affected = world.connector(plan.write.connection).run_sql(filled)
    return completed(cleaning_type="sql", records_affected=sum(affected), statements=len(filled))
