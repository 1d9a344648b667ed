"""`landbridge new pipeline NAME`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from landbridge.cli.options import ProjectFolder
from landbridge.config.fields import check_file_name
from landbridge.config.pipeline_files import as_text, write_text
from landbridge.config.pipelines.reading import FILES, FOLDER
from landbridge.config.pipelines.template import SOURCE, TARGET, template, template_text
from landbridge.config.project import declared_kinds, find_project
from landbridge.errors import UsageError


def pipeline_command(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the pipeline and its folder are called.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, without comments.")] = False,
    project: ProjectFolder = None,
) -> None:
    """Write projects/NAME/config.yaml. A file that is there already is not overwritten."""
    folder = project.resolve() if project else find_project(Path.cwd())
    try:
        check_file_name(name)
    except ValueError as error:
        raise UsageError(f"no pipeline can be called {name!r}: {error}") from None
    home = Path(FOLDER) / name
    for file in FILES:
        if os.path.lexists(folder / home / file):
            raise UsageError(f"{home / file} is there already", hint=f"landbridge validate-config {home / file} -v")
    connections = [*(declared_kinds(folder) or ())]
    source, target = (connections[0], connections[-1]) if connections else (SOURCE, TARGET)
    path = folder / home / ("config.json" if as_json else "config.yaml")
    write_text(path, as_text(template(name, source, target), path) if as_json else template_text(name, source, target))
    typer.echo(f"wrote {path}")
    if not connections:
        typer.echo(f"landbridge.yaml has no connections yet; this file takes {source} and {target} for their names")
    typer.echo(f"next: name source, target and query_field in {home / path.name}, then landbridge validate-config -v")
