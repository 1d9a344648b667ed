"""Snowflake's driver, imported alone."""

import sys
from contextlib import suppress
from importlib import import_module

# imported by the driver wherever they are installed, for methods that we do not call: 0.3 s and 40 MB in each process
UNUSED = ("pandas", "sqlalchemy")


def import_driver() -> None:
    """Import the driver without UNUSED, which anybody else may import later; no error where it is not installed.

    Nothing changes for who has imported them, or the driver, before.
    """
    hidden = [name for name in UNUSED if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: as if they were not installed
    try:
        with suppress(ImportError):
            import_module("snowflake.connector")
    finally:
        for name in hidden:
            del sys.modules[name]
