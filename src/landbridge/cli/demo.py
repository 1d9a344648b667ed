"""`landbridge demo`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from landbridge.errors import NotInstalled, UsageError


def demo_command(
    *,
    folder: Annotated[Path, typer.Option("--folder", help="Made anew by every demo.")] = Path("demo-run"),
    warehouse: Annotated[
        Literal["duckdb", "snowflake"],
        typer.Option("--warehouse", help="A DuckDB file, or the account that the SNOWFLAKE_ variables name."),
    ] = "duckdb",
    keep: Annotated[bool, typer.Option("--keep", help="Leave the demo's tables in the Snowflake account.")] = False,
) -> None:
    """Build a warehouse from real data, export it sealed, carry the files, import into a real PostgreSQL."""
    if keep and warehouse != "snowflake":
        raise UsageError("--keep is for --warehouse snowflake", hint="landbridge demo --help")
    try:
        from landbridge.demo.story import tell
    except ModuleNotFoundError as missing:
        raise NotInstalled(f"the demo needs {missing.name}", hint="pip install 'landbridge[demo]'") from missing
    tell(folder.resolve(), typer.echo, warehouse=warehouse, keep=keep)
