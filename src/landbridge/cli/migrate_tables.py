"""`landbridge migrate-tables`."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from landbridge.cli.main import report
from landbridge.cli.options import All, AsJson, DryRun, From, ProjectFolder, Tables, chosen, open_world, place
from landbridge.cli.outcome import error_entry
from landbridge.cli.text import print_json
from landbridge.config.tables import Table
from landbridge.engine.sync import worst
from landbridge.engine.tables.migration import Migrated, migrate_tables
from landbridge.errors import UsageError


def migrate_tables_command(
    *,
    every: All = False,
    table: Tables = None,
    source: From = None,
    allow_breaking: Annotated[
        bool, typer.Option("--allow-breaking", help="Also what drops a column, narrows a type or changes a key.")
    ] = False,
    rename: Annotated[
        list[str] | None,
        typer.Option("--rename", metavar="OLD=NEW", help="A column that was renamed at the source; may be repeated."),
    ] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Change targets that stand into what their newest carried parcel, else the saved metadata, wants."""
    seen: list[Migrated] = []
    with open_world(project, changing=not dry_run) as world:
        tables = chosen(world.project, table, every=every)
        for one in migrate_tables(
            world,
            tables,
            location=place(source),
            dry_run=dry_run,
            allow_breaking=allow_breaking,
            renames=_renames(rename or [], tables),
        ):
            seen.append(one)
            if not as_json:
                _print(one, dry_run=dry_run)
            if one.error:
                report(one.error, prefix=f"error: {one.table}")
    if as_json:
        print_json([_entry(one, dry_run=dry_run) for one in seen])
    if code := worst(one.error for one in seen):
        raise typer.Exit(code)


def _renames(words: Sequence[str], tables: Sequence[Table]) -> dict[str, str]:
    found = {old: new for old, _, new in (word.partition("=") for word in words)}
    if not all([*found, *found.values()]) or len(found) < len(words) or (found and len(tables) != 1):
        raise UsageError(
            "--rename takes OLD=NEW, each column once, of one table",
            hint="landbridge migrate-tables --table NAME --rename OLD=NEW --allow-breaking",
        )
    return found


def _state(one: Migrated, *, dry_run: bool) -> str:
    if one.done is None:
        return "failed"
    if not one.done.steps:
        return "up to date" if not one.left else "left as it is"
    return "would be migrated" if dry_run else "migrated"


def _print(one: Migrated, *, dry_run: bool) -> None:
    if one.done is None:
        return
    told = f": {one.done.summary}" if one.done.steps else ""
    typer.echo(f"{one.table}: {one.relation} {_state(one, dry_run=dry_run)}{told}")
    for step in one.done.steps if dry_run else ():
        typer.echo(f"{step.sql};")


def _entry(one: Migrated, *, dry_run: bool) -> dict[str, Any]:
    return {
        "table": one.table,
        "target": str(one.relation),
        "state": _state(one, dry_run=dry_run),
        "summary": one.done.summary if one.done else None,
        "statements": [step.sql for step in one.done.steps] if one.done else [],
        "left": list(one.left),
        "error": error_entry(one.error),
    }
