"""What `doctor` says of a DuckDB file and its tables."""

from pathlib import Path

from landbridge.contracts.values import Check
from landbridge.schema.model import Relation, TableSchema


def of_folder(folder: Path) -> Check:
    """Where the file will be made."""
    if folder.is_dir():
        return Check("file", ok=True, detail="will be made")
    return Check("file", ok=False, detail=f"no folder {folder}", hint=f"mkdir -p {folder}")


def of_table(relation: Relation, schema: TableSchema | None) -> Check:
    """One that is read; None: there is none."""
    if schema is not None:
        return Check(f"read {relation}", ok=True, detail="found")
    hint = "check database, schema and table in config/tables.yaml"
    return Check(f"read {relation}", ok=False, detail="no such table", hint=hint)
