"""One mapping of a document against its pydantic model; pydantic's errors in our words, at their lines."""

import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from landbridge.config.document import Document
from landbridge.config.problems import Keys, Problems, did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_BOOLEANS: dict[object, bool] = {"true": True, "false": False}
_READ_AS = {bool: "true or false", int: "a number", float: "a number"}
_TEXTS = {
    "missing": "missing",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "string_too_short": "must not be empty",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "value_error": "{error}",
}


def validate(model: type[Model], document: Document, at: Keys, problems: Problems) -> Model | None:
    """The mapping at `at` as a `model`; None, with all its problems added, where it is not one.

    Strict: a text is no number, unless it came from a variable. Models nest no models, so that each level
    is validated by a call of its own.
    """
    for name, kind in _types(model):
        if (*at, name) in document.free:
            document.set((*at, name), _from_text(document.get((*at, name)), kind))
    try:
        return model.model_validate(document.get(at))
    except ValidationError as error:
        for details in error.errors(include_url=False):
            keys = (*at, *details["loc"], *details.get("ctx", {}).get("at", ()))
            problems.add(document.place(keys), _in_words(details, model))
        return None


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a mapping of this model may have."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _in_words(details: ErrorDetails, model: type[BaseModel]) -> str:
    """The error's text; of the value itself it tells no more than its type."""
    kind, value = details["type"], details.get("input")
    match kind:
        case "extra_forbidden":
            return f"unknown key{did_you_mean(str(details['loc'][-1]), keys_of(model))}"
        case "string_type" if value is None:
            return "must be text, but is empty"
        case "string_type" if type(value) in _READ_AS:
            return f"must be text, but YAML reads this as {_READ_AS[type(value)]}; quote it"
        case "string_type":
            return "must be text"
    if kind in _TEXTS:
        return _TEXTS[kind].format_map(details.get("ctx", {}))
    return details["msg"][:1].lower() + details["msg"][1:]
