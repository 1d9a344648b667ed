"""How a DuckDB file is opened, as landbridge.yaml says it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class DuckDBOptions(BaseModel):
    """How a DuckDB file is opened."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    type: Literal["duckdb"] = Field(description="the kind of connection")
    path: str = Field(min_length=1, description="database file; a relative one is below the project folder")
    database: str | None = Field(
        None, min_length=1, description="catalog name that it is attached as; default: the file's stem"
    )
    memory_limit: str = Field(
        "256MB",
        pattern=r"^[0-9]+(\.[0-9]+)? ?([KMGT]i?)?B$",
        description="most memory that one process of DuckDB takes, as in 256MB or 1GiB",
    )
    threads: int | None = Field(None, ge=1, description="threads of one process; default: DuckDB's own choice")

    def settings(self, threads: int | None) -> dict[str, Any]:
        """What DuckDB is started with. Nothing is spilled: its temporary files would put rows on the disk in clear."""
        known = {"memory_limit": self.memory_limit, "temp_directory": "", "autoinstall_known_extensions": False}
        chosen = self.threads or threads
        return {**known, "threads": chosen} if chosen else known

    @field_validator("path")
    @classmethod
    def _is_a_file(cls, path: str) -> str:
        if path.startswith(":memory:"):
            raise ValueError("must be a file: several processes have to see the same database")
        return path
