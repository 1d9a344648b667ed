"""Files of pipelines for programs that write them: a template, saved, loaded, looked into, merged (seed 002)."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from landbridge.config.document import read_document
from landbridge.config.pipelines.template import template
from landbridge.config.problems import Problems
from landbridge.errors import ConfigError, UsageError, WorldError

YAML = (".yaml", ".yml")
Config = dict[str, Any]


def create_config_template() -> Config:
    """A pipeline that is valid where connections `shop` and `report` are; change it, and save it."""
    return template()


def save_config(config: Mapping[str, Any], path: Path | str) -> None:
    """Write `config` as JSON or YAML, as the name ends; who reads the file meanwhile sees the old one or the new.

    Raises UsageError for another ending, and for what is no plain value; WorldError where it cannot be written.
    """
    path = Path(path)
    write_text(path, as_text(config, path))


def as_text(config: Mapping[str, Any], path: Path) -> str:
    """`config` as it stands in a file called like `path`. Raises UsageError."""
    try:
        if path.suffix == ".json":
            return json.dumps(_plain(config), indent=4, ensure_ascii=False, allow_nan=False) + "\n"
        if path.suffix in YAML:
            return yaml.safe_dump(_plain(config), sort_keys=False, allow_unicode=True)
    except (TypeError, ValueError, yaml.YAMLError):
        raise UsageError(f"{path}: not made of mappings, lists, texts, numbers, true, false and null") from None
    raise UsageError(f"{path}: neither JSON nor YAML by its name", hint="let it end in .json, .yaml or .yml")


def write_text(path: Path, text: str) -> None:
    """Write the whole file or nothing, and its folder. Raises WorldError."""
    unfinished = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise WorldError(f"{path} cannot be written: {(error.strerror or 'input/output error').lower()}") from error


def load_config(path: Path | str) -> Config:
    """What the file says, as it stands: nothing is put in for variables, nothing is checked but its form.

    Raises ConfigError with every problem that there is, each with its line.
    """
    problems = Problems()
    document = read_document(Path(), str(path), problems)
    problems.raise_if_any()
    if document is None or not isinstance(document.data, dict):
        raise ConfigError(f"{path}: must be a mapping of keys to values", hint="landbridge new pipeline NAME")
    return document.data


def get(config: Mapping[str, Any], path: str, default: object = None) -> Any:  # noqa: ANN401 - any plain value
    """The value behind keys that are joined by dots, `source_system.table`; `default` where the way is cut short."""
    value: Any = config
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return default
        value = value[key]
    return value


def merge(base: Mapping[str, Any], override: Mapping[str, Any]) -> Config:
    """A new dict: mappings are merged key by key, of anything else that of `override` counts."""
    merged: Config = _plain(base)
    for key, value in override.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = merge(merged[key], value) if both else _plain(value)
    return merged


def _plain(value: Any) -> Any:  # noqa: ANN401 - any plain value
    """A copy made of dict and list, whatever kinds of them it is made of."""
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value
