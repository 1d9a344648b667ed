"""One mapping of a document against its pydantic model; pydantic's errors in our words, at their lines."""

import re
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from landbridge.config.document import Document
from landbridge.config.problems import Keys, Problems
from landbridge.schema.names import did_you_mean

Model = TypeVar("Model", bound=BaseModel)

_READ_AS = {bool: "true or false", int: "a number", float: "a number"}
_TEXTS = {
    "missing": "missing",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping of keys to values",
    "model_type": "must be a mapping of keys to values",
    "string_too_short": "must not be empty",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "value_error": "{error}",
}


def validate(model: type[Model], document: Document, at: Keys, problems: Problems) -> Model | None:
    """The mapping at `at` as a `model`; None, with all its problems added, where it is not one.

    Strict: a text is no number, unless it came from a variable. Models nest no models: each level is
    validated by a call of its own.
    """
    try:
        return model.model_validate(document.get(at))
    except ValidationError as error:
        failures = error.errors(include_url=False)
    if any(_from_text(document, (*at, *failure["loc"]), failure["type"]) for failure in failures):
        return validate(model, document, at, problems)
    for failure in failures:
        about = failure.get("ctx", {}).get("at")  # set by a model whose fields do not fit together
        place = document.place((*at, *failure["loc"], *([about] if about else [])))
        text = _in_words(failure, model)
        if failure["type"] in ("missing", "needed") and place.file != document.file:
            text += "; set it in .env or the environment"
        problems.add(place, text)
    return None


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a mapping of this model may have."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _from_text(document: Document, keys: Keys, error: str) -> bool:
    """Make a variable's text the number or boolean that is asked for; False where it is none, or no variable's."""
    if keys not in document.free:
        return False
    document.free.discard(keys)
    text = str(document.get(keys))
    if error == "int_type" and re.fullmatch(r"-?[0-9]{1,18}", text):
        document.set(keys, int(text))
    elif error == "float_type" and re.fullmatch(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", text):
        document.set(keys, float(text))
    elif error == "bool_type" and text in ("true", "false"):
        document.set(keys, text == "true")
    else:
        return False
    return True


def _in_words(failure: ErrorDetails, model: type[BaseModel]) -> str:
    """The error's text; of the value itself it tells no more than its type."""
    kind, value = failure["type"], failure["input"]
    if kind == "extra_forbidden":
        return f"unknown key{did_you_mean(str(failure['loc'][-1]), keys_of(model))}"
    if kind == "string_type":
        if type(value) in _READ_AS:
            return f"must be text, but YAML reads this as {_READ_AS[type(value)]}; quote it"
        return "must be text, but is empty" if value is None else "must be text"
    if kind == "string_pattern_mismatch":
        return f"must be: {model.model_fields[str(failure['loc'][-1])].description}"
    if kind in _TEXTS:
        return _TEXTS[kind].format_map(failure.get("ctx", {}))
    return failure["msg"][:1].lower() + failure["msg"][1:]
