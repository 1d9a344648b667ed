"""The column that says which load brought a row (docs/pipelines.md, "At the target")."""

from landbridge.contracts.target import TAG
from landbridge.errors import SchemaMismatch
from landbridge.schema.model import Column, Relation, TableSchema, Type
from landbridge.schema.names import qualify


def tagged(schema: TableSchema) -> TableSchema:
    """A target that is made for windows: a row that changes comes again with a later one, so it has no key.

    Raises SchemaMismatch where such a column arrives.
    """
    refuse_tag(schema)
    return TableSchema((*schema.columns, Column(TAG, Type("text"))))


def refuse_tag(schema: TableSchema) -> None:
    """Raise SchemaMismatch where a column arrives under the name of ours, in whatever case."""
    if named := [name for name in schema.names if is_tag(name)]:
        raise SchemaMismatch(
            f"column {named[0]} arrives, and it is the target's own: it says which load brought a row",
            hint="leave it out of what is read, or give it another name there",
        )


def is_tag(name: str) -> bool:
    return name.lower() == TAG


def tag_of(standing: TableSchema, target: Relation) -> Column:
    """The target's column. Raises SchemaMismatch where it has none, or one that holds no text."""
    found = standing.column(TAG) or next((column for column in standing.columns if is_tag(column.name)), None)
    if found is None:
        raise SchemaMismatch(
            f"{target} has no column {TAG}: nothing would tell which rows are those of a window",
            hint=f"ALTER TABLE {qualify(target)} ADD COLUMN {TAG} text",
        )
    if found.type.kind != "text":
        raise SchemaMismatch(f"{target}: column {found.name} is {found.native or found.type}", hint="make it a text")
    return found


def untagged(schema: TableSchema) -> TableSchema:
    """The other columns; the key only if all of it is among them."""
    others = tuple(column for column in schema.columns if not is_tag(column.name))
    return TableSchema(others, () if any(map(is_tag, schema.primary_key)) else schema.primary_key)
