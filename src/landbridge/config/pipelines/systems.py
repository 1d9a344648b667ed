"""The three systems of a pipeline: each names a connection of landbridge.yaml, or is one by its own options."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, SecretStr, create_model

from landbridge.config.columns import Identifier, different
from landbridge.config.fields import RowFilter, SourceQuery, Zone
from landbridge.config.pipelines.values import PARCEL
from landbridge.config.tables import Strict
from landbridge.config.validation import keys_of
from landbridge.connectors.registry import OPTIONS
from landbridge.contracts.values import Filter

SAME = {"postgresql": "postgres"}  # words of type for a connector
ELSEWHERE = ("elasticsearch", "mysql", "api", "servicenow")  # what no connector reaches yet: a script must
KINDS = (*OPTIONS, *SAME, *ELSEWHERE)
Side = Literal["source_system", "stage_system", "target_system"]


class System(Strict):
    """Where a table is."""

    database: Identifier | None = Field(default=None, description="database, where the connection opens another one")
    schema_: Identifier | None = Field(default=None, alias="schema", description="schema of the table")
    table: Identifier | None = Field(default=None, description="the table")


class Source(System):
    """What is read."""

    filter: RowFilter = Field(
        default=Filter(), description="which rows, in the source's SQL: text, or a list joined with AND"
    )
    source_query: SourceQuery | None = Field(
        default=None, description="a SELECT that stands for the table, with {table} in it"
    )
    query_field: Identifier | None = Field(default=None, description="column by whose time a row belongs to a window")
    query_field_timezone: Zone | None = Field(default=None, description="zone of a query_field without one")


class Stage(System):
    """What lies between."""

    temp_table_prefix: str | None = Field(
        default=None, description="before the pipeline's name: the table, unless it is set"
    )


class Target(System):
    """What is loaded."""

    merge_keys: Annotated[list[Identifier], AfterValidator(different)] = Field(
        default=[], min_length=1, description="columns of which each combination is there once, with its newest row"
    )


class Elsewhere(Strict):
    """What the script of a system without connector may want to know; Landbridge reads none of it."""

    endpoint: str | None = Field(default=None, description="URL of its interface")
    host: str | None = Field(default=None, description="name or address")
    port: int | None = Field(default=None, ge=1, le=65535, description="TCP port")
    user: str | None = Field(default=None, description="who logs in")
    password: SecretStr | None = Field(default=None, description="the password of user")
    token: SecretStr | None = Field(default=None, description="access token")
    api_key: SecretStr | None = Field(default=None, description="key of its interface")
    credentials_ref: str | None = Field(default=None, description="where your script finds credentials")
    index: str | None = Field(default=None, description="index, where there are no tables")
    batch_size: int | None = Field(default=None, ge=1, description="rows of one request")


SIDES: Mapping[Side, type[System]] = {"source_system": Source, "stage_system": Stage, "target_system": Target}


@cache
def model_of(side: Side, form: str, *, inline: bool) -> type[BaseModel]:
    """The keys of a section; `form` is its type, or `connection` where it names one.

    `inline`: with the options of a connection of that type. The section's own keys give way to options of that name.
    """
    keys = SIDES[side]
    title = f"{keys.__name__} ({form})"
    if form == "connection":
        name = (str, Field(description="a connection of landbridge.yaml"))
        return create_model(title, __base__=_with_table(keys, side), connection=name)
    kind: Any = (Literal[form], Field(description="the kind of system"))
    if form == PARCEL:
        return create_model(title, __base__=Strict, type=kind)
    if form in ELSEWHERE:
        return create_model(title, __base__=(keys, Elsewhere), type=kind)
    bases = (OPTIONS[form], _with_table(keys, side)) if inline else (_with_table(keys, side),)
    return create_model(title, __base__=bases, type=kind)


@cache
def _with_table(keys: type[System], side: Side) -> type[System]:
    if side == "stage_system":
        return keys
    return create_model(keys.__name__, __base__=keys, table=(Identifier, Field(description="the table")))


def options_of(kind: str) -> list[str]:
    """The options of a connection of this type, but those that a section has anyway."""
    return [key for key in keys_of(OPTIONS[kind]) if key not in ("type", "database", "schema")]


def has_options(section: Collection[str], kind: str) -> bool:
    """Whether a section makes a connection of its own; one of a Snowflake account may leave that to another section."""
    return kind != "snowflake" or any(key in section for key in options_of(kind))


def connection_in(section: Mapping[str, object], kind: str) -> dict[str, object]:
    """The options that a section holds, as the connector's model takes them."""
    return {key: value for key, value in section.items() if key in keys_of(OPTIONS[kind])}
