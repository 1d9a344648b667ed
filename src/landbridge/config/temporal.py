"""What a table's versions are made into (docs/sync-modes.md, "Temporal tables")."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from landbridge.config.columns import Identifier, different
from landbridge.config.problems import Keys
from landbridge.schema.columns import Columns
from landbridge.schema.temporal import Temporal


class TemporalKeys(BaseModel):
    """The mapping `temporal` of an entry."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    month_ends: Literal["view"] | None = None
    as_of: bool = False
    keys: Annotated[list[Identifier] | None, Field(min_length=1), AfterValidator(different)] = None


def read_temporal(
    entry: TemporalKeys, merge_keys: Sequence[str], validity: tuple[str, str], columns: Columns, *, kept_here: bool
) -> tuple[Temporal, list[tuple[Keys, str]]]:
    """What is wanted, and keys of the entry with what is wrong with them.

    `validity` are columns of the source, or, where the history is `kept_here`, the target's own.
    """
    keys = tuple(entry.keys or (name for name in merge_keys if name not in validity))
    sources = [*keys, *(() if kept_here else validity)]
    first, last = validity if kept_here else (columns.pick(name).leaves_as for name in validity)
    leaving = tuple(columns.pick(name).leaves_as for name in keys)
    wanted = Temporal(leaving, (first, last), month_ends=entry.month_ends == "view", as_of=entry.as_of)
    return wanted, list(_problems(entry, keys, validity, sources, columns))


def _problems(
    entry: TemporalKeys, keys: Sequence[str], validity: Sequence[str], sources: Sequence[str], columns: Columns
) -> Iterator[tuple[Keys, str]]:
    if not entry.as_of and entry.month_ends is None:
        yield ("temporal",), "asks for nothing: write month_ends: view, or as_of: true, or both"
    if not keys:
        yield ("temporal", "keys"), "missing; the columns that tell whose version a row is"
    if {*keys} & {*validity}:
        yield ("temporal", "keys"), "names a column of validity_columns: a key is the same in all versions"
    names = {pick.name for pick in columns.picks}
    for name in sources:
        where = ("temporal", "keys") if name in keys else ("validity_columns",)
        if name in columns.exclude or not (columns.others or name in names):
            yield where, f"{name!r} does not leave the source: see columns and exclude"
        elif name in columns.unread or (name not in keys and columns.pick(name).mask):
            yield where, f"{name!r} is masked: its values cannot be compared"
