"""`landbridge parcel list`."""

import typer

from landbridge.cli.options import AsJson, From, ProjectFolder, open_world, place
from landbridge.cli.text import print_json, print_table, size
from landbridge.engine.carrying.shelf import Shelved, shelf


def list_command(*, source: From = None, as_json: AsJson = False, project: ProjectFolder = None) -> None:
    """Parcels at a place; what only the keys can tell is shown where the keys are."""
    with open_world(project, changing=False) as world:
        found = shelf(world, place(source) or world.project.imports)
    if as_json:
        print_json([_entry(one) for one in found])
        return
    headings = ("table", "parcel", "state", "files", "size", "rows", "as of")
    print_table(headings, [_line(one) for one in found])
    for one in found:
        if one.problem:
            typer.echo(one.problem, err=True)  # it names the folder


def _state(one: Shelved) -> str:
    if not one.finished:
        return "unfinished"
    return "opens" if one.parcel else "closed"


def _line(one: Shelved) -> tuple[object, ...]:
    manifest = one.parcel.manifest if one.parcel else None
    as_of = f"{manifest.as_of:%Y-%m-%d %H:%M:%S}" if manifest else None
    rows = manifest.row_count if manifest else None
    return (one.table, one.folder.rpartition("/")[2], _state(one), one.files, size(one.size), rows, as_of)


def _entry(one: Shelved) -> dict[str, object]:
    manifest = one.parcel.manifest if one.parcel else None
    return {
        "folder": one.folder,
        "table": one.table,
        "parcel_id": one.parcel_id,
        "finished": one.finished,
        "opens": one.parcel is not None,
        "problem": one.problem,
        "files": one.files,
        "bytes": one.size,
        "row_count": manifest.row_count if manifest else None,
        "as_of": manifest.as_of if manifest else None,
    }
