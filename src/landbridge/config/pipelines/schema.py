"""The JSON Schema of a pipeline's file, for editors: made of the models that read it."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind

from landbridge.config.pipelines.phases import MODELS, ByTime, CountTolerances, Phases
from landbridge.config.pipelines.sections import (
    DagSchedule,
    Metadata,
    MonitoringKeys,
    QueryWindow,
    RetryConfiguration,
    Sections,
    SmtpConfig,
)
from landbridge.config.pipelines.systems import ELSEWHERE, SAME, SIDES, Side, model_of
from landbridge.config.pipelines.values import PARCEL
from landbridge.connectors.registry import OPTIONS

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
VARIABLE = {"$ref": "#/$defs/variable"}
VARIABLE_ITSELF = {"type": "string", "pattern": r"\$\{", "description": "a variable: ${NAME}"}
LEVELS: dict[str, type[BaseModel]] = {
    "pipeline_metadata": Metadata,
    "dag_schedule": DagSchedule,
    "query_window": QueryWindow,
    "retry_configuration": RetryConfiguration,
    "monitoring": MonitoringKeys,
    "smtp_config": SmtpConfig,
}


class _Generator(GenerateJsonSchema):
    """Defaults that JSON cannot say are left out."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"non-serializable-default"}  # noqa: RUF012 - pydantic's own way


def pipeline_schema() -> Schema:
    """What `landbridge schema pipeline` prints."""
    whole = _of(Sections)
    levels: dict[str, Schema] = {name: _of(model) for name, model in LEVELS.items()}
    levels |= {side: {"anyOf": _forms(side)} for side in SIDES}
    levels["phases"] = _phases()
    levels["snowflake_connection"] = _of(OPTIONS["snowflake"])
    levels["snowflake_connection"]["required"].remove("type")
    for name, level in levels.items():
        whole["properties"][name] = {**level, "description": whole["properties"][name]["description"]}
    return {"$schema": DIALECT, "title": "A pipeline of Landbridge", **whole, "$defs": {"variable": VARIABLE_ITSELF}}


def _phases() -> Schema:
    tolerances = _of(CountTolerances)
    tolerances["properties"]["by_time"]["items"] = _of(ByTime)
    phases = _of(Phases)
    for name, (model, _) in MODELS.items():
        phases["properties"][name] = {**_of(model), "description": phases["properties"][name]["description"]}
    at = phases["properties"]["audit"]["properties"]
    at["count_tolerances"] = {**tolerances, "description": at["count_tolerances"]["description"]}
    return phases


def _forms(side: Side) -> list[Schema]:
    """Every shape that a section may have."""
    first, *others = ELSEWHERE
    elsewhere = _of(model_of(side, first, inline=False))
    elsewhere["properties"]["type"]["enum"] += others
    forms = [_of(model_of(side, "connection", inline=False))]
    forms += [_of(model_of(side, kind, inline=True)) for kind in OPTIONS]
    forms += [_of(model_of(side, "snowflake", inline=False)), elsewhere]
    return [*forms, _of(model_of(side, PARCEL, inline=False))] if side == "stage_system" else forms


def _of(model: type[BaseModel]) -> Schema:
    """One level, without titles; `x-` keys are free, and numbers, booleans and choices may be variables."""
    made = model.model_json_schema(schema_generator=_Generator)
    for name, entry in made["properties"].items():
        made["properties"][name] = _entry(name, entry)
    kept: Schema = {key: made[key] for key in ("type", "properties", "required") if key in made}
    return {**kept, "additionalProperties": False, "patternProperties": {"^x-": {}}}


def _entry(name: str, entry: Schema) -> Schema:
    entry.pop("title", None)
    if name == "type" and "const" in entry:
        words = [entry["const"], *(word for word, kind in SAME.items() if kind == entry["const"])]
        return {"enum": words, "description": entry["description"]}
    if (entry.get("type") == "string" and "enum" not in entry) or entry.get("type") in ("array", "object"):
        return entry
    about: Schema = {key: entry.pop(key) for key in ("description", "default") if key in entry}
    choices = entry.pop("anyOf") if [*entry] == ["anyOf"] else [entry]
    return {**about, "anyOf": [*choices, *([] if {"type": "string"} in choices else [VARIABLE])]}
