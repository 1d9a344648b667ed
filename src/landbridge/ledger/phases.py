"""The seven phases, and what the drive table remembers of each."""

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Literal, Self

PHASES = (
    "stale_pipeline_handling",
    "pre_validation",
    "source_to_stage_transfer",
    "stage_to_target_transfer",
    "audit",
    "stage_cleaning",
    "target_cleaning",
)
PhaseStatus = Literal["PENDING", "COMPLETED", "FAILED", "SKIPPED"]


@dataclass(frozen=True, kw_only=True)
class PhaseRecord:
    """One phase object of a drive row (seed 002, section 2.3); times are kept in UTC, `details` are JSON values.

    Raises ValueError for a detail that is called like a field, and for a time without zone.
    """

    phase_name: str
    status: PhaseStatus = "PENDING"
    start_timestamp: datetime | None = None
    end_timestamp: datetime | None = None
    actual_run_duration: str | None = None
    expected_run_duration: str | None = None
    retry_number: int = 0
    error_message: str | None = None
    error_type: str | None = None
    error_class: str | None = None
    traceback: str | None = None
    skip_reason: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if taken := sorted(self.details.keys() & _FIELDS):
            raise ValueError(f"details of {self.phase_name} use the names of fields: {', '.join(taken)}")
        for name in _FIELDS:
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, storable(value))

    def to_json(self) -> dict[str, Any]:
        """The phase object: the fields, and beside them the details."""
        values = {name: getattr(self, name) for name in _FIELDS if name != "details"}
        return {name: _text_of_time(value) for name, value in values.items()} | self.details

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Back from `to_json`: every key that is no field is a detail."""
        details = dict(document)
        known = {name: details.pop(name) for name in _FIELDS if name in details}
        for name in ("start_timestamp", "end_timestamp"):
            if known.get(name) is not None:
                known[name] = datetime.fromisoformat(known[name])
        return cls(**known, details=details)


_FIELDS = tuple(each.name for each in fields(PhaseRecord))


def _text_of_time(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def storable(value: object) -> object:
    """Times in UTC; text without what PostgreSQL cannot store: errors quote file names, which may hold any bytes."""
    match value:
        case datetime():
            if value.utcoffset() is None:
                raise ValueError(f"a phase's time has no time zone: {value.isoformat()}")
            return value.astimezone(UTC)
        case str():
            if value.isascii() and "\0" not in value:
                return value
            return value.encode("utf-8", "backslashreplace").decode().replace("\0", r"\x00")
        case dict():
            return {storable(key): storable(item) for key, item in value.items()}
        case list() | tuple():
            return [storable(item) for item in value]
        case _:
            return value
