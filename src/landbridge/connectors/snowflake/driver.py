"""Snowflake's driver as workers import it, which are ours alone."""

import sys
from contextlib import suppress
from importlib import import_module

# the driver imports them wherever they are installed, for methods that we do not call: 0.3 s and 40 MB in each worker
UNUSED = ("pandas", "sqlalchemy")


def import_driver() -> None:
    """Import the driver, and leave what it would bring along to who asks for it; no error where it is not installed."""
    hidden = [name for name in UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: as if they were not installed
    try:
        with suppress(ImportError):
            import_module("snowflake.connector")
    finally:
        for name in hidden:
            del sys.modules[name]
