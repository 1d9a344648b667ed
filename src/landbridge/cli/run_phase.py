"""`landbridge run-phase NAME PHASE`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli.options import FromTime, ProjectFolder, ToTime, open_project, span
from landbridge.cli.text import print_json
from landbridge.engine.windowed.alone import run_phase
from landbridge.errors import UsageError


def run_phase_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The pipeline.")],
    phase: Annotated[str, typer.Argument(metavar="PHASE", help="A phase that a user_script does.")],
    *,
    start: FromTime,
    end: ToTime,
    details: Annotated[
        Path | None,
        typer.Option("--details", metavar="FILE", help="JSON: phase name to what that phase is to have said."),
    ] = None,
    project: ProjectFolder = None,
) -> None:
    """Run one phase of a script alone, for a window: no row in the drive table, nothing else moves."""
    found = open_project(project)
    pipeline = found.pipeline(name)
    print_json(run_phase(found, name, phase, span(pipeline, start, end), details=_read(details)))


def _read(path: Path | None) -> dict[str, dict[str, object]]:
    if path is None:
        return {}
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read as JSON", hint='{"source_to_stage_transfer": {"stage_count": 17}}'
        ) from error
