"""`landbridge`: every command by name; only the one that is called is imported."""

import atexit
import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from landbridge import __version__
from landbridge.errors import LandbridgeError, Terminated, UsageError

Summaries = Mapping[str, "str | Summaries"]

COMMANDS: Summaries = {
    "init": "Make a project: landbridge.yaml, tables.yaml, keys.",
    "new": {
        "pipeline": "Write the file of a new pipeline.",
    },
    "validate-config": "Every problem of every file at once.",
    "schema": {
        "pipeline": "Print the JSON Schema of a pipeline's file.",
        "drive-table": "Print the drive table's DDL for Snowflake.",
    },
    "plan": "Print what a run would do; change nothing.",
    "extract-metadata": "What the source tables look like, and what has changed.",
    "change-history": "What changed in the source tables, and when.",
    "migrate-tables": "Change targets that have fallen behind.",
    "verify-tables": "Are the targets as they should be?",
    "create-tables": "Create the target tables that are missing.",
    "export-data": "Source to sealed parcels, to be carried.",
    "import-data": "Carried parcels to the target.",
    "run": "Tables and due windows, source to target in one hop.",
    "backfill": "Run all windows of a span of a pipeline.",
    "gaps": "Windows of a pipeline that nothing has loaded.",
    "recount": "Are loaded windows still as they were loaded?",
    "retry": "Run the window of a failed run again.",
    "run-phase": "Run one phase of your own script alone.",
    "status": "Each table and pipeline: last run, what is overdue.",
    "runs": "The newest runs: what failed, and how often.",
    "show": "One run, phase by phase.",
    "publish-runs": "The drive table's rows to Snowflake.",
    "parcel": {
        "list": "Parcels at a place.",
        "show": "What a parcel holds.",
        "check": "Is every byte as it was signed?",
        "open": "Write a parcel's parts as plain Parquet files.",
        "pack": "Parcels onto a medium, or onto several.",
        "collect": "Parcels from media into the imports.",
        "purge": "Delete parcels that have had their time.",
    },
    "parcels": "Where each parcel is: on the way, loaded, missing.",
    "receipts": {
        "list": "Receipts of what was loaded here.",
        "import": "Note what has arrived on the other side.",
    },
    "custody": "What happened to parcels here, and who did it.",
    "keys": {
        "generate": "Make this side's keys.",
        "show": "Print the two lines that the other side must trust.",
        "trust": "Trust the lines of the other side.",
        "rotate": "Make a new identity or signing key.",
        "revoke": "Trust a key no more.",
    },
    "alerts": {
        "test": "Send a test message on each channel.",
    },
    "doctor": "Ask every connection: login, TLS, grants, clock skew.",
    "fsck": "Drive table, disk and targets: do they agree?",
    "demo": "Carry real tables across a gap, here and now.",
}
GROUP_HELP = {
    "new": "Begin a pipeline.",
    "schema": "Print what files and tables look like.",
    "parcel": "List, show, check, open, carry or purge parcels.",
    "receipts": "List or import receipts.",
    "alerts": "Test the channels that alerts go to.",
    "keys": "Generate, show, trust, rotate or revoke keys.",
}
_NOT_UNDERSTOOD: Any = typer.BadParameter.__base__  # typer has no public name for all errors of its parser
MOVES_ROWS = ("run", "export-data", "import-data")
INTERRUPTED = 130
TERMINATED = 143


def main() -> None:
    """Entry point of the console script and of `python -m landbridge`."""
    signal.signal(signal.SIGTERM, _terminate)
    words = os.environ.get("COMP_WORDS", "").split() or sys.argv
    try:
        code = build(words[1:])(prog_name="landbridge", standalone_mode=False)
    except _NOT_UNDERSTOOD as problem:
        _explain(problem.format_message(), problem.ctx.command_path if problem.ctx else "landbridge")
        code = UsageError.exit_code
    except LandbridgeError as error:
        report(error)
        code = error.exit_code
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        typer.echo("interrupted before anything had begun", err=True)
        code = INTERRUPTED
    _leave(code if isinstance(code, int) else 0)


def _explain(said: str, path: str) -> None:
    if said.startswith("Usage:"):  # a group without a command: the parser's words are its help
        typer.echo(said, err=True)
    else:
        report(UsageError(said[:1].lower() + said[1:].rstrip("."), hint=f"{path} --help"))


def _leave(code: int) -> NoReturn:
    """End at once: all is closed, and taking the interpreter apart would last longer than `--help` itself."""
    atexit._run_exitfuncs()  # noqa: SLF001  what others want done at the end, such as removing their temporary folders
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def build(words: Sequence[str]) -> typer.Typer:
    """The application, with the command that `words` name in full and all others by name only."""
    app = _group(COMMANDS, [word for word in words if not word.startswith("-")], "landbridge.cli")
    app.info.help = "Moves data between systems that cannot talk to each other, and proves that it arrived."
    app.callback()(_options)
    return app


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=lambda v: _print_version(asked=v), is_eager=True),
    ] = False,
) -> None:
    """Moves data between systems that cannot talk to each other, and proves that it arrived."""


def _print_version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"landbridge {__version__}")
        raise typer.Exit


def _group(summaries: Summaries, words: Sequence[str], room: str) -> typer.Typer:
    group = typer.Typer(
        rich_markup_mode=None,
        pretty_exceptions_enable=False,  # they print local variables, and those may hold secrets
        no_args_is_help=True,
        add_completion=room == "landbridge.cli",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, summary in summaries.items():
        called = name in words[:1]
        module = f"{room}.{name.replace('-', '_')}"
        if not isinstance(summary, str):
            group.add_typer(_group(summary, words[1:] if called else [], module), name=name, help=GROUP_HELP[name])
        else:
            group.command(name, help=summary)(_guarded(_load(module, name)) if called else _by_name_only)
    return group


def _load(module: str, name: str) -> Callable[..., None]:
    if name in MOVES_ROWS and not {"--help", "-h", "--dry-run", "--pipeline"} & set(sys.argv):
        from landbridge.engine.pool import get_ready

        get_ready()
    gc.disable()  # nothing of what is imported is garbage, and looking for it took an eighth of the start
    try:
        function: Callable[..., None] = getattr(import_module(module), name.replace("-", "_") + "_command")
    finally:
        gc.freeze()
        gc.enable()
    return function


def _by_name_only() -> None:
    raise AssertionError("a command that is called is loaded")


def _guarded(command: Callable[..., None]) -> Callable[..., None]:
    """The one place where errors become words and exit codes."""

    @wraps(command)
    def guarded(*args: object, **kwargs: object) -> None:
        try:
            command(*args, **kwargs)
        except LandbridgeError as error:
            report(error)
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            typer.echo("interrupted; what was begun is recorded as failed, or goes on when it is repeated", err=True)
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # the reader of our output went away: `landbridge status | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None

    return guarded


def report(error: LandbridgeError, *, prefix: str = "error") -> None:
    """Write an error as people read it: what happened, then the hint."""
    typer.echo(f"{prefix}: {error.message}", err=True)
    if error.hint:
        typer.echo(f"hint: {error.hint}", err=True)


def _terminate(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  the signal's signature
    raise Terminated(TERMINATED)
