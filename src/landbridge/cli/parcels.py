"""`landbridge parcels`."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from landbridge.cli.options import AsJson, ProjectFolder, Tables, open_world
from landbridge.cli.text import age, print_json, print_table, size
from landbridge.engine.carrying.board import Listed, board


def parcels_command(*, table: Tables = None, as_json: AsJson = False, project: ProjectFolder = None) -> None:
    """Every parcel that this side knows of: written, on the way, arrived, loaded, missing."""
    with open_world(project, changing=False) as world:
        names = [world.project.table(name).name for name in table or ()]
        found = [one for one in board(world) if not names or one.table in names]
    if as_json:
        print_json([_entry(one) for one in found])
        return
    headings = ("table", "way", "number", "parcel", "rows", "size", "as of", "state")
    now = datetime.now(UTC)
    print_table(headings, [_line(one, now) for one in found])


def _line(one: Listed, now: datetime) -> tuple[object, ...]:
    number = f"{one.sequence} to {one.last}" if one.last not in (None, one.sequence) else one.sequence
    return (
        one.table,
        one.way,
        number and str(number),
        one.parcel_id,
        one.rows,
        size(one.size) if one.size is not None else None,
        f"{one.as_of:%Y-%m-%d %H:%M:%S}" if one.as_of else None,
        _state(one, now),
    )


def _state(one: Listed, now: datetime) -> str:
    if one.since is None or one.state not in ("on the way", "loaded"):
        return one.state
    return (
        f"on the way, {age(now - one.since)}" if one.state == "on the way" else f"loaded {one.since:%Y-%m-%d %H:%M:%S}"
    )


def _entry(one: Listed) -> dict[str, Any]:
    told = asdict(one)
    told["row_count"], told["bytes"] = told.pop("rows"), told.pop("size")
    return told
