"""What all that is typed in this room's tests is answered by."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.warm import warm_programs

SCRIPTS = Path(sys.executable).parent


@pytest.fixture(scope="session")
def warm() -> Iterator[Path]:
    """The folder of the quick `landbridge` and `sql`, one for each test process."""
    programs = {"landbridge": SCRIPTS / "landbridge", "sql": Path(__file__).with_name("sql.py")}
    with warm_programs(programs) as folder:
        yield folder
