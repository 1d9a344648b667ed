"""DuckDB's errors in our words."""

from typing import TYPE_CHECKING

from landbridge.errors import AccessDenied, RunError, Unreachable

if TYPE_CHECKING:
    import duckdb

# errors whose words hold values
IN_USE = "55006"  # SQLSTATE of an object that is in use: DuckDB has none of its own
QUOTING = ("Constraint", "Conversion", "Invalid Input", "Out of Range", "Invalid Type")


def translated(name: str, error: "duckdb.Error", failure: type[RunError], query: str | None) -> Exception:
    """What to raise for DuckDB's `error`: `failure`, unless the file is in the way. It quotes no value."""
    said = str(error).partition("\n")[0]
    if "Conflicting lock" in said:
        return Unreachable(
            f"connection {name!r}: another process has the file open",
            hint="DuckDB lets one process write, or several read; close the other one and try again",
            code=IN_USE,
        )
    kind = said.partition(" Error:")[0]
    if kind == "Out of Memory":
        return failure(
            f"connection {name!r}: the query needs more memory than memory_limit allows, and spilling to disk is off",
            hint="raise memory_limit of the connection in landbridge.yaml",
        )
    if "Permission denied" in said:
        return AccessDenied(f"connection {name!r}: {said}", hint="check the file's permissions")
    if kind in QUOTING:
        said = f"{kind.lower()} error: a value does not fit the column, the cast or the key that it is meant for"
    about = f"\nin the query: {query}" if query else ""
    return failure(f"connection {name!r}: {said}{about}", hint="landbridge doctor")
