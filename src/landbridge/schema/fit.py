"""What fits where: whether a column that arrives may be loaded into one that stands (docs/types.md, "What fits")."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from landbridge.errors import SchemaMismatch
from landbridge.schema.arrow import NANOSECONDS, travels_as_text
from landbridge.schema.model import Column, Kind, TableSchema, Type
from landbridge.schema.names import fold, unfold
from landbridge.schema.native import take_apart

Fit = Literal["exact", "widened", "checked", "refused"]

MICROSECONDS = 6
UUID_LENGTH = 36
HOLDS = {"int16": 4, "int32": 9, "int64": 18}  # decimal digits of which every number is one of this kind
NEEDS = {"int16": 5, "int32": 10, "int64": 19}  # decimal digits that every number of this kind has at most
# what catalogues call a column that takes any text or any document; other words of these kinds can only be read
LOADABLE = {
    "text": ("text", "varchar", "character varying", "string", "citext"),
    "json": ("json", "jsonb", "variant"),
}


@dataclass(frozen=True)
class Pairing:
    """An incoming column, the target column that takes it, and how it fits; never `refused`."""

    incoming: Column
    target: Column
    fit: Fit


def fit(incoming: Type, target: Type) -> Fit:
    """How a column of type `incoming` loads into one of type `target`.

    exact: same type; widened: holds every value; checked: loads, and a value that does not fit is an error
    naming the row, never altered; refused: not at all.
    """
    if incoming == target:
        return "exact"
    rule = RULES.get((incoming.kind, target.kind))
    return rule(incoming, target) if rule else "refused"


def _integers(incoming: Type, target: Type) -> Fit:
    return "widened" if HOLDS[incoming.kind] < HOLDS[target.kind] else "checked"


def _integer_to_decimal(incoming: Type, target: Type) -> Fit:
    if target.precision is None:
        return "widened"
    scale = target.scale or 0
    return "widened" if scale >= 0 and target.precision - scale >= NEEDS[incoming.kind] else "checked"


def _decimal_to_integer(incoming: Type, target: Type) -> Fit:
    if incoming.precision is None or travels_as_text(incoming) or incoming.scale:
        return "refused"
    return "widened" if incoming.precision <= HOLDS[target.kind] else "checked"


def _decimals(incoming: Type, target: Type) -> Fit:
    if target.precision is None:
        return "widened"
    if incoming.precision is None or (incoming.scale or 0) > (target.scale or 0):
        return "refused"
    if incoming.precision - (incoming.scale or 0) <= target.precision - (target.scale or 0):
        return "widened"
    return "refused" if travels_as_text(incoming) else "checked"


def _decimal_to_text(incoming: Type, target: Type) -> Fit:
    return "widened" if travels_as_text(incoming) and target.length is None else "refused"


def _float(_incoming: Type, _target: Type) -> Fit:
    return "widened"


def _text(incoming: Type, target: Type) -> Fit:
    fits = target.length is None or (incoming.length is not None and incoming.length <= target.length)
    return "widened" if fits else "checked"


def _uuid(_incoming: Type, target: Type) -> Fit:
    return "widened" if target.length is None or target.length >= UUID_LENGTH else "refused"


def _clock(incoming: Type, target: Type) -> Fit:
    has, keeps = (MICROSECONDS if side.precision is None else side.precision for side in (incoming, target))
    if has == keeps:
        return "exact"
    if has > keeps:
        return "checked" if keeps == MICROSECONDS else "refused"
    return "checked" if keeps == NANOSECONDS and incoming.kind != "time" else "widened"


INTEGERS: tuple[Kind, ...] = ("int16", "int32", "int64")
RULES: dict[tuple[Kind, Kind], Callable[[Type, Type], Fit]] = {
    **{(narrow, wide): _integers for narrow in INTEGERS for wide in INTEGERS},
    **{(integer, "decimal"): _integer_to_decimal for integer in INTEGERS},
    **{("decimal", integer): _decimal_to_integer for integer in INTEGERS},
    ("decimal", "decimal"): _decimals,
    ("decimal", "text"): _decimal_to_text,
    ("float32", "float64"): _float,
    ("text", "text"): _text,
    ("char", "text"): _text,
    ("json", "text"): _text,
    ("uuid", "text"): _uuid,
    ("time", "time"): _clock,
    ("timestamp", "timestamp"): _clock,
    ("timestamptz", "timestamptz"): _clock,
}


def pair(incoming: TableSchema, target: TableSchema) -> tuple[Pairing, ...]:
    """Each incoming column with its target column: the one named `fold(name)`, the same, or `unfold(name)`.

    Raises SchemaMismatch with every problem on a line of its own: a column that the target lacks, two that meet
    in one, a refused fit, a target column that must have a value and does not arrive.
    """
    found = [(column, _goal(column.name, target)) for column in incoming.columns]
    paired = tuple(Pairing(column, goal, fit(column.type, goal.type)) for column, goal in found if goal)
    arrivals = Counter(pairing.target.name for pairing in paired)
    problems = [
        *(
            f"the target lacks column {fold(column.name)}; add it as {column.type}"
            for column, goal in found
            if not goal
        ),
        *(f"{count} columns would be loaded into column {name}" for name, count in arrivals.items() if count > 1),
        *(_refusal(pairing) for pairing in paired if pairing.fit == "refused" or not loadable(pairing.target)),
        *(
            f"column {column.name} of the target is NOT NULL without a default, and nothing arrives for it"
            for column in target.columns
            if column.name not in arrivals and not (column.nullable or column.has_default)
        ),
    ]
    if problems:
        raise SchemaMismatch(
            "\n".join(problems),
            hint="landbridge migrate-tables --dry-run shows what is missing; or change what is read",
        )
    return paired


def _goal(name: str, target: TableSchema) -> Column | None:
    named = (target.column(word) for word in (fold(name), name, unfold(name)))
    return next((column for column in named if column), None)


def loadable(target: Column) -> bool:
    """False for a type that is only read as text or JSON: bytes of text sent to it could pass for another value."""
    words = LOADABLE.get(target.type.kind)
    return words is None or target.native is None or take_apart(target.native)[0] in words


def _refusal(pairing: Pairing) -> str:
    incoming, target = pairing.incoming, pairing.target
    return (
        f"column {target.name} is {target.native or target.type} and cannot take {incoming.native or incoming.type}; "
        f"it must hold {incoming.type}"
    )
