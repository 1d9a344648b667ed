"""`landbridge extract-metadata`."""

from typing import Annotated, Any

import typer

from landbridge.cli.main import report
from landbridge.cli.options import All, AsJson, ProjectFolder, Tables, chosen, open_world
from landbridge.cli.outcome import error_entry
from landbridge.cli.text import print_json
from landbridge.engine.sync import worst
from landbridge.engine.tables.extraction import Look, extract
from landbridge.errors import UsageError

TARGET = {None: "", "exists": "; the target exists", "created": "; target created", "replaced": "; target made anew"}


def extract_metadata_command(
    *,
    every: All = False,
    table: Tables = None,
    check_changes: Annotated[
        bool, typer.Option("--check-changes/--no-check-changes", help="Compare with what was written last, and tell.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Write the files also where nothing has changed.")] = False,
    create: Annotated[
        bool, typer.Option("--create-postgres", help="Make the target tables that are missing, of whatever database.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop-existing", help="With it: drop targets that are there, with all their rows.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to drop.")] = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Write what each source table looks like to metadata/, keep what it looked like before, and tell what changed."""
    if drop and not create:
        raise UsageError("--drop-existing is for --create-postgres", hint="landbridge extract-metadata --help")
    seen: list[Look] = []
    with open_world(project, changing=create) as world:
        tables = chosen(world.project, table, every=every)
        if drop and not yes and not _agreed(f"drop the target tables of {', '.join(t.name for t in tables)}?"):
            raise UsageError("nothing was dropped", hint="--yes drops without asking")
        for look in extract(world, tables, check=check_changes, force=force, create=create, drop=drop):
            seen.append(look)
            if look.error:
                report(look.error, prefix=f"error: {look.table}")
            elif look.status == "CHANGED":
                typer.echo(_alert(look), err=True)
            if not as_json:
                typer.echo(f"{look.table}: {look.status}{TARGET[look.target]}")
    if as_json:
        print_json([_entry(look) for look in seen])
    if code := worst(look.error for look in seen):
        raise typer.Exit(code)


def _agreed(question: str) -> bool:
    try:
        return typer.confirm(f"{question} All their rows are lost.", err=True)
    except typer.Abort:  # nobody is there to answer
        return False


def _alert(look: Look) -> str:
    """The alert of seed 000."""
    lines = [
        "⚠️  METADATA CHANGES DETECTED!",
        f"Table: {look.table}",
        f"Summary: {look.summary}",
        "",
        "Detailed Changes:",
        *(f"  {change.line}" for change in look.changes),
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
        "target": look.target,
        "error": error_entry(look.error),
    }
