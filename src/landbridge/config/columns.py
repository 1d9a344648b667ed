"""`columns` and `exclude` of a table: which of its columns leave the source, under what name, masked how."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from landbridge.config.document import Document
from landbridge.config.problems import Keys, Problems
from landbridge.config.validation import validate
from landbridge.schema.columns import Columns, Pick

OTHERS = "*"


def _identifier(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("must not be empty or hold NUL")
    return text


def _column(text: str) -> str:
    if text == OTHERS:
        raise ValueError("must be one column's name; '*' stands alone")
    return _identifier(text)


def _mask(value: object) -> object:
    if value not in ("hash", "null", "constant"):
        raise ValueError('must be hash, constant or, in quotes, "null"')
    return value


def different(names: list[str]) -> list[str]:
    """As a validator: raises ValueError for a name that stands twice."""
    if len(set(names)) != len(names):
        raise ValueError("names a column twice")
    return names


Identifier = Annotated[str, AfterValidator(_identifier)]
ColumnName = Annotated[str, AfterValidator(_column)]


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    name: ColumnName
    rename: Identifier | None = Field(None, alias="as")
    mask: Annotated[Literal["hash", "null", "constant"] | None, BeforeValidator(_mask)] = None
    value: str | None = None

    @model_validator(mode="after")
    def _value_of_a_constant(self) -> Self:
        if self.mask == "constant" and self.value is None:
            raise PydanticCustomError("value", "missing; a constant needs one", {"at": "value"})
        if self.mask != "constant" and self.value is not None:
            raise PydanticCustomError("value", "goes with mask: constant only", {"at": "value"})
        return self


def read_columns(document: Document, at: Keys, exclude: Sequence[str], problems: Problems) -> Columns:
    """What the table at `at` says of its columns; `exclude` is validated. Problems are added, with their lines."""
    items = document.get((*at, "columns"))
    if not isinstance(items, list):
        return Columns(exclude=tuple(exclude))
    if not items:
        problems.add(document.place((*at, "columns")), "names no column; leave it out, and all are exported")
    if exclude and OTHERS not in items:
        problems.add(document.place((*at, "exclude")), "leaves nothing out: only what 'columns' names is exported")
    found: list[Pick] = []
    for number, item in enumerate(items):
        place = (*at, "columns", number)
        if item == OTHERS or (pick := _pick(document, place, problems)) is None:
            continue
        if contradiction := _contradiction(pick, found, exclude):
            problems.add(document.place(place), contradiction)
        found.append(pick)
    return Columns(tuple(found), OTHERS in items, tuple(exclude))


def _pick(document: Document, at: Keys, problems: Problems) -> Pick | None:
    item = document.get(at)
    if isinstance(item, dict):
        named = validate(_Item, document, at, problems)
        return Pick(named.name, named.rename, named.mask, named.value) if named else None
    if isinstance(item, str) and item and "\0" not in item:
        return Pick(item)
    problems.add(document.place(at), "must be a column's name, in quotes where YAML sees no text, or a mapping")
    return None


def _contradiction(pick: Pick, earlier: Sequence[Pick], exclude: Sequence[str]) -> str | None:
    if pick.name in exclude:
        return "the column is in 'exclude' too"
    if pick.name in [other.name for other in earlier]:
        return "the column is named twice"
    if pick.leaves_as in [other.leaves_as for other in earlier]:
        return "another column leaves under this name"
    return None
