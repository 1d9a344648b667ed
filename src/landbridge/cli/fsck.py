"""`landbridge fsck`."""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from landbridge.cli.main import report
from landbridge.cli.options import All, AsJson, ProjectFolder, Tables, chosen, open_world
from landbridge.cli.outcome import error_entry
from landbridge.cli.progress import Progress
from landbridge.cli.text import print_json
from landbridge.engine.checking.finding import Finding
from landbridge.engine.checking.fsck import Checked, check
from landbridge.engine.sync import worst
from landbridge.errors import AuditError


def fsck_command(
    *,
    every: All = False,
    table: Tables = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what is safe to mend; docs/fsck.md says what that is.")
    ] = False,
    as_json: AsJson = False,
    project: ProjectFolder = None,
) -> None:
    """Compare the drive table with what lies on disk and in targets; exit code 4 where something stays wrong."""
    seen: list[Checked] = []
    with open_world(project, Progress(), changing=repair) as world:
        for one in check(world, chosen(world.project, table, every=every), repair=repair):
            seen.append(one)
            if one.error:
                report(one.error, prefix=f"error: {one.table}" if one.table else "error")
            if one.finding and not as_json:
                _print(one, one.finding)
    if as_json:
        print_json([_entry(one) for one in seen])
    else:
        typer.echo(_summary(seen))
    wrong = AuditError("what is wrong was told") if any(one.is_wrong for one in seen) else None
    if code := worst([wrong, *(one.error for one in seen)]):
        raise typer.Exit(code)


def _print(one: Checked, finding: Finding) -> None:
    typer.echo(f"{finding.table or '-'}: {finding.kind}: {finding.what}")
    typer.echo(f"  at {finding.where}")
    typer.echo(f"  {finding.means}")
    if finding.repair:
        typer.echo(f"  repaired: {finding.repair}" if one.repaired else f"  --repair: {finding.repair}")
    elif finding.hint:
        typer.echo(f"  hint: {finding.hint}")


def _summary(seen: Sequence[Checked]) -> str:
    counts = Counter(_state(one) for one in seen if one.finding)
    counts["not asked"] = sum(one.error is not None and one.finding is None for one in seen)
    told = ", ".join(
        f"{counts[state]} {state}" for state in ("wrong", "repaired", "noted", "not asked") if counts[state]
    )
    return told or "nothing is wrong"


def _state(one: Checked) -> str:
    if one.repaired:
        return "repaired"
    return "wrong" if one.is_wrong else "noted"


def _entry(one: Checked) -> dict[str, Any]:
    finding = one.finding
    return {
        "table": one.table,
        "kind": finding.kind if finding else None,
        "wrong": one.is_wrong,
        "where": finding.where if finding else None,
        "what": finding.what if finding else None,
        "means": finding.means if finding else None,
        "repair": finding.repair if finding else None,
        "repaired": one.repaired,
        "hint": finding.hint if finding else None,
        "error": error_entry(one.error),
    }
