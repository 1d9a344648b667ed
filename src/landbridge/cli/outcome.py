"""What runs and plans look like when they are printed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import typer

from landbridge.cli.main import report
from landbridge.cli.text import changed, never_seen, print_json, print_table, rows, span, unsettled
from landbridge.config.tables import Table
from landbridge.engine.forecast import Forecast
from landbridge.engine.plan import Plan
from landbridge.engine.sync import Result, foresee, worst
from landbridge.engine.windowed.running import WindowResult
from landbridge.engine.world import World
from landbridge.errors import LandbridgeError
from landbridge.ledger.runs import Run


def print_results(results: Iterable[Result | WindowResult], *, as_json: bool) -> None:
    """One line per table or window as it ends; exits with the worst result's code."""
    seen: list[Result | WindowResult] = []
    for result in results:
        seen.append(result)
        if result.error:
            report(result.error, prefix=f"error: {_name(result)}")
        if not as_json:
            typer.echo(_line(result))
    if as_json:
        print_json([_entry(result) for result in seen])
    if code := worst(result.error for result in seen):
        raise typer.Exit(code)


def _name(result: Result | WindowResult) -> str:
    if isinstance(result, Result):
        return result.table
    return f"{result.pipeline}, {span(result.window)}" if result.window else result.pipeline


def _line(result: Result | WindowResult) -> str:
    if isinstance(result, WindowResult):
        return _window_line(result)
    if result.error:
        return f"{result.table}: failed: {type(result.error).__name__}"
    if result.run is None:
        return f"{result.table}: nothing new; the newest parcel is loaded already"
    details = result.run.phases["source_to_stage_transfer"].details
    verb = {"export": "exported", "import": "imported", "run": "moved"}[result.run.job_kind]
    place = f" as parcel {result.run.parcel_id}" if result.run.job_kind == "export" else ""
    done = f"{verb} {rows(details['stage_count'])}{place}" if result.run.parcel_id else "nothing has changed"
    told = (
        f"{done} ({result.run.pipeline_id})",
        changed(_changed(result.run)),
        unsettled(details.get("unsettled", 0)),
        (code := _receipt(result.run)) and f"receipt {code}",
        never_seen(_missed(result.run)),
    )
    return f"{result.table}: " + "; ".join(filter(None, told))


def _window_line(result: WindowResult) -> str:
    name = _name(result)
    if result.error:
        return f"{name}: failed: {type(result.error).__name__}"
    if result.run is None:
        return f"{name}: no window is due"
    moved = _moved(result.run)
    done = f"moved {rows(moved)}" if moved is not None else "done"
    return f"{name}: {done} ({result.run.pipeline_id})"


def _moved(run: Run) -> int | None:
    count = run.phases["audit"].details.get(
        "target_count", run.phases["stage_to_target_transfer"].details.get("target_count")
    )
    return count if isinstance(count, int) else None


def _receipt(run: Run) -> str | None:
    code: str | None = run.phases["audit"].details.get("receipt")
    return code


def _changed(run: Run) -> dict[str, int]:
    """What became of the rows, where they did not replace all others."""
    counts: dict[str, int] = run.phases["stage_to_target_transfer"].details.get("rows_changed", {})
    return counts


def _missed(run: Run) -> list[tuple[int, int]]:
    missed: list[tuple[int, int]] = run.phases["pre_validation"].details.get("never_seen", [])
    return missed


def _entry(result: Result | WindowResult) -> dict[str, Any]:
    run, error = result.run, result.error
    if isinstance(result, WindowResult):
        return {
            "pipeline": result.pipeline,
            "window_start": result.window.start if result.window else None,
            "window_end": result.window.end if result.window else None,
            "status": "FAILED" if error else run.pipeline_status if run else "NOTHING_DUE",
            "pipeline_id": run.pipeline_id if run else error.pipeline_id if error else None,
            "row_count": _moved(run) if run else None,
            "error": error_entry(error),
        }
    return {
        "table": result.table,
        "status": "FAILED" if error else run.pipeline_status if run else "NOTHING_NEW",
        "pipeline_id": run.pipeline_id if run else error.pipeline_id if error else None,
        "parcel_id": run.parcel_id if run else None,
        "row_count": run.phases["source_to_stage_transfer"].details["stage_count"] if run else None,
        "rows_changed": _changed(run) if run else {},
        "never_seen": _missed(run) if run else [],
        "receipt": _receipt(run) if run else None,
        "error": error_entry(error),
    }


def error_entry(error: LandbridgeError | None) -> dict[str, str | None] | None:
    """An error as JSON has it."""
    return {"type": type(error).__name__, "message": error.message, "hint": error.hint} if error else None


def print_plans(world: World, tables: Sequence[Table], plan: Callable[[Table], Plan | None], *, as_json: bool) -> None:
    """What each table's plan would do, after asking source and target; exits with the worst refusal's code."""
    seen = list(foresee(world, tables, plan))
    if as_json:
        print_json([_foreseen(name, one) for name, one in seen])
    for name, one in seen:
        if isinstance(one, LandbridgeError):
            report(one, prefix=f"error: {name}")
        elif one is None:
            typer.echo(f"{name}: nothing new; the newest parcel is loaded already", err=as_json)
        elif not as_json:
            _print_forecast(one)
    for name, one in seen:
        if isinstance(one, Forecast) and one.refusal:
            report(one.refusal, prefix=f"error: {name}")
    if code := worst(map(_refusal, (one for _, one in seen))):
        raise typer.Exit(code)


def _refusal(one: Forecast | LandbridgeError | None) -> LandbridgeError | None:
    return one.refusal if isinstance(one, Forecast) else one


def _foreseen(table: str, one: Forecast | LandbridgeError | None) -> dict[str, Any]:
    told = asdict(one) if isinstance(one, Forecast) else {"plan": None, "facts": {}, "columns": []}
    told.pop("refusal", None)
    return {"table": table, **told, "error": error_entry(_refusal(one))}


def _print_forecast(one: Forecast) -> None:
    plan = one.plan
    typer.echo(f"{plan.pipeline_name} ({plan.job_kind})")
    for name, text in one.facts.items():
        typer.echo(f"  {name:<9}{text}")
    if one.columns:
        lines = [(c.name, c.source, c.target, c.fit) for c in one.columns]
        print_table(("  column", "source", "target", "fit"), [(f"  {a}", b, c, d) for a, b, c, d in lines])
    typer.echo("")
