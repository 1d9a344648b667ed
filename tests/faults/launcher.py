"""`landbridge` with one crash point armed: what the fault tests start instead of the command itself.

`LB_FAULT` names a point of points.py or pipelines/points.py, `LB_FAULT_CALL` which call of its function is meant,
`LB_FAULT_SIGNAL` the signal that strikes there (SIGKILL), `LB_FAULT_TTL` how many seconds a lease lives. A spawned
worker imports this file again, as `__mp_main__`, and is armed by that.
"""

import os
import signal
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.faults.pipelines.points import POINTS_OF_PIPELINES
from tests.faults.points import POINTS, Point


def function_at(point: Point) -> tuple[Any, str]:
    """Module or class that holds the point's function, and the function's name there."""
    module, _, name = point.where.partition(":")
    owner: Any = import_module(module)
    *path, last = name.split(".")
    for step in path:
        owner = getattr(owner, step)
    return owner, last


def arm(point: Point, strike: int) -> None:
    """Wrap the point's function so that this process gets the signal there, once."""
    owner, last = function_at(point)
    setattr(owner, last, _armed(getattr(owner, last), point, strike))


def _armed(function: Callable[..., Any], point: Point, strike: int) -> Callable[..., Any]:
    left = int(os.environ.get("LB_FAULT_CALL", point.call))
    counting = Lock()  # parallel windows come past at once

    @wraps(function, updated=())
    def armed(*args: Any, **kwargs: Any) -> Any:
        nonlocal left
        met = any(point.about in _told(one) for one in (*args, *kwargs.values())) if point.about else True
        with counting:
            left -= met
            due = met and left == 0
        if due and point.when == "before":
            os.kill(os.getpid(), strike)
        result = function(*args, **kwargs)
        if due and point.when == "after":
            os.kill(os.getpid(), strike)
        return result

    return armed


def _told(argument: object) -> str:
    if isinstance(argument, bytes):  # SQL of a user
        return argument.decode(errors="replace")
    return str(argument) if isinstance(argument, str | Path) else str(getattr(argument, "phase_name", ""))


def shorten_leases(ttl: timedelta) -> None:
    """Leases of this process live so long; defaults were bound when the functions were made."""
    from landbridge.ledger import leases

    leases.acquire.__kwdefaults__["ttl"] = ttl
    leases.renew.__defaults__ = (ttl,)
    leases.Heartbeat.__init__.__defaults__ = (ttl,)  # type: ignore[misc]


if __name__ in ("__main__", "__mp_main__"):
    armed_point = (POINTS | POINTS_OF_PIPELINES).get(os.environ.get("LB_FAULT", ""))
    role = "coordinator" if __name__ == "__main__" else "worker"
    if armed_point and armed_point.victim == role:
        arm(armed_point, int(os.environ.get("LB_FAULT_SIGNAL", signal.SIGKILL)))
    if "LB_FAULT_TTL" in os.environ and role == "coordinator":
        shorten_leases(timedelta(seconds=float(os.environ["LB_FAULT_TTL"])))

if __name__ == "__main__":
    from landbridge.cli.main import main

    main()
