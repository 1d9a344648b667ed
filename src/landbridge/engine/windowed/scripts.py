"""The user's own phases: `phase(config, record) -> dict` in a file (docs/pipelines.md, "Phases of your own")."""

import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from landbridge.engine.phases.outcome import Outcome
from landbridge.engine.plan import Plan, window_load_id
from landbridge.engine.windowed.aside import printing_aside
from landbridge.engine.windowed.landing import begin_stage, note_staged
from landbridge.engine.windowed.said import details_of, without_secrets
from landbridge.engine.world import World
from landbridge.errors import ConfigError, ScriptFailed, Terminated
from landbridge.ledger.phases import PHASES
from landbridge.ledger.runs import Run

Script = Callable[[Mapping[str, Any], dict[str, Any]], Any]

_importing = threading.Lock()  # parallel windows ask for one file at once


def scripted(phase: str) -> Callable[[Plan, Run, World], Outcome]:
    """The phase as the user's script does it."""

    def run(plan: Plan, row: Run, world: World) -> Outcome:
        assert plan.windowed is not None, "only pipelines have scripts"  # noqa: S101
        stages = phase == "source_to_stage_transfer" and plan.stage is not None
        if stages:
            begin_stage(plan, row, world)
        details = call(
            Path(plan.windowed.scripts[phase]), phase, world.project.pipeline(row.pipeline_name).document, row
        )
        load_id = window_load_id(plan.pipeline_name, plan.windowed.window)
        if stages:
            note_staged(plan, row, details.get("stage_count"), world)
        return Outcome("COMPLETED", details, load_id=load_id if phase == "stage_to_target_transfer" else None)

    return run


def call(path: Path, phase: str, config: Mapping[str, Any], row: Run) -> dict[str, Any]:
    """What the script says of the phase, as details of it.

    Raises ConfigError for a file that has no such function, ScriptFailed where the script raises, RunError where it
    says that the phase failed, and for a result that is none.
    """
    function = _function(path, phase)
    try:
        with printing_aside():
            result = function(config, record_of(row))
    except Terminated:
        raise
    except (Exception, SystemExit) as error:  # a script ends its phase, not the command and its exit code
        raise ScriptFailed(
            f"{path.name}: {phase} raised {type(error).__name__}{_told(error, config)}",
            hint=f"landbridge run-phase {row.pipeline_name} {phase} runs it alone",
        ) from error
    return details_of(result, path, phase, config)


def record_of(row: Run) -> dict[str, Any]:
    """The drive row as a script sees it: columns in lower case, times zone-aware, phases as their objects.

    `load_id` is what the rows of this window carry, from the beginning.
    """
    values = {name: value for name, value in asdict(row).items() if name != "phases"}
    values |= {f"{name}_phase": row.phases[name].to_json() for name in PHASES}
    values |= {name: list(values[name]) for name in ("phases_completed", "phases_skipped", "phases_pending")}
    values["load_id"] = window_load_id(row.pipeline_name, row.window)
    return values


def _function(path: Path, phase: str) -> Script:
    with _importing:
        module = _module(path)
    function = getattr(module, phase, None)
    if not callable(function):
        raise ConfigError(f"{path} has no function {phase}(config, record)", hint="it is called like the phase")
    return function  # type: ignore[no-any-return]


def _module(path: Path) -> ModuleType:
    """Read anew each time: a script that was mended is the mended one. What stands beside it can be imported."""
    if not path.is_file():
        raise ConfigError(f"no script at {path}", hint="user_script of the phase, relative to the project's folder")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    module = ModuleType(f"landbridge_user_{path.stem}")
    module.__file__ = str(path)
    try:
        with printing_aside():  # not by an importer, whose byte code is that of any text as long, of the same second
            exec(compile(path.read_bytes(), path, "exec"), module.__dict__)  # noqa: S102  the user's own
    except Terminated:
        raise
    except (Exception, SystemExit) as error:
        raise ScriptFailed(
            f"{path.name} cannot be imported: {type(error).__name__}{_told(error, {})}", hint=f"python {path}"
        ) from error
    return module


def _told(error: BaseException, config: Mapping[str, Any]) -> str:
    """The first line of what it says: the script's own words, but for what the config keeps secret."""
    line = without_secrets(str(error).strip().partition("\n")[0], config)
    return f": {line[:300]}" if line else ""
