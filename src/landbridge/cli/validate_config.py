"""`landbridge validate-config`."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli.options import ProjectFolder
from landbridge.cli.understood import understood
from landbridge.config.environment import read_environment
from landbridge.config.pipelines.notes import notes
from landbridge.config.pipelines.reading import FILES, read_pipeline
from landbridge.config.pipelines.values import Pipeline
from landbridge.config.problems import Problems
from landbridge.config.project import FILE, declared_kinds, find_project, load_project
from landbridge.config.tables import FILE as TABLES
from landbridge.connectors.registry import ConnectionOptions
from landbridge.errors import UsageError

Connections = Mapping[str, ConnectionOptions]


def validate_config_command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Files of pipelines, or their folders [default: the whole project]."),
    ] = None,
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also print what was understood.")] = False,
    project: ProjectFolder = None,
) -> None:
    """Read everything, and print every problem; nothing is asked of any connection."""
    told = _some(paths, project) if paths else _all(project)
    for pipeline, connections in told:
        typer.echo(f"{pipeline.file}: pipeline {pipeline.name}")
        if verbose:
            for label, text in understood(pipeline, connections):
                typer.echo(f"  {label:<12}{text}")
        for note in notes(pipeline):
            typer.echo(f"  note: {note}")


def _all(folder: Path | None) -> list[tuple[Pipeline, Connections]]:
    project = load_project(folder.resolve() if folder else find_project(Path.cwd()), with_scripts=True)
    made = tuple(f"{pipeline.name}." for pipeline in project.pipelines)
    declared = [name for name in project.connections if not name.startswith(made)]
    typer.echo(f"{FILE}: {len(declared)} connection{'' if len(declared) == 1 else 's'}")
    typer.echo(f"{TABLES}: {len(project.tables)} table{'' if len(project.tables) == 1 else 's'}")
    return [(pipeline, project.connections) for pipeline in project.pipelines]


def _some(paths: list[Path], project: Path | None) -> list[tuple[Pipeline, Connections]]:
    """Each file by itself: nothing else of the project is validated, and it need not lie in one."""
    problems = Problems()
    found = [_one(_file(path), project, problems) for path in paths]
    problems.raise_if_any()
    return [(pipeline, made) for pipeline, made in found if pipeline is not None]


def _file(path: Path) -> Path:
    """The file, or that of a folder."""
    there = next((path / name for name in FILES if os.path.lexists(path / name)), path)
    if not there.is_file():
        raise UsageError(f"{path}: no such file", hint="landbridge new pipeline NAME writes projects/NAME/config.yaml")
    return there.resolve()


def _one(path: Path, project: Path | None, problems: Problems) -> tuple[Pipeline | None, Connections]:
    try:
        folder = project.resolve() if project else find_project(path.parent)
        file = str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
        known = declared_kinds(folder)
    except UsageError:
        folder, file, known = path.parent, str(path), None
    environment = read_environment(folder, os.environ, problems)
    _, pipeline, made = read_pipeline(folder, file, environment, known, problems, with_scripts=True)
    return pipeline, made
