"""`landbridge receipts list`."""

from dataclasses import asdict
from typing import Any

from landbridge.cli.options import AsJson, ProjectFolder, open_world
from landbridge.cli.text import print_json, print_table
from landbridge.engine.carrying.receipts import Issued, issued


def list_command(*, as_json: AsJson = False, project: ProjectFolder = None) -> None:
    """What was loaded here, with the code to tell the exporting side, and the signed file to send there."""
    with open_world(project, changing=False) as world:
        found = issued(world)
    if as_json:
        print_json([_entry(one) for one in found])
        return
    headings = ("table", "number", "rows", "loaded", "code", "file")
    print_table(headings, [_line(one) for one in found])


def _line(one: Issued) -> tuple[object, ...]:
    return (one.table, str(one.sequence), one.rows, f"{one.loaded_at:%Y-%m-%d %H:%M:%S}", one.code, one.file)


def _entry(one: Issued) -> dict[str, Any]:
    told = asdict(one)
    told["row_count"] = told.pop("rows")
    return told
