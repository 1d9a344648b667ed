"""What a user's script returned: whether its phase failed by it, and the details that the drive table keeps."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from landbridge.config.pipelines.readonly import secrets_of
from landbridge.errors import RunError
from landbridge.ledger.phases import PHASES, PhaseRecord, storable

VERDICTS = ("transfer_completed", "audit_passed", "cleaning_completed")


def details_of(result: Any, path: Path, phase: str, config: Mapping[str, Any]) -> dict[str, Any]:  # noqa: ANN401  whatever a script returns
    """Raises RunError where it says that the phase failed, and for what no drive table can keep."""
    if not isinstance(result, Mapping):
        raise RunError(
            f"{path.name}: {phase} returned {type(result).__name__}, not a dict",
            hint="return {'skip_dag_run': False, 'error_message': None, …}",
        )
    told = {str(key): value for key, value in result.items()}
    message = told.pop("error_message", None)
    stops = told.pop("skip_dag_run", False)
    failed = [verdict for verdict in VERDICTS if told.get(verdict, True) is not True]
    if message is not None or stops or failed:
        said = message if message is not None else f"it says {failed[0]}: false" if failed else "it says skip_dag_run"
        said = said if said != "" else "its error_message is '', and None where nothing failed"
        raise RunError(f"{path.name}: {phase}: {without_secrets(str(said), config)}", hint=f"see {path}")
    _refuse_unknown_phases(told.get("phases_to_skip"), path, phase)
    try:
        plain = json.loads(json.dumps(storable(told), default=_text, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise RunError(
            f"{path.name}: {phase} returned what JSON does not hold: {without_secrets(str(error), config)}",
            hint="return texts, finite numbers, lists and dicts with texts as keys; times with a zone",
        ) from error
    return {_free(key): _shown(value, config) for key, value in plain.items()}


def without_secrets(text: str, config: Mapping[str, Any]) -> str:
    for secret in secrets_of(config):
        text = text.replace(secret, "***") if secret else text
    return text


def _refuse_unknown_phases(names: object, path: Path, phase: str) -> None:
    """Only pre_validation's are heeded; all are to be right."""
    if names is None or (isinstance(names, list | tuple) and all(name in PHASES for name in names)):
        return
    raise RunError(
        f"{path.name}: {phase} returned phases_to_skip that are no list of phases", hint=f"of {', '.join(PHASES)}"
    )


def _free(key: str) -> str:
    """A detail may not take the name of a field of the phase object."""
    return f"script_{key}" if key in PhaseRecord.__dataclass_fields__ else key


def _shown(value: object, config: Mapping[str, Any]) -> object:
    """As it is, but for what the config keeps secret: whoever reads the drive table may not know it."""
    match value:
        case str():
            return without_secrets(value, config)
        case dict():
            return {key: _shown(each, config) for key, each in value.items()}
        case list():
            return [_shown(each, config) for each in value]
        case _:
            return value


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime | date) else str(value)
