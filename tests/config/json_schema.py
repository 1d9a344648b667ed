"""The words of JSON Schema that ours uses, and what they mean."""

import re
from typing import Any

Schema = dict[str, Any]
KINDS: dict[str, Any] = {"object": dict, "array": list, "string": str, "integer": int, "number": int | float}
KINDS |= {"boolean": bool, "null": type(None)}


def fits(value: Any, schema: Schema, definitions: Schema) -> bool:
    """Whether `value` is valid; references are to `definitions`."""
    if "$ref" in schema:
        return fits(value, definitions[schema["$ref"].rpartition("/")[2]], definitions)
    choices = schema.get("anyOf")
    return (
        (choices is None or any(fits(value, choice, definitions) for choice in choices))
        and _is_of(value, schema.get("type"))
        and value in schema.get("enum", [value])
        and _holds(value, schema, definitions)
    )


def _is_of(value: Any, kind: str | None) -> bool:
    if isinstance(value, bool):
        return kind in (None, "boolean")
    return kind is None or isinstance(value, KINDS[kind])


def _holds(value: Any, schema: Schema, definitions: Schema) -> bool:
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, list):
        return all(fits(each, schema.get("items", {}), definitions) for each in value)
    if isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        own = {key for key in value if key.startswith("x-")}
        return {*schema.get("required", [])} <= {*value} <= {*known, *own} and all(
            fits(value[key], known[key], definitions) for key in {*value} - own
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True
