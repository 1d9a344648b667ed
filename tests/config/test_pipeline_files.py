"""Programs that write files of pipelines, and the schema that tells editors what may stand in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from landbridge.config.pipeline_files import create_config_template, get, load_config, merge, save_config
from landbridge.config.pipelines.phases import MODELS, ByTime, CountTolerances
from landbridge.config.pipelines.schema import LEVELS, pipeline_schema
from landbridge.config.pipelines.sections import Sections
from landbridge.config.pipelines.systems import ELSEWHERE, SIDES, model_of
from landbridge.config.pipelines.template import template, template_text
from landbridge.config.validation import keys_of
from landbridge.connectors.registry import OPTIONS
from landbridge.errors import ConfigError, UsageError, WorldError
from tests.config.conftest import Load
from tests.config.json_schema import fits
from tests.config.pipelines import CONNECTIONS, EVERY_KEY, SEED, changed

AWKWARD = ["no", "1e3", "ä: #x", 'a"b', "x.y", "{z}", "null", "2026-01-01"]


def test_a_pipeline_is_begun_by_a_program(load: Load, tmp_path: Path):
    """What seed 002 does: a template, a name, a file; and it is a pipeline."""
    config = create_config_template()
    config["pipeline_metadata"]["pipeline_name"] = "orders"
    save_config(config, tmp_path / "projects/orders/config.json")
    (pipeline,) = load(CONNECTIONS).pipelines
    assert (pipeline.name, pipeline.source_kind, pipeline.stage_kind) == ("orders", "duckdb", "parcel")
    assert pipeline.document == config


@pytest.mark.parametrize("name", [*AWKWARD, "orders"])
def test_templates(load: Load, name: str):
    """With comments or without, whatever the name, a template says one thing, and that is a valid pipeline."""
    project = load(CONNECTIONS, files={"projects/p/config.yml": template_text(name, "shop", "shop")})
    (pipeline,) = project.pipelines
    assert pipeline.document == template(name, "shop", "shop")
    assert pipeline.name == name
    assert pipeline.read is not None
    assert pipeline.write is not None
    assert (pipeline.read.relation.table, pipeline.write.relation.table) == (name, f"{name}_copy")


def test_a_dollar_in_a_name_is_no_variable(load: Load):
    """What is put in for variables leaves the name as it was given."""
    (pipeline,) = load(
        CONNECTIONS, files={"projects/p/config.yml": template_text("a${b}$", "shop", "report")}
    ).pipelines
    assert pipeline.name == "a${b}$"


@pytest.mark.parametrize("file", ["a.json", "a.yaml", "new/a.yml"])
def test_saved_and_loaded(tmp_path: Path, file: str):
    """What is saved is what is loaded, variables as they are written; nothing half written stays."""
    save_config({"old": 1}, tmp_path / file)
    config = {**EVERY_KEY, "x-awkward": AWKWARD}
    save_config(config, tmp_path / file)
    assert load_config(tmp_path / file) == config
    assert load_config(str(tmp_path / file))["smtp_config"]["password"] == "${SMTP_PASSWORD}"
    assert [path.name for path in (tmp_path / file).parent.iterdir()] == [(tmp_path / file).name]


def test_what_cannot_be_saved_or_loaded(tmp_path: Path):
    """The old file stays, and errors are those of the house."""
    file = tmp_path / "a.json"
    save_config({"a": 1}, file)
    for config, path in [({"a": float("nan")}, file), ({"a": object()}, file), ({"a": 1}, tmp_path / "a.toml")]:
        with pytest.raises(UsageError):
            save_config(config, path)
    with pytest.raises(UsageError):
        save_config({"a": object()}, tmp_path / "a.yaml")
    with pytest.raises(WorldError):
        save_config({"a": 1}, file / "b.json")
    assert load_config(file) == {"a": 1}
    file.write_text('{"a": 1, "a": 2}')
    for path, problem in [(file, "a: given twice"), (tmp_path / "b.json", "no such file")]:
        with pytest.raises(ConfigError, match=problem):
            load_config(path)
    file.write_text("[]")
    with pytest.raises(ConfigError, match="must be a mapping"):
        load_config(file)


def test_looked_into_and_merged():
    """Dotted paths with a default; mappings merge, all else is replaced; neither argument changes."""
    base = {"a": {"b": {"c": 1, "d": [1, 2]}}, "e": 1}
    override = {"a": {"b": {"d": [3]}}, "e": {"f": 2}}
    merged = merge(base, override)
    assert merged == {"a": {"b": {"c": 1, "d": [3]}}, "e": {"f": 2}}
    merged["a"]["b"]["d"].append(4)
    assert base == {"a": {"b": {"c": 1, "d": [1, 2]}}, "e": 1}
    assert override == {"a": {"b": {"d": [3]}}, "e": {"f": 2}}
    assert (get(base, "a.b.c"), get(base, "a.b.x", 5), get(base, "e.x"), get(base, "e")) == (1, 5, None, 1)


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every description of a mapping with keys."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for inner in schema.values():
            yield from objects(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from objects(inner)


def test_the_schema_is_that_of_the_models():
    """Each level has the keys of the model that reads it, all described; others are refused, but for `x-`."""
    schema = pipeline_schema()
    assert json.loads(json.dumps(schema)) == schema
    for level in objects(schema):
        assert level["additionalProperties"] is False
        assert level["patternProperties"] == {"^x-": {}}
        assert [key for key, entry in level["properties"].items() if not entry.get("description")] == []
        assert {*level.get("required", [])} <= {*level["properties"]}
    top = schema["properties"]
    assert [*top] == keys_of(Sections)
    assert schema["required"] == ["pipeline_metadata", *SIDES, "phases"]
    for name, model in LEVELS.items():
        assert [*top[name]["properties"]] == keys_of(model)
    phases = top["phases"]["properties"]
    assert {name: [*phase["properties"]] for name, phase in phases.items()} == {
        name: keys_of(model) for name, (model, _) in MODELS.items()
    }
    tolerances = phases["audit"]["properties"]["count_tolerances"]
    assert [*tolerances["properties"]] == keys_of(CountTolerances)
    assert [*tolerances["properties"]["by_time"]["items"]["properties"]] == keys_of(ByTime)


def test_the_schema_knows_every_kind_of_system():
    """A section is one of its forms: a connection, options of a connector, a kind that scripts read, a parcel."""
    schema = pipeline_schema()
    for side in SIDES:
        every = schema["properties"][side]["anyOf"]
        forms = {tuple(form["properties"].get("type", {}).get("enum", ())): form for form in every}
        kinds = {kind for form in forms for kind in form}
        assert kinds == {*OPTIONS, "postgresql", *ELSEWHERE, *(["parcel"] if side == "stage_system" else [])}
        assert [*forms["postgres", "postgresql"]["properties"]] == keys_of(model_of(side, "postgres", inline=True))
        assert "connection" in forms[()]["required"]
    port = forms["postgres", "postgresql"]["properties"]["port"]
    assert {"$ref": "#/$defs/variable"} in port["anyOf"]


def test_what_the_schema_lets_through():
    """The template, the seed's form and all of its keys, variables for numbers; and no misspelt key or wrong type."""
    schema = pipeline_schema()
    port = {"type": "postgresql", "host": "h", "port": "${PGPORT}", "database": "d", "user": "u", "table": "t"}
    right = [template(), SEED, EVERY_KEY, changed(SEED, source_system=port), {**SEED, "x-mine": 1}]
    right += [changed(SEED, phases={"pre_validation": {"custom": {"any": {"thing": 1}}, "x-y": 1}})]
    assert [fits(config, schema, schema["$defs"]) for config in right] == [True] * len(right)
    wrong = [
        changed(SEED, phases=None),
        changed(SEED, source_system={**port, "prot": 1}),
        changed(SEED, source_system={**port, "port": "many"}),
        changed(SEED, stage_system={"type": "parcel", "table": "t"}),
        changed(SEED, target_system={"type": "parcel"}),
        changed(SEED, phases={"audit": {"count_tolerances": {"source_to_stage_tolerance_percent": 101}}}),
        changed(SEED, phases={"adit": {}}),
        changed(SEED, retry_configuration={"backoff_strategy": "sometimes"}),
        {**SEED, "sources": {}},
    ]
    assert [fits(config, schema, schema["$defs"]) for config in wrong] == [False] * len(wrong)
