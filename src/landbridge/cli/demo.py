"""`landbridge demo`."""

from pathlib import Path
from typing import Annotated

import typer

from landbridge.errors import NotInstalled


def demo_command(
    *, folder: Annotated[Path, typer.Option("--folder", help="Made anew by every demo.")] = Path("demo-run")
) -> None:
    """Build a warehouse from real data, export it sealed, carry the files, import into a real PostgreSQL."""
    try:
        from landbridge.demo.story import tell
    except ModuleNotFoundError as missing:
        raise NotInstalled(f"the demo needs {missing.name}", hint="pip install 'landbridge[demo]'") from missing
    tell(folder.resolve(), typer.echo)
