"""Every benchmark in turn, or those that are named; each is a program of its own.

`run.py [NAME…] [--full]`: lines go to bench-run/results.jsonl, and at the end to a table beside what they must reach.
It measures and does not judge: the exit code is 0 also where a figure misses its bar, or a program fails.
"""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import fin

HERE = Path(__file__).parent
ALL = (
    "startup",
    "export_duckdb",
    "export_postgres",
    "sealing",
    "import_postgres",
    "dlt_import",
    "upsert_postgres",
    "memory",
    "import_snowflake",
    "export_snowflake",
    "nothing_snowflake",
    "drive_table",
    "pipeline_nothing",
)
TAKE_FULL = ("import_postgres", "memory")
VERDICT = {True: "met", False: "MISSED", None: "reported"}


def main(words: list[str]) -> None:
    names = [word for word in words if word in ALL] or ALL
    if unknown := set(words) - {"--full", *ALL}:
        raise SystemExit(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(ALL)}")
    fin.RUN.mkdir(exist_ok=True)
    lines = [line for name in names for line in _run(name, full="--full" in words)]
    print()
    for line in lines:
        print(_row(line))


def _run(name: str, *, full: bool) -> list[dict[str, object]]:
    print(f"== {name}", flush=True)
    options = ["--full"] if full and name in TAKE_FULL else []
    started = datetime.now(UTC).isoformat(timespec="seconds")
    lines = []
    with (
        subprocess.Popen([sys.executable, HERE / f"{name}.py", *options], stdout=subprocess.PIPE, text=True) as program,
        (fin.RUN / "results.jsonl").open("a") as results,
    ):
        assert program.stdout is not None
        for text in program.stdout:
            print(text, end="", flush=True)
            lines.append({"at": started, **json.loads(text)})
            results.write(json.dumps(lines[-1]) + "\n")
            results.flush()
    if program.returncode:
        lines.append({"what": f"{name}: FAILED, exit code {program.returncode}"})
    return lines


def _row(line: dict[str, object]) -> str:
    figures = [
        f"{name} {line[name]}"
        for name in ("ratio", "seconds", "milliseconds", "peak_pss_mb", "processes")
        if line.get(name) is not None
    ]
    verdict = f"{line.get('bar') or 'no bar'}: {VERDICT[line.get('met')]}"
    return f"{line['what']:<38} {verdict}\n    {'; '.join(figures)}"


if __name__ == "__main__":
    main(sys.argv[1:])
