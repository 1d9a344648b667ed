"""Fidelity: what a load would lose of a column's values, and by which name the config accepts that (docs/types.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from landbridge.schema.arrow import NANOSECONDS
from landbridge.schema.columns import Columns
from landbridge.schema.fit import MICROSECONDS, Pairing
from landbridge.schema.model import Column, Kind, TableSchema, Type
from landbridge.schema.names import folded
from landbridge.schema.native import take_apart
from landbridge.schema.traits import Traits

Loss = Literal["nanoseconds", "nul_bytes", "out_of_range", "offset"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
Accepted = Mapping[str, Sequence[Loss]]  # by the column's name in the parcel

CLOCKS = ("time", "timestamp", "timestamptz")
INT64 = (-(2**63), 2**63 - 1)


@dataclass(frozen=True)
class Holds:
    """What a database holds, beyond what its types say.

    `bounds`: first and last date in days, first and last timestamp in its unit, since 1970.
    """

    digits: int  # of a second, at most
    nul_bytes: bool  # text with U+0000
    bounds: Mapping[Kind, tuple[int, int]]


def as_created(incoming: TableSchema, holds: Holds) -> TableSchema:
    """The table that a first load makes, its clocks as short as the database's. Raises as `folded` does."""
    made = folded(incoming)
    columns = (replace(c, type=_shortened(c.type, holds.digits), native=None) for c in made.columns)
    return replace(made, columns=tuple(columns))


def _shortened(kind: Type, digits: int) -> Type:
    too_long = kind.kind in CLOCKS and (kind.precision or 0) > digits
    return replace(kind, precision=digits) if too_long else kind


def possible(pairing: Pairing, holds: Holds) -> tuple[Loss, ...]:
    """What the column could lose by its types."""
    kind, bounds = pairing.incoming.type.kind, reach(pairing, holds)
    could: dict[Loss, bool] = {
        "nanoseconds": kind in CLOCKS and _digits(pairing.incoming.type) > _digits(pairing.target.type),
        "nul_bytes": kind in ("text", "char") and not holds.nul_bytes,
        "out_of_range": bounds is not None and bounds != INT64,
    }
    return tuple(loss for loss in could if could[loss])


def offsets(source: TableSchema, columns: Columns) -> tuple[str, ...]:
    """Columns whose values have offsets, which no parcel holds, by the names under which they leave."""
    picks = {column: columns.pick(column.name) for column in source.columns if _has_offset(column)}
    return tuple(pick.leaves_as for pick in picks.values() if pick.mask is None)


def _has_offset(column: Column) -> bool:
    return take_apart(column.native or "")[0] == "timestamp_tz"


def losses(pairing: Pairing, traits: Traits | None, holds: Holds) -> tuple[Loss, ...]:
    """What the column would lose, its values being like `traits`; None for values that have none."""
    traits, bounds = traits or Traits(pairing.incoming.name), reach(pairing, holds) or INT64
    ends = [end for end in (traits.earliest, traits.latest) if end is not None]
    would = {
        "nanoseconds": traits.nanoseconds,
        "nul_bytes": traits.nul_bytes,
        "out_of_range": any(not bounds[0] <= end <= bounds[1] for end in ends),
    }
    return tuple(loss for loss in possible(pairing, holds) if would[loss])


def accepts(pairing: Pairing, accepted: Accepted) -> tuple[Loss, ...]:
    """What may be lost of the column; a date that becomes NULL needs a target column that can be NULL."""
    named = accepted.get(pairing.incoming.name, ())
    return tuple(loss for loss in named if loss != "out_of_range" or pairing.target.nullable)


def reach(pairing: Pairing, holds: Holds) -> tuple[int, int] | None:
    """First and last value that the target holds of a date or timestamp, in the incoming unit; None for all others."""
    if pairing.target.type.kind not in holds.bounds:
        return None
    first, last = holds.bounds[pairing.target.type.kind]
    has, keeps = _digits(pairing.incoming.type), _digits(pairing.target.type)
    if has > keeps:
        first, last = first * 1000, last * 1000 + 999
    elif has < keeps:
        first, last = -(-first // 1000), last // 1000
    return max(first, INT64[0]), min(last, INT64[1])


def _digits(kind: Type) -> int:
    """In which a clock travels: 6 or 9."""
    return NANOSECONDS if kind.precision == NANOSECONDS else MICROSECONDS


def grade(pairing: Pairing, traits: Mapping[str, Traits] | None, holds: Holds, accepted: Accepted) -> str:
    """How the column fits, in a word or two; traits None: nobody has looked at the values."""
    if traits is not None:
        word, lost = "lossy", losses(pairing, traits.get(pairing.incoming.name), holds)
    elif pairing.fit == "checked":  # any text could hold NUL, any date be out of range: only other types tell something
        word, lost = "checked", tuple(loss for loss in possible(pairing, holds) if loss != "nul_bytes")
    else:
        return pairing.fit
    stops = [loss for loss in lost if loss not in accepts(pairing, accepted)]
    if stops:
        return f"{word}: {', '.join(stops)}"
    return f"{word}, accepted: {', '.join(lost)}" if lost else pairing.fit
