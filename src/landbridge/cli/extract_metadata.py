"""`landbridge extract-metadata`."""

from typing import Annotated, Any

import typer

from landbridge.cli.main import report
from landbridge.cli.options import All, AsJson, ProjectFolder, Tables, chosen, open_world
from landbridge.cli.outcome import error_entry
from landbridge.cli.text import print_json
from landbridge.engine.extraction import Look, extract
from landbridge.engine.sync import worst

CREATED = {"created": "; target created", "exists": "; the target exists", "replaced": "; target replaced"}


def extract_metadata_command(
    *,
    every: All = False,
    table: Tables = None,
    check_changes: Annotated[
        bool, typer.Option("--check-changes/--no-check-changes", help="Compare with what was written last, and tell.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Write the files also where nothing has changed.")] = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Write what each source table looks like to metadata/, keep what it looked like before, and tell what changed."""
    seen: list[Look] = []
    with open_world(project, changing=False) as world:
        for look in extract(world, chosen(world.project, table, every=every), check=check_changes, force=force):
            seen.append(look)
            if look.error:
                report(look.error, prefix=f"error: {look.table}")
            elif look.status == "CHANGED":
                typer.echo(_alert(look), err=True)
            if not as_json:
                typer.echo(f"{look.table}: {look.status}")
    if as_json:
        print_json([_entry(look) for look in seen])
    if code := worst(look.error for look in seen):
        raise typer.Exit(code)


def _alert(look: Look) -> str:
    """The alert of seed 000."""
    lines = [
        "⚠️  METADATA CHANGES DETECTED!",
        f"Table: {look.table}",
        f"Summary: {look.summary}",
        "",
        "Detailed Changes:",
        *(f"  {change}" for change in look.changes),
        "",
        "Archived old metadata:",
        *(f"  • {path}" for path in look.archived),
    ]
    return "\n".join(lines) + "\n"


def _entry(look: Look) -> dict[str, Any]:
    return {
        "table": look.table,
        "status": look.status,
        "changes": [
            {
                "kind": change.kind,
                "column": change.column,
                "before": change.before,
                "after": change.after,
                "safe": change.safe,
            }
            for change in look.changes
        ],
        "archived": list(look.archived),
        "error": error_entry(look.error),
    }
