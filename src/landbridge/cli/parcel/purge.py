"""`landbridge parcel purge`."""

from datetime import timedelta
from typing import Annotated

import typer

from landbridge.cli.main import report
from landbridge.cli.options import DryRun, From, ProjectFolder, To, open_world, place
from landbridge.cli.text import size
from landbridge.engine.carrying.purge import Outdated, named, outdated_arrivals, outdated_exports, purge_each
from landbridge.engine.sync import worst
from landbridge.engine.world import World
from landbridge.errors import UsageError
from landbridge.windows import parse_duration


def purge_command(
    parcel: Annotated[
        list[str] | None, typer.Argument(metavar="[PARCEL]...", help="Ids, beginnings of ids, or TABLE/ID.")
    ] = None,
    *,
    loaded: Annotated[bool, typer.Option("--loaded", help="Carried parcels that are loaded here.")] = False,
    exported: Annotated[bool, typer.Option("--exported", help="Parcels that were exported from here.")] = False,
    older_than: Annotated[
        str | None, typer.Option("--older-than", metavar="AGE", help="So long ago: 90m, 6h, 30d, 2w.")
    ] = None,
    source: From = None,
    to: To = None,
    yes: Annotated[bool, typer.Option("--yes", help="Also named parcels that are not known as loaded.")] = False,
    dry_run: DryRun = False,
    project: ProjectFolder = None,
) -> None:
    """Delete parcels that have had their time; of each table the newest stays unless it is named."""
    age = _age(older_than)
    if sum((bool(parcel), loaded, exported)) != 1:
        raise UsageError("say which parcels: PARCEL …, --loaded, or --exported", hint="landbridge parcel list")
    if (parcel and age) or (to and not exported) or (source and exported):
        raise UsageError(
            "--older-than goes with --loaded and --exported, --to with --exported, --from with all else",
            hint="landbridge parcel purge --help",
        )
    with open_world(project, changing=not dry_run) as world:
        if parcel:
            outdated = named(world, place(source) or world.project.imports, parcel, anyhow=yes)
        elif loaded:
            outdated = outdated_arrivals(world, place(source) or world.project.imports, older_than=age or timedelta(0))
        elif age:
            outdated = outdated_exports(world, place(to) or world.project.exports, older_than=age)
        else:
            raise UsageError("--exported needs --older-than", hint="30d, or however long it may take to arrive")
        if dry_run:
            _print(outdated, "would purge")
        else:
            _purge(world, outdated)


def _age(text: str | None) -> timedelta | None:
    try:
        return parse_duration(text) if text is not None else None
    except ValueError as error:
        raise UsageError(f"--older-than {error}") from None


def _purge(world: World, outdated: list[Outdated]) -> None:
    gone, errors = [], []
    for one, error in purge_each(world, outdated):
        if error:
            report(error, prefix=f"error: {one.folder}")
            errors.append(error)
        else:
            gone.append(one)
    _print(gone, "purged")
    if code := worst(errors):
        raise typer.Exit(code)


def _print(outdated: list[Outdated], verb: str) -> None:
    for one in outdated:
        typer.echo(f"{one.folder}: {verb}, {size(one.size)}")
    typer.echo(f"{verb} {size(sum(one.size for one in outdated))} in all" if outdated else "nothing to purge")
