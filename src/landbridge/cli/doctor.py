"""`landbridge doctor`."""

from dataclasses import asdict

import typer

from landbridge.cli.alerting import asked_channels
from landbridge.cli.options import AsJson, ProjectFolder, open_world
from landbridge.cli.text import print_json, print_table
from landbridge.engine.diagnosis import diagnose
from landbridge.errors import WorldError

MARK = {True: "ok", False: "WRONG", None: "-"}


def doctor_command(*, as_json: AsJson = False, project: ProjectFolder = None) -> None:
    """Ask every connection; exit code 3 if any answer is wrong."""
    with open_world(project, changing=False) as world:
        answers = [*diagnose(world), *asked_channels(world.project)]
    if as_json:
        print_json([{"asked": name, **asdict(check)} for name, check in answers])
    else:
        print_table(("asked", "what", "", "answer"), [(n, c.name, MARK[c.ok], c.detail) for n, c in answers])
        for name, check in answers:
            if check.hint:
                typer.echo(f"hint: {name}, {check.name}: {check.hint}", err=True)
    if any(check.ok is False for _, check in answers):
        raise typer.Exit(WorldError.exit_code)
