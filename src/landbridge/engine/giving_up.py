"""The last word on a failure: no attempt follows."""

from contextlib import suppress

from landbridge.engine.events import RunGivenUp
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError
from landbridge.ledger.runs import get_run


def give_up(world: World, name: str, error: LandbridgeError) -> None:
    """Tell those whom it may concern, with the row of the last attempt where there is one."""
    run = None
    with suppress(LandbridgeError):  # what failed matters more than that its row cannot be read
        run = get_run(world.ledger, error.pipeline_id) if error.pipeline_id else None
    world.emit(RunGivenUp(name, run, error))
