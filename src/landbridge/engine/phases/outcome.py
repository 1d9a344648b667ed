"""What a phase gives back to the walk."""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Outcome:
    """COMPLETED with details, or SKIPPED with a reason. A phase that fails raises.

    `details` are the phase's own fields of the drive row: counts, names, verdicts; JSON values only.
    `parcel_id` and `load_id`, where set, are written into the row's columns of those names.
    """

    status: Literal["COMPLETED", "SKIPPED"]
    details: dict[str, Any] = field(default_factory=dict)
    reason: str | None = None
    parcel_id: str | None = None
    load_id: str | None = None


def completed(*, parcel_id: str | None = None, load_id: str | None = None, **details: Any) -> Outcome:  # noqa: ANN401  JSON values
    return Outcome("COMPLETED", details, parcel_id=parcel_id, load_id=load_id)


def skipped(reason: str, *, parcel_id: str | None = None, **details: Any) -> Outcome:  # noqa: ANN401  JSON values
    return Outcome("SKIPPED", details, reason, parcel_id=parcel_id)
